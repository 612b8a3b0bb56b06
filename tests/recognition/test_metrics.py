"""Scores against counts done by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, recall_score

from famaug.errors import InputError
from famaug.recognition.metrics import (
    confusion_counts,
    counts_by_subject,
    scores,
    unweighted_f1,
    unweighted_recall,
)

# By hand: 5 x class 0 (4 right, 1 taken for 1), 3 x class 1 (1 right, 2 taken for 0), 2 x class 2
# (1 right, 1 taken for 1).
TRUTH = [0, 0, 0, 0, 0, 1, 1, 1, 2, 2]
GUESS = [0, 0, 0, 0, 1, 1, 0, 0, 2, 1]


def test_by_hand() -> None:
    counts = confusion_counts(TRUTH, GUESS, 3)
    assert counts.tolist() == [[4, 1, 0], [2, 1, 0], [0, 1, 1]]
    found = scores(counts)
    # class 0: TP 4, FP 2, FN 1; class 1: TP 1, FP 2, FN 2; class 2: TP 1, FP 0, FN 1
    assert found.uf1 == pytest.approx((8 / 11 + 2 / 6 + 2 / 3) / 3)
    assert found.uar == pytest.approx((4 / 5 + 1 / 3 + 1 / 2) / 3)
    assert found.accuracy == pytest.approx(0.6)
    assert found.clips == 10


labels = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


@settings(max_examples=150, deadline=None)
@given(labels)
def test_like_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, guess = map(list, zip(*pairs, strict=True))
    counts = confusion_counts(truth, guess, 4)
    names = [0, 1, 2, 3]
    assert np.array_equal(counts, confusion_matrix(truth, guess, labels=names))
    f1 = f1_score(truth, guess, labels=names, average="macro", zero_division=0)
    recall = recall_score(truth, guess, labels=names, average="macro", zero_division=0)
    assert float(unweighted_f1(counts)) == pytest.approx(f1)
    assert float(unweighted_recall(counts)) == pytest.approx(recall)
    there = sorted(set(truth) | set(guess))
    skipped = f1_score(truth, guess, labels=there, average="macro", zero_division=0)
    assert float(unweighted_f1(counts, "skip")) == pytest.approx(skipped)


def test_a_class_absent_from_a_data_set() -> None:
    counts = confusion_counts([0, 0, 1, 1], [0, 0, 1, 0], 3)
    two = (4 / 5 + 2 / 3) / 2
    assert scores(counts, "skip").uf1 == pytest.approx(two)
    assert scores(counts, "zero").uf1 == pytest.approx(two * 2 / 3)
    # predicted but not there: an error, so it counts under both rules
    wrong = confusion_counts([0, 0, 1, 1], [0, 0, 1, 2], 3)
    assert scores(wrong, "skip").uf1 == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert scores(wrong, "skip").uar == pytest.approx(0.75)
    assert scores(wrong, "zero").uar == pytest.approx(0.5)


def test_pooled_is_not_the_mean_of_folds() -> None:
    names, by_subject = counts_by_subject(TRUTH, GUESS, list("aabbbbbbcc"), 3)
    assert names == ["a", "b", "c"]
    assert np.array_equal(by_subject.sum(0), confusion_counts(TRUTH, GUESS, 3))
    assert by_subject[0].tolist() == [[2, 0, 0], [0, 0, 0], [0, 0, 0]]
    pooled, mean = float(unweighted_f1(by_subject.sum(0))), unweighted_f1(by_subject).mean()
    assert abs(pooled - mean) > 0.1


def test_nothing_to_compute_from() -> None:
    empty = confusion_counts([], [], 3)
    assert np.isnan(scores(empty).uf1)
    assert np.isnan(scores(empty, "skip").uar)
    assert np.isnan(scores(empty).accuracy)


@pytest.mark.parametrize(
    ("truth", "guess", "words"),
    [
        ([0, 1, 3], [0, 1, 2], "label 3 of item 2"),
        ([0, 1, 2], [0, -1, 2], "predictions: label -1"),
        ([0, 1], [0], "2 true labels but 1"),
        ([0.5, 1.0], [0, 1], "whole numbers"),
    ],
)
def test_bad_labels(truth: list[int], guess: list[int], words: str) -> None:
    with pytest.raises(InputError, match=words):
        confusion_counts(truth, guess, 3)


def test_unknown_rule() -> None:
    with pytest.raises(InputError, match="'zero' or 'skip'"):
        scores(confusion_counts([0], [0], 2), "ignore")  # type: ignore[arg-type]
