"""A convolutional network on flow pictures with room for more data than one data set has."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from famaug.errors import InputError
from famaug.recognition.inputs import InputSpec
from famaug.recognition.networks.dropout import GivenDropout

WIDTHS = (4, 128)
DEPTHS = (2, 6)
POOLED_AFTER = (1, 2)
"""Convolutions behind which a 2 x 2 maximum halves the sides: 28, 14, 7."""
QUARTERS = 2
"""The last maps are averaged in so many parts each way, so that above and below are told apart."""


class FlowCNN(nn.Module):
    """3 x 3 convolutions, each with batch norm and ReLU; averages of the quarters, dropout, and one
    linear layer.

    With the options left alone these are 16, 32, 64 and 64 filters and 61 459 parameters for 3
    classes (STSTNet has 1683). The design is of no paper.

    Input `B 3 28 28` (u, v, strain), values -1 to 1, or of another size from 8 on by
    `network.input`; output `B classes` (logits).

    Args:
        classes: how many.
        width: filters of the first convolution, 4-128; the second has twice, the others four
            times as many.
        depth: convolutions, 2-6.
        dropout: before the linear layer, 0 to below 1.

    Raises:
        InputError: a value is out of its range.
    """

    input_spec = InputSpec(kind="flow", size=28, low=-1.0, high=1.0)

    def __init__(
        self, *, classes: int = 3, width: int = 16, depth: int = 4, dropout: float = 0.3
    ) -> None:
        super().__init__()
        _check("width", width, WIDTHS)
        _check("depth", depth, DEPTHS)
        if (
            isinstance(dropout, bool)
            or not isinstance(dropout, int | float)
            or not 0 <= dropout < 1
        ):
            raise InputError(f"flow-cnn: dropout is 0 to below 1; got {dropout!r}")
        layers: list[nn.Module] = []
        before = 3
        for i in range(depth):
            filters = width * min(2**i, 4)
            # batch norm has a shift of its own
            layers += [
                nn.Conv2d(before, filters, 3, padding=1, bias=False),
                nn.BatchNorm2d(filters),
                nn.ReLU(inplace=True),
            ]
            if i + 1 in POOLED_AFTER:
                layers.append(nn.MaxPool2d(2))
            before = filters
        self.maps = nn.Sequential(*layers)
        self.head = nn.Sequential(GivenDropout(dropout), nn.Linear(before * QUARTERS**2, classes))

    def forward(self, x: Tensor) -> Tensor:
        pooled = functional.adaptive_avg_pool2d(self.maps(x), QUARTERS).flatten(1)
        logits: Tensor = self.head(pooled)
        return logits


def _check(name: str, value: int, allowed: tuple[int, int]) -> None:
    low, high = allowed
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"flow-cnn: {name} is a whole number from {low} to {high}; got {value!r}")
