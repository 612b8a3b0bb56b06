"""Clips of a cache as synthetic clips."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from famaug.data.following import guard_for
from famaug.data.guard import Contributors, people_of
from famaug.data.labels import LabelOf, label_of_dataset, label_or_reason
from famaug.data.protocols import AsClip, Label, labels_of
from famaug.data.slots import Balance, Chooser, Slot
from famaug.errors import CacheError, InputError
from famaug.look.look import Look
from famaug.look.reading import why_no_look, with_look
from famaug.seeding import keyed_generator
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


def read_entries(cache: ClipCache, label_of: LabelOf | None) -> list[Cached]:
    """Who is in each clip of a cache; reads no pixels.

    Raises:
        CacheError: the cache cannot be read.
    """
    found = []
    for key in cache.keys():  # noqa: SIM118  a ClipCache is no dict
        provenance = cache.provenance(key)
        label, why = label_or_reason(provenance, label_of)
        people = None if provenance is None else people_of(provenance)
        no_look = None if provenance is None else why_no_look(provenance.plan)
        found.append(Cached(key, people, label, why, no_look))
    return found


class CachedSource:
    """Clips of a cache that the guard lets in, with a look put on where one is given.

    Args:
        dataset: the real clips. cache: folder or `ClipCache`.
        held_out, label_of, look, as_clip, seed, balance: as of `MicroExpressionSynth`.

    Attributes:
        guard: over everybody there is.
        look: that is put on, fitted here for "fit".
        keys, labels: of the clips that may be drawn.
        excluded: how many may not, by reason.

    Raises:
        InputError: none may be drawn, or their labels are of another kind than the dataset's.
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
        look: Look | Literal["fit"] | None,
        as_clip: AsClip,
        seed: int,
        balance: Balance,
    ) -> None:
        self.cache, self.seed = open_cache(cache), seed
        entries = read_entries(self.cache, label_of or label_of_dataset(dataset))
        others = {n for e in entries for _, names in e.people or () for n in names}
        self.guard = guard_for(dataset, held_out, mixing=True, others=others)
        if look == "fit":
            from famaug.data.look_fit import fit_look  # loads the face nets' code

            look = fit_look(dataset, seed=seed, as_clip=as_clip)
        if look is not None:
            self.guard.check_people(look.subjects, "the look was fitted on")
        self.look = look
        self.keys: list[str] = []
        self.labels: list[Label] = []
        self.excluded: Counter[str] = Counter()
        for entry in entries:
            why = self.guard.reason_for(entry.people) or entry.unusable
            why = why or (None if look is None else entry.no_look)
            if why is not None:
                self.excluded[why] += 1
                continue
            self.keys.append(entry.key)
            self.labels.append(entry.label)
        if not self.keys:
            raise InputError(
                f"{self.cache.root} holds no clip that may be trained on; left out: "
                f"{dict(self.excluded) or 'nothing, it is empty'}; generate clips whose driver and "
                "identity subjects are in this fold, or pass label_of= for labels of another name"
            )
        real = labels_of(dataset)
        _check_kinds(self.labels, real)
        self.chooser = Chooser(self.labels, real, balance)

    def draw(self, epoch: int, slot: int) -> Slot:
        i = self.chooser.draw(keyed_generator(self.seed, epoch, slot, "draw"))
        return Slot(self.keys[i], self.labels[i], (epoch, slot))

    def frames(self, slot: Slot) -> tuple[Frames, Provenance]:
        """Frames and provenance, guarded once more: the cache may have changed. With a look, both
        are as it was drawn for the slot.

        Raises:
            LeakageError: the clip of that key is now another one.
        """
        clip = self.cache.read(slot.key)
        self.guard.check(clip.provenance, slot.key)
        if clip.provenance is None:
            raise CacheError(f"{self.cache.root}: clip {slot.key} has lost its provenance")
        if self.look is None:
            return clip.frames, clip.provenance
        rng = keyed_generator(self.seed, *slot.place, "look")
        return with_look(clip.frames, clip.provenance, self.look, rng)


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
