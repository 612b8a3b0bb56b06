"""Inputs with their labels and people: the real clips, and the synthetic pool beside them."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.data.folds import Fold, k_fold_by_subject, leave_one_dataset_out, leave_one_subject_out
from famaug.data.guard import NO_PROVENANCE, Guard
from famaug.data.known import synthetic_ref
from famaug.data.labels import LabelOf, label_of_dataset, label_or_reason, unknown_label
from famaug.data.protocols import AsClip, Label, labels_of, refs_of
from famaug.errors import InputError, LeakageError, LeftOutWarning
from famaug.look.look import Look
from famaug.look.reading import why_no_look, with_look
from famaug.people.persons import canonical, in_order
from famaug.recognition.feature_cache import dataset_inputs
from famaug.recognition.inputs import Bytes, InputSpec
from famaug.recognition.metrics import check_labels
from famaug.seeding import digest, keyed_generator
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
        no_class: clips whose label is no class, how many by reason; left out as well.
        label_of: from published emotions to labels, where the data set has that.
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
        own: inputs by name of the fold, where each fold sees the clips with a look of its own;
            `inputs` is then empty. 0 for clips that the fold may not use.
    """

    inputs: Bytes
    labels: NDArray[np.int64]
    provenances: tuple[Provenance, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    own: Mapping[str, Bytes] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def allowed(self, held_out: frozenset[str], people: Collection[str] = ()) -> Flags:
        """bool `S`: nobody who went into it is held out.

        Args:
            people: everybody of the real clips, see `Guard`.
        """
        guard = Guard(held_out, people)
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
        tuple(refs[kept[i]].person for i in used),
        tuple(refs[kept[i]].key for i in used),
        tuple(classes),
        origin,
        tuple(out.values()),
        no_class,
        label_of_dataset(dataset),
    )


def synthetic_pool(
    cache: ClipCache,
    spec: InputSpec,
    *,
    classes: Sequence[str],
    label_of: LabelOf | None = None,
    look: Look | None = None,
    **how: Any,
) -> SyntheticPool:
    """Inputs of a clip cache: every clip with provenance and a label that is a class; the others
    are left out and counted.

    Args:
        cache: the clips.
        spec: the input wanted.
        classes: names of the classes in order.
        label_of: from a clip's label to a class name or number; see `famaug.MicroExpressionSynth`.
        look: put on every clip; those it was fitted on then stand in the clips' provenance.
        how: `folder`, `workers`, `progress` of `dataset_inputs`.

    Raises:
        InputError: none can be used.
        CacheError: the cache cannot be read.
    """
    found, left_out = usable_clips(cache, classes, label_of, clean=look is not None)
    keys = [key for key, _, _ in found]
    out: dict[int, str] = {}
    inputs = dataset_inputs(
        CachedClips(cache, keys, look), spec, title="synthetic clips", left_out=out, **how
    )
    used = [i for i in range(len(keys)) if i not in out]
    if out:
        left_out[NO_MOTION] = len(out)
    numbers = np.asarray([found[i][2] for i in used], np.int64)
    stories = tuple(looked(found[i][1], look) for i in used)
    return SyntheticPool(inputs[used], numbers, stories, left_out)


def looked(story: Provenance, look: Look | None) -> Provenance:
    """The provenance with everybody whom the look was fitted on."""
    if look is None:
        return story
    return replace(story, plan=replace(story.plan, look={"subjects": list(look.subjects)}))


def usable_clips(
    cache: ClipCache,
    classes: Sequence[str],
    label_of: LabelOf | None = None,
    *,
    clean: bool = False,
) -> tuple[list[tuple[str, Provenance, int]], dict[str, int]]:
    """Key, provenance and class number of the clips that a network of these classes can learn, and
    how many are left out by reason; with `clean` only those that can be given a look. No pixels
    are read.

    Raises:
        InputError: none can be used. CacheError: the cache cannot be read.
    """
    place, found, left_out = _places(classes), [], Counter[str]()
    for key in cache.keys():  # noqa: SIM118  a ClipCache is no dict
        provenance = cache.provenance(key)
        label, why = label_or_reason(provenance, label_of, place)
        if clean and provenance is not None and why is None:
            why = why_no_look(provenance.plan)
        if provenance is None or why is not None:
            left_out[NO_PROVENANCE if provenance is None else str(why)] += 1
        else:
            found.append((key, provenance, place[label]))
    if not found:
        raise InputError(
            f"{cache.root} holds no clip to train on; left out: {dict(left_out) or 'none'}; "
            "map its labels to the classes in `synthetic.labels`"
        )
    return found, dict(left_out)


def class_numbers(
    labels: Sequence[Label], classes: Sequence[str]
) -> tuple[list[int], NDArray[np.int64], dict[str, int]]:
    """Of labels (class names, or numbers already): the places of those that are classes, their
    numbers int64, and how many are left out by reason.

    Raises:
        InputError: a class has no clip, while labels are left out: it is spelt otherwise; or no
            clip is left.
    """
    place = _places(classes)
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


def _places(classes: Sequence[str]) -> dict[Label, int]:
    place: dict[Label, int] = {name: i for i, name in enumerate(classes)}
    return place | {i: i for i in range(len(classes))}


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
    people = frozenset(subjects)
    splits = [_split(fold, len(samples), pool, people) for fold in found]
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


def _split(fold: Fold, count: int, pool: SyntheticPool | None, people: frozenset[str]) -> Split:
    train, test = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    train[fold.train.indices] = True
    test[fold.test.indices] = True
    allowed = np.zeros(0, np.bool_) if pool is None else pool.allowed(fold.held_out, people)
    return Split(fold.name, train, test, allowed)


def check_untested(look: Look, samples: Samples, name: str) -> None:
    """Raises LeakageError where a look was fitted on people whom some fold tests."""
    guard = Guard(frozenset(samples.subjects), samples.subjects)
    tested = in_order({canonical(n) for n in look.subjects if guard.holds_out(n)})
    if tested:
        raise LeakageError(
            f"synthetic.look {name} was fitted on {', '.join(tested[:5])}"
            f"{' and others' if len(tested) > 5 else ''}, whom a fold tests; "
            "synthetic.look=fit fits one look on each fold's training clips"
        )


class _Part:
    """Some items of a dataset; picklable where the dataset is."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, list(indices)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]


class CachedClips:
    """Clips of a cache as a dataset, with a look put on where one is given. Onset, apex and offset
    are the plan's: frames alone would take a blink or a move of the head for the apex."""

    def __init__(self, cache: ClipCache, keys: Sequence[str], look: Look | None = None) -> None:
        self.cache, self.keys, self.look = cache, list(keys), look
        self._look_name = "" if look is None else digest(look.to_json())

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> Clip:
        key = self.keys[index]
        clip = self.cache.read(key)
        frames, story = clip.frames, clip.provenance
        if story is None:  # the pool left such clips out; the cache has changed since
            raise InputError(f"clip {key} of {self.cache.root} has lost its provenance")
        if self.look is not None:
            frames, story = with_look(frames, story, self.look, keyed_generator(0, key, "look"))
        return Clip(synthetic_ref(story, key, len(frames)), frames)

    def content_key(self, index: int) -> str:
        """With a look: what stands for the item's pixels, as the draw of the look follows from the
        clip's key. Without: "", the pixels stand for themselves."""
        return digest(["look", self.keys[index], self._look_name]) if self._look_name else ""
