"""3D convolutions over the whole clip: torchvision's video networks."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from famaug.errors import InputError
from famaug.packages import need
from famaug.recognition.inputs import InputSpec
from famaug.recognition.pretrained import fetched_weights

# mean and standard deviation of Kinetics-400, as torchvision's video weights expect
_MEAN, _STD = (0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)
NAMES = ("r3d_18", "mc3_18", "r2plus1d_18")


class VideoNet(nn.Module):
    """r3d_18, mc3_18 or r2plus1d_18 (Tran et al. 2018) with a linear layer for the classes.

    Input `B 3 T S S`, values 0-1, normalised inside; output `B classes` (logits).

    Args:
        classes: how many.
        architecture: which.
        pretrained: start from torchvision's Kinetics-400 weights (torchvision fetches them).
        frames, size: T and S.

    Raises:
        InputError: the architecture is none of these.
        FetchError: the weights are neither here nor to be had.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        *,
        classes: int = 3,
        architecture: Literal["r3d_18", "mc3_18", "r2plus1d_18"] = "r3d_18",
        pretrained: bool = False,
        frames: int = 16,
        size: int = 112,
    ) -> None:
        super().__init__()
        if architecture not in NAMES:
            raise InputError(f"architecture is one of {', '.join(NAMES)}; got {architecture!r}")
        video = need("torchvision.models.video", "a video network")
        self.input_spec = InputSpec(kind="clip", size=size, frames=frames)
        make = getattr(video, architecture)
        if pretrained:
            with fetched_weights(f"torchvision's {architecture}", "https://download.pytorch.org"):
                self.net = make(weights="DEFAULT")
        else:
            self.net = make(weights=None)
        self.net.fc = nn.Linear(self.net.fc.in_features, classes)
        for name, value in (("mean", _MEAN), ("std", _STD)):
            self.register_buffer(name, torch.tensor(value).view(1, 3, 1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.net((x - self.mean) / self.std)
        return logits
