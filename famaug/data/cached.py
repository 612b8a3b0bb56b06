"""Clips of a cache as a source of synthetic clips."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from famaug.data.guard import Contributors, Guard, people_of
from famaug.data.protocols import Label, labels_of
from famaug.data.sources import Balance, Chooser, Drawn, LabelOf, label_or_reason, to_text
from famaug.errors import CacheError, InputError
from famaug.look.look import Look
from famaug.look.reading import why_no_look, with_look
from famaug.seeding import keyed_generator
from famaug.store.reader import ClipCache
from famaug.types import Frames


@dataclass(frozen=True)
class Story:
    """A cached clip: its key, everybody who went into it (None without provenance), its label, why
    it has none, and why it can be given no look."""

    key: str
    people: Contributors | None
    label: Label
    unusable: str | None
    no_look: str | None


def read_stories(cache: ClipCache, label_of: LabelOf | None) -> list[Story]:
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
        found.append(Story(key, people, label, why, no_look))
    return found


class CachedSource:
    """Clips of a cache that the guard lets in, with a look put on where one is given.

    Attributes:
        keys, labels: of the clips that may be drawn.
        excluded: how many may not, by reason.

    Raises:
        InputError: none may be drawn, or their labels are of another kind than the dataset's.
    """

    def __init__(
        self,
        cache: ClipCache,
        stories: Sequence[Story],
        guard: Guard,
        *,
        dataset: Any,
        seed: int,
        balance: Balance,
        look: Look | None = None,
    ) -> None:
        self.cache, self.guard, self.seed, self.look = cache, guard, seed, look
        self.keys: list[str] = []
        self.labels: list[Label] = []
        self.excluded: Counter[str] = Counter()
        for story in stories:
            why = guard.reason_for(story.people) or story.unusable
            why = why or (None if look is None else story.no_look)
            if why is not None:
                self.excluded[why] += 1
                continue
            self.keys.append(story.key)
            self.labels.append(story.label)
        if not self.keys:
            raise InputError(
                f"{cache.root} holds no clip that may be trained on; left out: "
                f"{dict(self.excluded) or 'nothing, it is empty'}; generate clips whose driver and "
                "identity subjects are in this fold, or pass label_of= for labels of another name"
            )
        real = labels_of(dataset)
        _check_kinds(self.labels, real)
        self.chooser = Chooser(self.labels, real, balance)

    def draw(self, epoch: int, slot: int) -> Drawn:
        i = self.chooser.draw(keyed_generator(self.seed, epoch, slot, "draw"))
        return Drawn(self.keys[i], self.labels[i], place=(epoch, slot))

    def frames(self, drawn: Drawn) -> tuple[Frames, str]:
        """Frames and provenance (JSON text), guarded once more: the cache may have changed. With a
        look, both are as it was drawn for the slot.

        Raises:
            LeakageError: the clip of that key is now another one.
        """
        clip = self.cache.read(drawn.name)
        self.guard.check(clip.provenance, drawn.name)
        if self.look is None or clip.provenance is None:
            return clip.frames, to_text(clip.provenance)
        rng = keyed_generator(self.seed, *drawn.place, "look")
        frames, story = with_look(clip.frames, clip.provenance, self.look, rng)
        return frames, to_text(story)


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
