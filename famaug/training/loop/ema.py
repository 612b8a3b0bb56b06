"""Moving averages of networks: what is shown, judged and exported."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from famaug.errors import InputError


class ModelAverage:
    """The exponential moving average of a network's weights; buffers are copied.

    Early on it follows faster: the decay of step n is min(decay, (1 + n) / (10 + n)).

    Args:
        network: whose; the average starts as its copy.
        decay: share of the old average that a step keeps, 0 to below 1.

    Raises:
        InputError: another decay.
    """

    def __init__(self, network: nn.Module, *, decay: float) -> None:
        if not 0 <= decay < 1:
            raise InputError(f"the decay of a moving average is 0 to below 1; got {decay}")
        self.decay = decay
        self.network = copy.deepcopy(network).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, network: nn.Module, number: int) -> None:
        """After step `number` (counted from 0) of `network`."""
        weight = 1 - min(self.decay, (1 + number) / (10 + number))
        own: list[Tensor] = [*self.network.parameters()]
        if own:
            torch._foreach_lerp_(own, [p.detach() for p in network.parameters()], weight)
        for mine, theirs in zip(self.network.buffers(), network.buffers(), strict=True):
            mine.copy_(theirs)
