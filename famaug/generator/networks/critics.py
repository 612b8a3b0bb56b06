"""What judges the generator in training: of pictures (GANimation's) and of short clips."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from famaug.errors import InputError
from famaug.generator.networks.ganimation import initialise, undrawn
from famaug.types import AUS

SLOPE = 0.01


class PatchCritic(nn.Module):
    """GANimation's discriminator: realness of patches, and a regression of the AUs.

    Convolutions 4 x 4 of stride 2 that double the channels, leaky ReLU 0.01, no norm; then a
    3 x 3 for realness and one as large as what is left for the AUs. 45 million parameters at the
    published size.

    Args:
        width: channels of the first layer; the published is 64.
        layers: the published is 6 (64 to 2048 channels).
        size: side of the pictures, a multiple of 2^layers.
        units: what is regressed (17; 34 for both sides).
        seed: of the first weights, N(0, 0.02).

    Raises:
        InputError: a size that is no multiple.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        layers: int = 6,
        size: int = 128,
        units: int = len(AUS),
        seed: int = 0,
    ) -> None:
        if min(width, layers, units) < 1 or size < 2**layers or size % 2**layers:
            raise InputError(
                f"the critic's pictures must have sides of a multiple of 2^{layers}; got {size}"
            )
        super().__init__()
        self.settings: dict[str, Any] = {
            "width": width, "layers": layers, "size": size, "units": units,
        }  # fmt: skip
        channels = [3, *(width * 2**i for i in range(layers))]
        with undrawn():
            self.layers = nn.ModuleList(
                nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(channels)
            )
            self.realness = nn.Conv2d(channels[-1], 1, 3, padding=1, bias=False)
            self.intensity = nn.Conv2d(channels[-1], units, size >> layers, bias=False)
        initialise(self, seed)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures `B 3 size size` to realness of patches `B 1 h w` and AUs / 5 `B units`."""
        x = picture
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
        return self.realness(x), self.intensity(x).flatten(1)


class SequenceCritic(nn.Module):
    """Realness of patches of short clips: is the motion smooth, and that of faces?

    The idea is AU-ICGAN's (Xie et al., "AU-assisted graph attention convolutional network for
    micro-expression recognition", MM 2020), which judges sequences beside pictures.
    Three-dimensional convolutions: space shrinks at each layer, time at the last two.

    Args:
        width: channels of the first layer.
        layers: at least 2.
        seed: of the first weights.

    Raises:
        InputError: fewer layers.
    """

    def __init__(self, *, width: int = 32, layers: int = 4, seed: int = 0) -> None:
        if width < 1 or layers < 2:
            raise InputError(f"the sequence critic has 2 layers or more; got {layers}")
        super().__init__()
        self.settings: dict[str, Any] = {"width": width, "layers": layers}
        channels = [3, *(width * 2 ** min(i, 3) for i in range(layers))]
        with undrawn():
            self.layers = nn.ModuleList(
                nn.Conv3d(
                    a, b, (3, 4, 4), stride=(2 if i >= layers - 2 else 1, 2, 2), padding=(1, 1, 1)
                )
                for i, (a, b) in enumerate(pairwise(channels))
            )
            self.realness = nn.Conv3d(channels[-1], 1, 3, padding=1, bias=False)
        initialise(self, seed)

    def forward(self, clip: Tensor) -> Tensor:
        """Clips `B 3 T H W` to realness of patches `B 1 t h w`."""
        x = clip
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
        out: Tensor = self.realness(x)
        return out
