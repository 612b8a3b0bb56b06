"""The parts of the picture round the eyes and the mouth, rendered in layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from famaug.aus.basis import COLUMNS
from famaug.faces.sampling import as_source, sample_spline, spline_coefficients
from famaug.generator.motion.eyes import eye_rims, eyeball
from famaug.generator.motion.field import Grid
from famaug.generator.motion.inside import Inside
from famaug.generator.motion.inverse import at_nodes, invert, to_grid
from famaug.generator.motion.layers import Box, Image, Place, take_apart
from famaug.generator.motion.lids import Lid, calmed, make_lid
from famaug.generator.motion.mouth import mouth_rims
from famaug.generator.motion.mouth_layers import make_inside
from famaug.generator.motion.opening import Rims
from famaug.types import AU_INDEX

_EDGE = 0.09
"""Width of a layer's edge in centimetres (never under 1.3 pixels)."""
_EYE_REACH = (0.6, 0.9, 0.9)
_MOUTH_REACH = (1.7, 1.3, 2.9)
"""Centimetres that a patch reaches beyond the opening: to the sides, upwards, downwards."""
_SOURCE_REACH = 1.5
"""Centimetres beyond the patch from which its skin may come."""


@dataclass(frozen=True, eq=False)
class Patch:
    """One opening, ready to be rendered.

    Attributes:
        box: the pixels that it fills.
        fields: its part of the upper and the lower field, `34 2 2 lines columns` (side, then x
            and y), in nodes.
        moving: which of the 34 units move anything here.
        grid: `1 h w 2`, its pixels among its nodes.
        x, y: its pixels in the pictures of the skin layers.
        skin: spline sources `2 4 h w` of the upper and the lower skin (colour and cover).
        back: `1 3 h w`, what lies behind, where it is the same in every frame.
        inside: of a mouth, instead of that.
        lid_of: of an eye, asked when it first comes down: most clips show no blink.
        blink: the unit that brings it down, of the 34.
    """

    box: Box
    fields: Tensor
    moving: frozenset[int]
    grid: Tensor
    x: Tensor
    y: Tensor
    skin: Tensor
    back: Tensor
    inside: Inside | None = None
    lid_of: Callable[[], Lid] | None = None
    blink: int = 0

    @cached_property
    def lid(self) -> Lid | None:
        """Of an eye."""
        return None if self.lid_of is None else self.lid_of()

    def render(self, fields: Tensor, step: tuple[float, float], weights: Tensor) -> Tensor:
        """Colours `B 3 h w` for its forward fields `B 2 2 lines columns`, in nodes, of intensities
        `B 34`."""
        count = 2 * len(fields)
        inverse = invert(fields.flatten(0, 1))
        u = at_nodes(inverse, self.grid.expand(count, -1, -1, -1))
        skin = self.skin.repeat(len(fields), 1, 1, 1) if len(fields) > 1 else self.skin
        x, y = self.x + u[:, 0] * step[0], self.y + u[:, 1] * step[1]
        blinks = bool((weights[:, self.blink] > 0).any())
        lid = self.lid if blinks else None
        if lid is None or not lid.moves(weights):
            moved = sample_spline(skin, x, y)
            above, below, back = moved[0::2], moved[1::2], self.back
            if self.inside is not None:
                back = self.inside.show((1 - above[:, 3:]) * (1 - below[:, 3:]), weights)
            return _laid(above, below, back)
        closed = lid.layers(skin, x, y, weights)
        back = self.back
        if closed.behind is not None:
            colour, share = closed.behind
            back = back + share * (colour - back)
        whole = _laid(closed.upper, closed.lower, back)
        if closed.line is None:
            return whole
        return whole + closed.line * (lid.lashes.colour - whole)


def _laid(above: Tensor, below: Tensor, back: Tensor) -> Tensor:
    """Two skin layers `B 4 h w` over what lies behind them."""
    under = below[:, :3] + (1 - below[:, 3:]) * back
    return above[:, :3] + (1 - above[:, 3:]) * under


def find_openings(picture: Image, mesh: NDArray[Any], scale: float) -> tuple[list[Rims], bool]:
    """Rims of the left eye, the right eye and the mouth, and whether the lips are closed."""
    mouth, closed = mouth_rims(picture, mesh, scale)
    return [eye_rims(mesh, 0, scale), eye_rims(mesh, 1, scale), mouth], closed


def make_patch(
    number: int,
    rims: Rims,
    picture: Image,
    mesh: NDArray[Any],
    motion: NDArray[Any],
    fields: tuple[Tensor, Tensor],
    grid: Grid,
    scale: float,
    *,
    closed: bool,
) -> Patch | None:
    """The patch of an opening; None where it lies outside the frame.

    Args:
        number: 0 the left eye, 1 the right eye, 2 the mouth.
        rims: of the opening.
        picture, mesh: `H W 3`, the box of the grid, and `478 3`, in its pixels.
        motion: `34 478 3`, pixels at intensity 5.
        fields, grid: upper and lower field, `34 2 lines columns`, in nodes of the grid.
        scale: pixels per centimetre.
        closed: whether the lips are closed.
    """
    window = _window(rims, grid, scale, _MOUTH_REACH if number == 2 else _EYE_REACH)
    if window is None:
        return None
    lines, columns, box = window
    around = box.grown(int(np.ceil(_SOURCE_REACH * scale)), picture.shape[:2])
    place, inner = Place.of(rims, around), box.within(around)
    edge = max(_EDGE * scale, 1.3)
    device = fields[0].device
    inside = None
    if number == 2:
        inside = make_inside(picture, mesh, motion, rims, box, scale, edge, closed, device)
        back = np.zeros((*place.s.shape, 3), np.float32)
        back[inner.slices] = inside.at_rest()
    else:
        back = eyeball(picture, around, mesh, number, rims, place, scale)
    layers = take_apart(picture[around.slices], back, rims, place, edge)
    behind = layers.back[inner.slices].transpose(2, 0, 1)[None]
    x, y = box.pixels
    nodes = np.stack([x / grid.step[0] - columns.start, y / grid.step[1] - lines.start], -1)
    parts = torch.stack([f[:, :, lines, columns] for f in fields], 1)
    lid, blink = None, 0
    if number < 2:
        blink = number * (COLUMNS // 2) + AU_INDEX[45]
        lid = partial(make_lid, picture, mesh, number, rims, around, scale, edge, device)
        parts *= _tensor(_calm(number, rims, grid, lines, columns, scale), device)
    sources = [as_source(spline_coefficients(p), device) for p in (layers.upper, layers.lower)]
    return Patch(
        box,
        parts,
        frozenset(torch.nonzero(parts.flatten(1).any(1))[:, 0].tolist()),
        to_grid(_tensor(nodes[None], device), *parts.shape[-2:]),
        _tensor(x - around.x0, device),
        _tensor(y - around.y0, device),
        torch.cat(sources),
        _tensor(behind, device),
        inside,
        lid,
        blink,
    )


def _calm(
    number: int, rims: Rims, grid: Grid, lines: slice, columns: slice, scale: float
) -> NDArray[Any]:
    """Factors of an eye's fields at its nodes."""
    gx, gy = grid.nodes
    at = gx[lines, columns] - grid.x0, gy[lines, columns] - grid.y0
    return calmed(number, rims, *at, scale)


def _tensor(values: NDArray[Any], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(device)


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
