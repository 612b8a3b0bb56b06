"""Fitted to a made-up data set whose truth is known, the sampler must reproduce it.

Bounds over 3000 draws: chance of any AU (and of any two together) within 0.04 of the data's,
10/50/90 % of either duration within 12 %, mean strength of an AU within 8 %.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from famaug.errors import InputError, TrackError
from famaug.modulation.envelopes import TIMINGS, Envelope
from famaug.modulation.statistics import TrackStatistics, fit_statistics
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AUTrack

SETS = [(4,), (4, 7), (12,), (6, 12), (1, 2), (1, 2, 5), (14,)]
FPS = 200


def clip(i: int) -> tuple[AUTrack, str, str]:
    rng = keyed_generator(0, "clip", i)
    aus = SETS[int(rng.integers(len(SETS)))]
    rise, fall = TIMINGS["casme2"].draw(rng)
    level = Envelope().timed(rise_ms=rise, fall_ms=fall, fps=FPS)
    x = np.zeros((len(level), 2, 17)) + 0.3
    strength = rng.uniform(0.7, 1.8)
    for au in aus:
        weak = rng.uniform(0.6, 1.0) if 12 in aus or 14 in aus else 1.0
        x[:, 0, AU_INDEX[au]] += strength * level
        x[:, 1, AU_INDEX[au]] += strength * weak * level
    x += 0.02 * rng.standard_normal(x.shape)
    label = "positive" if 12 in aus else "surprise" if 1 in aus else "negative"
    return AUTrack.of(np.clip(x, 0, 5), estimator="e/1", fps=FPS), f"d/{i % 20}", label


@pytest.fixture(scope="module")
def fitted() -> TrackStatistics:
    tracks, subjects, labels = zip(*[clip(i) for i in range(240)], strict=True)
    return fit_statistics(tracks, subjects=subjects, labels=labels)


@pytest.fixture(scope="module")
def drawn(fitted: TrackStatistics) -> tuple[np.ndarray, np.ndarray]:
    """Peaks `3000 2 17`, durations in ms `3000 2`."""
    rng = keyed_generator(1, "draws")
    draws = [fitted.draw(rng, fps=1000) for _ in range(3000)]
    apexes = [int(d.intensity.sum(axis=(1, 2)).argmax()) for d in draws]
    peaks = np.stack([d.intensity[at] for d, at in zip(draws, apexes, strict=True)])
    return peaks, np.array([[a, len(d) - 1 - a] for d, a in zip(draws, apexes, strict=True)])


def test_what_was_fitted_is_the_truth(fitted: TrackStatistics) -> None:
    assert fitted.skipped == 0
    sets = {tuple(np.flatnonzero(p[0] > 0)) for p in fitted.peaks}
    assert sets == {tuple(sorted(AU_INDEX[a] for a in s)) for s in SETS}


def test_aus_occur_and_co_occur_as_in_the_data(
    fitted: TrackStatistics, drawn: tuple[np.ndarray, np.ndarray]
) -> None:
    on, seen = (np.reshape(p > 0, (len(p), -1)).astype(float) for p in (drawn[0], fitted.peaks))
    assert np.abs(on.T @ on / len(on) - seen.T @ seen / len(seen)).max() < 0.04


def test_timing_is_the_datas(fitted: TrackStatistics, drawn: tuple[np.ndarray, np.ndarray]) -> None:
    got, want = (np.percentile(d, [10, 50, 90], axis=0) for d in (drawn[1], fitted.durations))
    assert np.abs(got / want - 1).max() < 0.12
    assert drawn[1].min(axis=0) == pytest.approx(fitted.durations.min(axis=0), abs=12)
    assert np.all(drawn[1].max(axis=0) <= fitted.durations.max(axis=0) + 1)


def test_strength_is_the_datas_and_never_beyond(
    fitted: TrackStatistics, drawn: tuple[np.ndarray, np.ndarray]
) -> None:
    for au in (4, 12, 1):
        for side in (0, 1):
            got, want = (p[:, side, AU_INDEX[au]] for p in (drawn[0], fitted.peaks))
            assert abs(got[got > 0].mean() / want[want > 0].mean() - 1) < 0.08
    assert np.all(drawn[0].max(axis=0) <= fitted.peaks.max(axis=0) + 1e-4)


def test_the_sides_differ_as_seen(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    left, right = drawn[0][:, 0], drawn[0][:, 1]
    smile = left[:, AU_INDEX[12]] > 0
    ratio = right[smile, AU_INDEX[12]] / left[smile, AU_INDEX[12]]
    assert 0.75 < ratio.mean() < 0.85
    frown = left[:, AU_INDEX[4]] > 0
    assert np.abs(right[frown, AU_INDEX[4]] / left[frown, AU_INDEX[4]] - 1).mean() < 0.05


def test_labels_and_held_out_subjects(fitted: TrackStatistics) -> None:
    rng = keyed_generator(2)
    for _ in range(50):
        d = fitted.draw(rng, fps=100, label="positive")
        assert d.intensity[:, :, AU_INDEX[12]].any()
    fold = fitted.without({"d/3", "d/4"})
    assert len(fold) < len(fitted)
    whose = {s for _ in range(400) for s in fold.draw(rng, fps=100).subjects}
    assert whose
    assert not whose & {"d/3", "d/4"}
    with pytest.raises(InputError, match="no clip is left"):
        fitted.without({f"d/{i}" for i in range(20)})


def test_everyone_who_went_in_is_named(fitted: TrackStatistics) -> None:
    first = int(np.flatnonzero(fitted.peaks[:, 0, AU_INDEX[14]])[0])
    pair = TrackStatistics(
        np.stack([fitted.peaks[first], 0.5 * fitted.peaks[first]]),
        fitted.durations[:2],
        fitted.envelopes[:2],
        ("d/strong", "d/weak"),
        (None, None),
        fitted.scale,
        fitted.sided,
        fitted.estimator,
    )
    rng = keyed_generator(4)
    for _ in range(9):
        assert pair.draw(rng, fps=200).subjects == ("d/strong", "d/weak")
    alone = pair.without({"D/Weak"})
    assert alone.draw(rng, fps=200).subjects == ("d/strong",)


def test_json_round_trip(fitted: TrackStatistics) -> None:
    back = TrackStatistics.from_json(json.loads(json.dumps(fitted.to_json())))
    a, b = (s.draw(keyed_generator(3), fps=200).intensity for s in (fitted, back))
    assert np.allclose(a, b, atol=1e-3)
    good = fitted.to_json()
    for bad in ({"schema": "x"}, {"peaks": [[1]]}, {"durations": [[0, 1]]}, {"labels": []}):
        with pytest.raises(InputError):
            TrackStatistics.from_json({**good, **bad})
    with pytest.raises(InputError, match="fit them again"):
        TrackStatistics.from_json({})


def test_clips_without_an_expression_are_skipped_or_refused() -> None:
    still = AUTrack.of(np.full((40, 2, 17), 0.4), estimator="e/1", fps=FPS)
    track, subject, _ = clip(0)
    assert fit_statistics([track, still], subjects=[subject, "d/x"]).skipped == 1
    with pytest.raises(InputError, match="none of 1 clips"):
        fit_statistics([still], subjects=["d/x"])
    with pytest.raises(TrackError, match="frame rate is unknown"):
        fit_statistics([AUTrack.of(track.intensity, estimator="e")], subjects=["d/x"])
