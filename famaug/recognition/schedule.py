"""Which samples every training sees at every step: a function of the seed alone.

All folds go through one order of the same slots, and each leaves out what it may not see. So folds
can be trained one after another or all at once with the same outcome.

An epoch has a slot for every real clip and for synthetic clips off the top of a shuffled deck of
the pool; a fold takes the first round(ratio x its real clips) that its guard allows, so every fold
gets exactly its ratio. An epoch of synthetic clips alone has a slot for every clip of the pool that
some fold may see.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError
from famaug.recognition.samples import Flags, Split
from famaug.seeding import keyed_generator


@dataclass(frozen=True, eq=False)
class Step:
    """One batch.

    Attributes:
        epoch, step: counted from 0; steps run through all epochs.
        items: int64 `B`: samples, those of the pool numbered after the real ones.
        member: bool `folds B`: which fold sees which.
        last: whether the epoch ends with it.
    """

    epoch: int
    step: int
    items: NDArray[np.int64]
    member: Flags
    last: bool


class Schedule:
    """Args:
        splits: the folds.
        batch_size: slots in a batch.
        ratio: synthetic clips for each real one.
        seed: of the orders and the deck.
        only: no real clip, ever.
        pretrain: so many steps at the beginning without real clips; the last of them ends an
            epoch.

    Raises:
        InputError: batch size under 2, a ratio under 0, or a fold without the synthetic clips it
            is to see.
    """

    def __init__(
        self,
        splits: Sequence[Split],
        *,
        batch_size: int,
        ratio: float = 0.0,
        seed: int = 0,
        only: bool = False,
        pretrain: int = 0,
    ) -> None:
        if batch_size < 2 or ratio < 0:
            raise InputError(f"batch_size >= 2 and ratio >= 0; got {batch_size} and {ratio}")
        self.batch_size, self.ratio, self.seed = batch_size, ratio, seed
        self.only, self.pretrain = only, pretrain
        self.train = np.stack([s.train for s in splits])
        self.allowed = np.stack([s.allowed for s in splits])
        self.wanted = np.asarray([round(ratio * int(t.sum())) for t in self.train], np.int64)
        for split, wanted in zip(splits, self.wanted, strict=True):
            if split.allowed.any() or not (wanted or only or pretrain):
                continue
            asked = f"ratio {ratio:g} asks for {wanted} synthetic clips"
            if only or pretrain:
                asked = "it is to be trained on synthetic clips alone"
            raise InputError(
                f"fold {split.name}: {asked} and the guard allows none; generate clips of other "
                "drivers and identities"
            )

    def epoch(self, number: int, *, alone: bool = False) -> tuple[NDArray[np.int64], Flags]:
        """Samples `slots` in order and who sees them `folds slots`; with `alone` no real ones."""
        real = self.train.shape[1]
        alone = alone or self.only
        wanted = self.allowed.sum(1) if alone else self.wanted
        items, member = np.arange(real), self.train & (not alone)
        if wanted.any():
            deck, drawn = self._deck(number, wanted)
            items = np.concatenate([items, real + deck])
            member = np.concatenate([member, drawn], axis=1)
        used = np.flatnonzero(member.any(0))
        order = used[keyed_generator(self.seed, number, "order").permutation(len(used))]
        return items[order], member[:, order]

    def _deck(self, number: int, wanted: NDArray[np.int64]) -> tuple[NDArray[np.int64], Flags]:
        """Clips of the pool from the top and, by fold, whether it takes them."""
        rng = keyed_generator(self.seed, number, "deck")
        turns: list[NDArray[np.int64]] = []
        taken = np.zeros(len(wanted), np.int64)
        while (taken < wanted).any():
            turns.append(rng.permutation(self.allowed.shape[1]))
            taken = taken + self.allowed.sum(1)
        deck = np.concatenate(turns)
        may = self.allowed[:, deck]
        drawn = may & (np.cumsum(may, axis=1) <= wanted[:, None])
        seen = drawn.any(0)
        return deck[seen], drawn[:, seen]

    def steps_per_epoch(self) -> int:
        return -(-len(self.epoch(0)[0]) // self.batch_size)

    def run(self, steps: int, *, start: int = 0) -> Iterator[Step]:
        """Steps `start` to `steps`; `start` must be the first step of an epoch."""
        number, done = 0, 0
        while done < steps:
            alone = done < self.pretrain
            stop = min(steps, self.pretrain) if alone else steps
            items, member = self.epoch(number, alone=alone)
            for begin in range(0, len(items), self.batch_size):
                span = slice(begin, begin + self.batch_size)
                last = span.stop >= len(items) or done + 1 == self.pretrain
                if done >= start:
                    yield Step(number, done, items[span], member[:, span], last)
                done += 1
                if done >= stop:
                    break
            number += 1
