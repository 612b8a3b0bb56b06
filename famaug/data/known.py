"""What is known of a clip beside its pixels, in tensors that every item can carry: where onset,
apex and offset are, and its action units."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from famaug.aus.facs import parse_facs
from famaug.aus.truth import PRESENT
from famaug.errors import InputError
from famaug.types import AU_INDEX, AUS, ClipRef, Floats, Plan, Provenance

UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class Known:
    """Of one clip.

    Attributes:
        onset, apex, offset: frames counted from 0, or -1.
        fps: frames a second, or 0 where nobody said.
        aus: float32 `2 17`, left and right, 0-5, at the apex: what a synthetic clip shows, the
            letters of a real clip's annotation (A = 1 ... E = 5); NaN where unknown.
        present: int8 `2 17`: 1 present, 0 absent, -1 unknown (no annotation, or a doubtful one).
        track: float32 `T 2 17`; NaN for a real clip.
    """

    onset: int
    apex: int
    offset: int
    fps: float
    aus: Floats
    present: np.ndarray[tuple[int, int], np.dtype[np.int8]]
    track: Floats

    def taken(self, positions: list[int]) -> Known:
        """Of a clip made of these frames; a key frame becomes the nearest that was taken."""
        at = np.asarray(positions)

        def moved(frame: int) -> int:
            return frame if frame < 0 else int(np.abs(at - frame).argmin())

        return replace(
            self,
            onset=moved(self.onset),
            apex=moved(self.apex),
            offset=moved(self.offset),
            track=self.track[at],
        )


def of_real(ref: ClipRef, length: int) -> Known:
    """What a data set's table knows of a clip of `length` frames."""
    aus, present = _annotated(ref.action_units)
    onset, apex, offset = (
        UNKNOWN if f is None else int(f) for f in (ref.onset, ref.apex, ref.offset)
    )
    return Known(
        onset,
        apex,
        offset,
        fps=float(ref.fps or 0),
        aus=aus,
        present=present,
        track=np.full((length, 2, len(AUS)), np.nan, np.float32),
    )


def of_plan(plan: Plan, length: int) -> Known:
    """What was rendered."""
    track = plan.intensity[:length]
    onset, apex, offset = (min(at, length - 1) for at in plan.key_frames)
    present = (track[apex] >= PRESENT).astype(np.int8)
    return Known(onset, apex, offset, float(plan.fps), track[apex].copy(), present, track)


def synthetic_ref(provenance: Provenance, key: str, length: int) -> ClipRef:
    """A reference for a synthetic clip: subject is whose face it shows, onset, apex and offset are
    the plan's."""
    dataset, _, subject = provenance.identity_subject.rpartition("/")
    onset, apex, offset = (min(at, length - 1) for at in provenance.plan.key_frames)
    return ClipRef(
        dataset,
        subject,
        key,
        fps=provenance.plan.fps,
        onset=onset,
        apex=apex,
        offset=offset,
        emotion=None if provenance.label is None else str(provenance.label),
    )


def _annotated(
    text: str | None,
) -> tuple[Floats, np.ndarray[tuple[int, int], np.dtype[np.int8]]]:
    """An annotation as intensities and presence; one that cannot be read is unknown."""
    aus = np.full((2, len(AUS)), np.nan, np.float32)
    present = np.full((2, len(AUS)), -1, np.int8)
    try:
        units = parse_facs(text) if text else ()
    except InputError:
        units = ()
    if not units:
        return aus, present
    aus[:], present[:] = 0, 0
    for unit in units:
        if not unit.shown:
            continue
        sides = {"left": [0], "right": [1], "both": [0, 1]}[unit.side]
        at = AU_INDEX[unit.au]
        aus[sides, at] = np.nan if unit.uncertain else unit.intensity(np.nan)
        present[sides, at] = -1 if unit.uncertain else 1
    return aus, present
