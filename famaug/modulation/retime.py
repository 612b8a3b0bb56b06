"""Another frame rate, another length, another apex: a track sampled anew over time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from famaug.errors import InputError, TrackError
from famaug.modulation.envelopes import find_apex
from famaug.modulation.transfer import MAX_INTENSITY
from famaug.types import AUTrack

Values = NDArray[np.float64]

MAX_FRAMES = 100_000


def resample(track: AUTrack, *, fps: float) -> AUTrack:
    """The same expression at another frame rate; it keeps its duration and its first frame.

    Going down, every frame averages the time it stands for (a triangle two frames wide), so that
    nothing folds back; going up, a monotone cubic adds no over- and undershoot.

    Raises:
        TrackError: the track's own rate is unknown, or it has gaps.
        InputError: a rate that is not above 0, or one that asks for too many frames.
    """
    if track.fps is None:
        raise TrackError("the track's frame rate is unknown: say it with fps= when reading")
    if not 0 < fps < float("inf"):
        raise InputError(f"fps must be above 0; got {fps}")
    length = int((len(track) - 1) * fps / track.fps + 1e-9) + 1
    at: Values = np.arange(_sensible(length), dtype=np.float64) * (track.fps / fps)
    return _sampled(track, at, fps=fps)


def retime(
    track: AUTrack,
    *,
    length: int | None = None,
    apex: int | None = None,
    source_apex: int | None = None,
) -> AUTrack:
    """Stretch a track to `length` frames, with its apex at frame `apex`; first to last frame.

    Args:
        length: frames of the result; default the track's own.
        apex: where the apex shall be; by default it keeps its share of the length.
        source_apex: where it is in the track; by default found by `find_apex`.

    Raises:
        TrackError: the track has gaps, or fewer than three frames.
        InputError: positions outside the clip.
    """
    frames = _sensible(len(track) if length is None else length)
    if len(track) < 3 or frames < 3:
        raise TrackError(
            f"an onset, an apex and an offset need three frames; got {len(track)} and {frames}"
        )
    peak = find_apex(track) if source_apex is None else source_apex
    peak = min(max(peak, 1), len(track) - 2) if source_apex is None else peak
    goal = round(peak * (frames - 1) / (len(track) - 1)) if apex is None else apex
    goal = min(max(goal, 1), frames - 2) if apex is None else goal
    if not 0 < peak < len(track) - 1 or not 0 < goal < frames - 1:
        raise InputError(
            f"the apex must lie between the first and the last frame; got source frame {peak} of "
            f"{len(track)}, wanted frame {goal} of {frames}"
        )
    at = np.interp(np.arange(frames), [0, goal, frames - 1], [0, peak, len(track) - 1])
    return _sampled(track, at, fps=track.fps)


def magnify(track: AUTrack, factor: float, *, onset: int = 0) -> AUTrack:
    """The change since frame `onset` times `factor` (above 1 stronger), clipped to [0, 5].

    Raises:
        InputError: a negative factor, or an onset outside the track.
    """
    if not 0 <= factor < float("inf") or not 0 <= onset < len(track):
        raise InputError(
            f"factor must be at least 0 and onset a frame below {len(track)}; "
            f"got {factor} and {onset}"
        )
    x = track.intensity
    y = x[onset] + factor * (x - x[onset])
    return track.with_intensity(np.clip(y, 0, MAX_INTENSITY))


def sample_values(x: NDArray[np.floating[Any]], at: Values) -> Values:
    """`T ...` sampled at frame positions `at` (rising, within 0..T-1), without aliasing."""
    steps = np.gradient(at) if len(at) > 1 else np.ones(1)
    if len(x) == 1:
        return np.repeat(np.asarray(x, np.float64), len(at), axis=0)
    smooth = np.asarray(PchipInterpolator(np.arange(len(x)), x, axis=0)(at), np.float64)
    if steps.max() <= 1 + 1e-9:
        return smooth
    distance = np.abs(at[:, None] - np.arange(len(x))) / np.maximum(steps, 1.0)[:, None]
    weights = np.maximum(1 - distance, 0)
    weights /= weights.sum(axis=1, keepdims=True)
    averaged = np.tensordot(weights, np.asarray(x, np.float64), axes=1)
    dense = (steps <= 1 + 1e-9).reshape(-1, *[1] * (x.ndim - 1))
    return np.where(dense, smooth, averaged)


def _sampled(track: AUTrack, at: Values, *, fps: float | None) -> AUTrack:
    x = track.intensity
    missing = ~np.isfinite(x)
    never = missing.all(axis=0)
    if (missing & ~never).any():
        raise TrackError("the track has gaps: fill them with fill_gaps before another timing")
    y = sample_values(np.where(never, 0.0, x), at)
    y[:, never] = np.nan
    nearest = np.clip(np.rint(at).astype(np.int64), 0, len(x) - 1)
    return replace(
        track,
        intensity=np.clip(y, 0, MAX_INTENSITY).astype(np.float32),
        confidence=track.confidence[nearest],
        fps=fps,
    )


def _sensible(length: int) -> int:
    if not 1 <= length <= MAX_FRAMES:
        raise InputError(f"a track has 1 to {MAX_FRAMES} frames; {length} were asked for")
    return length
