"""Inputs with their labels and people: the real clips, and the synthetic pool beside them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.data.folds import Fold, k_fold_by_subject, leave_one_dataset_out, leave_one_subject_out
from famaug.data.guard import NO_PROVENANCE, Guard, subject_name
from famaug.data.known import synthetic_ref
from famaug.data.protocols import AsClip, Label, labels_of, refs_of
from famaug.data.sources import NO_LABEL, LabelOf, label_for
from famaug.errors import InputError, LeakageError, LeftOutWarning
from famaug.people import canonical
from famaug.recognition.feature_cache import dataset_inputs
from famaug.recognition.inputs import Bytes, InputSpec
from famaug.recognition.metrics import check_labels
from famaug.store.reader import ClipCache
from famaug.types import Clip, Provenance

Flags = NDArray[np.bool_]
NO_MOTION = "shows no motion"


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
    """

    inputs: Bytes
    labels: NDArray[np.int64]
    subjects: tuple[str, ...]
    clips: tuple[str, ...]
    classes: tuple[str, ...]
    origin: str = ""
    left_out: tuple[str, ...] = ()

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
class SyntheticPool:
    """Synthetic clips of which each fold may use those that the guard lets in.

    Attributes:
        inputs: uint8 `S ...`.
        labels: int64 `S`.
        provenances: of each.
        left_out: clips of the source that no fold can use, by reason.
    """

    inputs: Bytes
    labels: NDArray[np.int64]
    provenances: tuple[Provenance, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    def allowed(self, held_out: frozenset[str]) -> Flags:
        """bool `S`: neither driver nor identity is held out."""
        guard = Guard(held_out)
        return np.asarray([guard.reason(p) is None for p in self.provenances], np.bool_)


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
        label_of: from the dataset's labels to class names; without it the labels must be class
            names or numbers. Clips whose label it lacks are left out (such as "others").
        as_clip: from an item to (Clip, label).
        origin: see `Samples`.
        how: `folder`, `workers`, `progress` of `dataset_inputs`.

    Raises:
        InputError: no refs or labels, a label that is no class, or no clip that can be used.
    Warns:
        LeftOutWarning: clips that no network can use (see `key_frames`) are left out.
    """
    refs, labels = refs_of(dataset), labels_of(dataset)
    if refs is None or labels is None:
        raise InputError(
            f"{type(dataset).__name__} needs `refs` and `labels` in item order to be trained on"
        )
    kept = [i for i, x in enumerate(labels) if label_of is None or x in label_of]
    if not kept:
        raise InputError(f"no clip has one of the labels {[*(label_of or ())]}")
    names = [labels[i] if label_of is None else label_of[labels[i]] for i in kept]
    numbers = class_numbers(names, classes, [refs[i].key for i in kept])
    out: dict[int, str] = {}
    inputs = dataset_inputs(
        _Part(dataset, kept), spec, as_clip=as_clip, title="real clips", left_out=out, **how
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
        tuple(subject_name(refs[kept[i]]) for i in used),
        tuple(refs[kept[i]].key for i in used),
        tuple(classes),
        origin,
        tuple(out.values()),
    )


def synthetic_pool(
    cache: ClipCache,
    spec: InputSpec,
    *,
    classes: Sequence[str],
    label_of: LabelOf | None = None,
    **how: Any,
) -> SyntheticPool:
    """Inputs of a clip cache: every clip with provenance and a label.

    Raises:
        InputError: none can be used, or a label is no class.
        CacheError: the cache cannot be read.
    """
    keys, provenances, labels = [], [], []
    left_out: dict[str, int] = {}
    for key in cache.keys():  # noqa: SIM118  a ClipCache is no dict
        provenance = cache.provenance(key)
        label = None if provenance is None else label_for(provenance, label_of)
        if provenance is None or label is None:
            why = NO_PROVENANCE if provenance is None else NO_LABEL
            left_out[why] = left_out.get(why, 0) + 1
            continue
        keys.append(key)
        provenances.append(provenance)
        labels.append(label)
    if not keys:
        raise InputError(f"{cache.root} holds no clip to train on; left out: {left_out or 'none'}")
    numbers = class_numbers(labels, classes, keys)
    out: dict[int, str] = {}
    inputs = dataset_inputs(
        _Cached(cache, keys), spec, title="synthetic clips", left_out=out, **how
    )
    used = [i for i in range(len(keys)) if i not in out]
    if out:
        left_out[NO_MOTION] = len(out)
    return SyntheticPool(inputs[used], numbers[used], tuple(provenances[i] for i in used), left_out)


def class_numbers(
    labels: Sequence[Label], classes: Sequence[str], names: Sequence[str]
) -> NDArray[np.int64]:
    """Labels (class names, or numbers already) as int64.

    Raises:
        InputError: a label is no class; the message names the clip and counts them.
    """
    place: dict[Label, int] = {name: i for i, name in enumerate(classes)}
    place |= {i: i for i in range(len(classes))}
    wrong = [i for i, x in enumerate(labels) if x not in place]
    if wrong:
        raise InputError(
            f"clip {names[wrong[0]]} has the label {labels[wrong[0]]!r}, which is not one of the "
            f"classes {list(classes)} ({len(wrong)} such clips); map labels to classes in `labels`"
        )
    return np.asarray([place[x] for x in labels], np.int64)


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
    items = range(len(samples))
    subjects = list(samples.subjects)
    if folds == "loso":
        found = leave_one_subject_out(items, subjects=subjects)
    elif folds == "dataset":
        found = leave_one_dataset_out(items, subjects=subjects)
    elif folds.startswith("k-fold:") and folds[7:].isdigit():
        found = k_fold_by_subject(items, int(folds[7:]), subjects=subjects)
    else:
        raise InputError(f"folds are 'loso', 'k-fold:K' or 'dataset'; got {folds!r}")
    splits = [_split(fold, len(samples), pool) for fold in found]
    check_splits(splits, samples.subjects)
    return splits


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


def _split(fold: Fold, count: int, pool: SyntheticPool | None) -> Split:
    train, test = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    train[fold.train.indices] = True
    test[fold.test.indices] = True
    allowed = np.zeros(0, np.bool_) if pool is None else pool.allowed(fold.held_out)
    return Split(fold.name, train, test, allowed)


class _Part:
    """Some items of a dataset; picklable where the dataset is."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, list(indices)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]


class _Cached:
    """Clips of a cache as a dataset. Onset, apex and offset are the plan's: frames alone would take
    a blink or a move of the head for the apex."""

    def __init__(self, cache: ClipCache, keys: Sequence[str]) -> None:
        self.cache, self.keys = cache, list(keys)

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> Clip:
        key = self.keys[index]
        clip = self.cache.read(key)
        if clip.provenance is None:  # the pool left such clips out; the cache has changed since
            raise InputError(f"clip {key} of {self.cache.root} has lost its provenance")
        return Clip(synthetic_ref(clip.provenance, key, len(clip.frames)), clip.frames)
