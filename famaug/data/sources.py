"""Where the synthetic clips of a training set come from: the cache (cached.py), or a synthesizer.

Both answer one question, `draw(epoch, slot)`, from a generator keyed by (seed, epoch, slot): the
same for any number of workers, any batch size and any order.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from famaug.clip import frame_paths, read_picture
from famaug.data.following import parts_of
from famaug.data.guard import Guard
from famaug.data.loose import Whose
from famaug.data.protocols import AsClip, ClipSynthesizer, Label, labels_of, refs_of
from famaug.errors import FaceError, InputError, LeakageError
from famaug.seeding import keyed_generator
from famaug.types import Clip, ClipRef, Picture, Plan, Provenance

Balance = Literal["none", "class"]
LabelOf = Callable[[Provenance], Label] | Mapping[Any, Label]
Identities = Sequence[Clip] | str | os.PathLike[str] | None
Face = tuple[ClipRef, Clip | Path]
"""An identity: whose, and its clip or picture."""
NO_LABEL = "no label"
ATTEMPTS = 8
"""Draws for one slot before a data set's faces are given up."""


@dataclass(frozen=True)
class Drawn:
    """What fills a slot: a clip of the cache (`frames` None until read), or a plan.

    Attributes:
        name: the clip's key.
        label: its label.
        story: provenance as JSON text, "" until it is read with the clip.
        provenance: set for a plan.
        face: the identity's neutral picture, where no other process can read it from a path.
        place: epoch and slot that it was drawn for.
    """

    name: str
    label: Label
    story: str = ""
    provenance: Provenance | None = None
    face: Picture | None = None
    place: tuple[int, int] = (0, 0)


class Chooser:
    """Draws one of several candidates, evenly, or so that rare classes fill up.

    Args:
        labels: label of each candidate.
        real: labels of the real clips; with balance "class" a class is drawn in proportion to
            what it lacks to the most frequent one, then a candidate of it evenly.
    """

    def __init__(self, labels: Sequence[Label], real: Sequence[Label] | None, balance: Balance):
        self.count = len(labels)
        self.groups: list[list[int]] = []
        self.weights: np.ndarray[Any, np.dtype[np.float64]] = np.zeros(0)
        if balance == "none":
            return
        if real is None:
            raise InputError("balance='class' needs a dataset with `labels`; it has none")
        have = Counter(real)
        classes = sorted(set(labels), key=repr)
        self.groups = [[i for i, x in enumerate(labels) if x == c] for c in classes]
        lacks = np.asarray([max(have.values()) - have[c] for c in classes], float)
        self.weights = lacks / lacks.sum() if lacks.sum() else np.full(len(classes), 1 / len(lacks))

    def draw(self, rng: np.random.Generator) -> int:
        if not self.groups:
            return int(rng.integers(self.count))
        group = self.groups[int(rng.choice(len(self.groups), p=self.weights))]
        return group[int(rng.integers(len(group)))]


class PlannedSource:
    """Plans drawn from the training clips and identities.

    A driver is a training clip; the identity is somebody else's neutral face where there is
    somebody else.

    Raises:
        LeakageError: an identity that was passed is held out.
    """

    def __init__(
        self,
        synthesizer: ClipSynthesizer,
        guard: Guard,
        *,
        dataset: Any,
        as_clip: AsClip,
        seed: int,
        balance: Balance,
        identities: Sequence[Face] | None,
    ) -> None:
        self.synthesizer, self.guard, self.seed = synthesizer, guard, seed
        self.dataset, self.as_clip = dataset, as_clip
        self.refs = refs_of(dataset)
        real = labels_of(dataset)
        self.chooser = Chooser(real or [None] * len(dataset), real, balance)
        self.identities = identities
        for ref, _ in identities or ():
            if guard.holds_out(ref.person):
                raise LeakageError(
                    f"identity {ref.key}{_at(ref)} is a held-out person; pass identities of the "
                    "training people, or none to use their own neutral frames"
                )

    def draw(self, epoch: int, slot: int) -> Drawn:
        """A plan; where a clip shows no usable face, others are drawn in its place.

        Raises:
            FaceError: `ATTEMPTS` in a row will not do; the message names them.
            InputError: the driver has no label.
        """
        rng = keyed_generator(self.seed, epoch, slot, "draw")
        refused = []
        for attempt in range(ATTEMPTS):
            driver, label = self.as_clip(self.dataset[self.chooser.draw(rng)])
            if label is None:
                raise InputError(f"clip {driver.ref.key} has no label, so no synthetic clip can")
            identity = self._identity(driver.ref, rng)
            parts = (attempt,) if attempt else ()
            again = keyed_generator(self.seed, epoch, slot, "plan", *parts)
            try:
                plan = self.synthesizer.plan(driver, identity, again, seed=self.seed)
            except FaceError as error:
                refused.append(f"{driver.ref.key} on {identity.ref.key}: {error}")
                continue
            return self._drawn(plan, driver.ref, identity, label)
        raise FaceError(
            f"{ATTEMPTS} draws in a row show no usable face; the first: {'; '.join(refused[:3])}; "
            "look at these clips, or pass another crop of the data set (clip='raw')"
        )

    def _drawn(self, plan: Plan, driver: ClipRef, identity: Clip, label: Label) -> Drawn:
        provenance = Provenance.of(plan, driver.person, identity.ref.person, label)
        self.guard.check(provenance, plan.key)
        face = None if plan.identity.get("source") else identity.frames[0]
        return Drawn(plan.key, label, to_text(provenance), provenance, face)

    def _identity(self, driver: ClipRef, rng: np.random.Generator) -> Clip:
        """A neutral face, of another person than the driver if there is one."""
        own = driver.person
        if self.identities is not None:
            refs: Sequence[ClipRef] | None = [r for r, _ in self.identities]
        else:
            refs = self.refs
        if refs is not None:
            others = [i for i, r in enumerate(refs) if not own or r.person != own]
            picked = others or list(range(len(refs)))
            return self._face(picked[int(rng.integers(len(picked)))])
        # subjects are known only once a clip is read: try a few
        for i in rng.permutation(len(self.dataset))[:8]:
            face = self._face(int(i))
            if not own or face.ref.person != own:
                break
        return face

    def _face(self, index: int) -> Clip:
        if self.identities is not None:
            ref, source = self.identities[index]
            if isinstance(source, Clip):
                return source.neutral
            return Clip(ref, read_picture(source)[None])
        return self.as_clip(self.dataset[index])[0].neutral


