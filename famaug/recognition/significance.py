"""How sure a score is: bootstrap over subjects, and a paired test between two trainings.

Subjects, not clips, are drawn: clips of one person are no independent evidence. All seeds of a
subject are drawn together, so that more seeds narrow the noise of training but do not pretend to be
more people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError
from famaug.recognition.metrics import (
    Counts,
    MissingClass,
    Values,
    unweighted_f1,
    unweighted_recall,
)
from famaug.seeding import keyed_generator

Score = Literal["uf1", "uar"]
_BLOCK = 500


@dataclass(frozen=True)
class Interval:
    """A score with its percentile interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """`b` against `a` on the same subjects and seeds.

    Attributes:
        a, b: mean scores over the seeds.
        gain: b - a with its bootstrap interval over subjects.
        p: two-sided p of the paired permutation test.
    """

    a: float
    b: float
    gain: Interval
    p: float


def bootstrap_interval(
    counts: Counts,
    *,
    score: Score = "uf1",
    groups: Sequence[str] | None = None,
    missing: MissingClass = "zero",
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap over subjects of a score, mean over seeds.

    Args:
        counts: int64 `seeds S C C` (or `S C C`), counts by subject.
        score: "uf1" or "uar".
        groups: data set of each subject; subjects are drawn within their data set.
        missing: rule for absent classes.
        level: of the interval, between 0 and 1.
        draws: bootstrap samples.
        seed: of the draws.

    Raises:
        InputError: shapes do not fit, or level or draws are out of range.
    """
    table = _with_seeds(counts)
    if not 0 < level < 1 or draws < 1:
        raise InputError(f"level must be in (0, 1) and draws >= 1; got {level} and {draws}")
    weights = _drawn_subjects(table.shape[1], groups, draws, seed)
    found = _score_of_draws(table, weights, score, missing)
    value = _score(table.sum(1), score, missing).mean()
    return Interval(float(value), *_percentiles(found, level))


def paired_comparison(
    a: Counts,
    b: Counts,
    *,
    score: Score = "uf1",
    groups: Sequence[str] | None = None,
    missing: MissingClass = "zero",
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Whether `b` scores higher than `a`, both being counts of the same subjects and seeds.

    The test exchanges a and b subject by subject (all seeds of the subject together), which is what
    "it makes no difference" would allow, and counts how often the gain is at least as far from 0;
    p = (1 + count) / (1 + draws).

    Args:
        a, b: int64 `seeds S C C` (or `S C C`), subjects and seeds in the same order.
        score, groups, missing, level, draws, seed: as `bootstrap_interval`.

    Raises:
        InputError: shapes differ, or a subject has other clips in a than in b.
    """
    one, two = _with_seeds(a), _with_seeds(b)
    if one.shape != two.shape:
        raise InputError(
            f"a paired test needs the same seeds and subjects: {one.shape} {two.shape}"
        )
    if not np.array_equal(one.sum(-1), two.sum(-1)):
        raise InputError("a paired test needs the same clips: some subject's true labels differ")
    seen = _gain(one.sum(1), two.sum(1), score, missing)
    rng = keyed_generator(seed, "paired-permutation")
    step = two - one
    far = 0
    for start in range(0, draws, _BLOCK):
        swap = rng.integers(0, 2, (min(_BLOCK, draws - start), one.shape[1]))
        moved = np.einsum("ds,nsij->dnij", swap, step)
        gains = _gain(one.sum(1) + moved, two.sum(1) - moved, score, missing)
        far += int((np.abs(gains) >= abs(seen) - 1e-12).sum())
    weights = _drawn_subjects(one.shape[1], groups, draws, seed)
    spread = _score_of_draws(two, weights, score, missing) - _score_of_draws(
        one, weights, score, missing
    )
    return Comparison(
        float(_score(one.sum(1), score, missing).mean()),
        float(_score(two.sum(1), score, missing).mean()),
        Interval(float(seen), *_percentiles(spread, level)),
        (1 + far) / (1 + draws),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for being several (Holm 1979), in the order given."""
    order = np.argsort(p_values, kind="stable")
    result, largest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
        result[i] = largest
    return result


def _with_seeds(counts: Counts) -> Counts:
    table = counts[None] if counts.ndim == 3 else counts
    if table.ndim != 4 or table.shape[-1] != table.shape[-2] or 0 in table.shape:
        raise InputError(f"counts are seeds x subjects x classes x classes; got {counts.shape}")
    return table


def _score(counts: Counts, score: Score, missing: MissingClass) -> Values:
    if score not in ("uf1", "uar"):
        raise InputError(f"score must be 'uf1' or 'uar'; got {score!r}")
    return (unweighted_f1 if score == "uf1" else unweighted_recall)(counts, missing)


def _gain(a: Counts, b: Counts, score: Score, missing: MissingClass) -> Values:
    """Mean over seeds (second axis from the left of the counts) of the difference."""
    result: Values = (_score(b, score, missing) - _score(a, score, missing)).mean(-1)
    return result


def _drawn_subjects(
    subjects: int, groups: Sequence[str] | None, draws: int, seed: int
) -> NDArray[np.int64]:
    """How often each subject is in each bootstrap sample, int64 `draws S`."""
    if groups is not None and len(groups) != subjects:
        raise InputError(f"{len(groups)} groups for {subjects} subjects")
    names = np.asarray(["" for _ in range(subjects)] if groups is None else list(groups))
    rng = keyed_generator(seed, "bootstrap-subjects")
    weights = np.zeros((draws, subjects), np.int64)
    for name in dict.fromkeys(names.tolist()):
        members = np.flatnonzero(names == name)
        share = np.full(len(members), 1 / len(members))
        weights[:, members] = rng.multinomial(len(members), share, size=draws)
    return weights


def _score_of_draws(
    table: Counts, weights: NDArray[np.int64], score: Score, missing: MissingClass
) -> Values:
    found = []
    for start in range(0, len(weights), _BLOCK):
        pooled = np.einsum("ds,nsij->dnij", weights[start : start + _BLOCK], table)
        found.append(_score(pooled, score, missing).mean(-1))
    return np.concatenate(found)


def _percentiles(values: Values, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)
