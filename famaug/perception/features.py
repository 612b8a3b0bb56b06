"""Features of pictures from a frozen ImageNet trunk (MobileNetV2).

A distance built on them is a *MobileNet feature distance*. It is neither LPIPS (no calibration on
human judgement, other networks) nor FID (no Inception network), and its numbers are not
comparable with theirs.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from famaug.errors import InputError
from famaug.packages import need
from famaug.weights.fetch import fetch
from famaug.weights.load import fill
from famaug.weights.state_dict import read_torch_state_dict

WEIGHTS = "mobilenet_v2"
"""Name of the weights in `famaug weights list`."""
STAGES = (2, 4, 7, 14, 18)
"""A feature map is given out after this many of the trunk's blocks: the last at each size."""
CHANNELS = (16, 24, 32, 96, 320)
STRIDES = (2, 4, 8, 16, 32)
POOLED = 1280
SMALLEST = 32
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class FeatureTrunk(nn.Module):
    """MobileNetV2 (Sandler et al. 2018), trained on ImageNet, frozen; gradients reach the images.

    Args:
        weights: state dict file; None fetches `mobilenet_v2` once (14 MB).
        device: where it runs.

    Raises:
        FetchError: the weights cannot be had.
        WeightsError: they do not fit.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, *, weights: Path | None = None, device: str = "cpu") -> None:
        super().__init__()
        net = _network()
        path = fetch(WEIGHTS) if weights is None else weights
        fill(net, read_torch_state_dict(path))
        blocks: nn.Module = net.get_submodule("features")
        self.blocks = nn.ModuleList(blocks.children())
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(_DEVIATION).view(1, 3, 1, 1))
        self.eval().requires_grad_(False).to(device)

    def train(self, mode: bool = True) -> FeatureTrunk:
        """Stays as it is: the batch-norm statistics are ImageNet's, whatever is trained around."""
        super().train(False)
        return self

    def forward(self, images: Tensor) -> list[Tensor]:
        """Five feature maps, fine to coarse.

        Args:
            images: float `B 3 H W`, RGB in [-1, 1], sides of at least 32 pixels; ImageNet's
                usual size is 224.

        Returns:
            `B C h w` with C of 16, 24, 32, 96, 320 and h, w of 1/2, 1/4, 1/8, 1/16, 1/32 of the
            sides, rounded up.

        Raises:
            InputError: another layout.
        """
        return self._run(images)[0]

    def pooled(self, images: Tensor) -> Tensor:
        """One vector a picture, float `B 1280`: the trunk's last layer, averaged over the plane.

        Args and errors are those of `forward`.
        """
        return self._run(images)[1].mean(dim=(2, 3))

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """MobileNet feature distance of pictures in pairs, float `B`, 0 for equal pictures.

        Each position's channels are brought to unit length; the squared difference is summed over
        channels and averaged over positions and the five maps.
        """
        maps = zip(self(a), self(b), strict=True)
        each = [
            (F.normalize(x, dim=1) - F.normalize(y, dim=1)).square().sum(1).mean(dim=(1, 2))
            for x, y in maps
        ]
        return torch.stack(each).mean(dim=0)

    def _run(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        _check(images)
        x = ((images + 1) / 2 - self.mean) / self.deviation
        maps = []
        for done, block in enumerate(self.blocks, start=1):
            x = block(x)
            if done in STAGES:
                maps.append(x)
        return maps, x


def _check(images: Tensor) -> None:
    shape = tuple(images.shape)
    if images.ndim != 4 or shape[1] != 3 or min(shape[2:]) < SMALLEST:
        raise InputError(
            f"FeatureTrunk asks for B 3 H W with sides of at least {SMALLEST}; got {shape}"
        )
    if not images.is_floating_point():
        raise InputError(f"FeatureTrunk asks for floats in [-1, 1]; got {images.dtype}")


def _network() -> nn.Module:
    net: nn.Module = need("torchvision.models", "the feature trunk").mobilenet_v2(weights=None)
    return net
