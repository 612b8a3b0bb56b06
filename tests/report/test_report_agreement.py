from __future__ import annotations

import numpy as np
import pytest

from famaug.errors import TrackError
from famaug.quality.agreement import Agreement, UnitAgreement, agreement, pearson
from famaug.report.quality import agreement_table, weaknesses
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AUS, LEFT, RIGHT, AUTrack

COUNT = 40


def track(values: dict[tuple[int, int], np.ndarray], **changes: object) -> AUTrack:
    x = np.zeros((COUNT, 2, len(AUS)), np.float32)
    for (au, side), curve in values.items():
        x[:, side, AU_INDEX[au]] = curve
    return AUTrack.of(x, estimator="test", **changes)  # type: ignore[arg-type]


def bump(height: float) -> np.ndarray:
    return height * np.sin(np.linspace(0, np.pi, COUNT))


def unit(result, au: int):
    return result.units[AU_INDEX[au]]


def test_equal_tracks_agree_fully() -> None:
    asked = track({(12, LEFT): bump(2), (12, RIGHT): bump(1)})
    result = agreement([(asked, asked)])
    assert result.r == pytest.approx(1)
    assert result.r_sides == pytest.approx(1)
    assert result.mae == 0
    assert result.false_reading == 0
    assert unit(result, 12).r == pytest.approx(1)
    assert unit(result, 12).asked_peak == pytest.approx(2, abs=0.01)


def test_r_is_pearsons_over_all_values() -> None:
    generator = keyed_generator(3, "agreement")
    asked = track({(4, LEFT): bump(1.5), (4, RIGHT): bump(1.4), (7, LEFT): bump(0.6)})
    measured = asked.with_intensity(asked.intensity + generator.normal(0, 0.3, (COUNT, 2, 17)))
    want = np.corrcoef(asked.intensity.ravel(), measured.intensity.ravel())[0, 1]
    result = agreement([(asked, measured)])
    assert result.r == pytest.approx(want, abs=1e-6)
    assert result.mae == pytest.approx(np.abs(asked.intensity - measured.intensity).mean())


def test_a_unit_never_asked_has_no_r_but_a_false_reading() -> None:
    asked = track({(12, LEFT): bump(2), (12, RIGHT): bump(2)})
    measured = track({(12, LEFT): bump(2), (12, RIGHT): bump(2), (14, LEFT): np.full(COUNT, 0.5)})
    result = agreement([(asked, measured)])
    assert unit(result, 14).r is None
    assert unit(result, 14).false_reading == pytest.approx(0.25)
    assert unit(result, 12).false_reading is None
    assert result.false_reading == pytest.approx(0.25 / 16)
    assert result.false_reading_worst == pytest.approx(0.25)


def test_false_reading_counts_only_the_clips_that_did_not_ask() -> None:
    shown = track({(12, LEFT): bump(2), (12, RIGHT): bump(2)})
    silent = track({})
    read = track({(12, LEFT): np.full(COUNT, 0.4), (12, RIGHT): np.full(COUNT, 0.4)})
    result = agreement([(shown, shown), (silent, read)])
    assert unit(result, 12).false_reading == pytest.approx(0.4)
    assert unit(result, 12).r is not None


def test_swapped_sides_show_in_left_minus_right() -> None:
    asked = track({(12, LEFT): bump(2), (12, RIGHT): bump(1)})
    swapped = asked.with_intensity(asked.intensity[:, ::-1])
    result = agreement([(asked, swapped)])
    assert result.r_sides == pytest.approx(-1)
    assert result.r is not None
    assert result.r > 0


def test_an_estimator_without_sides_has_no_left_minus_right() -> None:
    asked = track({(12, LEFT): bump(2), (12, RIGHT): bump(1)})
    result = agreement(
        [(asked, track({(12, LEFT): bump(1.5), (12, RIGHT): bump(1.5)}, sided=False))]
    )
    assert result.r_sides is None
    assert unit(result, 12).r is not None


def test_missing_frames_are_left_out() -> None:
    asked = track({(12, LEFT): bump(2), (12, RIGHT): bump(1)})
    holes = asked.intensity.copy()
    holes[5:9] = np.nan
    result = agreement([(asked, asked.with_intensity(holes))])
    assert result.r == pytest.approx(1)
    assert unit(result, 12).values == 2 * (COUNT - 4)
    nothing = asked.with_intensity(np.full_like(holes, np.nan))
    empty = agreement([(asked, nothing)])
    assert (empty.r, empty.mae, empty.false_reading) == (None, None, None)


def test_pearson_of_a_constant_is_undefined() -> None:
    assert pearson(np.ones(9), np.arange(9.0)) is None
    assert pearson(np.arange(2.0), np.arange(2.0)) is None


def test_scales_lengths_and_nothing_are_errors() -> None:
    asked = track({})
    with pytest.raises(TrackError, match=r"'famaug'.*'openface'"):
        agreement([(asked, track({}, scale="openface"))])
    with pytest.raises(TrackError, match="40 frames, measured 1"):
        agreement([(asked, AUTrack.of(asked.intensity[:1], estimator="x"))])
    with pytest.raises(TrackError, match="at least one pair"):
        agreement([])


def test_the_table_hides_no_unit() -> None:
    asked = track({(12, LEFT): bump(2), (12, RIGHT): bump(1)})
    table = agreement_table(agreement([(asked, asked)]))
    assert [row[0] for row in table.rows] == [*(f"AU{au:02d}" for au in AUS), "All"]
    assert table.rows[AU_INDEX[4]][2:5] == (None, None, None)


def test_weak_figures_are_said_in_words() -> None:
    def of(au: int, peak: float, **figures: float | None) -> UnitAgreement:
        values: dict[str, float | None] = {
            "r": 0.99, "r_sides": None, "gain": 1.0, "mae": 0.0, "false_reading": 0.0,
        }  # fmt: skip
        return UnitAgreement(au=au, asked_peak=peak, values=9, **{**values, **figures})  # type: ignore[arg-type]

    units = (
        of(1, 1.5),
        of(23, 0.6, r=0.58),
        of(14, 0.2, r=0.1, r_sides=0.0),
        of(10, 0.9, r_sides=0.01),
        of(6, 1.0, gain=0.5),
        of(12, 1.0, gain=1.5),
        of(20, 0.0, r=None, gain=None, false_reading=0.2),
    )
    result = Agreement(0.9, None, 0.0, 0.0, None, units)
    words = weaknesses(result)
    assert words[0].startswith("Read back badly: AU23 (lip tightener) r 0.58;")
    assert words[1].startswith("Asked too faintly to judge (under 0.3): AU14 (dimpler) r 0.10;")
    assert words[2:4] == [
        "Read weaker than asked: AU06 (cheek raiser) 0.50 times.",
        "Read stronger than asked: AU12 (lip corner puller) 1.50 times.",
    ]
    assert words[4].startswith(
        "Sides not told apart (r of left minus right): AU10 (upper lip raiser) 0.01;"
    )
    assert words[5:] == ["Read where it was not asked, on average: AU20 (lip stretcher) 0.20."]
    assert weaknesses(Agreement(0.9, None, 0.0, 0.0, None, units[:1])) == []


def test_gain_is_the_slope() -> None:
    asked = AUTrack.of(np.linspace(0, 2, 20)[:, None, None] * np.ones((1, 2, 17)), estimator="a")
    measured = AUTrack.of(asked.intensity * 0.8, estimator="b")
    assert all(abs((u.gain or 0) - 0.8) < 1e-6 for u in agreement([(asked, measured)]).units)
