"""Face regions: a square in the picture, turned with the head, and the crop taken from it.

A region is `(cx, cy, side, angle)`: centre and side in pixels of the picture (pixel centres at
whole numbers), angle in radians, clockwise as seen. Sampling is bilinear with the border repeated,
differentiable in the picture, on any device.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from famaug.faces.landmarks import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS, SKIN_POINTS

Array = NDArray[np.float64]
MARGIN = 1.5
"""Side of the region over the largest extent of the face, as the mesh net was trained."""


def region_of_mesh(mesh: NDArray[Any]) -> Array:
    """Regions of meshes: `... 478 3` to `... 4`."""
    p = np.asarray(mesh, np.float64)[..., :2]
    eyes = p[..., LEFT_EYE_CORNERS[0], :] - p[..., RIGHT_EYE_CORNERS[0], :]
    angle = np.arctan2(eyes[..., 1], eyes[..., 0])
    c, s = np.cos(angle)[..., None], np.sin(angle)[..., None]
    x, y = p[..., :SKIN_POINTS, 0], p[..., :SKIN_POINTS, 1]
    u, v = c * x + s * y, c * y - s * x  # turned upright
    low = np.stack([u.min(-1), v.min(-1)], -1)
    high = np.stack([u.max(-1), v.max(-1)], -1)
    mid = (low + high) / 2
    c, s = c[..., 0], s[..., 0]
    cx = c * mid[..., 0] - s * mid[..., 1]
    cy = s * mid[..., 0] + c * mid[..., 1]
    return np.stack([cx, cy, MARGIN * (high - low).max(-1), angle], -1)


def crop_matrix(regions: Array, size: int) -> Array:
    """Affine maps `B 2 3` from pixels of the crop (`size` square) to pixels of the picture."""
    cx, cy, side, angle = np.asarray(regions, np.float64).reshape(-1, 4).T
    k = side / size
    a, b = k * np.cos(angle), k * np.sin(angle)
    half = (size - 1) / 2
    rows = [[a, -b, cx - (a - b) * half], [b, a, cy - (a + b) * half]]
    return np.stack([np.stack(r, -1) for r in rows], -2)


def sample(pictures: Tensor, matrices: Array, size: int) -> Tensor:
    """Crops `B C size size` of `pictures` (`B C H W`), through maps as `crop_matrix` gives."""
    h, w = pictures.shape[2:]
    m = torch.as_tensor(matrices, dtype=torch.float32, device=pictures.device)
    axis = torch.arange(size, dtype=torch.float32, device=pictures.device)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    ones = torch.stack([x, y, torch.ones_like(x)], -1)
    points = torch.einsum("hwk,bnk->bhwn", ones, m)
    scale = torch.tensor([2 / w, 2 / h], device=pictures.device)
    grid = (points + 0.5) * scale - 1
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def to_picture(mesh: Tensor, matrices: Array) -> Tensor:
    """Meshes `B 478 3` from crop pixels to picture pixels; z takes the maps' scale."""
    m = torch.as_tensor(matrices, dtype=mesh.dtype, device=mesh.device)
    xy = torch.einsum("bpk,bnk->bpn", mesh[..., :2], m[..., :2]) + m[:, None, :, 2]
    scale = torch.linalg.vector_norm(m[..., :2, 0], dim=-1)
    return torch.cat([xy, mesh[..., 2:] * scale[:, None, None]], -1)


def far_apart(a: Array, b: Array) -> NDArray[np.bool_]:
    """Whether regions differ so much that a mesh found in one should be found again in the
    other: centre by 6 %, side by 12 %, or angle by 6 degrees."""
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    moved = np.hypot(a[..., 0] - b[..., 0], a[..., 1] - b[..., 1]) > 0.06 * a[..., 2]
    grown = np.abs(np.log(a[..., 2] / b[..., 2])) > 0.12
    turn = (a[..., 3] - b[..., 3] + math.pi) % (2 * math.pi) - math.pi
    result: NDArray[np.bool_] = moved | grown | (np.abs(turn) > math.radians(6))
    return result
