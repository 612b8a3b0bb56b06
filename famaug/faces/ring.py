"""Where the warp fades out: a ring round the face, and the border of the frame."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
RING = 1.32
"""The warp ends where the face's outline, grown from its centre, is this many times as large."""


def smooth_step(x: NDArray[Any]) -> Array:
    """0 below 0, 1 above 1, level at both ends."""
    t = np.clip(x, 0, 1)
    out: Array = t * t * (3 - 2 * t)
    return out


def ring_weight(outline: NDArray[Any], x: NDArray[Any], y: NDArray[Any]) -> Array:
    """1 inside the convex hull of `outline` (`N 2`), falling to 0 at `RING` times its size."""
    hull = cv2.convexHull(np.asarray(outline, np.float32))[:, 0].astype(np.float64)
    centre = (hull.min(0) + hull.max(0)) / 2
    beyond = _radius(hull - centre, x - centre[0], y - centre[1])
    return smooth_step((RING - beyond) / (RING - 1))


def _radius(hull: Array, dx: NDArray[Any], dy: NDArray[Any]) -> Array:
    """Distance from the centre in units of the hull's own radius in that direction.

    That is the largest over the hull's edges of the position's distance along the edge's normal,
    over the edge's own.
    """
    edge = np.roll(hull, -1, 0) - hull
    normal = np.stack([edge[:, 1], -edge[:, 0]], -1)
    reach = (normal * hull).sum(1)
    normal = normal[np.abs(reach) > 1e-9] / reach[np.abs(reach) > 1e-9][:, None]
    out = np.zeros(np.broadcast(dx, dy).shape)
    for nx, ny in normal:
        np.maximum(out, nx * dx + ny * dy, out=out)
    return out


def still_border(
    sides: list[NDArray[np.float32]], x: Array, y: Array, shape: tuple[int, int], face: float
) -> None:
    """Holds the border of the frame still without folding what lies before it, in place.

    Each field is weighted by 0 on the border, rising to 1 over twice its own size near there.

    Args:
        sides: fields `K 2 lines columns` at full intensity, pixels.
        x, y: positions of the nodes.
        shape: height and width of the frame.
        face: size of the face in pixels.
    """
    h, w = shape
    inward = np.minimum(np.minimum(x, w - 1 - x), np.minimum(y, h - 1 - y)).astype(np.float32)
    near = inward < 0.25 * face
    where = near.astype(np.float32)
    for k in range(len(sides[0])):
        size = max(float(abs(side[k] * where).max()) for side in sides)
        if size > 0:
            weight = smooth_step(inward / (2 * size + 2)).astype(np.float32)
            for side in sides:
                side[k] *= weight
