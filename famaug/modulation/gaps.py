"""Short stretches without a measurement are bridged; long ones are refused, never invented."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError, TrackError
from famaug.modulation.smoothing import bridged
from famaug.types import AU_NAMES, SIDES, AUTrack

MAX_GAP_MS = 60.0
"""A blink hides the eyes for 100 ms and more; an onset-apex ramp takes 90 ms and more."""
MAX_GAP_FRAMES = 3
"""The limit where the frame rate is unknown."""


def fill_gaps(
    track: AUTrack, *, min_confidence: float = 0.0, max_gap: int | None = None
) -> AUTrack:
    """Bridge missing stretches linearly over time; at the clip's ends hold the nearest value.

    Args:
        min_confidence: values below it count as missing.
        max_gap: longest stretch in frames that is bridged; by default 60 ms worth of frames, or
            3 where the rate is unknown.

    Bridged values have confidence 0. An AU that is missing in every frame stays missing: the
    estimator cannot see it.

    Raises:
        TrackError: a longer stretch; the message names the AU and the frames.
        InputError: a negative limit.
    """
    limit = _limit(track.fps) if max_gap is None else max_gap
    if limit < 0 or not 0 <= min_confidence <= 1:
        raise InputError(
            "max_gap must be at least 0 frames and min_confidence from 0 to 1; "
            f"got {limit} and {min_confidence}"
        )
    x = track.intensity.astype(np.float64)
    x[track.confidence < min_confidence] = np.nan
    missing = ~np.isfinite(x)
    if missing.all():
        raise TrackError(
            f"no value of {track.estimator} reaches confidence {min_confidence:g} in any of "
            f"{len(track)} frames: nothing to fill from"
        )
    never = missing.all(axis=0)
    _refuse_long(missing & ~never, limit, min_confidence)
    filled = np.where(never, np.nan, bridged(x))
    confidence = np.where(missing, 0.0, track.confidence)
    return replace(
        track, intensity=filled.astype(np.float32), confidence=confidence.astype(np.float32)
    )


def gap_lengths(missing: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For every missing cell of `T ...` the length of the stretch over time it lies in, else 0."""
    frames = np.arange(len(missing)).reshape(-1, *[1] * (missing.ndim - 1))
    before = np.maximum.accumulate(np.where(missing, -1, frames), axis=0)
    after = np.minimum.accumulate(np.where(missing, len(missing), frames)[::-1], axis=0)[::-1]
    return np.where(missing, after - before - 1, 0)


def _limit(fps: float | None) -> int:
    return MAX_GAP_FRAMES if fps is None else max(1, round(MAX_GAP_MS * fps / 1000))


def _refuse_long(missing: NDArray[np.bool_], limit: int, min_confidence: float) -> None:
    lengths = gap_lengths(missing)
    longest = int(lengths.max())
    if longest <= limit:
        return
    frame, side, au = (int(v) for v in np.argwhere(lengths == longest)[0])
    why = f" or below confidence {min_confidence:g}" if min_confidence > 0 else ""
    raise TrackError(
        f"{AU_NAMES[au]} {SIDES[side]} is missing{why} in frames {frame}-{frame + longest - 1}: "
        f"{longest} frames, more than the {limit} that are bridged. Use another stretch of the "
        "clip, or raise max_gap if you accept invented values"
    )
