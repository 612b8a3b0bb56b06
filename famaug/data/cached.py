"""Clips of a cache as synthetic clips."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from famaug.data.following import guard_for
from famaug.data.guard import Contributors, Guard, people_of
from famaug.data.labels import LabelOf, label_of_dataset, label_or_reason
from famaug.data.protocols import AsClip, Label, labels_of
from famaug.data.slots import Balance, Chooser, Slot
from famaug.errors import CacheError, InputError, LeakageError
from famaug.look.files import look_of
from famaug.look.mixture import AnyLook
from famaug.look.reading import why_no_look, with_look
from famaug.seeding import keyed_generator
from famaug.store.decisions import REJECTED, Decisions, Given, decisions_of
from famaug.store.reader import ClipCache
from famaug.types import Frames, Provenance


@dataclass(frozen=True)
class Cached:
    """A cached clip: its key, everybody who went into it (None without provenance), its label, why
    it has none, and why it can be given no look."""

    key: str
    people: Contributors | None
    label: Label
    unusable: str | None
    no_look: str | None

    def why_not(self, guard: Guard, *, look: bool) -> str | None:
        """Why it may not be trained on (with `look`: with a look put on), or None."""
        why = guard.reason_for(self.people) or self.unusable
        return why or (self.no_look if look else None)


def read_entries(
    cache: ClipCache,
    label_of: LabelOf | None,
    classes: Collection[Label] | None = None,
    *,
    decisions: Decisions | None = None,
) -> list[Cached]:
    """Who is in each clip of a cache and what it shows; reads no pixels.

    Args:
        cache: the clips.
        label_of, classes: as `label_or_reason`.
        decisions: of people; what they rejected may not be trained on.

    Raises:
        CacheError: the cache cannot be read.
    """
    found, rejected = [], frozenset() if decisions is None else decisions.rejected
    for key in cache.keys():  # noqa: SIM118  a ClipCache is no dict
        provenance = cache.provenance(key)
        label, why = label_or_reason(provenance, label_of, classes)
        why = REJECTED if key in rejected else why
        people = None if provenance is None else people_of(provenance)
        no_look = None if provenance is None else why_no_look(provenance.plan)
        found.append(Cached(key, people, label, why, no_look))
    return found


def people_in(entries: Iterable[Cached]) -> frozenset[str]:
    """Everybody who went into any of them."""
    return frozenset(n for e in entries for _, names in e.people or () for n in names)


def choose(
    cache: ClipCache,
    entries: Iterable[Cached],
    guards: Sequence[Guard],
    *,
    look: bool,
    otherwise: str,
) -> tuple[list[Cached], Counter[str]]:
    """The clips that some guard lets in, and how many none does, by the reason that most give.

    Args:
        cache, entries: `read_entries` of it.
        guards: of the folds.
        look: whether they are given a look.
        otherwise: what to do where there are none; ends the message.

    Raises:
        InputError: there are none.
    """
    chosen: list[Cached] = []
    excluded = Counter[str]()
    for entry in entries:
        found = [entry.why_not(guard, look=look) for guard in guards]
        why = None if None in found else Counter(found).most_common(1)[0][0]
        if why is None:
            chosen.append(entry)
        else:
            excluded[why] += 1
    if not chosen:
        raise InputError(
            f"{cache.root} holds no clip that may be trained on; left out: "
            f"{dict(excluded) or 'nothing, it is empty'}; {otherwise}"
        )
    return chosen, excluded


def read_chosen(
    cache: ClipCache,
    entry: Cached,
    guard: Guard,
    look: AnyLook | None,
    rng: np.random.Generator,
) -> tuple[Frames, Provenance]:
    """Frames and provenance, guarded once more: the cache may have changed.

    Args:
        entry: what was chosen. guard: that let it in.
        look: put on the frames, drawn from `rng`; None for none.

    Raises:
        LeakageError: the clip of that key is now another one.
    """
    clip = cache.read(entry.key)
    guard.check(clip.provenance, entry.key)
    story = unchanged(cache, entry, clip.provenance)
    return (clip.frames, story) if look is None else with_look(clip.frames, story, look, rng)


def unchanged(cache: ClipCache, entry: Cached, provenance: Provenance | None) -> Provenance:
    """A chosen clip's provenance.

    Raises:
        LeakageError: other people went into it than when it was chosen.
    """
    if provenance is None or people_of(provenance) != entry.people:
        raise LeakageError(
            f"synthetic clip {entry.key} of {cache.root} is of other people than when it was "
            "chosen; build the dataset again"
        )
    return provenance


class CachedSource:
    """Clips of a cache that the guard lets in, with a look put on where one is given.

    Args:
        dataset: the real clips. cache: folder or `ClipCache`.
        held_out, label_of, look, decisions, as_clip, seed, balance: as of `MicroExpressionSynth`.

    Attributes:
        guard: over everybody there is.
        look: that is put on, fitted here for "fit".
        keys, labels: of the clips that may be drawn.
        excluded: how many may not, by reason.

    Raises:
        InputError: none may be drawn, their labels are of another kind than the dataset's, or the
            decisions cannot be read.
        LeakageError: the look holds a held-out person, or nobody says who is held out.
        CacheError: the cache cannot be read.
    """

    def __init__(
        self,
        dataset: Any,
        cache: ClipCache | str | os.PathLike[str] | None,
        *,
        held_out: Iterable[str] | None,
        label_of: LabelOf | None,
        look: AnyLook | str | None,
        decisions: Given,
        as_clip: AsClip,
        seed: int,
        balance: Balance,
    ) -> None:
        self.cache, self.seed = open_cache(cache), seed
        told = label_of or label_of_dataset(dataset)
        entries = read_entries(self.cache, told, decisions=decisions_of(decisions))
        self.guard = guard_for(dataset, held_out, mixing=True, others=people_in(entries))
        if look == "fit":
            from famaug.data.look_fit import fit_look  # loads the face nets' code

            look = fit_look(dataset, seed=seed, as_clip=as_clip)
        look = look_of(look)
        if look is not None:
            self.guard.check_people(look.subjects, "the look was fitted on")
        self.look = look
        chosen, self.excluded = choose(
            self.cache,
            entries,
            [self.guard],
            look=look is not None,
            otherwise="generate clips whose driver and identity subjects are in this fold, or pass "
            "label_of= for labels of another name",
        )
        self.clips = {clip.key: clip for clip in chosen}
        self.keys, self.labels = [*self.clips], [clip.label for clip in chosen]
        real = labels_of(dataset)
        _check_kinds(self.labels, real)
        self.chooser = Chooser(self.labels, real, balance)

    def draw(self, epoch: int, slot: int) -> Slot:
        i = self.chooser.draw(keyed_generator(self.seed, epoch, slot, "draw"))
        return Slot(self.keys[i], self.labels[i], (epoch, slot))

    def frames(self, slot: Slot) -> tuple[Frames, Provenance]:
        """As `read_chosen`; with a look, both are as it was drawn for the slot."""
        rng = keyed_generator(self.seed, *slot.place, "look")
        return read_chosen(self.cache, self.clips[slot.key], self.guard, self.look, rng)


def open_cache(cache: ClipCache | str | os.PathLike[str] | None) -> ClipCache:
    if cache is None:
        raise InputError("mode='cached' needs cache=, a cache folder or a ClipCache")
    if isinstance(cache, ClipCache):
        return cache
    try:
        return ClipCache(cache)
    except TypeError as error:
        raise CacheError(f"cache= is a folder or a ClipCache; got {cache!r}") from error


def _check_kinds(labels: Sequence[Label], real: Sequence[Label] | None) -> None:
    mine = {type(x).__name__ for x in labels}
    theirs = {type(x).__name__ for x in real or () if x is not None}
    if theirs and not mine <= theirs:
        raise InputError(
            f"synthetic clips are labelled with {sorted(mine)} (such as {labels[0]!r}), the "
            f"dataset with {sorted(theirs)}; pass label_of=, a mapping or function to the "
            "dataset's labels"
        )
