from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from famaug.data import k_fold_by_subject, leave_one_dataset_out, leave_one_subject_out
from famaug.errors import InputError
from famaug.people.persons import canonical
from tests.store.store_builders import ListOfClips

SUBJECTS = st.lists(st.sampled_from(["1", "01", "2", "s3", "S03", "10", "x"]), min_size=2)


def people(part: object) -> set[str]:
    return {canonical(r.person) for r in part.refs}  # type: ignore[attr-defined]


@given(subjects=SUBJECTS)
def test_every_clip_is_tested_once_and_nobody_is_in_both(subjects: list[str]) -> None:
    data = ListOfClips(subjects)
    count = len({canonical(s) for s in subjects})
    if count < 2:
        with pytest.raises(InputError, match="two subjects"):
            leave_one_subject_out(data)
        return
    for folds in (leave_one_subject_out(data), k_fold_by_subject(data, 2, seed=3)):
        tested = sorted(i for f in folds for i in f.test.indices)
        assert tested == list(range(len(data)))
        for fold in folds:
            assert not people(fold.train) & people(fold.test)
            assert {canonical(s) for s in fold.held_out} == people(fold.test)
            assert fold.train.held_out == fold.held_out
            assert not fold.test.held_out
            assert len(fold.train) + len(fold.test) == len(data)
    assert len(leave_one_subject_out(data)) == count


def test_order_and_items() -> None:
    data = ListOfClips(["10", "2", "1", "2"])
    folds = leave_one_subject_out(data)
    assert [f.name for f in folds] == ["d/1", "d/2", "d/10"]
    clip, label = folds[1].test[1]
    assert (clip.ref, label) == (data.refs[3], data.labels[3])
    assert folds[1].test.labels == [data.labels[1], data.labels[3]]


def test_parts_are_of_about_one_size() -> None:
    data = ListOfClips([str(s) for s in range(20) for _ in range(1 + s % 5)])
    sizes = [len(f.test) for f in k_fold_by_subject(data, 5)]
    assert max(sizes) - min(sizes) <= 1
    first = [f.held_out for f in k_fold_by_subject(data, 5)]
    assert first == [f.held_out for f in k_fold_by_subject(data, 5)]
    assert first != [f.held_out for f in k_fold_by_subject(data, 5, seed=1)]


def test_without_refs() -> None:
    with pytest.raises(InputError, match="refs"):
        leave_one_subject_out([1, 2])
    folds = leave_one_subject_out([1, 2], subjects=["a/1", "a/2"])
    assert folds[0].train[0] == 2
    with pytest.raises(InputError, match="item 1 has no subject"):
        leave_one_subject_out([1, 2], subjects=["a/1", "a/"])
    with pytest.raises(InputError, match="1 subjects for 2"):
        leave_one_subject_out([1, 2], subjects=["a/1"])


def test_across_data_sets() -> None:
    subjects = ["a/1", "b/1", "b/2", "a/3"]
    folds = leave_one_dataset_out([0, 1, 2, 3], subjects=subjects)
    assert [(f.name, sorted(f.held_out)) for f in folds] == [
        ("a", ["a/1", "a/3"]),
        ("b", ["b/1", "b/2"]),
    ]
    with pytest.raises(InputError, match="one data set"):
        leave_one_dataset_out([0, 1], subjects=["a/1", "a/2"])


@pytest.mark.parametrize("k", [0, 1, 4])
def test_k_out_of_range(k: int) -> None:
    with pytest.raises(InputError, match="between 2 and the 3"):
        k_fold_by_subject(ListOfClips(["1", "2", "3"]), k)
