"""The synthetic clips of a cache as inputs, chosen as `famaug.data.cached` chooses them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.data.cached import Cached, choose, people_in, read_chosen, read_entries, unchanged
from famaug.data.guard import Guard
from famaug.data.known import synthetic_ref
from famaug.data.labels import LabelOf, places_of
from famaug.errors import InputError
from famaug.look.mixture import AnyLook
from famaug.recognition.feature_cache import Progress, dataset_inputs
from famaug.recognition.inputs import Bytes, InputSpec
from famaug.seeding import digest, keyed_generator
from famaug.store.decisions import Decisions
from famaug.store.reader import ClipCache
from famaug.types import Clip, Provenance

NO_MOTION = "shows no motion"
NOBODY: Mapping[str, Collection[str]] = {"": ()}
"""One fold that holds out nobody."""


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
        others: everybody who went into the source's clips.
    """

    inputs: Bytes
    labels: NDArray[np.int64]
    provenances: tuple[Provenance, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    own: Mapping[str, Bytes] | None = None
    others: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.labels)

    def allowed(self, held_out: Collection[str], people: Collection[str] = ()) -> NDArray[np.bool_]:
        """bool `S`: nobody who went into it is held out.

        Args:
            people: everybody of the real clips, see `Guard`.
        """
        guard = Guard(held_out, people, self.others)
        return np.asarray([guard.reason(p) is None for p in self.provenances], np.bool_)


class CachedClips:
    """Chosen clips of a cache as a dataset, with a look put on where one is given; each is guarded
    again when it is read. Onset, apex and offset are the plan's: frames alone would take a blink
    or a move of the head for the apex."""

    def __init__(
        self, cache: ClipCache, chosen: Sequence[Cached], guard: Guard, look: AnyLook | None = None
    ) -> None:
        self.cache, self.chosen, self.guard, self.look = cache, list(chosen), guard, look
        self._look_name = "" if look is None else digest(look.to_json())

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, index: int) -> Clip:
        entry = self.chosen[index]
        rng = keyed_generator(0, entry.key, "look")
        frames, story = read_chosen(self.cache, entry, self.guard, self.look, rng)
        return Clip(synthetic_ref(story, entry.key, len(frames)), frames)

    def content_key(self, index: int) -> str:
        """With a look: what stands for the item's pixels, as the draw of the look follows from the
        clip's key. Without: "", the pixels stand for themselves."""
        return digest(["look", self.chosen[index].key, self._look_name]) if self._look_name else ""


def synthetic_pool(
    cache: ClipCache,
    spec: InputSpec,
    *,
    classes: Sequence[str],
    folds: Mapping[str, Collection[str]] = NOBODY,
    people: Collection[str] = (),
    label_of: LabelOf | None = None,
    look: AnyLook | Mapping[str, AnyLook] | None = None,
    decisions: Decisions | None = None,
    progress: Progress | None = None,
    **how: Any,
) -> SyntheticPool:
    """Inputs of a clip cache: every clip that some fold may train on and whose label is a class;
    the others are left out and counted.

    Args:
        cache: the clips.
        spec: the input wanted.
        classes: names of the classes in order.
        folds: by name, who is held out.
        people: everybody of the real clips, see `Guard`.
        label_of: from a clip's label to a class name or number; see `famaug.MicroExpressionSynth`.
        look: put on every clip, and those it was fitted on then stand in the clips' provenance; or
            by fold its own (see `famaug.recognition.looks`): each fold then has its own inputs.
        decisions: of people; clips that they rejected are left out.
        progress, how: `progress`, `folder`, `workers` of `dataset_inputs`.

    Raises:
        InputError: none can be used.
        LeakageError: a clip is another one than when it was chosen.
        CacheError: the cache cannot be read.
    """
    place = places_of(classes)
    entries = read_entries(cache, label_of, place, decisions=decisions)
    others = people_in(entries)
    guards = {name: Guard(held_out, people, others) for name, held_out in folds.items()}
    chosen, excluded = choose(
        cache,
        entries,
        [*guards.values()],
        look=look is not None,
        otherwise="generate clips of other drivers and identities, or map labels to the classes in "
        "`synthetic.labels`",
    )
    looks: Mapping[str, AnyLook | None]
    if isinstance(look, Mapping):
        looks, look, shared = look, None, False
    else:  # the same inputs for all folds, of which `allowed` lets each see its own
        looks, guards, shared = {"": look}, {"": Guard(())}, True
    own, still = _inputs(cache, spec, chosen, guards, looks, progress, how)
    used = [i for i in range(len(chosen)) if i not in still]
    if still:
        excluded[NO_MOTION] = len(still)
        own = {name: values[used] for name, values in own.items()}
    if not used:
        raise InputError(f"{cache.root} holds no clip that can be used; left out: {dict(excluded)}")
    return SyntheticPool(
        own[""] if shared else np.zeros((0, *spec.shape), np.uint8),
        np.asarray([place[chosen[i].label] for i in used], np.int64),
        tuple(_story(cache, chosen[i], look) for i in used),
        excluded,
        None if shared else own,
        others,
    )


def _inputs(
    cache: ClipCache,
    spec: InputSpec,
    chosen: Sequence[Cached],
    guards: Mapping[str, Guard],
    looks: Mapping[str, AnyLook | None],
    progress: Progress | None,
    how: Mapping[str, Any],
) -> tuple[dict[str, Bytes], set[int]]:
    """By guard the inputs of all chosen clips with its look, 0 for those it keeps out; and the
    numbers of the clips that show no motion."""
    mine = {
        name: [i for i, c in enumerate(chosen) if guard.reason_for(c.people) is None]
        for name, guard in guards.items()
    }
    total, begun = sum(map(len, mine.values())), 0
    made: dict[str, Bytes] = {}
    still: set[int] = set()
    for name, numbers in mine.items():
        out: dict[int, str] = {}

        def tell(title: str, done: int, of: int, begun: int = begun) -> None:
            if progress is not None:
                progress(title, begun + done, total)

        clips = CachedClips(cache, [chosen[i] for i in numbers], guards[name], looks[name])
        found = dataset_inputs(
            clips, spec, progress=tell, title="synthetic clips", left_out=out, **how
        )
        begun += len(numbers)
        still |= {numbers[i] for i in out}
        made[name] = found
        if len(numbers) < len(chosen):
            made[name] = np.zeros((len(chosen), *spec.shape), np.uint8)
            made[name][numbers] = found
    return made, still


def _story(cache: ClipCache, entry: Cached, look: AnyLook | None) -> Provenance:
    """The provenance of a chosen clip, with everybody whom the look was fitted on."""
    story = unchanged(cache, entry, cache.provenance(entry.key))
    if look is None:
        return story
    return replace(story, plan=replace(story.plan, look={"subjects": list(look.subjects)}))
