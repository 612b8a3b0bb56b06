"""The compact generator: a picture known beforehand, the rest learned.

How a face moves under given AUs, and how its skin folds, is known (`famaug.generator.prior`). The
network gets that picture with the neutral one and predicts what it cannot say: what shows between
parted lips, and how real faces differ from it.

    out = A warp(known, F) + (1 - A) C
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
_DEEPER = 3
"""Channels of the second stage, and twice of the third, over those of the first: time goes into
places, and the first stage has four times those of the second."""


class CompactGenerator(nn.Module):
    """From picture, known picture and AU maps to colour, attention and motion.

    A U-Net on half-size planes without normalisation: what happens at one place does not depend on
    another far away, nor on the batch. At zero intensity, and where `support` is 0, the known
    picture is given back exactly. About 0.4 million parameters at the default width.

    Args:
        width: channels of the first stage.
        seed: of the first weights.

    Raises:
        InputError: a width below 4.
    """

    size_multiple = 8
    """Heights and widths must be a multiple of it."""

    def __init__(self, *, width: int = 16, seed: int = 0) -> None:
        if width < 4:
            raise InputError(f"the width is at least 4; got {width}")
        super().__init__()
        self.settings: dict[str, Any] = {"width": width}
        w, v = width, _DEEPER * width
        with undrawn():
            self.enter = nn.Conv2d(4 * 7 + len(AUS) + 1, w, 3, padding=1)
            self.down = nn.Conv2d(w, v, 4, stride=2, padding=1)
            self.middle = Block(v)
            self.deeper = nn.Conv2d(v, 2 * v, 4, stride=2, padding=1)
            self.deep = Block(2 * v)
            self.rise = nn.Conv2d(2 * v, v, 3, padding=1)
            self.middle_up = Block(v)
            self.up = nn.Conv2d(v, w, 3, padding=1)
            self.fine_up = Block(w)
            self.head = nn.Conv2d(w, 4 * 6, 3, padding=1)
        _initialise(self, seed)

    def forward(
        self, picture: Tensor, known: Tensor, inside: Tensor, maps: Tensor, support: Tensor
    ) -> Outputs:
        """Outputs at the picture's size; motion and attention are those of the known picture.

        Args:
            picture: `B 3 H W` in [-1, 1], the neutral face.
            known: `B 3 H W`, what is known of the face asked for (`KnownFace`).
            inside: `B 1 H W` in 0-1, where more of the mouth's inside is seen than at rest.
            maps: `B 17 H/2 W/2`, intensity / 5 (`au_maps`).
            support: `B 1 H W` in 0-1, where the picture may change.

        Raises:
            InputError: shapes that do not fit together, or sizes that are no multiple of 8.
        """
        _check(picture, known, inside, maps, support, self.size_multiple)
        planes = [F.pixel_unshuffle(torch.cat([picture, known - picture, inside], 1), 2)]
        first = self.enter(torch.cat([*planes, maps, F.avg_pool2d(support, 2)], 1))
        second = self.middle(self.down(first))
        deep = self.rise(self.deep(self.deeper(second)))
        x = self.middle_up(second + _twice(deep))
        x = self.fine_up(first + _twice(self.up(x)))
        moved, paint, change = torch.split(F.pixel_shuffle(self.head(x), 2), [2, 1, 3], 1)
        say = support * (1 - torch.exp(-maps.amax((1, 2, 3), keepdim=True) / _AWAKE))
        flow = say * REACH * torch.tanh(moved)
        # a colour is said as a change of what motion brings there: nothing said, nothing changed
        colour = (warp(known, flow) + torch.tanh(change)).clamp(-1, 1)
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
                module.weight.mul_(0.01)


def _check(
    picture: Tensor, known: Tensor, inside: Tensor, maps: Tensor, support: Tensor, multiple: int
) -> None:
    b, h, w = picture.shape[0], picture.shape[-2], picture.shape[-1]
    want = {
        "picture": (b, 3, h, w), "known": (b, 3, h, w), "inside": (b, 1, h, w),
        "maps": (b, len(AUS), h // 2, w // 2), "support": (b, 1, h, w),
    }  # fmt: skip
    seen = {"picture": picture, "known": known, "inside": inside, "maps": maps, "support": support}
    wrong = [f"{k} {tuple(seen[k].shape)}, not {want[k]}" for k in want if
             tuple(seen[k].shape) != want[k]]  # fmt: skip
    if wrong:
        raise InputError("inputs do not fit together: " + "; ".join(wrong))
    if h % multiple or w % multiple:
        raise InputError(f"sides must be multiples of {multiple}; got {h} x {w}")
