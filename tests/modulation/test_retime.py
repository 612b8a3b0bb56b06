from __future__ import annotations

import numpy as np
import pytest

from famaug.errors import InputError, TrackError
from famaug.modulation.envelopes import find_apex
from famaug.modulation.retime import magnify, resample, retime
from famaug.types import AU_INDEX, AUTrack


def wave(hz: float, fps: float = 200, seconds: float = 1.0) -> AUTrack:
    t = np.arange(int(fps * seconds) + 1) / fps
    x = np.broadcast_to(1 + np.cos(2 * np.pi * hz * t)[:, None, None], (len(t), 2, 17))
    return AUTrack.of(x, estimator="t", fps=fps)


def bump(length: int = 101, apex: int = 30) -> AUTrack:
    level = np.interp(np.arange(length), [0, apex, length - 1], [0, 1, 0])
    x = np.zeros((length, 2, 17))
    x[:, :, AU_INDEX[12]] = 1.5 * level[:, None]
    return AUTrack.of(x, estimator="t", fps=200)


def test_downwards_keeps_slow_motion_and_does_not_alias() -> None:
    slow = resample(wave(2), fps=50)
    assert (len(slow), slow.fps) == (51, 50)
    inner = slice(2, -2)
    assert (
        np.abs(slow.intensity[inner] - resample(wave(2), fps=200).intensity[::4][inner]).max()
        < 0.05
    )
    # 48 Hz would fold back to 2 Hz at 50 fps with full swing
    folded = resample(wave(48), fps=50).intensity[inner, 0, 0]
    assert np.ptp(folded) < 0.15
    assert np.ptp(wave(48).intensity[::4, 0, 0]) > 1.9


def test_upwards_passes_through_the_frames_without_overshoot() -> None:
    small = bump(21, 6)
    big = resample(AUTrack.of(small.intensity, estimator="t", fps=25), fps=200)
    assert len(big) == 161
    assert np.allclose(big.intensity[::8], small.intensity, atol=1e-5)
    assert big.intensity.max() <= 1.5 + 1e-6
    assert np.all(np.diff(big.intensity[:49, 0, AU_INDEX[12]]) >= -1e-6)


def test_same_rate_is_the_same_track() -> None:
    assert np.allclose(resample(bump(), fps=200).intensity, bump().intensity, atol=1e-6)


@pytest.mark.parametrize("length", [41, 101, 260])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_length_and_apex_move(length: int, share: float) -> None:
    goal = round(share * (length - 1))
    out = retime(bump(), length=length, apex=goal)
    assert len(out) == length
    assert abs(int(np.argmax(out.intensity[:, 0, AU_INDEX[12]])) - goal) <= 1
    assert 1.35 < out.intensity.max() <= 1.5
    assert out.intensity[-1].max() < 0.08


def test_apex_keeps_its_share_by_default() -> None:
    assert abs(find_apex(retime(bump(), length=51)) - 15) <= 1


def test_magnify() -> None:
    rest = AUTrack.of(bump().intensity + 0.5, estimator="t")
    out = magnify(rest, 2.0)
    assert np.isclose(out.intensity.max(), 3.5)
    assert np.allclose(out.intensity[0], 0.5)
    assert magnify(rest, 100).intensity.max() == 5


def test_an_unseen_au_stays_unseen_and_gaps_are_refused() -> None:
    x = bump().intensity.copy()
    x[:, :, AU_INDEX[6]] = np.nan
    out = resample(AUTrack.of(x, estimator="t", fps=200), fps=100)
    assert np.isnan(out.intensity[:, :, AU_INDEX[6]]).all()
    x[3, 0, 0] = np.nan
    with pytest.raises(TrackError, match="fill_gaps"):
        resample(AUTrack.of(x, estimator="t", fps=200), fps=100)


def test_bad_input() -> None:
    with pytest.raises(TrackError, match="frame rate is unknown"):
        resample(AUTrack.of(bump().intensity, estimator="t"), fps=100)
    for fps in (0, -5, float("nan"), float("inf")):
        with pytest.raises(InputError, match="fps must be above 0"):
            resample(bump(), fps=fps)
    with pytest.raises(InputError, match="1 to 100000 frames"):
        resample(bump(), fps=1e9)
    with pytest.raises(InputError, match="between the first and the last"):
        retime(bump(), apex=100)
    with pytest.raises(TrackError, match="three frames"):
        retime(bump(), length=2)
    with pytest.raises(InputError, match="factor"):
        magnify(bump(), -1)