@dataclass(frozen=True)
class LabelsOf:
    """A dataset's own naming: labels it does not know are none, so their clips stay out."""

    mapping: Mapping[Any, Label]

    def __call__(self, provenance: Provenance) -> Label:
        return self.mapping.get(provenance.label)


def label_of_dataset(dataset: Any) -> LabelsOf | None:
    """From the `label_of` of a dataset, or of one that it wraps."""
    for part in parts_of(dataset):
        mapping = getattr(part, "label_of", None)
        if isinstance(mapping, Mapping):
            return LabelsOf(mapping)
    return None


def label_for(provenance: Provenance, label_of: LabelOf | None) -> Label:
    """The label of a synthetic clip in the user's own terms; None where a mapping lacks it."""
    if label_of is None or provenance.label is None:
        return provenance.label
    return label_of(provenance) if callable(label_of) else label_of.get(provenance.label)


def label_or_reason(
    provenance: Provenance | None,
    label_of: LabelOf | None,
    classes: Collection[Label] | None = None,
) -> tuple[Label, str | None]:
    """The label to train on, or why the clip is left out.

    Args:
        provenance: of the clip.
        label_of: as `label_for`.
        classes: the labels there can be; None takes any.
    """
    label = None if provenance is None else label_for(provenance, label_of)
    if label is not None and (classes is None or label in classes):
        return label, None
    if provenance is None or provenance.label is None:
        return None, NO_LABEL
    return None, unknown_label(provenance.label if label is None else label)


def unknown_label(label: Label) -> str:
    """The reason that is counted for a clip of a label that nobody learns."""
    return f"label {label!r} is not one of the classes"


def to_text(provenance: Provenance | None) -> str:
    return "" if provenance is None else json.dumps(provenance.to_json(), sort_keys=True)


def _at(ref: ClipRef) -> str:
    return f" ({ref.frames[0]})" if ref.frames else ""


def _of(who: str, ref: ClipRef) -> ClipRef:
    dataset, _, subject = who.rpartition("/")
    return replace(ref, dataset=dataset, subject=subject) if subject else ref


def read_identities(identities: Any, whose: Whose) -> list[Face]:
    """Clips, or the pictures of a folder, as faces; a data set's frames are their people's
    wherever they lie.

    Raises:
        InputError: something else, or none.
        MediaError: no pictures in the folder.
    """
    found: list[Face] = []
    if isinstance(identities, str | os.PathLike):
        for path in frame_paths(Path(identities)):
            ref = ClipRef("", "", path.stem, frames=(str(path),), onset=0)
            found.append((_of(whose(path), ref), path))
        return found
    for clip in identities:
        if not isinstance(clip, Clip):
            raise InputError(
                f"identities are Clips, or a folder of pictures; got {type(clip).__name__}"
            )
        ref = clip.ref
        if not ref.subject:
            file = ref.video or next(iter(ref.frames), "")
            ref = _of((file and whose(file)) or whose.of_picture(clip.frames[clip.onset]), ref)
        found.append((ref, replace(clip, ref=ref)))
    if not found:
        raise InputError("identities are empty; pass None to use the training clips' own faces")
    return found
