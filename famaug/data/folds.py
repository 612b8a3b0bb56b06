"""Folds by subject. A fold's training set knows who is held out; wrapping it guards by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from torch.utils.data import Dataset

from famaug.data.contents import dataset_parts
from famaug.data.following import follow, held_out_of
from famaug.data.guard import Guard
from famaug.data.protocols import Label, labels_of, refs_of
from famaug.errors import InputError
from famaug.people.persons import canonical, find_people, in_order
from famaug.seeding import keyed_generator
from famaug.shown.lines import counted, in_notebooks, one_line, short, some
from famaug.types import ClipRef


@in_notebooks
class SubjectSubset(Dataset[Any]):
    """Some items of a dataset, handed out untouched.

    Args:
        held_out: people who must not enter this part in any form, beside those whom `dataset`
            holds out already. None says nothing of them; an empty set says "nobody".

    Attributes:
        dataset, indices: what it is a part of, and which.
        held_out: everybody held out, in one spelling; None where nobody said.
        tested: name of the fold that this part tests, or None.
        refs, labels: of these items, where the dataset offers them.

    Raises:
        InputError: a held-out name is nobody of the dataset, where that tells its people.
    """

    def __init__(
        self,
        dataset: Any,
        indices: Sequence[int],
        *,
        held_out: Iterable[str] | None = None,
        tested: str | None = None,
    ) -> None:
        self._take(dataset, indices, tested)
        found = follow(dataset)
        self.held_out: frozenset[str] | None = found.held_out
        if held_out is not None:
            own = frozenset(Guard([*held_out], found.people).held_out)
            self.held_out = own | (found.held_out or frozenset())

    def _take(self, dataset: Any, indices: Sequence[int], tested: str | None) -> None:
        self.dataset, self.tested = dataset, tested
        self.indices = [int(i) for i in indices]
        refs, labels = refs_of(dataset), labels_of(dataset)
        self.refs: list[ClipRef] | None = None if refs is None else [refs[i] for i in self.indices]
        self.labels: list[Label] | None = (
            None if labels is None else [labels[i] for i in self.indices]
        )

    @classmethod
    def _of_fold(
        cls,
        dataset: Any,
        indices: Sequence[int],
        held_out: frozenset[str] | None,
        tested: str | None,
    ) -> SubjectSubset:
        """A fold's part, whose held-out people are known to be the dataset's."""
        part = cls.__new__(cls)
        part._take(dataset, indices, tested)
        part.held_out = held_out
        return part

    def __len__(self) -> int:
        return len(self.indices)

    def __repr__(self) -> str:
        held = "nobody said who is held out" if self.held_out is None else ""
        held = f"held out {some(in_order(self.held_out))}" if self.held_out else held
        return one_line(
            self, *dataset_parts(self), held, f"tests {self.tested}" if self.tested else ""
        )

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]


@in_notebooks
@dataclass(frozen=True)
class Fold:
    """Train and test of one fold; `held_out` are the test's people as "dataset/subject".

    A fold of another fold's `train` is an inner one (for validation): its `train.held_out` are the
    outer fold's people as well.
    """

    name: str
    train: SubjectSubset
    test: SubjectSubset
    held_out: frozenset[str]

    def __repr__(self) -> str:
        train, test = (counted(len(part), "clip") for part in (self.train, self.test))
        out = f"held out {some(in_order(self.held_out))}"
        return one_line(self, f"{short(self.name)}: train {train}, test {test}", out)


def without_people(dataset: Any, names: Iterable[str], *, what: str = "held out") -> SubjectSubset:
    """The items of everybody else; the part knows that these people are held out.

    Args:
        dataset: map-style, with `refs`.
        names: "dataset/subject", or a subject alone, in any spelling.
        what: where the names come from, for messages.

    Raises:
        InputError: a name is nobody of the dataset.
    """
    meant = find_people([*names], follow(dataset).people, what=what)
    guard = Guard(frozenset().union(*meant.values()))
    refs = refs_of(dataset) or ()
    kept = [i for i, ref in enumerate(refs) if not guard.holds_out(ref.person)]
    return SubjectSubset(dataset, kept, held_out=guard.held_out)


def leave_one_subject_out(dataset: Any, *, subjects: Sequence[str] | None = None) -> list[Fold]:
    """One fold a subject, in natural order of the names.

    Args:
        dataset: map-style, with `refs`, unless `subjects` is given.
        subjects: "dataset/subject" of every item, for a dataset without `refs`.

    Raises:
        InputError: subjects are unknown, missing for an item, or fewer than two.
    """
    people = _subjects(dataset, subjects)
    return _folds(dataset, people, [(n, {n}) for n in in_order(set(people))])


def k_fold_by_subject(
    dataset: Any, k: int, *, seed: int = 0, subjects: Sequence[str] | None = None
) -> list[Fold]:
    """k folds of about the same number of clips, no subject in two.

    Raises:
        InputError: as `leave_one_subject_out`; k is not between 2 and the number of subjects.
    """
    people = _subjects(dataset, subjects)
    names = in_order(set(people))
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
    for name in in_order(set(people)):
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
        subjects = [r.person for r in refs]
    if len(subjects) != len(dataset):
        raise InputError(f"{len(subjects)} subjects for {len(dataset)} items")
    people = [canonical(s) for s in subjects]
    for i, name in enumerate(people):
        if "/" not in name:
            raise InputError(
                f"item {i} has no subject ({subjects[i]!r}, not 'dataset/subject'), so no fold can "
                "hold its person out"
            )
    if len(set(people)) < 2:
        raise InputError(f"folds by subject need two subjects; found {sorted(set(people))}")
    return people


def _folds(dataset: Any, people: Sequence[str], parts: list[tuple[str, set[str]]]) -> list[Fold]:
    folds, outer = [], held_out_of(dataset)
    for name, held_out in parts:
        train = [i for i, p in enumerate(people) if p not in held_out]
        test = [i for i, p in enumerate(people) if p in held_out]
        folds.append(
            Fold(
                name,
                SubjectSubset._of_fold(dataset, train, (outer or frozenset()) | held_out, None),
                SubjectSubset._of_fold(dataset, test, outer, name),
                frozenset(held_out),
            )
        )
    return folds
