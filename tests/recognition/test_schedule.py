"""Who sees what: exact ratios, no held-out person, the same order for all."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from famaug.errors import InputError, LeakageError
from famaug.recognition.samples import Split, check_splits, make_splits
from famaug.recognition.schedule import Schedule
from tests.recognition.training_samples import made_pool, made_samples

REAL, POOL = made_samples(5, 4), made_pool(5, 4)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 3), st.integers(0, 5), st.integers(0, 4), st.integers(2, 30))
def test_every_fold_gets_its_ratio_and_no_held_out_person(
    ratio: float, seed: int, epoch: int, batch: int
) -> None:
    splits = make_splits(REAL, POOL)
    schedule = Schedule(splits, batch_size=batch, ratio=ratio, seed=seed)
    items, member = schedule.epoch(epoch)
    for split, row in zip(splits, member, strict=True):
        seen = items[row]
        real = seen[seen < len(REAL)]
        assert sorted(real) == np.flatnonzero(split.train).tolist()
        added = [POOL.provenances[i - len(REAL)] for i in seen[seen >= len(REAL)]]
        assert len(added) == round(ratio * len(real))
        out = {REAL.subjects[i] for i in np.flatnonzero(split.test)}
        assert not out & {s for p in added for s in (p.driver_subject, p.identity_subject)}
        if added:  # the deck goes round before a clip comes again
            times = Counter(seen[seen >= len(REAL)].tolist())
            again = [times.get(len(REAL) + i, 0) for i in np.flatnonzero(split.allowed)]
            assert max(again) - min(again) <= 1
    assert member.any(0).all()


def test_order_follows_the_seed_alone() -> None:
    splits = make_splits(REAL, POOL)
    a = Schedule(splits, batch_size=8, ratio=1, seed=3)
    alone = Schedule(splits[2:3], batch_size=8, ratio=0, seed=3)
    same = Schedule(splits, batch_size=8, ratio=1, seed=3)
    assert np.array_equal(a.epoch(5)[0], same.epoch(5)[0])
    assert not np.array_equal(a.epoch(5)[0], a.epoch(6)[0])
    assert len(alone.epoch(0)[0]) == int(splits[2].train.sum())


def test_steps_go_through_epochs_and_resume() -> None:
    schedule = Schedule(make_splits(REAL), batch_size=8)
    per_epoch = schedule.steps_per_epoch()
    assert per_epoch == 3  # 21 clips
    steps = list(schedule.run(8))
    assert [(s.epoch, s.last) for s in steps] == [
        *((0, False), (0, False), (0, True)),
        *((1, False), (1, False), (1, True)),
        *((2, False), (2, False)),
    ]
    rest = list(schedule.run(8, start=3))
    assert [s.step for s in rest] == [3, 4, 5, 6, 7]
    assert all(np.array_equal(a.items, b.items) for a, b in zip(steps[3:], rest, strict=True))


def test_folds() -> None:
    assert [s.name for s in make_splits(REAL)] == [
        "d0/s0", "d0/s2", "d0/s4", "d1/s1", "d1/s3",
    ]  # fmt: skip
    assert len(make_splits(REAL, folds="k-fold:3")) == 3
    assert [s.name for s in make_splits(REAL, folds="dataset")] == ["d0", "d1"]
    with pytest.raises(InputError, match="'loso', 'k-fold:K' or 'dataset'"):
        make_splits(REAL, folds="kfold")


def test_no_subject_in_two_folds() -> None:
    names = ["d/1", "d/01", "d/2"]
    none = np.zeros(0, bool)

    def split(name: str, test: list[int]) -> Split:
        held = np.isin(np.arange(3), test)
        return Split(name, ~held, held, none)

    with pytest.raises(LeakageError, match="fold a trains and tests on"):
        check_splits([split("a", [0])], names)
    both = Split("b", np.asarray([False, False, True]), np.asarray([False, True, False]), none)
    ok = Split("a", np.asarray([False, False, True]), np.asarray([True, False, False]), none)
    with pytest.raises(LeakageError, match="d/1 is in folds a and b"):
        check_splits([ok, both], names)


def test_a_ratio_needs_clips() -> None:
    with pytest.raises(InputError, match="fold d0/s0: ratio 1 asks for 16 synthetic clips"):
        Schedule(make_splits(REAL), batch_size=8, ratio=1)
