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
    t = np.clip(np.asarray(x, np.float64), 0, 1)
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


def border_weight(
    motion: NDArray[np.float32], x: Array, y: Array, shape: tuple[int, int], face: float
) -> NDArray[np.float32]:
    """Holds the border of the frame still without folding what lies before it.

    Args:
        motion: `K 2 H W`, fields at full intensity in pixels.
        x, y: positions of the nodes.
        shape: height and width of the frame.
        face: size of the face in pixels.

    Returns:
        `K 1 H W` weights: 0 on the border, 1 from twice each field's own size near it.
    """
    h, w = shape
    inward = np.minimum(np.minimum(x, w - 1 - x), np.minimum(y, h - 1 - y))
    near = inward < 0.25 * face
    size = np.hypot(motion[:, 0], motion[:, 1])
    reach = 2 * np.where(near, size, 0).max((1, 2)) + 2
    weight = smooth_step(inward[None] / reach[:, None, None])
    out: NDArray[np.float32] = weight[:, None].astype(np.float32)
    return out
