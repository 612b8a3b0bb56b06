"""Scores of the micro-expression challenges, from confusion counts pooled over folds.

UF1 is the mean over classes of 2 TP / (2 TP + FP + FN), UAR the mean over classes of recall (See et
al., MEGC 2019). Counts are summed over all folds first; averaging the scores of folds gives other
numbers, because most folds lack a class.

Arrays here: counts `... C C` (row: truth, column: prediction), counts by subject `S C C`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError

MissingClass = Literal["zero", "skip"]
Counts = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """UF1, UAR and accuracy (0-1; NaN where there is nothing to compute from), and clips."""

    uf1: float
    uar: float
    accuracy: float
    clips: int


def confusion_counts(
    truth: Sequence[int] | NDArray[np.integer[Any]],
    predicted: Sequence[int] | NDArray[np.integer[Any]],
    classes: int,
) -> Counts:
    """Counts int64 `classes x classes`, row: truth, column: prediction.

    Raises:
        InputError: lengths differ, or a label is not in 0 ... classes - 1.
    """
    t, p = check_labels(truth, classes, "truth"), check_labels(predicted, classes, "predictions")
    if len(t) != len(p):
        raise InputError(f"{len(t)} true labels but {len(p)} predictions")
    return np.bincount(t * classes + p, minlength=classes**2).reshape(classes, classes)


def check_labels(labels: Any, classes: int, what: str) -> Counts:
    """Labels as int64 `N`.

    Raises:
        InputError: not whole numbers, or out of 0 ... classes - 1; the message names the first.
    """
    found = np.asarray(labels)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iub"):
        raise InputError(f"{what}: labels are a row of whole numbers; got {found.dtype}")
    wrong = np.flatnonzero((found < 0) | (found >= classes))
    if wrong.size:
        raise InputError(
            f"{what}: label {found[wrong[0]]} of item {wrong[0]} is not one of the {classes} "
            f"classes 0-{classes - 1} ({wrong.size} such items)"
        )
    return found.astype(np.int64)


def class_f1(counts: Counts) -> Values:
    """2 TP / (2 TP + FP + FN) by class, float64 `... C`; NaN for a class that is neither in the
    truth nor predicted."""
    hits = np.diagonal(counts, axis1=-2, axis2=-1).astype(np.float64)
    both = counts.sum(-1) + counts.sum(-2)
    return np.where(both > 0, 2 * hits / np.maximum(both, 1), np.nan)


def class_recall(counts: Counts) -> Values:
    """TP / (TP + FN) by class, float64 `... C`; NaN for a class that is not in the truth."""
    hits = np.diagonal(counts, axis1=-2, axis2=-1).astype(np.float64)
    there = counts.sum(-1)
    return np.where(there > 0, hits / np.maximum(there, 1), np.nan)


def unweighted_f1(counts: Counts, missing: MissingClass = "zero") -> Values:
    """UF1 of counts `... C C`, float64 `...`.

    Args:
        counts: pooled over folds.
        missing: what a class counts that is neither in the truth nor predicted: "zero" (default)
            counts 0; "skip" leaves it out of the mean, as the public evaluation code of STSTNet
            and HTNet does, which lifts the scores of subsets that lack a class.
    """
    return _mean_over_classes(class_f1(counts), missing)


def unweighted_recall(counts: Counts, missing: MissingClass = "zero") -> Values:
    """UAR of counts `... C C`, float64 `...`; `missing` as for UF1, for a class without truth.

    With "skip", the public code gives NaN when a class without truth was predicted; here it is
    left out as well.
    """
    return _mean_over_classes(class_recall(counts), missing)


def scores(counts: Counts, missing: MissingClass = "zero") -> Scores:
    """All scores of one table of counts `C C`."""
    total = int(counts.sum())
    accuracy = float(np.trace(counts)) / total if total else float("nan")
    return Scores(
        float(unweighted_f1(counts, missing)),
        float(unweighted_recall(counts, missing)),
        accuracy,
        total,
    )


def _mean_over_classes(values: Values, missing: MissingClass) -> Values:
    if missing not in ("zero", "skip"):
        raise InputError(f"missing must be 'zero' or 'skip'; got {missing!r}")
    there = np.isfinite(values)
    total = np.where(there, values, 0).sum(-1)
    count = values.shape[-1] if missing == "zero" else there.sum(-1)
    # without a single class there is no score, whatever the rule
    result: Values = np.where(there.any(-1), total / np.maximum(count, 1), np.nan)
    return result


def counts_by_subject(
    truth: Sequence[int] | NDArray[np.integer[Any]],
    predicted: Sequence[int] | NDArray[np.integer[Any]],
    subjects: Sequence[str],
    classes: int,
) -> tuple[list[str], Counts]:
    """Names of the subjects in order of first appearance, and their counts int64 `S C C`.

    Raises:
        InputError: as `confusion_counts`, or the number of subjects differs.
    """
    names = list(dict.fromkeys(subjects))
    t, p = check_labels(truth, classes, "truth"), check_labels(predicted, classes, "predictions")
    if not len(t) == len(p) == len(subjects):
        raise InputError(f"{len(t)} true labels, {len(p)} predictions, {len(subjects)} subjects")
    place = {name: i for i, name in enumerate(names)}
    who = np.asarray([place[s] for s in subjects], np.int64)
    flat = np.bincount((who * classes + t) * classes + p, minlength=len(names) * classes**2)
    return names, flat.reshape(len(names), classes, classes)
