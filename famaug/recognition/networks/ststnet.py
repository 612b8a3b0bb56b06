"""STSTNet: a shallow triple stream network of 1683 parameters on flow pictures."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from famaug.recognition.inputs import InputSpec
from famaug.recognition.networks.dropout import GivenDropout


class STSTNet(nn.Module):
    """Liong et al. 2019 (FG), in the form of its public PyTorch code.

    Three streams of one 3 x 3 convolution (3, 5 and 8 filters, padding 2), ReLU, batch norm, max
    pooling (3, stride 3, padding 1) and dropout; joined, average pooled, one linear layer. 1683
    parameters for 3 classes. Parameter names are those of the public per-fold state dicts
    (conv1-3, bn1-3, fc), which were trained on arrays in the order strain, v, u (a u, v, strain PNG
    read by OpenCV) with values 0-255.

    Input `B 3 28 28`, values 0-255; output `B classes` (logits).
    """

    input_spec = InputSpec(kind="flow", size=28, low=0.0, high=255.0)

    def __init__(self, *, classes: int = 3, dropout: float = 0.5) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 3, 3, padding=2)
        self.conv2 = nn.Conv2d(3, 5, 3, padding=2)
        self.conv3 = nn.Conv2d(3, 8, 3, padding=2)
        self.bn1, self.bn2, self.bn3 = (nn.BatchNorm2d(n) for n in (3, 5, 8))
        self.maxpool = nn.MaxPool2d(3, stride=3, padding=1)
        self.avgpool = nn.AvgPool2d(2)
        self.dropout = GivenDropout(dropout)
        self.fc = nn.Linear(5 * 5 * 16, classes)

    def forward(self, x: Tensor) -> Tensor:
        streams = ((self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3))
        maps = [self.dropout(self.maxpool(norm(conv(x).relu()))) for conv, norm in streams]
        logits: Tensor = self.fc(self.avgpool(torch.cat(maps, 1)).flatten(1))
        return logits
