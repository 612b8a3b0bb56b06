"""A synthetic sister of a clip: its own expression varied, or shown on another face."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch

from famaug.clip import frame_paths, read_picture
from famaug.errors import FaceError, InputError
from famaug.faces.framing import Framing, framed, matrix_of
from famaug.pipeline import Synthesizer
from famaug.seeding import keyed_generator
from famaug.sources import Driver, Identity, pixels_digest
from famaug.types import AUTrack, Clip, ClipRef, Frames, Picture

Kind = Literal["vary", "face"]
Unusable = Literal["raise", "keep"]
KEPT = 64
"""Measured clips in memory."""
FPS = 50.0
"""A clip keeps its frames, so the rate decides only how long a gap is bridged: three frames."""
PAD = 0.3
"""Clips are widened by their repeated border, and cut back: in tight crops the face finder misses
some faces, and chin and forehead could not be moved."""


class Sister:
    """Replaces a share of clips by synthetic ones of the same size, length and label.

    What is drawn follows from (seed, epoch, the clip's pixels), so it is the same for any number
    of workers. Call `set_epoch` in each epoch, or every epoch gives the same sisters.

    Args:
        p: share of clips that are replaced.
        kind: "vary": the clip's own AUs, stronger or weaker, on its own first frame; "face": its
            AUs on a face of `identities`, put where the clip's face is.
        identities: folder of face pictures, for kind "face".
        gain: range of the factor on all AUs; every AU gets up to 15 % of its own on top.
        neutral: position of the clip's neutral frame.
        synthesizer: settings of measuring and modulation; its `size` and `look` are not used.
        unusable: a clip without a usable face is an error ("raise"), or stays as it is ("keep").
        seed: any integer.

    Raises:
        InputError: an argument does not fit the others.
    """

    def __init__(
        self,
        *,
        p: float = 0.3,
        kind: Kind = "vary",
        identities: str | os.PathLike[str] | None = None,
        gain: tuple[float, float] = (0.7, 1.4),
        neutral: int = 0,
        synthesizer: Synthesizer | None = None,
        unusable: Unusable = "raise",
        seed: int = 0,
    ) -> None:
        if not 0 <= p <= 1:
            raise InputError(f"p must be from 0 to 1; got {p}")
        if kind not in ("vary", "face") or unusable not in ("raise", "keep"):
            raise InputError(
                f"kind is 'vary' or 'face', unusable 'raise' or 'keep'; got {kind!r}, {unusable!r}"
            )
        if (kind == "face") != (identities is not None):
            raise InputError("kind='face' needs identities=, a folder of pictures; 'vary' has none")
        if not 0 < gain[0] <= gain[1] <= 10:
            raise InputError(f"gain must be a range within 0-10, above 0; got {gain}")
        self.p, self.kind, self.gain, self.neutral = p, kind, gain, neutral
        self.unusable, self.seed = unusable, seed
        self.paths = [] if identities is None else frame_paths(Path(identities))
        given = synthesizer or Synthesizer()
        self.synthesizer = Synthesizer(
            size=None,
            modulation=given.modulation,
            sizes=given.sizes,
            device=given.device,
            fps=FPS,
        )
        self._tracks: OrderedDict[str, AUTrack] = OrderedDict()
        self._epoch: torch.Tensor = torch.zeros((), dtype=torch.int64)
        self._epoch.share_memory_()  # type: ignore[no-untyped-call]

    def set_epoch(self, epoch: int) -> None:
        """Draws others from now on, in running workers too."""
        self._epoch.fill_(int(epoch))

    def __call__(self, frames: Frames) -> Frames:
        """uint8 `T H W 3` in, the same shape out: the clip itself, or its sister.

        Raises:
            InputError: of another shape or type.
            FaceError: no usable face, with unusable="raise".
        """
        if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8:
            raise InputError(f"a clip is uint8 T H W 3; got {frames.dtype} {frames.shape}")
        digest = pixels_digest(frames)
        rng = keyed_generator(self.seed, int(self._epoch), digest, "sister")
        if rng.random() >= self.p or len(frames) < 2:
            return frames
        try:
            return self._sister(frames, digest, rng)
        except FaceError:
            if self.unusable == "raise":
                raise
            return frames

    def _sister(self, frames: Frames, digest: str, rng: np.random.Generator) -> Frames:
        maker, frames, inner = self.synthesizer, *_widened(frames)
        neutral = min(self.neutral, len(frames) - 1)
        driver = Driver.of(Clip(ClipRef("", "", digest[:8], onset=neutral), frames))
        track = self._tracks.get(digest)
        if track is None:
            measured = maker.measure(driver)
            if not isinstance(measured, AUTrack):  # unreachable: a clip is measured to a track
                raise InputError("a clip gives a track")
            track = self._tracks[digest] = measured
            while len(self._tracks) > KEPT:
                self._tracks.popitem(last=False)
        gain = rng.uniform(*self.gain) * rng.uniform(0.85, 1.15, (1, 2, 17))
        varied = track.with_intensity(np.clip(track.intensity * gain, 0, 5))
        picture = frames[neutral]
        if self.kind == "face":
            path = self.paths[int(rng.integers(len(self.paths)))]
            picture = self._put(read_picture(path), picture)
        face = maker.find_face(Identity(picture, "sister"))
        plan = maker.plan_measured(driver.to_json(), varied, face, rng, seed=self.seed)
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


def _widened(frames: Frames) -> tuple[Frames, tuple[slice, slice]]:
    """Frames with a border, and where the old ones lie in them."""
    h, w = frames.shape[1:3]
    y, x = int(PAD * h), int(PAD * w)
    wide: Frames = np.pad(frames, ((0, 0), (y, y), (x, x), (0, 0)), mode="edge")
    return wide, (slice(y, y + h), slice(x, x + w))
