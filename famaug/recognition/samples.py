"""Inputs of the real clips with their labels and people, and the folds by subject."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Subset

from famaug.data.folds import Fold, k_fold_by_subject, leave_one_dataset_out, leave_one_subject_out
from famaug.data.guard import Guard
from famaug.data.labels import LabelOf, label_of_dataset, places_of, unknown_label
from famaug.data.protocols import AsClip, Label, labels_of, refs_of
from famaug.errors import InputError, LeakageError, LeftOutWarning
from famaug.people.persons import canonical
from famaug.recognition.feature_cache import dataset_inputs
from famaug.recognition.inputs import Bytes, InputSpec
from famaug.recognition.metrics import check_labels
from famaug.recognition.pool import SyntheticPool

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Samples:
    """Real clips, ready for a recogniser.

    Attributes:
        inputs: uint8 `N ...`.
        labels: int64 `N`, 0 ... classes - 1.
        subjects: "dataset/subject" of each, in one spelling.
        clips: name of each.
        classes: names of the classes in order.
        origin: what kind of data these are, printed beside every score ("" for real data).
        left_out: clips that no network can use, with the reason.
        no_class: clips whose label is no class, how many by reason; left out as well.
        label_of: from published emotions to labels, where the data set has that.
        u: channel of flow inputs that holds u, the motion to the right.
    """

    inputs: Bytes
    labels: NDArray[np.int64]
    subjects: tuple[str, ...]
    clips: tuple[str, ...]
    classes: tuple[str, ...]
    origin: str = ""
    left_out: tuple[str, ...] = ()
    no_class: Mapping[str, int] = field(default_factory=dict)
    label_of: LabelOf | None = None
    u: int = 0

    def __post_init__(self) -> None:
        counts = {len(self.inputs), len(self.labels), len(self.subjects), len(self.clips)}
        if len(counts) != 1:
            raise InputError(f"inputs, labels, subjects and clips differ in number: {counts}")
        check_labels(self.labels, len(self.classes), "real clips")
        object.__setattr__(self, "subjects", tuple(map(canonical, self.subjects)))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def datasets(self) -> tuple[str, ...]:
        """Data set of each clip."""
        return tuple(s.rpartition("/")[0] for s in self.subjects)


@dataclass(frozen=True, eq=False)
class Split:
    """One fold: which real clips it trains on and tests on, and which synthetic ones it may use."""

    name: str
    train: Flags
    test: Flags
    allowed: Flags


def real_samples(
    dataset: Any,
    spec: InputSpec,
    *,
    classes: Sequence[str],
    label_of: Mapping[Any, str] | None = None,
    as_clip: AsClip | None = None,
    origin: str = "",
    **how: Any,
) -> Samples:
    """Inputs of a clip dataset with `refs` and `labels`.

    Args:
        dataset: as `famaug.data.protocols.ClipDataset`.
        spec: the input wanted.
        classes: names of the classes in order.
        label_of: from the dataset's labels to class names; without it the labels are class names
            or numbers. Clips of any other label (such as "others") are left out and counted.
        as_clip: from an item to (Clip, label).
        origin: see `Samples`.
        how: `folder`, `workers`, `progress` of `dataset_inputs`.

    Raises:
        InputError: no refs or labels, a class without a clip, or no clip that can be used.
    Warns:
        LeftOutWarning: clips that no network can use (see `key_frames`) are left out.
    """
    refs, labels = refs_of(dataset), labels_of(dataset)
    if refs is None or labels is None:
        raise InputError(
            f"{type(dataset).__name__} needs `refs` and `labels` in item order to be trained on"
        )
    named = [x if label_of is None else label_of.get(x, x) for x in labels]
    kept, numbers, no_class = class_numbers(named, classes)
    out: dict[int, str] = {}
    inputs = dataset_inputs(
        Subset(dataset, kept), spec, as_clip=as_clip, title="real clips", left_out=out, **how
    )
    used = [i for i in range(len(kept)) if i not in out]
    if not used:
        raise InputError(f"no clip can be used; the first: {next(iter(out.values()))}")
    if out:
        warnings.warn(
            f"{len(out)} of {len(kept)} clips are left out: {'; '.join([*out.values()][:3])}",
            LeftOutWarning,
            stacklevel=2,
        )
    return Samples(
        inputs[used] if out else inputs,
        numbers[used],
        tuple(refs[kept[i]].person for i in used),
        tuple(refs[kept[i]].key for i in used),
        tuple(classes),
        origin,
        tuple(out.values()),
        no_class,
        label_of_dataset(dataset),
    )


def class_numbers(
    labels: Sequence[Label], classes: Sequence[str]
) -> tuple[list[int], NDArray[np.int64], dict[str, int]]:
    """Of labels (class names, or numbers already): the places of those that are classes, their
    numbers int64, and how many are left out by reason.

    Raises:
        InputError: a class has no clip, while labels are left out: it is spelt otherwise; or no
            clip is left.
    """
    place = places_of(classes)
    kept = [i for i, x in enumerate(labels) if x in place]
    left_out = Counter(unknown_label(x) for x in labels if x not in place)
    numbers = np.asarray([place[labels[i]] for i in kept], np.int64)
    empty = [name for i, name in enumerate(classes) if i not in numbers]
    if empty and (left_out or not kept):  # else the data set is small, and every label known
        raise InputError(
            f"no clip has the label {', '.join(map(repr, empty))} of the classes {list(classes)}; "
            f"left out: {dict(left_out) or 'none'}; map labels to classes in `data.labels`"
        )
    return kept, numbers, dict(left_out)


def make_splits(
    samples: Samples, pool: SyntheticPool | None = None, *, folds: str = "loso"
) -> list[Split]:
    """Folds by subject.

    Args:
        samples: real clips.
        pool: synthetic clips, or None.
        folds: "loso" (one subject each), "k-fold:K", or "dataset" (one data set each).

    Raises:
        InputError: the way is unknown, or there are too few subjects.
        LeakageError: a subject is in two folds' tests or in a fold's training and test.
    """
    people = frozenset(samples.subjects)
    splits = [_split(f, len(samples), pool, people) for f in _folds(samples, folds)]
    check_splits(splits, samples.subjects)
    return splits


def held_out_by_fold(samples: Samples, folds: str) -> dict[str, frozenset[str]]:
    """Whom each fold of `make_splits` holds out, by its name."""
    return {fold.name: fold.held_out for fold in _folds(samples, folds)}


def _folds(samples: Samples, folds: str) -> list[Fold]:
    items, subjects = range(len(samples)), list(samples.subjects)
    if folds == "loso":
        return leave_one_subject_out(items, subjects=subjects)
    if folds == "dataset":
        return leave_one_dataset_out(items, subjects=subjects)
    if folds.startswith("k-fold:") and folds[7:].isdigit():
        return k_fold_by_subject(items, int(folds[7:]), subjects=subjects)
    raise InputError(f"folds are 'loso', 'k-fold:K' or 'dataset'; got {folds!r}")


ALONE = "synthetic-only"
"""Name of the only fold of a training on synthetic clips alone."""


def splits_alone(samples: Samples, pool: SyntheticPool) -> list[Split]:
    """One fold that tests every real clip and trains on none, on the synthetic clips alone into
    which nobody went who is tested."""
    none, people = np.zeros(len(samples), np.bool_), frozenset(samples.subjects)
    return [Split(ALONE, none, ~none, pool.allowed(people, people))]


def check_classes(samples: Samples, pool: SyntheticPool, splits: Sequence[Split]) -> None:
    """Raises InputError where a fold may see no synthetic clip of some class."""
    for split in splits:
        seen = set(pool.labels[split.allowed].tolist())
        lacking = [name for i, name in enumerate(samples.classes) if i not in seen]
        if lacking:
            raise InputError(
                f"fold {split.name}: none of its {int(split.allowed.sum())} synthetic clips is "
                f"{' or '.join(lacking)}, and it is trained on them alone; make some, or map "
                "labels to the classes in `synthetic.labels`"
            )


def check_splits(splits: Sequence[Split], subjects: Sequence[str]) -> None:
    """Raises LeakageError when a subject is tested in two folds, or trained on where it is
    tested."""
    tested_in: dict[str, str] = {}
    names = list(map(canonical, subjects))
    for split in splits:
        tested = {n for n, t in zip(names, split.test, strict=True) if t}
        both = tested & {n for n, t in zip(names, split.train, strict=True) if t}
        if both:
            raise LeakageError(f"fold {split.name} trains and tests on {sorted(both)}")
        for name in sorted(tested):
            if name in tested_in:
                raise LeakageError(f"{name} is in folds {tested_in[name]} and {split.name}")
            tested_in[name] = split.name


def _split(fold: Fold, count: int, pool: SyntheticPool | None, people: frozenset[str]) -> Split:
    train, test = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    train[fold.train.indices] = True
    test[fold.test.indices] = True
    allowed = np.zeros(0, np.bool_) if pool is None else pool.allowed(fold.held_out, people)
    return Split(fold.name, train, test, allowed)


def check_untested(people: Iterable[str], samples: Samples, what: str, instead: str) -> None:
    """Raises LeakageError where one of these people is tested by some fold.

    Args:
        what: begins the message, as "training.start FILE was trained on".
        instead: ends it: what to do.
    """
    tested = Guard(frozenset(samples.subjects), samples.subjects).among(people)
    if tested:
        raise LeakageError(
            f"{what} {', '.join(tested[:5])}{' and others' if len(tested) > 5 else ''}, whom a "
            f"fold tests; {instead}"
        )
