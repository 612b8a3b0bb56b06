"""Folds by subject. A fold's training set knows who is held out; wrapping it guards by itself."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from torch.utils.data import Dataset

from famaug.clip import natural_key
from famaug.data.guard import canonical, held_out_of, subject_name
from famaug.data.protocols import Label, labels_of, refs_of
from famaug.errors import InputError
from famaug.seeding import keyed_generator
from famaug.types import ClipRef


class SubjectSubset(Dataset[Any]):
    """Some items of a dataset, handed out untouched.

    Attributes:
        dataset, indices: what it is a part of, and which.
        held_out: subjects ("dataset/subject") that must not enter this part in any form.
        refs, labels: of these items, where the dataset offers them.
    """

    def __init__(
        self, dataset: Any, indices: Sequence[int], *, held_out: Iterable[str] = ()
    ) -> None:
        self.dataset = dataset
        self.indices = [int(i) for i in indices]
        self.held_out = frozenset(held_out) | held_out_of(dataset)
        refs, labels = refs_of(dataset), labels_of(dataset)
        self.refs: list[ClipRef] | None = None if refs is None else [refs[i] for i in self.indices]
        self.labels: list[Label] | None = (
            None if labels is None else [labels[i] for i in self.indices]
        )

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]


@dataclass(frozen=True)
class Fold:
    """Train and test of one fold; `held_out` are the test's subjects as "dataset/subject"."""

    name: str
    train: SubjectSubset
    test: SubjectSubset
    held_out: frozenset[str]


def leave_one_subject_out(dataset: Any, *, subjects: Sequence[str] | None = None) -> list[Fold]:
    """One fold a subject, in natural order of the names.

    Args:
        dataset: map-style, with `refs`, unless `subjects` is given.
        subjects: "dataset/subject" of every item, for a dataset without `refs`.

    Raises:
        InputError: subjects are unknown, missing for an item, or fewer than two.
    """
    people = _subjects(dataset, subjects)
    return _folds(dataset, people, [(n, {n}) for n in _in_order(people)])


def k_fold_by_subject(
    dataset: Any, k: int, *, seed: int = 0, subjects: Sequence[str] | None = None
) -> list[Fold]:
    """k folds of about the same number of clips, no subject in two.

    Raises:
        InputError: as `leave_one_subject_out`; k is not between 2 and the number of subjects.
    """
    people = _subjects(dataset, subjects)
    names = _in_order(people)
    if not 2 <= k <= len(names):
        raise InputError(f"k must be between 2 and the {len(names)} subjects; got {k}")
    order = keyed_generator(seed, "k_fold_by_subject").permutation(len(names))
    counts = {n: people.count(n) for n in names}
    parts: list[set[str]] = [set() for _ in range(k)]
    # the largest first, each into the smallest part so far
    for name in sorted((names[i] for i in order), key=lambda n: -counts[n]):
        min(parts, key=lambda p: (sum(counts[n] for n in p), len(p))).add(name)
    return _folds(dataset, people, [(f"part {i + 1} of {k}", p) for i, p in enumerate(parts)])


def leave_one_dataset_out(dataset: Any, *, subjects: Sequence[str] | None = None) -> list[Fold]:
    """One fold a data set: all its subjects are held out together.

    Raises:
        InputError: as `leave_one_subject_out`; there is one data set only.
    """
    people = _subjects(dataset, subjects)
    groups: dict[str, set[str]] = {}
    for name in _in_order(people):
        groups.setdefault(name.rpartition("/")[0], set()).add(name)
    if len(groups) < 2:
        raise InputError(f"all clips are of one data set ({next(iter(groups))!r})")
    return _folds(dataset, people, list(groups.items()))


def _subjects(dataset: Any, subjects: Sequence[str] | None) -> list[str]:
    """Subject of every item, one spelling a person."""
    if subjects is None:
        refs = refs_of(dataset)
        if refs is None:
            raise InputError(
                f"{type(dataset).__name__} has no `refs`, so its subjects are unknown; pass "
                "subjects=, 'dataset/subject' for every item"
            )
        subjects = [subject_name(r) for r in refs]
    if len(subjects) != len(dataset):
        raise InputError(f"{len(subjects)} subjects for {len(dataset)} items")
    for i, name in enumerate(subjects):
        if "/" not in name or not name.rpartition("/")[2].strip():
            raise InputError(
                f"item {i} has no subject ({name!r}, not 'dataset/subject'), so no fold can hold "
                "its person out"
            )
    first: dict[Hashable, str] = {}
    people = [first.setdefault(canonical(s), s) for s in subjects]
    if len(first) < 2:
        raise InputError(f"folds by subject need two subjects; found {sorted(set(people))}")
    return people


def _in_order(people: Sequence[str]) -> list[str]:
    return sorted(set(people), key=natural_key)


def _folds(dataset: Any, people: Sequence[str], parts: list[tuple[str, set[str]]]) -> list[Fold]:
    folds = []
    for name, held_out in parts:
        train = [i for i, p in enumerate(people) if p not in held_out]
        test = [i for i, p in enumerate(people) if p in held_out]
        folds.append(
            Fold(
                name,
                SubjectSubset(dataset, train, held_out=held_out),
                SubjectSubset(dataset, test),
                frozenset(held_out),
            )
        )
    return folds
