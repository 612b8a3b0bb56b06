"""Dropout whose masks can be given from outside.

Trainings that run one after another or all at once must drop the same values to be comparable. A
mask follows from (seed, epoch, step, layer call) and is drawn for the whole batch, held-out clips
included; a training takes the rows of the samples it sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from famaug.seeding import keyed_generator


class MaskSource:
    """Masks of one step, layer call by layer call.

    Args:
        seed, epoch, step: the key.
        samples: of the whole batch.
        rows: which of them this training sees; all if None.
    """

    def __init__(
        self, seed: int, epoch: int, step: int, *, samples: int, rows: Tensor | None = None
    ) -> None:
        self.key = (seed, epoch, step)
        self.samples, self.rows, self.calls = samples, rows, 0

    def draw(self, shape: tuple[int, ...], p: float) -> Tensor:
        """float32 `samples(or rows) *shape`: 0, or 1 / (1 - p). Each call is a new mask."""
        rng = keyed_generator(*self.key, "dropout", self.calls)
        self.calls += 1
        kept = torch.from_numpy(rng.random((self.samples, *shape), dtype="float32") >= p)
        mask = kept.float() / (1 - p)
        return mask if self.rows is None else mask[self.rows]


class GivenDropout(nn.Dropout):
    """`nn.Dropout`, unless masks are given (`given_masks`). Adds no parameters and no keys."""

    source: MaskSource | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.p:
            return x
        if self.source is None:
            return super().forward(x)
        return x * self.source.draw(tuple(x.shape[1:]), self.p).to(x.device, x.dtype)


@contextmanager
def given_masks(net: nn.Module, source: MaskSource) -> Iterator[None]:
    """Within, every `GivenDropout` of the network takes its masks from `source`."""
    layers = [m for m in net.modules() if isinstance(m, GivenDropout)]
    for layer in layers:
        layer.source = source
    try:
        yield
    finally:
        for layer in layers:
            layer.source = None
