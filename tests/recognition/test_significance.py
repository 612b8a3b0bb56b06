"""Intervals and the paired test on data whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from famaug.errors import InputError
from famaug.recognition.metrics import Counts, counts_by_subject, unweighted_f1
from famaug.recognition.significance import bootstrap_interval, holm, paired_comparison
from famaug.seeding import keyed_generator

PEOPLE = 40


def made(right: float, seed: int, seeds: int = 2) -> Counts:
    """Counts `seeds PEOPLE 3 3` of predictions that are right with this probability; the true
    labels are the same for every call."""
    truth = keyed_generator(0, "truth").integers(0, 3, PEOPLE * 6)
    who = [f"s{i // 6}" for i in range(len(truth))]
    tables = []
    for s in range(seeds):
        rng = keyed_generator(seed, "guess", s)
        wrong = (truth + rng.integers(1, 3, len(truth))) % 3
        guess = np.where(rng.random(len(truth)) < right, truth, wrong)
        tables.append(counts_by_subject(truth, guess, who, 3)[1])
    return np.stack(tables)


def test_interval_holds_the_score_and_narrows_with_people() -> None:
    counts = made(0.7, 1)
    wide = bootstrap_interval(counts[:, :10], draws=500)
    full = bootstrap_interval(counts, draws=500)
    assert full.low < full.value < full.high
    assert full.value == pytest.approx(unweighted_f1(counts.sum(1)).mean())
    assert full.high - full.low < wide.high - wide.low
    assert full == bootstrap_interval(counts, draws=500)


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    found = [bootstrap_interval(made(0.7, 10 + i, 1), draws=300, level=0.9) for i in range(60)]
    truth = 0.7  # with even classes and even errors, UF1 is the share that is right
    covered = np.mean([i.low <= truth <= i.high for i in found])
    assert 0.8 <= covered <= 0.98


def test_groups_are_drawn_apart() -> None:
    counts = made(0.7, 1)
    counts[:, :3] = 0
    counts[:, :3, 0, 0] = 500  # three people of another data set, all right
    groups = ["small"] * 3 + ["large"] * (PEOPLE - 3)
    apart = bootstrap_interval(counts, groups=groups, draws=500)
    mixed = bootstrap_interval(counts, draws=500)
    assert apart.high - apart.low < mixed.high - mixed.low


def test_a_real_gain_is_found_and_none_is_not() -> None:
    base = made(0.55, 1)
    better = paired_comparison(base, made(0.75, 2), draws=1000)
    assert better.p < 0.005
    assert better.gain.low > 0
    assert better.gain.value == pytest.approx(better.b - better.a)
    assert paired_comparison(base, base, draws=200).p == 1


def test_false_alarms_are_as_rare_as_p_says() -> None:
    p = [paired_comparison(made(0.6, i, 1), made(0.6, 900 + i, 1), draws=200).p for i in range(120)]
    assert 0.01 <= np.mean(np.asarray(p) < 0.1) <= 0.19
    assert 0.35 < np.mean(p) < 0.65


def test_pairs_must_be_pairs() -> None:
    base = made(0.6, 1)
    with pytest.raises(InputError, match="same seeds and subjects"):
        paired_comparison(base, base[:1])
    other = base.copy()
    other[:, 0, 0, 0] += 1
    with pytest.raises(InputError, match="same clips"):
        paired_comparison(base, other)
    with pytest.raises(InputError, match="groups for"):
        bootstrap_interval(base, groups=["a"])
    with pytest.raises(InputError, match="level"):
        bootstrap_interval(base, level=1.5)


def test_holm_by_hand() -> None:
    # sorted .01 .02 .04 -> x3, x2, x1 -> .03 .04 .04
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.9, 0.8]) == [1, 1]
