"""The compact generator: motion known beforehand, the rest learned.

How a face moves under given AUs is known from the AU basis (`famaug.generator.prior`). The network
gets that motion with the picture and predicts what it cannot say: where motion must differ (lids,
lips), what is painted over (furrows, shade, the mouth's inside) and how much.

    out = A warp(picture, F) + (1 - A) C,   F = prior + learned
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from famaug.errors import InputError
from famaug.generator.networks.compose import warp
from famaug.generator.networks.ganimation import Outputs, undrawn
from famaug.seeding import keyed_generator
from famaug.types import AUS

REACH = 0.06
"""Largest learned displacement, in half sides of the picture."""
_AWAKE = 0.02
"""Intensity / 5 at which the network's say has risen to two thirds; at zero it has none."""
_SHY = 1.0
"""The paint begins this far down on its sigmoid."""


class CompactGenerator(nn.Module):
    """From picture, AU maps and known motion to colour, attention and motion.

    A U-Net on half-size planes without normalisation: what happens at one place does not depend on
    another far away, nor on the batch. At zero intensity, and where `support` is 0, the picture is
    given back exactly. About 0.9 million parameters at the default width.

    Args:
        width: channels of the first stage.
        seed: of the first weights.

    Raises:
        InputError: a width below 4.
    """

    size_multiple = 8
    """Heights and widths must be a multiple of it."""

    def __init__(self, *, width: int = 32, seed: int = 0) -> None:
        if width < 4:
            raise InputError(f"the width is at least 4; got {width}")
        super().__init__()
        self.settings: dict[str, Any] = {"width": width}
        w = width
        with undrawn():
            self.enter = nn.Conv2d(4 * 6 + len(AUS) + 3, w, 3, padding=1)
            self.fine = Block(w)
            self.down = nn.Conv2d(w, 2 * w, 4, stride=2, padding=1)
            self.middle = nn.Sequential(Block(2 * w), Block(2 * w))
            self.deeper = nn.Conv2d(2 * w, 3 * w, 4, stride=2, padding=1)
            self.deep = nn.Sequential(Block(3 * w), Block(3 * w))
            self.rise = nn.Conv2d(3 * w, 2 * w, 3, padding=1)
            self.middle_up = Block(2 * w)
            self.up = nn.Conv2d(2 * w, w, 3, padding=1)
            self.fine_up = nn.Sequential(Block(w), Block(w))
            self.head = nn.Conv2d(w, 4 * 6, 3, padding=1)
        _initialise(self, seed)

    def forward(self, picture: Tensor, maps: Tensor, prior: Tensor, support: Tensor) -> Outputs:
        """Outputs at the picture's size.

        Args:
            picture: `B 3 H W` in [-1, 1].
            maps: `B 17 H W`, intensity / 5 (`au_maps`).
            prior: `B 2 H W`, known motion, half sides (`MotionPrior`).
            support: `B 1 H W` in 0-1, where the picture may change.

        Raises:
            InputError: shapes that do not fit together, or sizes that are no multiple of 8.
        """
        _check(picture, maps, prior, support, self.size_multiple)
        planes = [F.pixel_unshuffle(torch.cat([picture, warp(picture, prior)], 1), 2)]
        planes += [F.avg_pool2d(torch.cat([maps, prior * 8, support], 1), 2)]
        first = self.fine(self.enter(torch.cat(planes, 1)))
        second = self.middle(self.down(first))
        deep = self.rise(self.deep(self.deeper(second)))
        x = self.middle_up(second + _twice(deep))
        x = self.fine_up(first + _twice(self.up(x)))
        moved, paint, change = torch.split(F.pixel_shuffle(self.head(x), 2), [2, 1, 3], 1)
        say = support * (1 - torch.exp(-maps.amax((1, 2, 3), keepdim=True) / _AWAKE))
        flow = prior + say * REACH * torch.tanh(moved)
        # a colour is said as a change of what motion brings there: nothing said, nothing changed
        colour = (warp(picture, flow) + torch.tanh(change)).clamp(-1, 1)
        return Outputs(colour, 1 - say * torch.sigmoid(paint - _SHY), flow)


class Block(nn.Module):
    """x + conv(act(conv(act(x))))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.second(F.leaky_relu(self.first(F.leaky_relu(x, 0.1)), 0.1))
        return out


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def _initialise(network: CompactGenerator, seed: int) -> None:
    """He's normal; second convolutions of blocks and the head are small: it begins close to the
    known motion alone."""
    for name, module in network.named_modules():
        if not isinstance(module, nn.Conv2d):
            continue
        draw = keyed_generator(seed, "compact", name)
        fan = module.weight[0].numel()
        scale = (2 / fan) ** 0.5 * (0.2 if name.endswith("second") else 1.0)
        values = draw.standard_normal(tuple(module.weight.shape)) * scale
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(values).float())
            if module.bias is not None:
                module.bias.zero_()
            if name == "head":
                module.weight.mul_(0.002)


def _check(picture: Tensor, maps: Tensor, prior: Tensor, support: Tensor, multiple: int) -> None:
    b, h, w = picture.shape[0], picture.shape[-2], picture.shape[-1]
    want = {"picture": (b, 3, h, w), "maps": (b, len(AUS), h, w), "prior": (b, 2, h, w)}
    want["support"] = (b, 1, h, w)
    seen = {"picture": picture, "maps": maps, "prior": prior, "support": support}
    wrong = [f"{k} {tuple(seen[k].shape)}, not {want[k]}" for k in want if
             tuple(seen[k].shape) != want[k]]  # fmt: skip
    if wrong:
        raise InputError("inputs do not fit together: " + "; ".join(wrong))
    if h % multiple or w % multiple:
        raise InputError(f"sides must be multiples of {multiple}; got {h} x {w}")
