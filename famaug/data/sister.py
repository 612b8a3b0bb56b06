"""A synthetic sister of a clip: its own expression varied, or shown on another face."""

from __future__ import annotations

import os
import warnings
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch

from famaug.data.guard import Guard
from famaug.errors import FaceError, FamaugWarning, InputError, LeakageError, TrackError
from famaug.faces.framing import Framing, framed, matrix_of
from famaug.media.clips import frame_paths, read_picture
from famaug.modulation.modulate import Modulation, modulate
from famaug.people.persons import person_of_path
from famaug.pipeline.inputs import Driver, Identity, pixels_digest
from famaug.pipeline.synthesizer import Synthesizer
from famaug.seeding import keyed_generator
from famaug.types import AUTrack, Clip, ClipRef, Frames, Picture

Kind = Literal["vary", "face"]
Unusable = Literal["raise", "keep"]
KEYS = 2**62
SLOTS = 64
"""Counts of clips are kept by worker: two that count at once do not lose any."""
KEPT = 64
"""Modulated tracks in memory."""
FPS = 50.0
"""A sister keeps the frames of its clip, so any rate will do."""
PAD = 0.3
"""Clips are widened by their repeated border, and cut back: in tight crops the face finder misses
some faces, and chin and forehead could not be moved."""


class Sister:
    """Replaces a share of clips by synthetic ones of the same size, length and label.

    What is drawn follows from torch's generator, which each DataLoader worker has of its own and
    each epoch anew. With `seed` it follows from (seed, epoch, the clip's pixels) instead: the same
    for any number of workers, and others after `set_epoch`.

    Args:
        p: share of clips that are replaced.
        kind: "vary": the clip's own AUs, stronger or weaker, on its own first frame; "face": its
            AUs on a face of `identities`, put where the clip's face is.
        identities: folder of face pictures, for kind "face".
        gain: range of the factor on all AUs; every AU gets up to 15 % of its own on top.
        neutral: position of the clip's neutral frame.
        modulation: Eq. 2 and Eq. 3 (`famaug.modulation.Modulation`, or its `to_json()`).
        sizes, device: of measuring, as in `famaug.Synthesizer`.
        unusable: a clip that cannot be measured, as frames show no usable face, stays as it is and
            is counted, with one warning ("keep"), or is an error ("raise").
        held_out: people ("dataset/subject") whose faces may not be shown: `fold.held_out`. Needed
            where `identities` are pictures of a data set's people (`famaug.people`
            knows them by their paths); an empty set says that nobody is held out.
        seed: any integer, or None.

    Raises:
        InputError: an argument does not fit the others.
        LeakageError: a picture shows somebody held out, or a data set's person while nobody says
            who is held out.
    """

    def __init__(
        self,
        *,
        p: float = 0.3,
        kind: Kind = "vary",
        identities: str | os.PathLike[str] | None = None,
        gain: Sequence[float] = (0.7, 1.4),
        neutral: int = 0,
        modulation: Modulation | Mapping[str, Any] | None = None,
        sizes: Sequence[int] = (0,),
        device: str = "cpu",
        unusable: Unusable = "keep",
        held_out: Iterable[str] | None = None,
        seed: int | None = None,
    ) -> None:
        if not 0 <= p <= 1:
            raise InputError(f"p must be from 0 to 1; got {p}")
        if kind not in ("vary", "face") or unusable not in ("raise", "keep"):
            raise InputError(
                f"kind is 'vary' or 'face', unusable 'raise' or 'keep'; got {kind!r}, {unusable!r}"
            )
        if (kind == "face") != (identities is not None):
            raise InputError("kind='face' needs identities=, a folder of pictures; 'vary' has none")
        if len(gain) != 2 or not 0 < gain[0] <= gain[1] <= 10:
            raise InputError(f"gain must be a range within 0-10, above 0; got {gain}")
        self.p, self.kind, self.gain, self.neutral = p, kind, (gain[0], gain[1]), neutral
        self.unusable, self.seed = unusable, seed
        self.identities = None if identities is None else str(identities)
        self.paths = [] if identities is None else frame_paths(Path(identities))
        self.held_out = None if held_out is None else frozenset(Guard([*held_out]).held_out)
        _check_faces(self.paths, self.held_out)
        if isinstance(modulation, Mapping):
            modulation = Modulation(**modulation)
        self.synthesizer = Synthesizer(
            size=None, modulation=modulation, sizes=sizes, device=device, fps=FPS
        )
        self._tracks: OrderedDict[str, AUTrack] = OrderedDict()
        self._epoch, self._unusable = _shared(1), _shared(SLOTS)

    def set_epoch(self, epoch: int) -> None:
        """With a seed: draws others from now on, in running workers too. Without: nothing."""
        self._epoch.fill_(int(epoch))

    @property
    def unusable_count(self) -> int:
        """How many clips stayed as they are since they could not be measured, in all workers."""
        return int(self._unusable.sum())

    def to_json(self) -> dict[str, Any]:
        """All arguments; `Sister(**these)` draws the same."""
        maker = self.synthesizer
        return {
            "p": self.p,
            "kind": self.kind,
            "identities": self.identities,
            "gain": list(self.gain),
            "neutral": self.neutral,
            "modulation": maker.modulation.to_json(),
            "sizes": list(maker.sizes),
            "device": maker.device,
            "unusable": self.unusable,
            "held_out": None if self.held_out is None else sorted(self.held_out),
            "seed": self.seed,
        }

    def __call__(self, frames: Frames) -> Frames:
        """uint8 `T H W 3` in, the same shape out: the clip itself, or its sister.

        Raises:
            InputError: of another shape or type.
            FaceError, TrackError: no usable face, with unusable="raise".
        """
        key = self.draw(frames)
        return self.made(frames, key) if self.wanted(key) else frames

    def draw(self, frames: Frames) -> int:
        """A number that decides all that is random about a clip. Raises InputError as a call."""
        _check(frames)
        if self.seed is None:
            return int(torch.randint(KEYS, (), dtype=torch.int64))  # torch's: seeded by the user
        digest = pixels_digest(frames)
        return int(keyed_generator(self.seed, int(self._epoch), digest, "sister").integers(KEYS))

    def wanted(self, key: int) -> bool:
        """Whether a clip with this draw is replaced: true for a share of p."""
        return bool(keyed_generator(key, "share").random() < self.p)

    def made(self, frames: Frames, key: int) -> Frames:
        """The sister of a clip that follows from a draw, whatever p is; raises as a call does."""
        _check(frames)
        if len(frames) < 2:
            return frames
        try:
            return self._sister(frames, keyed_generator(key, "sister"))
        except (FaceError, TrackError) as error:
            if self.unusable == "raise":
                raise
            self._count(error)
            return frames

    def _count(self, error: InputError) -> None:
        if not self.unusable_count:
            warnings.warn(
                f"a clip cannot be measured, so it has no sister and stays as it is: {error}. Such "
                "clips are counted in `unusable_count` from now on; unusable='raise' stops",
                FamaugWarning,
                stacklevel=4,
            )
        worker = torch.utils.data.get_worker_info()
        self._unusable[0 if worker is None else 1 + worker.id % (SLOTS - 1)] += 1

    def _sister(self, frames: Frames, rng: np.random.Generator) -> Frames:
        digest = pixels_digest(frames)
        maker, frames, inner = self.synthesizer, *_widened(frames)
        neutral = min(self.neutral, len(frames) - 1)
        driver = Driver.of(Clip(ClipRef("", "", digest[:8], onset=neutral), frames))
        track = self._tracks.get(digest)
        if track is None:
            measured = maker.measure(driver)
            if not isinstance(measured, AUTrack):  # unreachable: a clip is measured to a track
                raise InputError("a clip gives a track")
            track = self._tracks[digest] = modulate(measured, settings=maker.modulation)
            while len(self._tracks) > KEPT:
                self._tracks.popitem(last=False)
        gain = rng.uniform(*self.gain) * rng.uniform(0.85, 1.15, (1, 2, 17))
        varied = track.with_intensity(np.clip(track.intensity * gain, 0, 5))  # shown as written
        picture = frames[neutral]
        if self.kind == "face":
            path = self.paths[int(rng.integers(len(self.paths)))]
            picture = self._put(read_picture(path), picture)
        face = maker.find_face(Identity(picture, "sister"))
        plan = maker.plan_measured(driver.to_json(), varied, face, rng)
        return np.ascontiguousarray(maker.render([plan])[0][:, inner[0], inner[1]])

    def _put(self, face: Picture, where: Picture) -> Picture:
        """Another face, sized and placed as in the clip."""
        size = (where.shape[0], where.shape[1])
        place = Framing.of(self.synthesizer.mesher.find(where), size)
        matrix = matrix_of(self.synthesizer.mesher.find(face), place, size)
        still: Any = np.zeros(4, np.float32)
        out: Picture = np.rint(framed(face, matrix, size, still)).astype(np.uint8)
        grey = bool((where[..., 0] == where[..., 1]).all())
        if grey:
            out = np.asarray(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY))[..., None].repeat(3, 2)
        return out


