"""A set of faces with known AUs, to judge an AU estimator by: unseen people, heads that move
between the neutral picture and the expression, units alone and together, a third one-sided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AUS, Floats, Frames
from head.truth import truth_clip

COMBINATIONS: tuple[tuple[int, ...], ...] = (
    (1, 2, 5, 26), (1, 2), (4, 7, 9, 10), (4, 7), (6, 12), (6, 12, 25), (12,), (14,), (1, 4, 15),
    (15, 17), (20, 25), (17,), (23,), (25, 26), (9, 4), (10, 25), (45,), (20,), (1, 4, 20, 25),
    (5,), (6,), (7,), (10,),
)  # fmt: skip
"""Units that are shown together; every one of the 17 is among them."""
MICRO = (0.5, 2.0)
MACRO = (1.5, 4.5)


@dataclass(frozen=True, eq=False)
class TruthSet:
    """`frames[i]` uint8 `1 + K  H W 3` (the neutral picture first), `aus[i]` `1 + K  2 17`."""

    frames: list[Frames]
    aus: list[Floats]


def draw_truth_set(
    seed: int,
    *,
    identities: int,
    per_identity: int = 2,
    strength: tuple[float, float] = MICRO,
    sway: float = 1.5,
    size: int = 400,
    first_identity: int = 10_000,
) -> TruthSet:
    """Render a set.

    Args:
        seed: of everything drawn but the faces.
        identities: how many people; their seeds start at `first_identity` + 1000 x `seed`.
        per_identity: expressions of each.
        strength: range of the intensities.
        sway: standard deviation, in degrees, of yaw and pitch between neutral and expression.
        size: side of the pictures.
    """
    frames, aus = [], []
    order = keyed_generator(seed, "au-truth", "order").permutation(len(COMBINATIONS))
    for person in range(identities):
        rng = keyed_generator(seed, "au-truth", person)
        asked = np.zeros((1 + per_identity, 2, len(AUS)), np.float32)
        poses = np.zeros((1 + per_identity, 3))
        poses[:] = (rng.uniform(-8, 8), rng.uniform(-6, 6), rng.uniform(-3, 3))
        for k in range(1, 1 + per_identity):
            turn = order[(person * per_identity + k - 1) % len(order)]
            for au in COMBINATIONS[turn]:
                asked[k, :, AU_INDEX[au]] = rng.uniform(*strength) * _sides(rng)
            poses[k, :2] += rng.normal(0, sway, 2)
        clip = truth_clip(first_identity + 1000 * seed + person, asked, poses, size=size, noise=1.5)
        frames.append(clip.frames)
        aus.append(clip.aus)
    return TruthSet(frames, aus)


def _sides(rng: np.random.Generator) -> Floats:
    """Both sides alike, or (three times in ten) one of them weaker by half or more."""
    sides = np.ones(2, np.float32)
    if rng.random() < 0.3:
        sides[int(rng.integers(2))] = rng.uniform(0, 0.5)
    return sides
