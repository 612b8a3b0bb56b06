"""A dual-stream shallow network: two truncated AlexNets on unlike inputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from famaug.recognition.inputs import InputSpec
from famaug.recognition.networks.dropout import GivenDropout


class DualStreamNet(nn.Module):
    """After Khor et al. 2019 (ICIP, DSSN): a pair of AlexNets cut short, one on flow, one on
    strain, merged before the classifier.

    Each stream is AlexNet's first two convolutions with their pooling (11 x 11 stride 4 with 64
    filters, 5 x 5 with 192). The paper's exact widths were not at hand, so its published scores are
    no yardstick for this one.

    Input `B 3 112 112` (u, v, strain), values 0-1; output `B classes` (logits).
    """

    input_spec = InputSpec(kind="flow", size=112)

    def __init__(self, *, classes: int = 3, dropout: float = 0.5) -> None:
        super().__init__()
        self.flow_stream, self.strain_stream = _truncated_alexnet(2), _truncated_alexnet(1)
        self.head = nn.Sequential(GivenDropout(dropout), nn.Linear(2 * 192 * 3 * 3, classes))

    def forward(self, x: Tensor) -> Tensor:
        both = torch.cat([self.flow_stream(x[:, :2]), self.strain_stream(x[:, 2:])], 1)
        logits: Tensor = self.head(both.flatten(1))
        return logits


def _truncated_alexnet(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, 64, 11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.AdaptiveAvgPool2d(3),
    )
