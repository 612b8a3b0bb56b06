from __future__ import annotations

import numpy as np
import pytest

from famaug.errors import FilterTooWideWarning, InputError, TrackError
from famaug.modulation.smoothing import auto_half_width, rise_kept, smooth, smooth_values
from famaug.types import AU_INDEX, AUTrack


def column(values: list[float], au: int = 12, side: int = 0) -> AUTrack:
    x = np.zeros((len(values), 2, 17), np.float32)
    x[:, side, AU_INDEX[au]] = values
    return AUTrack.of(x, estimator="test")


def seen(track: AUTrack, au: int = 12, side: int = 0) -> list[float]:
    return [round(float(v), 4) for v in track.intensity[:, side, AU_INDEX[au]]]


RAMP = [0.0, 3.0, 0.0, 3.0, 6.0, 3.0, 0.0, 0.0]


@pytest.mark.filterwarnings("ignore::famaug.errors.FilterTooWideWarning")
@pytest.mark.parametrize(
    ("edges", "want"),
    [
        ("shrink", [1.5, 1, 2, 3, 4, 3, 1, 0]),
        ("reflect", [2, 1, 2, 3, 4, 3, 1, 0]),
        ("drop", [1, 2, 3, 4, 3, 1]),
    ],
)
def test_mean_filter_by_hand(edges: str, want: list[float]) -> None:
    out = smooth(column(RAMP), n=1, edges=edges)  # type: ignore[arg-type]
    assert seen(out) == want
    assert len(out.confidence) == len(want)


def test_window_is_over_time_not_over_aus() -> None:
    x = np.zeros((40, 2, 17), np.float32)
    x[:, :, 4] = 2.0
    assert np.array_equal(smooth(AUTrack.of(x, estimator="t")).intensity, x)


def test_median_and_savgol() -> None:
    spike = [0.0] * 20 + [5.0] + [0.0] * 20
    assert max(seen(smooth(column(spike), method="median"))) == 0
    t = np.arange(60) / 59
    parabola = column(list(4 * t * (1 - t)))
    kept = smooth(parabola, n=3, method="savgol")
    assert np.allclose(kept.intensity, parabola.intensity, atol=1e-6)
    three = smooth(column([0.0] * 12 + [3.0] + [0.0] * 12), n=1, method="savgol")
    assert max(seen(three)) == 1.0


@pytest.mark.parametrize("method", ["mean", "median", "savgol"])
@pytest.mark.parametrize("edges", ["shrink", "reflect", "drop"])
def test_nan_stays_missing_and_spoils_no_neighbour(method: str, edges: str) -> None:
    x = np.full((40, 2, 17), 1.25)
    x[7] = np.nan
    x[:, 1, 3] = np.nan
    y = smooth_values(x, n=2, edges=edges, method=method)  # type: ignore[arg-type]
    shift = 2 if edges == "drop" else 0
    assert np.isnan(y[7 - shift]).all()
    assert np.isnan(y[:, 1, 3]).all()
    finite = np.isfinite(y)
    assert finite.sum() == (len(y) - 1) * 33
    assert np.allclose(y[finite], 1.25)


def test_batched_is_the_same_as_one_by_one() -> None:
    x = np.random.Generator(np.random.Philox(3)).uniform(0, 5, (4, 30, 2, 17))
    for method in ("mean", "median", "savgol"):
        batch = smooth_values(x, n=2, method=method)  # type: ignore[arg-type]
        each = [smooth_values(c, n=2, method=method) for c in x]  # type: ignore[arg-type]
        assert np.array_equal(batch, np.stack(each))


def test_warns_with_numbers_above_an_eighth() -> None:
    bump = [0.0] * 12 + [2.0] + [0.0] * 11
    smooth(column(bump), n=1)  # 3 of 24: exactly an eighth
    with pytest.warns(FilterTooWideWarning, match=r"window of 5 frames .* clip's 24"):
        smooth(column(bump), n=2)


def test_shorter_than_the_window_is_refused() -> None:
    with pytest.raises(TrackError, match=r"4 frames, shorter than the window of 2n\+1 = 5"):
        smooth(column([0, 1, 1, 0]), n=2)
    assert len(smooth(column([0, 1]), n="auto")) == 2


@pytest.mark.parametrize("bad", [{"n": -1}, {"n": 1.5}, {"edges": "wrap"}, {"method": "box"}])
def test_bad_arguments(bad: dict[str, object]) -> None:
    with pytest.raises(InputError):
        smooth(column(RAMP), **bad)  # type: ignore[arg-type]


def bump(length: int, width: float, noise: float = 0.0) -> np.ndarray:
    t = np.arange(length)
    x = np.zeros((length, 2, 17))
    x[:, :, AU_INDEX[4]] = 1.5 * np.exp(-(((t - length / 2) / width) ** 2))[:, None]
    return x + noise * np.random.Generator(np.random.Philox(1)).standard_normal(x.shape)


def test_auto_is_wider_for_a_slower_expression_and_keeps_nine_tenths() -> None:
    fast, slow = auto_half_width(bump(160, 5)), auto_half_width(bump(160, 40))
    assert 1 <= fast < slow
    for x, n in ((bump(160, 5), fast), (bump(160, 8, 0.1), auto_half_width(bump(160, 8, 0.1)))):
        assert rise_kept(x, smooth_values(x, n=n)) >= 0.9
        assert rise_kept(x, smooth_values(x, n=n + 1)) < 0.9


def test_rise_kept_by_hand() -> None:
    x = np.full((5, 2, 17), np.nan)
    x[:, 0, AU_INDEX[12]] = [0, 0.5, 1, np.nan, 3]  # known: 95 % lies at 1 + .85 * (3 - 1)
    x[:, 1, AU_INDEX[4]] = [1, 1, 1, 1, 1]
    y = x.copy()
    y[:, 0, AU_INDEX[12]] = [0.5, 0.5, 0.5, np.nan, 1.6]  # .5 + .85 * 1.1 - .5
    assert np.isclose(rise_kept(x, y), 0.935 / 2.2)
    assert rise_kept(np.full((5, 2, 17), np.nan), y) == 1


def test_auto_never_warns_and_ignores_blinks() -> None:
    x = bump(100, 30)
    blinking = x.copy()
    blinking[10:90:8, :, AU_INDEX[45]] = 4.0
    n = auto_half_width(blinking)
    assert n == auto_half_width(x) >= 3
    smooth(AUTrack.of(x, estimator="t"), n="auto")
    assert auto_half_width(np.zeros((100, 2, 17))) == 5
