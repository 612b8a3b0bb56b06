"""Which triangle of a mesh covers which pixel: a small vectorised rasteriser.

All (triangle, pixel) pairs of the triangles' boxes are tested at once; the nearest wins. For face
meshes (about a thousand triangles) this takes a few milliseconds and needs no graphics library.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray


class Raster(NamedTuple):
    """`triangle` int32 `H W`, -1 where none; `weights` float32 `H W 3`, barycentric."""

    triangle: NDArray[np.int32]
    weights: NDArray[np.float32]

    @property
    def mask(self) -> NDArray[np.bool_]:
        result: NDArray[np.bool_] = self.triangle >= 0
        return result

    def interpolate(self, values: NDArray[Any], triangles: NDArray[Any]) -> NDArray[np.float32]:
        """Values at the vertices (`N K`) to pixels (`H W K`); 0 where no triangle lies."""
        out = np.zeros((*self.triangle.shape, values.shape[1]), np.float32)
        on = self.mask
        corner = np.asarray(values, np.float32)[triangles[self.triangle[on]]]
        out[on] = np.einsum("pc,pck->pk", self.weights[on], corner)
        return out


def rasterize(
    points: NDArray[Any],
    nearness: NDArray[Any],
    triangles: NDArray[Any],
    shape: tuple[int, int],
    *,
    cull: bool = True,
) -> Raster:
    """Rasterise a mesh.

    Args:
        points: `N 2`, x and y in pixels (pixel centres at whole numbers).
        nearness: `N`, larger is nearer.
        triangles: `M 3` vertex numbers, counter-clockwise seen from the front.
        shape: height and width of the raster.
        cull: leave out triangles seen from behind.
    """
    h, w = shape
    p = np.asarray(points, np.float64)[triangles]
    a, b, c = p[:, 0], p[:, 1], p[:, 2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    low = np.clip(np.ceil(p.min(1)), 0, [w, h]).astype(np.int64)
    high = np.clip(np.floor(p.max(1)) + 1, 0, [w, h]).astype(np.int64)
    extent = np.clip(high - low, 0, None)
    # y points down, so a counter-clockwise triangle has a negative area
    keep = (area < -1e-9 if cull else np.abs(area) > 1e-9) & (extent.prod(1) > 0)
    index = np.flatnonzero(keep)
    triangle, x, y = _pairs(index, low[index], extent[index])
    a, b, c, d = a[triangle], b[triangle], c[triangle], area[triangle]
    w1 = ((x - a[:, 0]) * (c[:, 1] - a[:, 1]) - (y - a[:, 1]) * (c[:, 0] - a[:, 0])) / d
    w2 = ((b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (b[:, 1] - a[:, 1]) * (x - a[:, 0])) / d
    w0 = 1 - w1 - w2
    inside = (w0 >= -1e-9) & (w1 >= -1e-9) & (w2 >= -1e-9)
    triangle, pixel = triangle[inside], (y * w + x)[inside]
    weights = np.stack([w0, w1, w2], -1)[inside]
    z = (weights * np.asarray(nearness, np.float64)[triangles[triangle]]).sum(1)
    order = np.lexsort((triangle, z))  # nearest last, and it overwrites; ties by number
    out = np.full(h * w, -1, np.int32)
    bary = np.zeros((h * w, 3), np.float32)
    last = np.full(h * w, -1, np.int64)
    last[pixel[order]] = order
    hit = np.flatnonzero(last >= 0)
    out[hit], bary[hit] = triangle[last[hit]], weights[last[hit]]
    return Raster(out.reshape(h, w), bary.reshape(h, w, 3))


def nearest_inside(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Flat number of the nearest place inside the mask, for every place."""
    outside = (~mask).astype(np.uint8)
    _, label = cv2.distanceTransformWithLabels(
        outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    place = np.zeros(int(label.max()) + 1, np.int64)
    place[label[mask]] = np.flatnonzero(mask)
    out: NDArray[np.int64] = place[label.ravel()]
    return out


def _pairs(
    index: NDArray[np.int64], low: NDArray[np.int64], extent: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Every pixel of every box: triangle number, x, y, flat."""
    count = extent.prod(1)
    start = np.cumsum(count) - count
    within = np.arange(int(count.sum())) - np.repeat(start, count)
    width = np.repeat(extent[:, 0], count)
    x = np.repeat(low[:, 0], count) + within % width
    y = np.repeat(low[:, 1], count) + within // width
    return np.repeat(index, count), x, y
