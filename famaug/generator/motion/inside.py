"""The inside of a mouth as its lips part: what is there, and the light that gets in.

    back = upper + (1 - upper cover) x (lower + (1 - lower cover) x deep)

The upper teeth stand still with the skull, the lower ones and the tongue go with the jaw. Light
comes in through the opening alone, so what is seen of each layer is its own colour times how much
of the opening lies before it: a slit leaves teeth in shade, and depth is darker than the front.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from famaug.generator.motion.inverse import at_nodes, to_grid


class Spread(NamedTuple):
    """How light spreads behind an opening.

    Attributes:
        sigma: standard deviation in centimetres.
        down: centimetres by which it comes from above: so much lies in the upper lip's shadow.
        most: share of the light that reaches the middle of a wide opening.
        power: above 1, slits are darker than their share of the opening.
    """

    sigma: float
    down: float
    most: float
    power: float


FRONT = Spread(0.28, 0.06, 1.0, 0.7)
"""On the teeth."""
BACK = Spread(0.45, 0.25, 0.95, 1.0)
"""Farther back: on the lower teeth, on the tongue, and in the cavity."""
_ON_JAW, _IN_CAVITY = 0.9, (0.15, 0.85)
"""What of that light lower teeth and tongue show, and the cavity in a slit and beyond it."""


def light_behind(opening: Tensor, spread: Spread, scale: float) -> Tensor:
    """Light `B 1 h w`, 0-1, behind an opening `B 1 h w` (1 open, 0 covered).

    Boxes twice along each axis, nearly a Gaussian: sums of one fixed order, whatever the batch and
    the number of threads.
    """
    width = max(1, 2 * round((math.sqrt(6 * (spread.sigma * scale) ** 2 + 1) - 1) / 2) + 1)
    half, down = width // 2, round(spread.down * scale)
    out = F.pad(opening, (2 * half, 2 * half, 2 * half + down, 2 * half))
    out = out[:, :, : opening.shape[2] + 4 * half]
    for kernel in ((width, 1), (1, width), (width, 1), (1, width)):
        out = F.avg_pool2d(out, kernel, stride=1)
    return spread.most * out.clamp(0, 1) ** spread.power


@dataclass(frozen=True, eq=False)
class Inside:
    """One mouth's layers over its patch.

    Attributes:
        upper: `1 5 h w`, what stands with the skull: colour weighted by cover, cover, and the
            share that the photograph shows, in the light it lies in.
        lower: `1 5 h w`, what goes with the jaw, with the mouth at rest.
        deep: `1 3 1 1`, the cavity in full light.
        cast: `1 1 h w`, what the upper teeth leave of the light on what is behind them.
        opening: `1 1 h w`, 1 where no lip covers while nothing moves.
        jaw: `34 2`, pixels (x, y) that the jaw moves per unit of each AU and side.
        tint: `1 3 1 1`, what shade adds to the light in red, green and blue.
        scale: pixels per centimetre.
    """

    upper: Tensor
    lower: Tensor
    deep: Tensor
    cast: Tensor
    opening: Tensor
    jaw: Tensor
    tint: Tensor
    scale: float

    def show(self, opening: Tensor, weights: Tensor) -> Tensor:
        """Colours `B 3 h w`.

        Args:
            opening: `B 1 h w`, 1 where no lip covers.
            weights: `B 34`, intensities.
        """
        upper = self.upper
        lower = self._moved((weights[:, :, None] * self.jaw).sum(1))
        back = light_behind(opening, BACK, self.scale)
        front = torch.maximum(light_behind(opening, FRONT, self.scale), upper[:, 4:])
        within = torch.maximum(_ON_JAW * back * self.cast, lower[:, 4:])
        front, within = (light * (1 + self.tint * (1 - light)) for light in (front, within))
        deep = self.deep * (_IN_CAVITY[0] + _IN_CAVITY[1] * back)
        behind = lower[:, :3] * within + (1 - lower[:, 3:4]) * deep
        return upper[:, :3] * front + (1 - upper[:, 3:4]) * behind

    def at_rest(self) -> NDArray[np.float32]:
        """Colours `h w 3` while nothing moves."""
        with torch.inference_mode():
            out = self.show(self.opening, self.jaw.new_zeros(1, len(self.jaw)))
        return np.ascontiguousarray(out[0].permute(1, 2, 0).cpu().numpy())

    def _moved(self, jaw: Tensor) -> Tensor:
        """The lower layer where the jaw is now, `B 5 h w`."""
        if not bool(jaw.any()):
            return self.lower
        h, w = self.lower.shape[2:]
        y = torch.arange(h, dtype=torch.float32, device=jaw.device)[:, None].expand(h, w)
        x = torch.arange(w, dtype=torch.float32, device=jaw.device)[None].expand(h, w)
        at = torch.stack([x, y], -1)[None] - jaw[:, None, None]
        return at_nodes(self.lower.expand(len(jaw), -1, -1, -1), to_grid(at, h, w))
