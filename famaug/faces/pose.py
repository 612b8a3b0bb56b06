"""Head pose: the similarity that lays one set of points on another, and angles from it.

The head frame is right-handed, in centimetres: x to the person's left, y up, z out of the face,
the origin between the outer eye corners. A mesh in a picture has y down and z away from the
viewer, so it is flipped on the way in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
FLIP = np.array([1.0, -1.0, -1.0])
"""Picture axes to head axes, and back."""


@dataclass(frozen=True, eq=False)
class Similarity:
    """`y = scale * R x + shift`."""

    scale: float
    rotation: Array
    shift: Array

    def apply(self, points: NDArray[Any]) -> Array:
        out: Array = self.scale * np.asarray(points, np.float64) @ self.rotation.T + self.shift
        return out

    @property
    def inverse(self) -> Similarity:
        turned = self.rotation.T
        return Similarity(1 / self.scale, turned, -turned @ self.shift / self.scale)


def fit_similarity(source: NDArray[Any], target: NDArray[Any], weight: NDArray[Any]) -> Similarity:
    """Weighted least-squares similarity from `source` to `target`, both `N 3`.

    Source: Umeyama, "Least-squares estimation of transformation parameters", PAMI 1991.
    """
    a, b = np.asarray(source, np.float64), np.asarray(target, np.float64)
    w = np.asarray(weight, np.float64)
    w = w / w.sum()
    ca, cb = w @ a, w @ b
    da, db = a - ca, b - cb
    u, d, vt = np.linalg.svd(db.T @ (da * w[:, None]))
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((d * sign).sum() / (w @ np.square(da).sum(1)))
    return Similarity(scale, rotation, cb - scale * rotation @ ca)


def angles(rotation: Array) -> Array:
    """(yaw, pitch, roll) in degrees of a rotation `... 3 3` of the head frame.

    Yaw is positive when the person turns to their left, pitch when they look up, roll when the
    head tilts to their right shoulder (counter-clockwise in the head frame).
    """
    r = np.asarray(rotation, np.float64)
    yaw = np.arctan2(r[..., 0, 2], r[..., 2, 2])
    pitch = np.arctan2(r[..., 1, 2], np.hypot(r[..., 0, 2], r[..., 2, 2]))
    roll = np.arctan2(r[..., 1, 0], r[..., 1, 1])
    out: Array = np.degrees(np.stack([yaw, pitch, roll], -1))
    return out


def turn(rotation: Array) -> NDArray[np.float64]:
    """Angle in degrees of a rotation `... 3 3`, whatever its axis."""
    trace = np.trace(np.asarray(rotation, np.float64), axis1=-2, axis2=-1)
    out: Array = np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1)))
    return out
