"""Inverts displacement fields: where in the neutral picture does each place come from?"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

ITERATIONS = 4
_LEAST_STRETCH = 0.2
"""Where the field nearly folds, Newton's step is held as if areas shrank to this share."""


def node_axes(lines: int, columns: int, like: Tensor) -> Tensor:
    """`1 lines columns 2`: (x, y) of the nodes, counted in nodes."""
    y = torch.arange(lines, dtype=torch.float32, device=like.device)
    x = torch.arange(columns, dtype=torch.float32, device=like.device)
    gy, gx = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([gx, gy], -1)[None]


def at_nodes(values: Tensor, place: Tensor) -> Tensor:
    """Linear interpolation of `B C lines columns` at `B h w 2` (x, y counted in nodes)."""
    lines, columns = values.shape[-2:]
    scale = torch.tensor([2 / (columns - 1), 2 / (lines - 1)], device=values.device)
    return F.grid_sample(values, place * scale - 1, padding_mode="border", align_corners=True)


def invert(field: Tensor) -> Tensor:
    """The inverse of a forward field by Newton's method.

    Args:
        field: `B 2 lines columns`, displacement (x, y) counted in nodes.

    Returns:
        `B 2 lines columns`: `u` with `u(y) = -field(y + u(y))`. Where the field is zero, `u` is
        exactly zero. Plain fixed-point iteration would diverge where a closing lid stretches the
        skin to more than twice its height.
    """
    base = node_axes(field.shape[2], field.shape[3], field)
    stack = torch.cat([field, *_slopes(field)], 1)
    u = -field
    for _ in range(ITERATIONS):
        there = at_nodes(stack, base + u.permute(0, 2, 3, 1))
        rx, ry = u[:, 0] + there[:, 0], u[:, 1] + there[:, 1]
        a, b, c, d = there[:, 2] + 1, there[:, 4], there[:, 3], there[:, 5] + 1
        area = (a * d - b * c).clamp(min=_LEAST_STRETCH)
        step = torch.stack([(d * rx - b * ry) / area, (a * ry - c * rx) / area], 1)
        u = u - step
    return u


def _slopes(field: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences along x and along y."""
    wide = F.pad(field, (1, 1, 1, 1), mode="replicate")
    along_x = (wide[:, :, 1:-1, 2:] - wide[:, :, 1:-1, :-2]) / 2
    along_y = (wide[:, :, 2:, 1:-1] - wide[:, :, :-2, 1:-1]) / 2
    return along_x, along_y
