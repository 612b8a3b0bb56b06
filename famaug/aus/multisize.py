"""Eq. 1: an estimator's answer jumps with the picture's size, so several sizes are averaged.

For estimators that see pictures and know nothing of it. famaug's own averages its meshes over the
sizes itself, in one batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.aus.protocol import Estimator
from famaug.errors import InputError, TrackError
from famaug.types import AUTrack, Frames

DELTAS = (-10, -5, 0, 5, 10)
"""Height and width shifted together by these pixels: the paper's five sizes."""
MIN_SIDE = 32


class OverSizes:
    """An estimator averaged over sizes of the picture (FAMGAN Eq. 1).

    Args:
        estimator: asked once a size.
        sizes: shifts of height and width, together, in pixels.

    Raises:
        InputError: no shift, or one twice.
    """

    def __init__(self, estimator: Estimator, sizes: Sequence[int] = DELTAS) -> None:
        self.inner, self.sizes = estimator, tuple(int(d) for d in sizes)
        if not self.sizes or len(set(self.sizes)) != len(self.sizes):
            raise InputError(f"the shifts of the picture's size must differ; got {self.sizes}")
        shifts = ",".join(f"{d:+d}" if d else "0" for d in self.sizes)
        self.name = f"{estimator.name}@sizes({shifts})"
        self.version, self.licence = estimator.version, estimator.licence
        self.scale = estimator.scale

    def measure(self, frames: Frames, neutral: int) -> AUTrack:
        """The mean; a value that fewer than half of the sizes gave is missing.

        Raises:
            InputError: a size below 32 pixels.
            TrackError: the estimator gave tracks of other lengths or scales.
        """
        height, width = frames.shape[1:3]
        if min(height, width) + min(self.sizes) < MIN_SIDE:
            raise InputError(
                f"the sizes must leave at least {MIN_SIDE} pixels a side; got {self.sizes} for "
                f"pictures of {height} x {width}"
            )
        tracks = [self.inner.measure(resized(frames, d), neutral) for d in self.sizes]
        first = tracks[0]
        for track in tracks:
            if (track.intensity.shape, track.scale, track.sided) != (
                (len(frames), *first.intensity.shape[1:]), first.scale, first.sided,
            ):  # fmt: skip
                raise TrackError(
                    f"{self.inner.name} gave {len(track)} frames on scale {track.scale!r} for a "
                    f"clip of {len(frames)} (first size: scale {first.scale!r}): sizes cannot be "
                    "averaged"
                )
        mean = _mean(np.stack([t.intensity for t in tracks]).astype(np.float64))
        confidence = np.mean([t.confidence for t in tracks], axis=0)
        return replace(
            first,
            intensity=mean.astype(np.float32),
            confidence=np.where(np.isfinite(mean), confidence, 0).astype(np.float32),
        )


def resized(frames: Frames, delta: int) -> Frames:
    """Frames `T H W 3` with height and width shifted by `delta` pixels; the frames for 0."""
    if delta == 0:
        return frames
    height, width = frames.shape[1] + delta, frames.shape[2] + delta
    method = cv2.INTER_AREA if delta < 0 else cv2.INTER_CUBIC
    return np.stack([cv2.resize(f, (width, height), interpolation=method) for f in frames])


def _mean(stack: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over the first axis, NaN where fewer than half are known."""
    known = np.isfinite(stack)
    count = known.sum(axis=0)
    mean = np.where(known, stack, 0).sum(axis=0) / np.maximum(count, 1)
    return np.where(count * 2 >= len(stack), mean, np.nan)
