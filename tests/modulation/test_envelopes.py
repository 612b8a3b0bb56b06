from __future__ import annotations

import numpy as np
import pytest

from famaug.aus.curves import onset_apex_offset
from famaug.errors import InputError, TrackError
from famaug.modulation.envelopes import TIMINGS, Envelope, find_apex, fit_envelope
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AUTrack


def test_linear_and_cosine_by_hand() -> None:
    assert onset_apex_offset(7, apex=4, shape="linear").tolist() == [0, 0.25, 0.5, 0.75, 1, 0.5, 0]
    assert np.allclose(onset_apex_offset(5, apex=2), [0, 0.5, 1, 0.5, 0])
    late = onset_apex_offset(8, onset=2, apex=4, offset=6, shape="linear")
    assert late.tolist() == [0, 0, 0, 0.5, 1, 0.5, 0, 0]
    assert onset_apex_offset(3, apex=0, shape="linear").tolist() == [1, 0.5, 0]
    assert onset_apex_offset(1, apex=0).tolist() == [1]


@pytest.mark.parametrize("bad", [{"apex": 9}, {"apex": -1}, {"apex": 2, "offset": 1}])
def test_positions_out_of_order(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match="onset <= apex <= offset"):
        onset_apex_offset(5, **bad)


@pytest.mark.parametrize("name", list(TIMINGS))
def test_drawn_timings_have_the_annotated_percentiles(name: str) -> None:
    rng = keyed_generator(0, "timing", name)
    drawn = np.array([TIMINGS[name].draw(rng) for _ in range(4000)])
    for column, want in zip(drawn.T, (TIMINGS[name].rise, TIMINGS[name].fall), strict=True):
        got = np.percentile(column, [10, 50, 90])
        assert np.all(np.abs(got / want - 1) < 0.06), (got, want)


def test_drawn_totals_are_near_the_annotated_ones() -> None:
    """Rise and fall are drawn apart; their sum still has the table's total percentiles."""
    totals = {
        "casme2": (200, 318, 476),
        "samm": (220, 385, 481),
        "dfme": (240, 392, 490),
        "smic": (206, 330, 460),
    }
    for name, want in totals.items():
        rng = keyed_generator(0, "total", name)
        total = [sum(TIMINGS[name].draw(rng)) for _ in range(4000)]
        got = np.percentile(total, [10, 50, 90])
        assert np.all(np.abs(got / want - 1) < 0.12), (name, got, want)


def test_apex_is_on_a_frame_at_any_rate() -> None:
    for fps in (25, 30, 100, 200):
        level = Envelope().timed(rise_ms=150, fall_ms=150, fps=fps)
        assert level.max() == 1
        assert level[0] == level[-1] == 0
        assert abs(len(level) - 1 - 0.3 * fps) <= 1
    assert len(Envelope().timed(rise_ms=1, fall_ms=1, fps=25)) == 3


def driver(noise: float = 0.0) -> AUTrack:
    """A slow rise, a fast fall, on AU04 and AU07, over a resting level."""
    level = np.r_[np.linspace(0, 1, 60) ** 2, np.linspace(1, 0, 21)[1:]]
    x = np.full((80, 2, 17), 0.4)
    x[:, :, AU_INDEX[4]] += 1.5 * level[:, None]
    x[:, 0, AU_INDEX[7]] += 0.8 * level
    x += noise * keyed_generator(0, "driver").standard_normal(x.shape)
    return AUTrack.of(np.clip(x, 0, 5), estimator="t")


@pytest.mark.parametrize("noise", [0.0, 0.08])
def test_fitted_to_a_driver(noise: float) -> None:
    assert abs(find_apex(driver(noise)) - 59) <= 2
    envelope = fit_envelope(driver(noise))
    level = envelope.at(length=40, apex=20)
    assert level[20] == 1
    assert np.all(np.diff(level[:21]) >= 0)
    assert np.all(np.diff(level[20:]) <= 0)
    truth = np.r_[np.linspace(0, 1, 21) ** 2, np.linspace(1, 0, 20)[1:]]
    assert np.abs(level - truth).mean() < 0.08


def test_nothing_to_fit() -> None:
    flat = AUTrack.of(np.full((30, 2, 17), 0.3), estimator="t")
    with pytest.raises(TrackError, match="cannot fit an envelope"):
        fit_envelope(flat)


def test_bad_envelopes() -> None:
    for bad in ({"shape": "box"}, {"shape": "fitted"}, {"rise": (0.0, 1.0), "fall": (1.0, 0.0)}):
        with pytest.raises(InputError, match="an envelope is"):
            Envelope(**bad)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="apex must be a frame"):
        Envelope(shape="fitted", rise=(0, 1), fall=(1, 0)).at(length=5, apex=5)