def _check_faces(paths: Sequence[Path], held_out: frozenset[str] | None) -> None:
    """Raises LeakageError for faces of held-out people."""
    people = {path: who for path in paths if (who := person_of_path(path))}
    if people and held_out is None:
        path, who = next(iter(people.items()))
        raise LeakageError(
            f"identities hold {len(people)} pictures of a data set's people, as {path} of {who}: "
            "say who is held out, held_out=fold.held_out, or held_out=() where nobody is"
        )
    guard = Guard(held_out or ())
    for path, who in people.items():
        if guard.holds_out(who):
            raise LeakageError(f"{path} shows {who}, who is held out; take it out of the folder")


def _check(frames: Frames) -> None:
    if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8:
        raise InputError(f"a clip is uint8 T H W 3; got {frames.dtype} {frames.shape}")


def _shared(length: int) -> torch.Tensor:
    """int64 zeros that workers see change."""
    shared = torch.zeros(length, dtype=torch.int64)
    shared.share_memory_()  # type: ignore[no-untyped-call]
    return shared


def _widened(frames: Frames) -> tuple[Frames, tuple[slice, slice]]:
    """Frames with a border, and where the old ones lie in them."""
    h, w = frames.shape[1:3]
    y, x = int(PAD * h), int(PAD * w)
    wide: Frames = np.pad(frames, ((0, 0), (y, y), (x, x), (0, 0)), mode="edge")
    return wide, (slice(y, y + h), slice(x, x + w))
