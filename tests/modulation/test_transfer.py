"""Eq. 3 by hand: one column, a target at 0.5, a driver that reads 1.0 at rest."""

from __future__ import annotations

import numpy as np
import pytest

from famaug.errors import InputError, NotNeutralWarning, TrackError
from famaug.modulation.transfer import transfer, transfer_values
from famaug.types import AU_INDEX, AUTrack

A12 = AU_INDEX[12]
DRIVER = [1.0, 1.1, 1.6, 2.4, 2.0, 0.9]


def track(values: list[float], scale: str = "openface") -> AUTrack:
    x = np.zeros((len(values), 2, 17), np.float32)
    x[:, :, A12] = np.asarray(values)[:, None]
    return AUTrack.of(x, estimator="test", scale=scale)


def target(value: float = 0.5) -> np.ndarray:
    y = np.zeros(17)
    y[A12] = value
    return y


def shown(out: AUTrack, side: int = 0) -> list[float]:
    return [round(float(v), 4) for v in out.intensity[:, side, A12]]


def test_paper_form() -> None:
    # 0.1 * 0.5 + (x_i - x_{i-1}); the negative sums of frames 4 and 5 are clipped
    out = transfer(track(DRIVER), target(), reference="previous", alpha=0.1, threshold=0)
    assert shown(out) == [0.05, 0.15, 0.55, 0.85, 0.0, 0.0]


def test_public_code_form() -> None:
    # 1 * 0.5 + 0.8 * (x_i - x_0); 0.15 and below is 0
    published = {"alpha": 1.0, "gain": 0.8, "threshold": 0.15, "threshold_form": "hard"}
    out = transfer(track(DRIVER), target(), **published)  # type: ignore[arg-type]
    assert shown(out) == [0.5, 0.58, 0.98, 1.62, 1.3, 0.42]
    low = transfer(track(DRIVER), target(0.2), **published)  # type: ignore[arg-type]
    assert shown(low) == [0.2, 0.28, 0.68, 1.32, 1.0, 0.0]


def test_default_form() -> None:
    # 0.1 * 0.5 + (x_i - x_0), and it is one excursion above 1.5 times the threshold
    assert shown(transfer(track(DRIVER), target())) == [0.05, 0.15, 0.65, 1.45, 1.05, 0.0]
    assert shown(transfer(track(DRIVER))) == [0.0, 0.1, 0.6, 1.4, 1.0, 0.0]
    # hard: at or below 0.15 is 0
    hard = transfer(track(DRIVER), target(), threshold_form="hard")
    assert shown(hard) == [0.0, 0.0, 0.65, 1.45, 1.05, 0.0]


def test_excursions_are_judged_whole_on_the_measured_scale() -> None:
    weak = [0.0, 0.1, 0.15, 0.1, 0.0, 0.2, 0.0]  # noise; then two thirds of the way to 0.225
    for gain in (0.5, 1.0, 4.0):
        out = shown(transfer(track(weak), gain=gain))
        assert np.allclose(out, [0, 0, 0, 0, 0, gain * 0.2 * 2 / 3, 0], atol=1e-4)
    assert shown(transfer(track([0, 0.1, 0.3, 0.1, 0]))) == [0.0, 0.1, 0.3, 0.1, 0.0]
    assert shown(transfer(track([0, 0.1, 0.05, 0.1, 0]), threshold=0)) == [0.0, 0.1, 0.05, 0.1, 0.0]


def test_neutral_reference() -> None:
    rest = target(0.8)
    out = transfer(track(DRIVER), reference="neutral", neutral=rest)
    assert shown(out) == [0.2, 0.3, 0.8, 1.6, 1.2, 0.1]
    assert shown(transfer(track(DRIVER), reference="neutral")) == DRIVER


def test_another_onset_frame() -> None:
    out = transfer(track(DRIVER), onset=1, neutral_limit=2)
    assert shown(out) == [0.0, 0.0, 0.5, 1.3, 0.9, 0.0]


def test_clipped_to_five() -> None:
    assert max(shown(transfer(track([0.0, 4.0]), gain=2.0))) == 5.0


