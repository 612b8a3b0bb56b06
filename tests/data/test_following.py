"""The guard is not lost by accident: whatever wraps a fold's training part is followed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import ChainDataset, ConcatDataset, Dataset, IterableDataset, Subset

from famaug.data import MicroExpressionSynth, SubjectSubset, leave_one_subject_out
from famaug.data.folds import k_fold_by_subject
from famaug.data.following import follow
from famaug.errors import InputError, LeakageError
from famaug.store import CacheWriter
from tests.store.store_builders import ListOfClips, moving_clip, provenance_of

PEOPLE = ["1", "2", "3", "4"] * 2


class Torch(Dataset[Any]):
    def __init__(self, inner: Any) -> None:
        self.some_name = inner

    def __len__(self) -> int:
        return len(self.some_name)

    def __getitem__(self, index: int) -> Any:
        return self.some_name[index]


class Slotted:
    """No torch Dataset, no __dict__."""

    __slots__ = ("_inside",)

    def __init__(self, inner: Any) -> None:
        self._inside = inner

    def __len__(self) -> int:
        return len(self._inside)

    def __getitem__(self, index: int) -> Any:
        return self._inside[index]


class Several(Torch):
    def __init__(self, inner: Any) -> None:
        self.parts = {"train": [inner]}
        self.some_name = inner
        # names that mean something else here
        self.held_out, self.refs_in, self.tested, self.people = 0.2, 3, "yes", 12


class Delegating(Torch):
    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["some_name"], name)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("followed") / "c"
    with CacheWriter(root) as writer:
        for n, who in enumerate(["1", "2", "3", "4"]):
            story = provenance_of(n, driver=f"d/{who}", identity="")
            writer.put(story.plan.key, moving_clip(n, t=2, h=8, w=8), story)
    return root


def drivers(train: MicroExpressionSynth, real: int) -> set[str]:
    return {json.loads(train[i]["provenance"])["driver_subject"] for i in range(real, len(train))}


class HoldsTheFold:
    def __init__(self, fold: Any) -> None:
        self.fold = fold

    def __len__(self) -> int:
        return len(self.fold.train)

    def __getitem__(self, index: int) -> Any:
        return self.fold.train[index]


def test_a_fold_kept_whole_is_followed_too(cache: Path) -> None:
    fold = leave_one_subject_out(ListOfClips(PEOPLE))[0]
    train = MicroExpressionSynth(HoldsTheFold(fold), ratio=20, cache=cache)
    assert train.held_out == {"d/1"}
    assert drivers(train, train._real) == {"d/2", "d/3", "d/4"}


WAYS = {
    "itself": lambda d: d,
    "Subset": lambda d: Subset(d, range(len(d))),
    "random_split": lambda d: torch.utils.data.random_split(d, [4, len(d) - 4])[0],
    "ConcatDataset": lambda d: ConcatDataset([d, d]),
    "own": Torch,
    "own without torch": Slotted,
    "in a dict of lists": Several,
    "delegating": Delegating,
    "nested": lambda d: Torch(ConcatDataset([Slotted(Subset(d, [0, 1, 2])), Torch(d)])),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_fold_is_followed(way: str, cache: Path) -> None:
    fold = leave_one_subject_out(ListOfClips(PEOPLE))[0]
    train = MicroExpressionSynth(WAYS[way](fold.train), ratio=20, cache=cache)
    assert "d/1" in train.held_out
    assert drivers(train, train._real) <= {"d/2", "d/3", "d/4"}
    assert drivers(train, train._real)


def test_attributes_that_mean_something_else(cache: Path) -> None:
    class Odd(Torch):
        def __init__(self, inner: Any) -> None:
            super().__init__(inner)
            self.helper = Slotted([1, 2])
            self.numbers = {"a": [1, 2], "b": "text"}

    class Helper(Slotted):
        refs, held_out, people, tested = 7, "nobody", None, "yes"

    fold = leave_one_subject_out(ListOfClips(PEOPLE))[0]
    odd = Odd(fold.train)
    odd.helper = Helper([1])
    assert MicroExpressionSynth(odd, ratio=1, cache=cache).held_out == {"d/1"}


LOST = {
    "the whole": lambda d, fold: d,
    "list": lambda d, fold: [fold.train[i] for i in range(len(fold.train))],
    "Subset of the whole": lambda d, fold: Subset(d, fold.train.indices),
    "SubjectSubset by hand": lambda d, fold: SubjectSubset(d, fold.train.indices),
    "wrapped whole": lambda d, fold: Torch(Slotted(d)),
    "ConcatDataset of lists": lambda d, fold: ConcatDataset([Torch([d[1]]), Torch([d[2]])]),
}


@pytest.mark.parametrize("way", LOST)
def test_where_nobody_says_nothing_is_mixed(way: str, cache: Path) -> None:
    data = ListOfClips(PEOPLE)
    lost = LOST[way](data, leave_one_subject_out(data)[0])
    with pytest.raises(LeakageError, match=r"fold.*held_out=\(\)"):
        MicroExpressionSynth(lost, ratio=1, cache=cache)
    assert len(MicroExpressionSynth(lost, ratio=0)) == len(lost)  # nothing to guard
    everybody = MicroExpressionSynth(lost, ratio=20, cache=cache, held_out=())
    assert drivers(everybody, len(lost)) == {"d/1", "d/2", "d/3", "d/4"}
    if way not in ("the whole", "wrapped whole"):
        some = MicroExpressionSynth(lost, ratio=20, cache=cache, held_out=["01"])
        assert drivers(some, len(lost)) == {"d/2", "d/3", "d/4"}


@pytest.mark.parametrize("wrap", [lambda d: d, Torch, lambda d: Subset(d, [0])])
def test_the_test_part_is_refused(wrap: Any, cache: Path) -> None:
    fold = leave_one_subject_out(ListOfClips(PEOPLE))[0]
    for more in ({}, {"held_out": ()}):
        with pytest.raises(LeakageError, match="test part of fold d/1"):
            MicroExpressionSynth(wrap(fold.test), ratio=1, cache=cache, **more)
    assert len(MicroExpressionSynth(fold.test, ratio=0, passthrough=False)) == 2


def test_test_clips_beside_the_training_part(cache: Path) -> None:
    data = ListOfClips(PEOPLE)
    one, two = leave_one_subject_out(data)[:2]
    for both in ([one.train, one.test], [one.train, two.train]):
        with pytest.raises(LeakageError, match="whose subject is held out"):
            MicroExpressionSynth(ConcatDataset(both), ratio=1, cache=cache)


def test_inner_splits(cache: Path) -> None:
    fold = leave_one_subject_out(ListOfClips(PEOPLE))[0]
    inner = k_fold_by_subject(fold.train, 3)[0]
    train = MicroExpressionSynth(inner.train, ratio=20, cache=cache)
    assert train.held_out == inner.held_out | {"d/1"}
    assert not drivers(train, len(inner.train)) & train.held_out
    with pytest.raises(LeakageError, match="test part"):
        MicroExpressionSynth(inner.test, ratio=1, cache=cache)
    # a Subset without one of the people: that one is for validation
    some = Subset(fold.train, [i for i, r in enumerate(fold.train.refs or ()) if r.subject != "2"])
    assert follow(some).left == {"d/2"}
    assert MicroExpressionSynth(some, ratio=1, cache=cache).held_out == {"d/1", "d/2"}
    # said by hand: these, and those of the fold
    more = MicroExpressionSynth(some, ratio=1, cache=cache, held_out={"d/02"})
    assert more.held_out == {"d/1", "d/2"}
    assert MicroExpressionSynth(some, ratio=1, cache=cache, held_out=()).held_out == {"d/1"}


def test_a_held_out_name_must_be_somebody(cache: Path) -> None:
    fold = leave_one_subject_out(ListOfClips(PEOPLE))[0]
    with pytest.raises(InputError, match="'d/9' is nobody here; there are: d/"):
        MicroExpressionSynth(fold.train, ratio=1, cache=cache, held_out={"d/9"})
    with pytest.raises(InputError, match="nobody here"):
        MicroExpressionSynth(fold.train, ratio=0, held_out={"anna"})
    with pytest.raises(InputError, match="nobody here"):
        SubjectSubset(ListOfClips(PEOPLE), [0], held_out={"d/77"})
    with pytest.raises(InputError, match="a set of people"):
        MicroExpressionSynth(fold.train, ratio=1, cache=cache, held_out="d/2")


def test_other_things_than_map_style_datasets() -> None:
    class Stream(IterableDataset[int]):
        def __iter__(self) -> Any:
            return iter([1])

    fold = leave_one_subject_out(ListOfClips(PEOPLE))[0]
    for wrong in (Stream(), ChainDataset([Stream()]), 3):
        with pytest.raises(InputError, match="map-style"):
            MicroExpressionSynth(wrong, ratio=1)
    with pytest.raises(InputError, match="pass its train"):
        MicroExpressionSynth(fold, ratio=1)
