"""The parts of the picture round the eyes and the mouth, rendered in layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from famaug.faces.sampling import as_source, sample_spline, spline_coefficients
from famaug.generator.eyes import eye_rims, eyeball
from famaug.generator.field import Grid
from famaug.generator.inverse import at_nodes, invert
from famaug.generator.layers import Box, Image, Place, take_apart
from famaug.generator.mouth import inner_mouth, mouth_rims
from famaug.generator.opening import Rims

_EDGE = 0.09
"""Width of a layer's edge in centimetres (never under 1.3 pixels)."""
_EYE_REACH = (0.6, 0.9, 0.9)
_MOUTH_REACH = (2.0, 1.5, 2.9)
"""Centimetres that a patch reaches beyond the opening: to the sides, upwards, downwards."""
_SOURCE_REACH = 1.5
"""Centimetres beyond the patch from which its skin may come."""


@dataclass(frozen=True, eq=False)
class Patch:
    """One opening, ready to be rendered.

    Attributes:
        lines, columns: the nodes of the grid that cover it.
        box: the pixels that it fills.
        place: `1 h w 2`, its pixels counted in its own nodes.
        origin: first pixel of the layers' pictures.
        upper, lower: spline sources of the skin layers (colour and cover).
        back: `1 3 h w`, what lies behind.
    """

    lines: slice
    columns: slice
    box: Box
    place: Tensor
    pixels: tuple[Tensor, Tensor]
    origin: tuple[int, int]
    upper: Tensor
    lower: Tensor
    back: Tensor

    def render(self, upper: Tensor, lower: Tensor, step: tuple[float, float]) -> Tensor:
        """Colours `B 3 h w` for forward fields `B 2 lines columns` of the whole grid (in nodes)."""
        above = self._moved(self.upper, upper, step)
        below = self._moved(self.lower, lower, step)
        skin = below[:, :3] + (1 - below[:, 3:]) * self.back
        return above[:, :3] + (1 - above[:, 3:]) * skin

    def _moved(self, source: Tensor, field: Tensor, step: tuple[float, float]) -> Tensor:
        back = invert(field[:, :, self.lines, self.columns])
        u = at_nodes(back, self.place.expand(len(back), -1, -1, -1))
        x = self.pixels[0] + u[:, 0] * step[0]
        y = self.pixels[1] + u[:, 1] * step[1]
        return sample_spline(source, x, y)


def make_patches(
    picture: Image, mesh: NDArray[Any], grid: Grid, scale: float, device: torch.device
) -> tuple[list[Patch], list[Rims]]:
    """Patches of both eyes and the mouth, and the rims they were cut along.

    Args:
        picture: `H W 3`, the box of the grid.
        mesh: `478 3`, in pixels of that box.
    """
    patches, found = [], []
    for opening in (0, 1, 2):
        if opening == 2:
            rims, closed = mouth_rims(picture, mesh, scale)
        else:
            rims, closed = eye_rims(mesh, opening, scale), False
        found.append(rims)
        window = _window(rims, grid, scale, _MOUTH_REACH if opening == 2 else _EYE_REACH)
        if window is None:
            continue
        lines, columns, box = window
        around = box.grown(int(np.ceil(_SOURCE_REACH * scale)), picture.shape[:2])
        place = Place.of(rims, around)
        if opening == 2:
            back = inner_mouth(picture, rims, place, scale, closed=closed)
        else:
            back = eyeball(picture, around, mesh, opening, rims, place, scale)
        edge = max(_EDGE * scale, 1.3)
        layers = take_apart(picture[around.slices], back, rims, place, edge)
        inner = Box(box.x0 - around.x0, box.y0 - around.y0, box.x1 - around.x0, box.y1 - around.y0)
        behind = np.ascontiguousarray(layers.back[inner.slices].transpose(2, 0, 1)[None])
        x, y = box.pixels
        sx, sy = grid.step
        nodes = np.stack([x / sx - columns.start, y / sy - lines.start], -1)
        patches.append(
            Patch(
                lines,
                columns,
                box,
                torch.from_numpy(nodes.astype(np.float32))[None].to(device),
                (
                    torch.from_numpy((x - around.x0).astype(np.float32)).to(device),
                    torch.from_numpy((y - around.y0).astype(np.float32)).to(device),
                ),
                (around.x0, around.y0),
                as_source(spline_coefficients(layers.upper), device),
                as_source(spline_coefficients(layers.lower), device),
                torch.from_numpy(behind).to(device),
            )
        )
    return patches, found


def _window(
    rims: Rims, grid: Grid, scale: float, reach: tuple[float, float, float]
) -> tuple[slice, slice, Box] | None:
    """Nodes and pixels of a patch; None where less than two nodes of it are in the frame."""
    side, up, down = (r * scale for r in reach)
    s = np.array([-1, 1, -1, 1]) * (rims.half_width + side)
    t = np.array([rims.upper.min() - up] * 2 + [rims.lower.max() + down] * 2)
    x, y = rims.to_picture(s, t)
    sx, sy = grid.step
    i0, i1 = (int(v) for v in np.clip([y.min() // sy, y.max() // sy + 2], 0, grid.lines))
    j0, j1 = (int(v) for v in np.clip([x.min() // sx, x.max() // sx + 2], 0, grid.columns))
    if i1 - i0 < 2 or j1 - j0 < 2:
        return None
    box = Box(
        int(np.ceil(j0 * sx)), int(np.ceil(i0 * sy)),
        int((j1 - 1) * sx + 1e-6) + 1, int((i1 - 1) * sy + 1e-6) + 1,
    )  # fmt: skip
    return slice(i0, i1), slice(j0, j1), box
