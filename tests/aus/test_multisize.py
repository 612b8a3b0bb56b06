from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from famaug.aus.multisize import DELTAS, OverSizes, resized
from famaug.errors import InputError, TrackError
from famaug.seeding import keyed_generator
from famaug.types import AUTrack, Frames

FRAMES = keyed_generator(0, "frames").integers(0, 256, (30, 42, 48, 3)).astype(np.uint8)


class By:
    """An estimator of a function of the frames."""

    name, version, licence, scale = "e", "1", "none", "openface"

    def __init__(self, read: Callable[[Frames], AUTrack]) -> None:
        self.read = read

    def measure(self, frames: Frames, neutral: int) -> AUTrack:
        del neutral
        return self.read(frames)


def averaged(read: Callable[[Frames], AUTrack], *sizes: int) -> AUTrack:
    return OverSizes(By(read), sizes or DELTAS).measure(FRAMES, 0)


def by_size(frames: Frames) -> AUTrack:
    """An estimator whose error depends on the size alone, as OpenFace's partly does."""
    rng = keyed_generator(1, frames.shape[1])
    truth = np.linspace(1, 2, len(frames))[:, None, None]
    return AUTrack.of(
        truth + 0.2 * rng.standard_normal((len(frames), 2, 17)), estimator="e/1", scale="openface"
    )


def test_sizes_are_shifted_together() -> None:
    seen: list[tuple[int, ...]] = []

    def look(frames: Frames) -> AUTrack:
        seen.append(frames.shape[1:3])
        return by_size(frames)

    averaged(look)
    assert seen == [(42 + d, 48 + d) for d in DELTAS]
    assert resized(FRAMES, 0) is FRAMES


def test_mean_by_hand() -> None:
    def own_size(frames: Frames) -> AUTrack:
        return AUTrack.of(np.full((len(frames), 2, 17), (frames.shape[1] - 2) / 40), estimator="e")

    assert np.allclose(averaged(own_size, -4, 0, 8).intensity, (0.9 + 1 + 1.2) / 3)
    assert OverSizes(By(own_size), (-4, 0, 8)).name == "e@sizes(-4,0,+8)"


def test_noise_falls_as_independent_errors_do() -> None:
    def noise(track: AUTrack) -> float:
        return float(np.abs(np.diff(track.intensity, axis=0)).mean())

    single = np.mean([noise(by_size(resized(FRAMES, d))) for d in DELTAS])
    assert abs(noise(averaged(by_size)) / single - 1 / np.sqrt(5)) < 0.05


def test_missing_in_most_sizes_is_missing() -> None:
    def gaps(frames: Frames) -> AUTrack:
        x = by_size(frames).intensity.copy()
        x[3] = np.nan if frames.shape[1] != 42 else 1
        x[5] = np.nan if frames.shape[1] == 42 else 1
        return AUTrack.of(x, estimator="e")

    track = averaged(gaps)
    assert np.flatnonzero(track.missing).tolist() == [3]
    assert np.allclose(track.intensity[5], 1)
    assert not track.confidence[3].any()


def test_bad_input() -> None:
    with pytest.raises(InputError, match="must differ"):
        averaged(by_size, 0, 0)
    with pytest.raises(InputError, match="at least 32 pixels"):
        averaged(by_size, -11, 0)
    with pytest.raises(TrackError, match="29 frames on scale 'openface' for a clip of 30"):
        averaged(lambda f: by_size(f[:-1]))
    with pytest.raises(TrackError, match="cannot be averaged"):
        averaged(lambda f: AUTrack.of(by_size(f).intensity, estimator="e", scale=str(f.shape[1])))
