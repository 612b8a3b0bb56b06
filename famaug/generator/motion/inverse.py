"""Inverts displacement fields: where in the neutral picture does each place come from?"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

ITERATIONS = 4
"""Enough for a closing lid; three do where no lid is."""
_LEAST_STRETCH = 0.2
"""Where the field nearly folds, Newton's step is held as if areas shrank to this share."""
_LONGEST_STEP = 2.5
"""Nodes. Keeps a step from leaping over a place where the field changes abruptly."""


def to_grid(places: Tensor, lines: int, columns: int) -> Tensor:
    """Places `... 2` counted in nodes to the -1..1 that `grid_sample` takes."""
    return places * places.new_tensor([2 / (columns - 1), 2 / (lines - 1)]) - 1


def at_nodes(values: Tensor, grid: Tensor) -> Tensor:
    """Linear interpolation of `B C lines columns` at `B h w 2`, from `to_grid`."""
    return F.grid_sample(values, grid, padding_mode="border", align_corners=True)


def invert(field: Tensor, iterations: int = ITERATIONS) -> Tensor:
    """The inverse of a forward field by Newton's method.

    Args:
        field: `B 2 lines columns`, displacement (x, y) counted in nodes.
        iterations: Newton steps.

    Returns:
        `B 2 lines columns`: `u` with `u(y) = -field(y + u(y))`. Where the field is zero, `u` is
        exactly zero. Plain fixed-point iteration would diverge where a closing lid stretches the
        skin to more than twice its height.
    """
    lines, columns = field.shape[2:]
    y = torch.arange(lines, dtype=torch.float32, device=field.device)[:, None]
    x = torch.arange(columns, dtype=torch.float32, device=field.device)
    kx, ky = 2 / (columns - 1), 2 / (lines - 1)
    stack = torch.cat([field, *_slopes(field)], 1)
    ux, uy = -field[:, 0], -field[:, 1]
    for _ in range(iterations):
        grid = torch.stack([(x + ux) * kx - 1, (y + uy) * ky - 1], -1)
        fx, fy, a, c, b, d = at_nodes(stack, grid).unbind(1)
        rx, ry = ux + fx, uy + fy
        a, d = a + 1, d + 1
        share = 1 / (a * d - b * c).clamp(min=_LEAST_STRETCH)
        ux = ux - ((d * rx - b * ry) * share).clamp(-_LONGEST_STEP, _LONGEST_STEP)
        uy = uy - ((a * ry - c * rx) * share).clamp(-_LONGEST_STEP, _LONGEST_STEP)
    return torch.stack([ux, uy], 1)


def _slopes(field: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences along x and along y."""
    wide = F.pad(field, (1, 1, 1, 1), mode="replicate")
    along_x = (wide[:, :, 1:-1, 2:] - wide[:, :, 1:-1, :-2]) / 2
    along_y = (wide[:, :, 2:, 1:-1] - wide[:, :, :-2, 1:-1]) / 2
    return along_x, along_y
