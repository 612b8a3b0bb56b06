"""What an estimator of AUs is, and the one way to use one."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from famaug.errors import FamaugError, InputError, TrackError
from famaug.types import AUTrack, Frames, Picture


class Estimator(Protocol):
    """Measures the AUs of clips.

    Attributes:
        name, version: together "name/version", which its tracks carry and under which they are
            kept: another version is measured anew.
        licence: its terms, in words.
        scale: of its intensities. "famaug": 5 is a unit's full excursion, 0 the person's own
            neutral face. "openface": as OpenFace reads. Tracks of two scales are never mixed.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def licence(self) -> str: ...
    @property
    def scale(self) -> str: ...

    def measure(self, frames: Frames, neutral: int) -> AUTrack:
        """A track of T frames (`AUTrack.of`) of a clip, uint8 RGB `T H W 3`, T at least 2.

        Args:
            neutral: number of the frame in which the face is at rest. An estimator of absolute
                values needs none: the modulation takes differences.
        """
        ...


def measure(
    estimator: Estimator,
    frames: Frames,
    neutral: int = 0,
    *,
    picture: Picture | None = None,
    fps: float | None = None,
) -> AUTrack:
    """What an estimator says of a clip, under its name and version.

    Args:
        frames: uint8 RGB `T H W 3`.
        neutral: number of the neutral frame.
        picture: a picture `H W 3` of the same face at rest, in the frames' size, instead.
        fps: frames per second of the clip, for the track.

    Raises:
        InputError: no such frame, a picture of another size, or the estimator failed.
        TrackError: it gave no track, or one of another length or scale than it should.
    """
    if picture is not None:
        if picture.shape != frames.shape[1:]:
            raise InputError(
                f"the neutral picture is {picture.shape}, the frames are {frames.shape[1:]}"
            )
        frames, neutral = np.concatenate([picture[None], frames]), 0
    if not 0 <= neutral < len(frames):
        raise InputError(f"neutral frame {neutral} is not within the clip's {len(frames)} frames")
    try:
        track = estimator.measure(frames, neutral)
    except FamaugError:
        raise
    except Exception as error:  # whatever foreign code raises, the user gets one kind
        raise InputError(
            f"the estimator {estimator.name} failed ({type(error).__name__}: {error})"
        ) from error
    if not isinstance(track, AUTrack) or len(track) != len(frames):
        seen = f"{len(track)} frames" if isinstance(track, AUTrack) else type(track).__name__
        raise TrackError(f"the estimator {estimator.name} gave {seen} for {len(frames)} frames")
    if track.scale != estimator.scale:
        raise TrackError(
            f"the estimator {estimator.name} says its scale is {estimator.scale!r}, and gave a "
            f"track on {track.scale!r}"
        )
    shown = slice(0 if picture is None else 1, None)
    return replace(
        track,
        intensity=track.intensity[shown],
        confidence=track.confidence[shown],
        estimator=f"{estimator.name}/{estimator.version}",
        fps=fps,
    )
