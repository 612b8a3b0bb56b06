from __future__ import annotations

import numpy as np
import pytest

from famaug.errors import InputError, TrackError
from famaug.modulation.gaps import fill_gaps, gap_lengths
from famaug.types import AU_INDEX, AUTrack


def track(length: int = 20, fps: float | None = None) -> AUTrack:
    x = np.broadcast_to(np.linspace(0, 1.9, length)[:, None, None], (length, 2, 17)).copy()
    return AUTrack.of(x, estimator="t", fps=fps)


def without(t: AUTrack, frames: slice, au: int | None = None) -> AUTrack:
    x = t.intensity.copy()
    x[frames, :, slice(None) if au is None else AU_INDEX[au]] = np.nan
    return AUTrack.of(x, estimator="t", fps=t.fps)


def test_a_short_gap_is_bridged_linearly_with_confidence_0() -> None:
    filled = fill_gaps(without(track(), slice(5, 8)))
    assert np.allclose(filled.intensity, track().intensity, atol=1e-6)
    assert not filled.confidence[5:8].any()
    assert filled.confidence[8:].all()


def test_ends_hold_the_nearest_value() -> None:
    filled = fill_gaps(without(without(track(), slice(0, 2)), slice(18, 20)))
    assert np.allclose(filled.intensity[:2], 0.2)
    assert np.allclose(filled.intensity[18:], 1.7)


def test_a_long_gap_is_refused_with_au_and_frames() -> None:
    with pytest.raises(TrackError, match=r"AU12 left is missing in frames 5-8: 4 frames, more.* 3"):
        fill_gaps(without(track(), slice(5, 9), 12))
    assert np.isfinite(fill_gaps(without(track(), slice(5, 9), 12), max_gap=4).intensity).all()


def test_the_limit_follows_the_frame_rate() -> None:
    fill_gaps(without(track(60, 200), slice(5, 17)))
    with pytest.raises(TrackError, match="13 frames, more than the 12"):
        fill_gaps(without(track(60, 200), slice(5, 18)))


def test_low_confidence_counts_as_missing() -> None:
    t = track()
    c = t.confidence.copy()
    c[4:6] = 0.3
    x = t.intensity.copy()
    x[4:6] = 5.0
    low = AUTrack(x, c, "t")
    assert fill_gaps(low).intensity[4].max() == 5
    assert np.allclose(fill_gaps(low, min_confidence=0.5).intensity, t.intensity, atol=1e-6)
    with pytest.raises(TrackError, match=r"below confidence 0\.5 in frames 4-5"):
        fill_gaps(low, min_confidence=0.5, max_gap=1)


def test_an_au_that_is_never_seen_stays_missing() -> None:
    filled = fill_gaps(without(track(), slice(0, 20), 6))
    assert np.isnan(filled.intensity[:, :, AU_INDEX[6]]).all()
    assert np.isfinite(np.delete(filled.intensity, AU_INDEX[6], axis=2)).all()
    with pytest.raises(TrackError, match="nothing to fill from"):
        fill_gaps(without(track(), slice(0, 20)))


def test_gap_lengths() -> None:
    missing = np.array([1, 1, 0, 1, 0, 0, 1, 1, 1], bool)
    assert gap_lengths(missing).tolist() == [2, 2, 0, 1, 0, 0, 3, 3, 3]


@pytest.mark.parametrize("bad", [{"max_gap": -1}, {"min_confidence": 2.0}])
def test_bad_arguments(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match="max_gap must be"):
        fill_gaps(track(), **bad)  # type: ignore[arg-type]
