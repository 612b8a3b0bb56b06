"""From a generator's outputs to pictures, at the network's resolution or any other.

    out = A warp(picture, F) + (1 - A) C

A keeps, C paints (GANimation, Eq. 1), F moves. Without F it is GANimation.
"""

from __future__ import annotations

from typing import Literal, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from famaug.errors import InputError
from famaug.faces.sampling import sample_spline
from famaug.generator.networks.au_maps import RAMP, au_maps, left_share
from famaug.generator.networks.ganimation import Outputs

Halves = Literal["maps", "paper"]


class Generator(Protocol):
    """A network from pictures `B 3 H W` and maps `B 17 H W` to `Outputs`."""

    def __call__(self, picture: Tensor, maps: Tensor) -> Outputs: ...


def compose(picture: Tensor, outputs: Outputs) -> Tensor:
    """Pictures `B 3 H W` in [-1, 1] of outputs of the same size."""
    kept = picture if outputs.flow is None else warp(picture, outputs.flow)
    return outputs.attention * kept + (1 - outputs.attention) * outputs.colour


def warp(picture: Tensor, flow: Tensor) -> Tensor:
    """The picture `B 3 H W`, each pixel from where `flow` (`B 2 H W`, half sides) points; bilinear,
    differentiable, beyond the border as at the border."""
    grid = _positions(flow)
    return F.grid_sample(picture, grid, padding_mode="border", align_corners=False)


def render_at(
    picture: Tensor, small: Tensor, outputs: Outputs, *, spline: Tensor | None = None
) -> Tensor:
    """Applies outputs of a small picture to the large one it was made from.

    Motion and mask are resampled. Of the colours, what they change in the small picture is added to
    the moved large one, so that pores and hair stay where the colours know nothing of them:

        out = warp(picture, F) + up((1 - A) (C - warp(small, F)))

    At equal sizes that is `compose`, and `compose` is what is computed there.

    Args:
        picture: `B 3 H W`, [-1, 1].
        small: `B 3 h w`, what the network saw.
        outputs: of `small`.
        spline: `as_source(spline_coefficients(picture))`, `B 3 H+4 W+4`, to sample the large
            picture by cubic splines (famaug.faces.sampling) and not bilinearly, which blurs.

    Returns:
        `B 3 H W`, clamped to [-1, 1].

    Raises:
        InputError: outputs of another size than the small picture.
    """
    if outputs.attention.shape[2:] != small.shape[2:]:
        raise InputError(
            f"outputs of {tuple(outputs.attention.shape[2:])} pixels are not those of a small "
            f"picture of {tuple(small.shape[2:])}"
        )
    if picture.shape[2:] == small.shape[2:] and spline is None:
        return compose(picture, outputs)
    moved_small, moved = small, picture
    if outputs.flow is not None:
        moved_small = warp(small, outputs.flow)
        moved = _moved(picture, _up(outputs.flow, picture), spline)
    change = (1 - outputs.attention) * (outputs.colour - moved_small)
    return (moved + _up(change, picture)).clamp(-1, 1)


def generate(
    generator: Generator,
    picture: Tensor,
    intensity: Tensor,
    midline: Tensor,
    *,
    halves: Halves = "maps",
    ramp: float = RAMP,
    feather: float = 0.0,
) -> Tensor:
    """Pictures `B 3 H W` of faces with these AUs.

    Args:
        generator: predicts the outputs.
        picture: `B 3 H W`, [-1, 1].
        intensity: `B 2 17` (left, right), 0-5.
        midline: `B 2 2`, pixels of the picture.
        halves: "maps": one pass with maps of both sides. "paper": two passes, each with one side's
            vector over the whole picture, joined at the midline (FAMGAN, section 3.3).
        ramp: of the maps, in sides of the picture.
        feather: of the joint of "paper", in sides of the picture; 0 is a hard seam, as published.

    Raises:
        InputError: unknown halves, other shapes.
    """
    size = (picture.shape[2], picture.shape[3])
    if halves == "maps":
        maps = au_maps(intensity, midline, size, ramp=ramp)
        return compose(picture, generator(picture, maps))
    if halves != "paper":
        raise InputError(f"halves is 'maps' or 'paper'; got {halves!r}")
    sides = []
    for side in (0, 1):
        both = intensity[:, side : side + 1].expand(-1, 2, -1)
        outputs = generator(picture, au_maps(both, midline, size))
        sides.append(compose(picture, outputs))
    share = left_share(midline, size, ramp=feather)
    if feather == 0:
        return torch.where(share > 0, sides[0], sides[1])
    return share * sides[0] + (1 - share) * sides[1]


def _positions(flow: Tensor) -> Tensor:
    """Where each pixel is taken from, `B H W 2` in the coordinates of grid_sample."""
    _, _, height, width = flow.shape
    y, x = (
        (2 * torch.arange(n, device=flow.device, dtype=flow.dtype) + 1) / n - 1
        for n in (height, width)
    )
    return torch.stack([x[None, None] + flow[:, 0], y[None, :, None] + flow[:, 1]], -1)


def _moved(picture: Tensor, flow: Tensor, spline: Tensor | None) -> Tensor:
    if spline is None:
        return warp(picture, flow)
    height, width = flow.shape[2:]
    grid = _positions(flow)
    x = (grid[..., 0] + 1) * (width / 2) - 0.5
    y = (grid[..., 1] + 1) * (height / 2) - 0.5
    return sample_spline(spline, x, y)


def _up(values: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(values, like.shape[2:], mode="bicubic", align_corners=False)
