"""Small made samples of several subjects, with a synthetic pool, that a network can learn."""

from __future__ import annotations

import numpy as np

from famaug.recognition.pool import SyntheticPool
from famaug.recognition.samples import Samples
from famaug.seeding import keyed_generator
from famaug.types import Plan, Provenance

CLASSES = ("negative", "positive", "surprise")


def made_inputs(labels: np.ndarray, seed: int, size: int = 28) -> np.ndarray:
    """uint8 `N 3 size size`: noise with a bright spot whose place is the class."""
    rng = keyed_generator(seed, "made-inputs")
    x = rng.integers(0, 130, (len(labels), 3, size, size)).astype(np.uint8)
    spot = size // 4
    for i, label in enumerate(labels):
        at = spot // 2 + int(label) * spot
        x[i, :, at : at + spot, at : at + spot] += 120
    return x


def made_samples(subjects: int = 4, each: int = 5, seed: int = 0, size: int = 28) -> Samples:
    """`each` clips of `subjects` people in two data sets; the first has one clip more."""
    who = [f"d{s % 2}/s{s}" for s in range(subjects) for _ in range(each + (s == 0))]
    labels = keyed_generator(seed, "made-labels").integers(0, 3, len(who)).astype(np.int64)
    clips = tuple(f"{name}/c{i}" for i, name in enumerate(who))
    return Samples(made_inputs(labels, seed, size), labels, tuple(who), clips, CLASSES)


def made_pool(subjects: int = 4, each: int = 3, seed: int = 7, size: int = 28) -> SyntheticPool:
    """Clips of driver s on the face of subject s + 1."""
    story = []
    for s in range(subjects):
        for _ in range(each):
            n = (s + 1) % subjects
            plan = Plan({"kind": "clip"}, {"name": "x"}, [[[0.0] * 17] * 2], "g", "w", None, 10.0)
            names = f"d{s % 2}/s{s}", f"d{n % 2}/s{n}"
            story.append(Provenance(plan, *names, "negative", "driver"))
    labels = keyed_generator(seed, "made-labels").integers(0, 3, len(story)).astype(np.int64)
    return SyntheticPool(made_inputs(labels, seed, size), labels, tuple(story))
