"""OFF-ApexNet: two streams on horizontal and vertical flow."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from famaug.recognition.inputs import InputSpec
from famaug.recognition.networks.dropout import GivenDropout


class OffApexNet(nn.Module):
    """Gan, Liong et al. 2019 (Signal Processing: Image Communication 74).

    One stream on u and one on v, each 5 x 5 convolutions of 6 and 16 filters with 2 x 2 max
    pooling; joined, two hidden layers of 1024 and a linear one. 2 664 475 parameters for 3 classes.

    Input `B 3 28 28` (u, v, strain; strain is not used), values 0-1; output `B classes` (logits).
    """

    input_spec = InputSpec(kind="flow", size=28)

    def __init__(self, *, classes: int = 3, dropout: float = 0.5) -> None:
        super().__init__()
        self.stream_u, self.stream_v = _stream(), _stream()
        self.head = nn.Sequential(
            nn.Linear(2 * 16 * 7 * 7, 1024),
            nn.ReLU(),
            GivenDropout(dropout),
            nn.Linear(1024, 1024),
            nn.ReLU(),
            GivenDropout(dropout),
            nn.Linear(1024, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        both = torch.cat([self.stream_u(x[:, :1]), self.stream_v(x[:, 1:2])], 1)
        logits: Tensor = self.head(both.flatten(1))
        return logits


def _stream() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )
