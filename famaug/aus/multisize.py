"""Eq. 1: an estimator's answer jumps with the picture's size, so several sizes are averaged.

This wraps any estimator that sees pictures (`frames -> AUTrack`). The embedded estimator averages
its meshes over the sizes itself, in one batch: use its own `sizes` instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError, TrackError
from famaug.types import AUTrack, Floats, Frames

Estimator = Callable[[Frames], AUTrack]
Values = NDArray[np.float64]

DELTAS = (-10, -5, 0, 5, 10)
"""Height and width shifted together by these pixels: the paper's five sizes."""
MIN_SIDE = 32


@dataclass(frozen=True, eq=False)
class SizeAverage:
    """An average over sizes and what it removed.

    Attributes:
        track: the averaged track.
        spread: standard deviation over the sizes, float32 `T 2 17`; NaN where missing.
        jitter_single: mean |frame-to-frame difference| of one size, averaged over the sizes.
        jitter: the same of the averaged track.
        deltas: the sizes' shifts in pixels.
    """

    track: AUTrack
    spread: Floats
    jitter_single: float
    jitter: float
    deltas: tuple[int, ...]

    @property
    def noise_removed(self) -> float:
        """Share of the single size's frame-to-frame noise that the average has lost."""
        return 0.0 if self.jitter_single == 0 else 1 - self.jitter / self.jitter_single


def measure_sizes(
    estimator: Estimator, frames: Frames, *, deltas: Sequence[int] = DELTAS
) -> SizeAverage:
    """AUs averaged over sizes of the picture (FAMGAN Eq. 1).

    Args:
        estimator: any callable from frames (uint8 RGB `T H W 3`) to a track of T frames.
        deltas: shifts of height and width, together, in pixels.

    A value that fewer than half of the sizes gave is missing.

    Raises:
        InputError: no shift, one twice, or a size below 32 pixels.
        TrackError: the estimator gave tracks of other lengths or scales.
    """
    shifts = tuple(int(d) for d in deltas)
    smallest = min(frames.shape[1:3]) + min(shifts, default=0)
    if not shifts or len(set(shifts)) != len(shifts) or smallest < MIN_SIDE:
        raise InputError(
            f"the shifts must differ and leave at least {MIN_SIDE} pixels a side; got {shifts} "
            f"for pictures of {frames.shape[1]} x {frames.shape[2]}"
        )
    tracks = [estimator(resized(frames, d)) for d in shifts]
    first = tracks[0]
    for track in tracks:
        if len(track) != len(frames) or track.scale != first.scale or track.sided != first.sided:
            raise TrackError(
                f"the estimator gave {len(track)} frames on scale {track.scale!r} for a clip of "
                f"{len(frames)} (first size: scale {first.scale!r}): sizes cannot be averaged"
            )
    stack = np.stack([t.intensity for t in tracks]).astype(np.float64)
    mean, spread = _over_sizes(stack)
    confidence = np.mean([t.confidence for t in tracks], axis=0)
    names = ",".join(f"{d:+d}" if d else "0" for d in shifts)
    track = replace(
        first,
        intensity=mean.astype(np.float32),
        confidence=np.where(np.isfinite(mean), confidence, 0).astype(np.float32),
        estimator=f"{first.estimator}@sizes({names})",
    )
    return SizeAverage(
        track,
        spread.astype(np.float32),
        float(np.mean([jitter(x) for x in stack])),
        jitter(mean),
        shifts,
    )


def resized(frames: Frames, delta: int) -> Frames:
    """Frames `T H W 3` with height and width shifted by `delta` pixels; the frames for 0."""
    if delta == 0:
        return frames
    height, width = frames.shape[1] + delta, frames.shape[2] + delta
    method = cv2.INTER_AREA if delta < 0 else cv2.INTER_CUBIC
    return np.stack([cv2.resize(f, (width, height), interpolation=method) for f in frames])


def jitter(x: NDArray[np.floating[Any]]) -> float:
    """Mean |frame-to-frame difference| of `T 2 17` where both frames are known; 0 if none are."""
    steps = np.abs(np.diff(np.asarray(x, np.float64), axis=0))
    known = np.isfinite(steps)
    return float(steps[known].mean()) if known.any() else 0.0


def _over_sizes(stack: Values) -> tuple[Values, Values]:
    """Mean and standard deviation over the first axis, NaN where fewer than half are known."""
    known = np.isfinite(stack)
    count = known.sum(axis=0)
    enough = count * 2 >= len(stack)
    mean = np.where(known, stack, 0).sum(axis=0) / np.maximum(count, 1)
    square = np.where(known, (stack - mean) ** 2, 0).sum(axis=0) / np.maximum(count, 1)
    return np.where(enough, mean, np.nan), np.where(enough, np.sqrt(square), np.nan)
