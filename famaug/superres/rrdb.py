"""RRDBNet: the network of ESRGAN, RealSR and Real-ESRGAN x4.

Wang et al. 2018, ESRGAN, section 3.1; Ji et al. 2020, RealSR, uses the same. The names of the
parameters are those of the public checkpoints.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RESIDUAL = 0.2
SLOPE = 0.2
"""Of the leaky ReLU."""


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, SLOPE, inplace=True)


class DenseBlock(nn.Module):
    """Five convolutions, each seeing all before it; `B C H W` to the same."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.conv1 = _conv(features, growth)
        self.conv2 = _conv(features + growth, growth)
        self.conv3 = _conv(features + 2 * growth, growth)
        self.conv4 = _conv(features + 3 * growth, growth)
        self.conv5 = _conv(features + 4 * growth, features)

    def forward(self, x: Tensor) -> Tensor:
        seen = [x]
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            seen.append(_leaky(conv(torch.cat(seen, 1))))
        out: Tensor = self.conv5(torch.cat(seen, 1))
        return out * RESIDUAL + x


class ResidualBlock(nn.Module):
    """Three dense blocks within a residual."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = DenseBlock(features, growth)
        self.rdb2 = DenseBlock(features, growth)
        self.rdb3 = DenseBlock(features, growth)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.rdb3(self.rdb2(self.rdb1(x)))
        return out * RESIDUAL + x


class RRDBNet(nn.Module):
    """Four times the size: float RGB `B 3 H W` in [0, 1] to `B 3 4H 4W`, not clipped.

    Args:
        blocks: residual blocks in the trunk; 23 in the published networks.
        features, growth: channels of the trunk and of a dense block's steps.
    """

    scale = 4
    follow, margin = 8, 16
    """Pixels, each way, to which a change in a clip is followed, and which are seen around it: what
    lies beyond is a grey level in one value of twenty, and up to three."""

    def __init__(self, *, blocks: int = 23, features: int = 64, growth: int = 32) -> None:
        super().__init__()
        self.conv_first = _conv(3, features)
        self.body = nn.Sequential(*(ResidualBlock(features, growth) for _ in range(blocks)))
        self.conv_body = _conv(features, features)
        self.conv_up1 = _conv(features, features)
        self.conv_up2 = _conv(features, features)
        self.conv_hr = _conv(features, features)
        self.conv_last = _conv(features, 3)

    @property
    def reach(self) -> int:
        """Pixels of the input, each way, that an output pixel can depend on."""
        return 15 * len(self.body) + 4

    @property
    def bytes_per_pixel(self) -> int:
        """Of memory that a pixel of the input takes, roughly: four layers at full size."""
        return 4 * 16 * self.conv_hr.out_channels * 4

    def forward(self, x: Tensor) -> Tensor:
        first = self.conv_first(x)
        trunk = first + self.conv_body(self.body(first))
        for conv in (self.conv_up1, self.conv_up2):
            trunk = _leaky(conv(F.interpolate(trunk, scale_factor=2, mode="nearest")))
        out: Tensor = self.conv_last(_leaky(self.conv_hr(trunk)))
        return out
