"""Synthetic clips that are planned: training clips' expressions on other people's faces."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from famaug.data.following import guard_for
from famaug.data.guard import UNNAMED
from famaug.data.loose import Whose, refs_below
from famaug.data.protocols import AsClip, ClipSynthesizer, engine_of, labels_of, refs_of
from famaug.data.slots import Balance, Chooser, Slot
from famaug.errors import FaceError, InputError, LeakageError
from famaug.media.clips import frame_paths, read_picture
from famaug.seeding import keyed_generator
from famaug.types import Clip, ClipRef, Frames, Provenance

Identities = Sequence[Clip] | str | os.PathLike[str] | None
Face = tuple[ClipRef, Clip | Path]
"""An identity: whose, and its clip or picture."""
ATTEMPTS = 8
"""Draws for one slot before a data set's faces are given up."""


class PlannedSource:
    """Plans drawn from the training clips and identities.

    A driver is a training clip; the identity is somebody else's neutral face where there is
    somebody else.

    Args:
        dataset: the real clips. synthesizer: plans and renders.
        identities, held_out, as_clip, seed, balance: as of `MicroExpressionSynth`.

    Attributes:
        guard: over everybody there is.

    Raises:
        LeakageError: an identity that was passed is held out, or nobody says who is.
        InputError: identities that are none.
    """

    def __init__(
        self,
        dataset: Any,
        synthesizer: ClipSynthesizer,
        *,
        identities: Identities,
        held_out: Iterable[str] | None,
        as_clip: AsClip,
        seed: int,
        balance: Balance,
    ) -> None:
        self.dataset, self.synthesizer = dataset, synthesizer
        self.as_clip, self.seed = as_clip, seed
        self.refs = refs_of(dataset)
        real = labels_of(dataset)
        self.chooser = Chooser(real or [None] * len(dataset), real, balance)
        self.identities: list[Face] | None = None
        if identities is not None:
            self.identities = read_identities(identities, Whose(refs_below(dataset)))
        others = {ref.person for ref, _ in self.identities or ()}
        self.guard = guard_for(dataset, held_out, mixing=True, others=others)
        for ref, _ in self.identities or ():
            if self.guard.holds_out(ref.person):
                raise LeakageError(
                    f"identity {ref.key}{_at(ref)} is a held-out person; pass identities of the "
                    "training people, or none to use their own neutral frames"
                )

    def draw(self, epoch: int, slot: int) -> Slot:
        """A plan; where a clip shows no usable face, others are drawn in its place.

        Raises:
            FaceError: `ATTEMPTS` in a row are unusable; the message names them.
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
            provenance = Provenance.of(plan, driver.ref.person, identity.ref.person, label)
            # a driver of nobody who is named is a clip of the training data all the same
            if self.guard.reason(provenance) != UNNAMED:
                self.guard.check(provenance, plan.key)
            face = None if plan.identity.get("source") else identity.frames[0]
            return Slot(plan.key, label, (epoch, slot), provenance, face)
        raise FaceError(
            f"{ATTEMPTS} draws in a row show no usable face; the first: {'; '.join(refused[:3])}; "
            "look at these clips, or pass another crop of the data set (clip='raw')"
        )

    def frames(self, slot: Slot) -> tuple[Frames, Provenance]:
        """The plan rendered, and its provenance."""
        if slot.provenance is None:
            raise TypeError(f"{slot.key} was not drawn here")
        (frames,) = self.synthesizer.render([slot.provenance.plan])
        return frames, replace(slot.provenance, engine=engine_of(self.synthesizer))

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
