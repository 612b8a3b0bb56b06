"""The dense fields: how each AU and side moves every place of the picture.

There are two: `upper`, in which the upper lids and the upper lip reach on downwards over what lies
below them, and `lower`, the other way round. Each is continuous across the openings, so each can be
inverted; where there is no opening near they are equal. They live on a grid of about a millimetre.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from famaug.aus.basis import COLUMNS
from famaug.faces.landmarks import SKIN_POINTS
from famaug.faces.raster import nearest_inside, rasterize
from famaug.faces.ring import ring_weight, still_border
from famaug.generator.motion.opening import EYES, MOUTH

Array = NDArray[np.float64]
Fields = NDArray[np.float32]
STEP = 0.16
"""Distance of the nodes in centimetres (never under one pixel)."""
SMOOTHING = 0.14
"""Standard deviation of the smoothing in centimetres: rounds the creases of the mesh."""
STILL = 0.002
"""Motions at full intensity below this many pixels are none."""
EYE_SKIRT = (2.2, 2.2)
MOUTH_SKIRT = (2.2, 6.0)
"""Centimetres that the lower rim's motion reaches upwards and the upper rim's downwards."""
_FAR = 1e4


@dataclass(frozen=True)
class Grid:
    """Nodes over the box `x0..x1`, `y0..y1` (pixels, both included)."""

    x0: int
    y0: int
    x1: int
    y1: int
    columns: int
    lines: int

    @property
    def step(self) -> tuple[float, float]:
        """Distance of the nodes in pixels, (x, y)."""
        return (self.x1 - self.x0) / (self.columns - 1), (self.y1 - self.y0) / (self.lines - 1)

    @property
    def nodes(self) -> tuple[Array, Array]:
        """x and y of the nodes, both `lines columns`."""
        x = np.linspace(self.x0, self.x1, self.columns)
        y = np.linspace(self.y0, self.y1, self.lines)
        gx, gy = np.meshgrid(x, y)
        return gx, gy

    @staticmethod
    def over(outline: Array, shape: tuple[int, int], step: float, grow: float) -> Grid:
        """A grid over points grown from their middle, within the frame."""
        low, high = outline.min(0), outline.max(0)
        mid, half = (low + high) / 2, (high - low) / 2 * grow + 2 * step
        h, w = shape
        x0, y0 = (int(v) for v in np.clip(np.floor(mid - half), 0, [w - 2, h - 2]))
        x1, y1 = (int(v) for v in np.clip(np.ceil(mid + half), [x0 + 1, y0 + 1], [w - 1, h - 1]))
        columns = max(2, round((x1 - x0) / step) + 1)
        lines = max(2, round((y1 - y0) / step) + 1)
        return Grid(x0, y0, x1, y1, columns, lines)


def dense_fields(
    mesh: Array,
    motion: Array,
    triangles: NDArray[np.int64],
    grid: Grid,
    *,
    shape: tuple[int, int],
    scale: float,
) -> tuple[Fields, Fields]:
    """`upper` and `lower` fields, each `34 2 lines columns`, pixels at full intensity.

    Args:
        mesh: `478 3`, pixels, picture axes.
        motion: `34 478 2`, pixels.
        triangles: `M 3`.
        grid: where.
        shape: height and width of the frame.
        scale: pixels per centimetre.
    """
    x, y = grid.nodes
    outline = mesh[:SKIN_POINTS, :2]
    ring = ring_weight(outline, x, y)
    sides = []
    for upper in (True, False):
        sheet = _with_skirts(mesh, triangles, scale, upper=upper)
        field = _smooth(_raster_field(sheet, motion, grid), SMOOTHING * scale, grid)
        field *= ring[..., None].astype(np.float32)
        planes = field.reshape(grid.lines, grid.columns, COLUMNS, 2).transpose(2, 3, 0, 1)
        sides.append(np.ascontiguousarray(planes))
    still_border(sides, x, y, shape, float(np.ptp(outline[:, 1])))
    return _shrunk(sides[0]), _shrunk(sides[1])


class _Sheet(NamedTuple):
    """Points `N 2`, the mesh point each takes its motion from, triangles, and nearness."""

    points: Array
    source: NDArray[np.int64]
    triangles: NDArray[np.int64]
    near: Array


def _raster_field(sheet: _Sheet, motion: Array, grid: Grid) -> Fields:
    """Piecewise linear over the sheet; beyond it as at the nearest place."""
    on_grid = (sheet.points - [grid.x0, grid.y0]) / grid.step
    raster = rasterize(on_grid, sheet.near, sheet.triangles, (grid.lines, grid.columns))
    place = nearest_inside(raster.mask)
    point = sheet.source[sheet.triangles[raster.triangle.ravel()[place]]]
    weight = raster.weights.reshape(-1, 3)[place]
    mix = csr_array(
        (weight.ravel(), point.ravel(), np.arange(0, weight.size + 1, 3)),
        shape=(len(place), motion.shape[1]),
    )
    values = motion.transpose(1, 0, 2).reshape(motion.shape[1], -1).astype(np.float32)
    out: Fields = (mix @ values).reshape(grid.lines, grid.columns, -1)
    return out


def _with_skirts(mesh: Array, triangles: NDArray[np.int64], scale: float, *, upper: bool) -> _Sheet:
    """The mesh with a skirt hung from each upper (or lower) rim, in front of all else."""
    points, sources = [mesh[:, :2]], [np.arange(len(mesh))]
    # skin of the other side may hang over the rim (pressed lips): the skirt takes its place
    other = [p for opening in (*EYES, MOUTH) for p in opening[1 if upper else 0][1:-1]]
    near, faces = [-mesh[:, 2]], [triangles[~np.isin(triangles, other).any(1)]]
    count = len(mesh)
    for opening, reach in ((EYES[0], EYE_SKIRT), (EYES[1], EYE_SKIRT), (MOUTH, MOUTH_SKIRT)):
        rim = np.array(opening[0 if upper else 1])
        corner = mesh[rim[-1], :2] - mesh[rim[0], :2]
        corner = corner * np.sign(corner[0] or 1)
        down = np.array([-corner[1], corner[0]]) / np.linalg.norm(corner)
        drop = mesh[rim, :2] + down * scale * (reach[1] if upper else -reach[0])
        n = len(rim)
        top, low = count + np.arange(n), count + n + np.arange(n)
        points += [mesh[rim, :2], drop]
        sources += [rim, rim]
        near += [np.full(2 * n, _FAR)]
        quads = [
            np.stack([top[:-1], low[:-1], top[1:]], -1),
            np.stack([top[1:], low[:-1], low[1:]], -1),
        ]
        faces += [*quads, *(q[:, ::-1] for q in quads)]  # one of the windings is culled
        count += 2 * n
    return _Sheet(
        np.concatenate(points), np.concatenate(sources), np.concatenate(faces), np.concatenate(near)
    )


def _smooth(field: Fields, sigma: float, grid: Grid) -> Fields:
    """Gaussian smoothing of `lines columns K`."""
    sx, sy = grid.step
    out: Fields = cv2.GaussianBlur(
        field, (0, 0), sigma / sx, sigmaY=sigma / sy, borderType=cv2.BORDER_REPLICATE
    )
    return out


def _shrunk(field: Fields) -> Fields:
    """Pulls every motion `STILL` towards zero, so that hardly moved places do not move at all."""
    size = np.sqrt(np.square(field).sum(1, keepdims=True))
    field *= np.maximum(size - np.float32(STILL), 0) / np.maximum(size, np.float32(STILL))
    return field
