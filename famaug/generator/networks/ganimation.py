"""GANimation's generator, as published, and with an optional motion head.

Source: Pumarola et al., "GANimation: Anatomically-aware Facial Animation from a Single Image",
ECCV 2018, section 4.1, and the sizes of the authors' public training code.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from famaug.errors import InputError
from famaug.seeding import keyed_generator
from famaug.types import AUS

Inside = Callable[[Tensor], Tensor]
LOUDER = 60.0
"""First weights of maps inside over those of convolutions, which sum over many more inputs."""
REACH = 0.2
"""Largest displacement of the motion head, in half sides of the picture."""


class Outputs(NamedTuple):
    """What a generator predicts for pictures `B 3 H W`.

    Attributes:
        colour: float32 `B 3 H W` in [-1, 1], what is painted.
        attention: `B 1 H W` in [0, 1], the share of the picture that is kept.
        flow: `B 2 H W` (x, y), where in the picture each pixel is taken from, as a displacement
            in half sides of the picture; None: from its own place.
    """

    colour: Tensor
    attention: Tensor
    flow: Tensor | None = None


class GanimationGenerator(nn.Module):
    """From a picture and maps of AU intensities to colour, attention and, if asked for, motion.

    Convolution 7 x 7, two of stride 2, residual blocks, two transposed ones of stride 2, and a
    convolution 7 x 7 for each head; instance norm with the statistics of the picture itself in
    training and use. 8.5 million parameters at the published size.

    Args:
        width: channels of the first layer; the published is 64.
        blocks: residual blocks; the published is 6.
        affine: instance norms with scale and shift, as the authors' (without: as in
            donydchen/ganimation_replicate).
        units: maps beside the picture.
        flow: predict a motion too. Its head starts at zero motion.
        maps_inside: let the maps scale and shift the inside of every residual block (`MapsInside`).
        seed: of the first weights, N(0, 0.02).

    Raises:
        InputError: sizes below 1.
    """

    size_multiple = 4
    """Heights and widths must be a multiple of it."""

    def __init__(
        self,
        *,
        width: int = 64,
        blocks: int = 6,
        affine: bool = True,
        units: int = len(AUS),
        flow: bool = False,
        maps_inside: bool = False,
        seed: int = 0,
    ) -> None:
        if min(width, blocks, units) < 1:
            raise InputError(f"sizes are at least 1; got {width}, {blocks}, {units}")
        super().__init__()
        self.settings: dict[str, Any] = {
            "width": width, "blocks": blocks, "affine": affine, "units": units, "flow": flow,
            "maps_inside": maps_inside,
        }  # fmt: skip
        with undrawn():
            self._build(width, blocks, affine, units, flow)
            count = blocks if maps_inside else 0
            self.inside = nn.ModuleList(MapsInside(units, 4 * width) for _ in range(count))
        initialise(self, seed)
        if self.flow is not None:
            nn.init.zeros_(self.flow.weight)
        with torch.no_grad():
            for weight in self.inside.parameters():
                weight.mul_(LOUDER)

    def _build(self, width: int, blocks: int, affine: bool, units: int, flow: bool) -> None:
        self.enter = Stage(3 + units, width, 7, affine=affine)
        self.down = nn.Sequential(
            Stage(width, 2 * width, 4, stride=2, affine=affine),
            Stage(2 * width, 4 * width, 4, stride=2, affine=affine),
        )
        self.blocks = nn.Sequential(*(Residual(4 * width, affine=affine) for _ in range(blocks)))
        self.up = nn.Sequential(
            Stage(4 * width, 2 * width, 4, stride=2, up=True, affine=affine),
            Stage(2 * width, width, 4, stride=2, up=True, affine=affine),
        )
        self.colour = nn.Conv2d(width, 3, 7, padding=3, bias=False)
        self.attention = nn.Conv2d(width, 1, 7, padding=3, bias=False)
        self.flow = nn.Conv2d(width, 2, 7, padding=3, bias=False) if flow else None

    def forward(self, picture: Tensor, maps: Tensor) -> Outputs:
        """Pictures `B 3 H W` in [-1, 1] and maps `B units H W` (intensity / 5).

        Raises:
            InputError: other shapes, or sizes that are no multiple of 4.
        """
        _check(picture, maps, self.settings["units"], self.size_multiple)
        x = self.enter(torch.cat([picture, maps], 1))
        x = self.down(x)
        if self.inside:
            small = F.avg_pool2d(maps, self.size_multiple)
            for block, inside in zip(self.blocks, self.inside, strict=True):
                x = block(x, partial(inside, maps=small))
        else:
            x = self.blocks(x)
        x = self.up(x)
        heads = [h.weight for h in (self.colour, self.attention, self.flow) if h is not None]
        y = F.conv2d(x, torch.cat(heads), padding=3).float()  # one pass for all
        flow = None if self.flow is None else REACH * torch.tanh(y[:, 4:])
        return Outputs(torch.tanh(y[:, :3]), torch.sigmoid(y[:, 3:4]), flow)


class Stage(nn.Module):
    """Convolution, instance norm, ReLU."""

    def __init__(
        self,
        channels: int,
        out: int,
        kernel: int,
        *,
        stride: int = 1,
        up: bool = False,
        affine: bool = True,
    ) -> None:
        super().__init__()
        kind = nn.ConvTranspose2d if up else nn.Conv2d
        padding = (kernel - 1) // 2
        self.conv = kind(channels, out, kernel, stride=stride, padding=padding, bias=False)
        self.norm = nn.InstanceNorm2d(out, affine=affine)

    def forward(self, x: Tensor, inside: Inside | None = None) -> Tensor:
        x = normed(self.norm, self.conv(x))
        return torch.relu_(x if inside is None else inside(x))


class Residual(nn.Module):
    """x + norm(conv(relu(norm(conv(x)))))."""

    def __init__(self, channels: int, *, affine: bool = True) -> None:
        super().__init__()
        self.first = Stage(channels, channels, 3, affine=affine)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.InstanceNorm2d(channels, affine=affine)

    def forward(self, x: Tensor, inside: Inside | None = None) -> Tensor:
        return x + normed(self.norm, self.conv(self.first(x, inside)))


class MapsInside(nn.Module):
    """Scales and shifts normalised features by the maps: x (1 + a(maps)) + b(maps).

    A map beside the picture is one number everywhere, or two and a ramp; a convolution makes a
    constant of it, and the instance norm behind it subtracts constants. What is asked for thus
    reaches a published generator by the zeros round its border alone. Behind a norm it arrives.
    The idea is SPADE's (Park et al., CVPR 2019).
    """

    def __init__(self, units: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(units, 2 * channels, 1, bias=False)

    def forward(self, x: Tensor, maps: Tensor) -> Tensor:
        scale, shift = self.conv(maps).chunk(2, 1)
        out: Tensor = x * (1 + scale) + shift
        return out


def normed(norm: nn.InstanceNorm2d, x: Tensor) -> Tensor:
    """Instance norm as group norm of one channel a group: the same, and the one of the two that
    PyTorch does well in channels-last order."""
    return F.group_norm(x, x.shape[1], norm.weight, norm.bias, norm.eps)


def undrawn() -> AbstractContextManager[None]:
    """Layers made within it leave torch's global random state as it was; `initialise` draws."""
    return torch.random.fork_rng(devices=())


@torch.no_grad()
def initialise(network: nn.Module, seed: int) -> None:
    """Weights of convolutions from N(0, 0.02), biases zero; a function of the seed alone."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Conv3d):
            draw = keyed_generator(seed, "first weights", name)
            values = 0.02 * draw.standard_normal(tuple(module.weight.shape), dtype="float32")
            module.weight.copy_(torch.from_numpy(values))
            if module.bias is not None:
                module.bias.zero_()


def _check(picture: Tensor, maps: Tensor, units: int, multiple: int) -> None:
    count, _, height, width = picture.shape if picture.ndim == 4 else (0, 0, 0, 0)
    if picture.ndim != 4 or picture.shape[1] != 3 or maps.shape != (count, units, height, width):
        raise InputError(
            f"pictures must be B 3 H W and maps B {units} H W; got {tuple(picture.shape)} and "
            f"{tuple(maps.shape)}"
        )
    if height % multiple or width % multiple:
        raise InputError(
            f"the sides must be multiples of {multiple}; got {height} x {width}: resize first"
        )
