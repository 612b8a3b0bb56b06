"""What the training loop asks of others: an objective, a source of batches, and watchers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from torch import Tensor, nn
from torch.optim import Optimizer

Batch = dict[str, Tensor]
"""Tensors by name; the first axis of each counts the rows. Randomness is part of it: noise,
mixing weights and the like are drawn by the source, so that a step is a function of its batch."""


class Objective(Protocol):
    """Networks, what they are trained for, and one step of it.

    Networks are plain modules on the engine's device; gradients of several processes are averaged
    by `Engine.minimise`, so nothing is wrapped.
    """

    networks: Mapping[str, nn.Module]
    """Saved and restored, all of them. Frozen judges do not belong here."""
    optimizers: Mapping[str, Optimizer]
    """Saved and restored. The loop sets their learning rates by its schedule."""
    averaged: Sequence[str]
    """Names of the networks of which a moving average is kept; it is what is exported."""

    def step(self, batch: Batch, number: int) -> dict[str, Tensor]:
        """One step on this process's rows of batch `number` (counted from 0).

        Updates the networks through `Engine.minimise` and returns scalars for the log, detached,
        as weighted in the objective. A term that is not computed at every step may be left out.
        """
        ...


class BatchSource(Protocol):
    """Batches as a function of their number alone, so that a training can be taken up anywhere."""

    def batch(self, number: int, rows: range) -> Batch:
        """Rows `rows` of the whole batch `number` (counted from 0), on the CPU.

        The rows of a batch do not depend on how they are divided among processes. Called in worker
        processes: draws only from generators keyed by the seed, the number and the row.
        """
        ...


class Watcher(Protocol):
    """Looks at the averaged networks now and then (samples, collapse, held-out faces).

    Must leave the networks and the global random state as they are.
    """

    name: str
    """Starts the names of its values in the log."""
    every: int
    """Steps between looks."""

    def look(self, number: int, networks: Mapping[str, nn.Module]) -> Mapping[str, float]:
        """Values for the log after `number` steps. Only the main process calls it."""
        ...
