from __future__ import annotations

import numpy as np
import pytest

from famaug.aus.multisize import DELTAS, jitter, measure_sizes, resized
from famaug.errors import InputError, TrackError
from famaug.seeding import keyed_generator
from famaug.types import AUTrack, Frames

FRAMES = keyed_generator(0, "frames").integers(0, 256, (30, 42, 48, 3)).astype(np.uint8)


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

    measure_sizes(look, FRAMES)
    assert seen == [(42 + d, 48 + d) for d in DELTAS]
    assert resized(FRAMES, 0) is FRAMES


def test_mean_by_hand_and_spread() -> None:
    def own_size(frames: Frames) -> AUTrack:
        return AUTrack.of(np.full((len(frames), 2, 17), (frames.shape[1] - 2) / 40), estimator="e")

    average = measure_sizes(own_size, FRAMES, deltas=(-4, 0, 8))
    assert np.allclose(average.track.intensity, (0.9 + 1 + 1.2) / 3)
    assert np.allclose(average.spread, np.std([0.9, 1, 1.2]))
    assert average.track.estimator == "e@sizes(-4,0,+8)"


def test_noise_falls_as_independent_errors_do() -> None:
    average = measure_sizes(by_size, FRAMES)
    assert abs(average.noise_removed - (1 - 1 / np.sqrt(5))) < 0.05
    assert np.isclose(average.jitter, jitter(average.track.intensity))
    assert 0.15 < float(average.spread.mean()) < 0.2


def test_missing_in_most_sizes_is_missing() -> None:
    def gaps(frames: Frames) -> AUTrack:
        x = by_size(frames).intensity.copy()
        x[3] = np.nan if frames.shape[1] != 42 else 1
        x[5] = np.nan if frames.shape[1] == 42 else 1
        return AUTrack.of(x, estimator="e")

    track = measure_sizes(gaps, FRAMES).track
    assert np.flatnonzero(track.missing).tolist() == [3]
    assert np.allclose(track.intensity[5], 1)
    assert not track.confidence[3].any()


def test_bad_input() -> None:
    for deltas in ((), (0, 0), (-11, 0)):
        with pytest.raises(InputError, match="shifts must differ"):
            measure_sizes(by_size, FRAMES, deltas=deltas)
    with pytest.raises(TrackError, match="29 frames on scale 'openface' for a clip of 30"):
        measure_sizes(lambda f: by_size(f[:-1]), FRAMES)
    with pytest.raises(TrackError, match="cannot be averaged"):
        measure_sizes(
            lambda f: AUTrack.of(by_size(f).intensity, estimator="e", scale=str(f.shape[1])), FRAMES
        )
