"""What fills the synthetic slots of a training set: a clip of a cache (cached.py), or a plan of a
synthesizer (planned.py).

Both answer one question, `draw(epoch, slot)`, from a generator keyed by (seed, epoch, slot): the
same for any number of workers, any batch size and any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from famaug.data.protocols import Label
from famaug.errors import InputError
from famaug.types import Picture, Provenance

Balance = Literal["none", "class"]


@dataclass(frozen=True)
class Slot:
    """What fills a slot.

    Attributes:
        key: of the clip.
        label: its label.
        place: epoch and slot that it was drawn for.
        provenance: of a plan; a cached clip's is read with its frames.
        face: the identity's neutral picture, where no other process can read it from a path.
    """

    key: str
    label: Label
    place: tuple[int, int]
    provenance: Provenance | None = None
    face: Picture | None = None


class Chooser:
    """Draws one of several candidates, evenly, or so that rare classes fill up.

    Args:
        labels: label of each candidate.
        real: labels of the real clips; with balance "class" a class is drawn in proportion to
            what it lacks to the most frequent one, then a candidate of it evenly.
    """

    def __init__(self, labels: Sequence[Label], real: Sequence[Label] | None, balance: Balance):
        self.count = len(labels)
        self.groups: list[list[int]] = []
        self.weights: np.ndarray[Any, np.dtype[np.float64]] = np.zeros(0)
        if balance == "none":
            return
        if real is None:
            raise InputError("balance='class' needs a dataset with `labels`; it has none")
        have = Counter(real)
        classes = sorted(set(labels), key=repr)
        self.groups = [[i for i, x in enumerate(labels) if x == c] for c in classes]
        lacks = np.asarray([max(have.values()) - have[c] for c in classes], float)
        self.weights = lacks / lacks.sum() if lacks.sum() else np.full(len(classes), 1 / len(lacks))

    def draw(self, rng: np.random.Generator) -> int:
        if not self.groups:
            return int(rng.integers(self.count))
        group = self.groups[int(rng.choice(len(self.groups), p=self.weights))]
        return group[int(rng.integers(len(group)))]