def test_gain_by_au_and_side() -> None:
    out = transfer(track(DRIVER), gain={"12L": 0.5, 4: 3.0})
    assert shown(out, 0) == [0.0, 0.05, 0.3, 0.7, 0.5, 0.0]
    assert shown(out, 1) == [0.0, 0.1, 0.6, 1.4, 1.0, 0.0]


def test_left_and_right_stay_apart() -> None:
    x = np.zeros((3, 2, 17), np.float32)
    x[2, 0, A12], x[2, 1, A12] = 2.0, 0.5
    out = transfer(AUTrack.of(x, estimator="t"))
    assert (shown(out, 0)[2], shown(out, 1)[2]) == (2.0, 0.5)


def test_presence_gate() -> None:
    presence = np.ones(17)
    presence[A12] = 0.2
    out = transfer(track(DRIVER), target(), presence=presence, presence_gate=0.3, threshold=0)
    assert shown(out) == [0.05] * 6
    free = transfer(track(DRIVER), target(), presence=presence, presence_gate=0.2)
    assert max(shown(free)) == 1.45
    with pytest.raises(InputError, match="presence_gate needs presence"):
        transfer(track(DRIVER), presence_gate=0.3)


def test_batch_is_the_same_as_one_by_one() -> None:
    rng = np.random.Generator(np.random.Philox(5))
    x, rest = rng.uniform(0, 5, (6, 20, 2, 17)), rng.uniform(0, 1, (6, 2, 17))
    for reference in ("onset", "previous", "neutral"):
        many = transfer_values(x, rest, reference=reference, gain={12: 1.3})
        each = [
            transfer_values(c, r, reference=reference, gain={12: 1.3})
            for c, r in zip(x, rest, strict=True)
        ]
        assert np.array_equal(many, np.stack(each))
        assert many.min() >= 0
        assert many.max() <= 5


def test_onset_that_is_not_neutral_is_warned_with_numbers() -> None:
    with pytest.warns(NotNeutralWarning, match=r"frame 0: AU12 left 1\.40, AU12 right 1\.40"):
        transfer(track([1.4, 2.0, 1.4]))
    transfer(track([1.4, 2.0, 1.4]), neutral_limit=1.5)


def test_scales_are_never_mixed() -> None:
    with pytest.raises(TrackError, match="'openface' scale, the target on 'famaug'"):
        transfer(track(DRIVER), track([0.1], scale="famaug"))
    out = transfer(track(DRIVER), track([0.4, 0.6]), alpha=1.0)
    assert shown(out)[0] == 0.5
    assert out.scale == "openface"


def test_gaps_are_refused_but_an_unseen_au_does_not_move() -> None:
    x = track(DRIVER).intensity.copy()
    x[2, 0, A12] = np.nan
    with pytest.raises(TrackError, match=r"1 of 6 frames .* frame 2"):
        transfer(AUTrack.of(x, estimator="t"))
    x = track(DRIVER).intensity.copy()
    x[:, :, AU_INDEX[6]] = np.nan
    out = transfer(AUTrack.of(x, estimator="t"))
    assert not out.intensity[:, :, AU_INDEX[6]].any()
    assert not out.confidence[:, :, AU_INDEX[6]].any()
    with pytest.raises(TrackError, match="no measured value"):
        transfer(AUTrack.of(np.full_like(x, np.nan), estimator="t"))


@pytest.mark.parametrize(
    "bad",
    [
        {"reference": "first"},
        {"alpha": 1.5},
        {"threshold": -0.1},
        {"threshold_form": "firm"},
        {"gain": -1.0},
        {"gain": {3: 1.0}},
        {"gain": {"12": 1.0, "12L": 2.0}},
        {"onset": 6},
        {"neutral": np.zeros(17)},
        {"target": np.zeros(16)},
        {"target": np.full(17, np.nan)},
    ],
)
def test_bad_arguments(bad: dict[str, object]) -> None:
    with pytest.raises(InputError):
        transfer(track(DRIVER), **bad)  # type: ignore[arg-type]
