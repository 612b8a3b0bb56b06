"""The threshold adds no step and takes no frame, whatever the strength is brought to afterwards."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from famaug.errors import InputError
from famaug.modulation.modulate import (
    PAPER,
    PUBLIC_CODE,
    Modulation,
    modulate,
    modulate_many,
    modulation_stages,
)
from famaug.modulation.smoothing import smooth_values
from famaug.pipeline import expression
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AUTrack

pytestmark = pytest.mark.filterwarnings("ignore::famaug.errors.FamaugWarning")
A12, A6 = AU_INDEX[12], AU_INDEX[6]
THRESHOLD = Modulation().threshold

curves = arrays(np.float64, st.tuples(st.integers(3, 40)), elements=st.floats(0, 5, width=32))


def track(curve: np.ndarray, au: int = A12) -> AUTrack:
    x = np.zeros((len(curve), 2, 17))
    x[:, :, au] = curve[:, None]
    return AUTrack.of(x, estimator="t/1", fps=200)


def shown(source: AUTrack, peak: float | None, modulation: Modulation | None = None) -> AUTrack:
    """What the pipeline renders of a driver."""
    how = modulation or Modulation()
    rng = keyed_generator(0)
    return expression.shown(source, rng, modulation=how, fps=100, peak=peak, name="driver")


def steps(x: np.ndarray) -> float:
    return float(np.abs(np.diff(x, axis=0)).max(initial=0))


@settings(max_examples=200, deadline=None)
@given(curve=curves, alpha=st.floats(0, 1), target=st.floats(0, 2), gain=st.floats(0, 4))
def test_no_step_is_larger_than_the_drivers(
    curve: np.ndarray, alpha: float, target: float, gain: float
) -> None:
    one = Modulation(alpha=alpha, gain=gain)
    rest = np.full(17, target)
    x = track(curve)
    out = modulate(x, rest, settings=one).intensity
    own = smooth_values(x.intensity.astype(np.float64), n=1)
    assert steps(out) <= gain * steps(own) + 1e-5
    many = modulate_many(x.intensity[None], rest[None, None].repeat(2, 1), settings=one)
    assert np.array_equal(many[0], out)


@settings(max_examples=200, deadline=None)
@given(curve=curves, peak=st.floats(0.1, 5))
def test_no_step_is_larger_after_scaling(curve: np.ndarray, peak: float) -> None:
    own = smooth_values(track(curve).intensity.astype(np.float64), n=1)
    strongest = float((own - own[0]).max())
    if strongest <= THRESHOLD + 2e-6:
        assume(strongest <= THRESHOLD)
        with pytest.raises(InputError, match="no expression left"):
            shown(track(curve), peak)
        return
    out = shown(track(curve), peak)
    assert steps(out.intensity) <= peak / strongest * steps(own) * (1 + 1e-4) + 1e-5
    assert np.isclose(out.intensity.max(), peak, rtol=1e-4)


def test_a_weak_expression_keeps_every_frame() -> None:
    """AU12 to 0.4 and back, brought to 1.5: it used to appear at 0.63, with 23 of 39 frames."""
    curve = 0.4 * np.sin(np.linspace(0, np.pi, 41)) ** 2
    own = smooth_values(track(curve).intensity.astype(np.float64), n=1)
    out = shown(track(curve), 1.5).intensity[:, 0, A12]
    raised = own[:, 0, A12] > own[0, 0, A12] + 1e-6
    assert raised.sum() >= 38
    assert (out[raised] > 0).all()
    assert steps(out) <= 1.5 / float((own - own[0]).max()) * steps(own) + 1e-5
    hard = shown(track(curve), 1.5, Modulation(threshold_form="hard")).intensity[:, 0, A12]
    assert (hard > 0).sum() < 26
    assert steps(hard) > 0.5


@settings(max_examples=50, deadline=None)
@given(
    noise=arrays(np.float64, (30,), elements=st.floats(0, THRESHOLD)),
    gain=st.floats(0, 10),
)
def test_noise_becomes_no_expression(noise: np.ndarray, gain: float) -> None:
    """In a column of its own, before and after an expression, and whatever the gain."""
    curve = 0.8 * np.sin(np.linspace(0, np.pi, 30)) ** 2
    x = track(np.r_[np.zeros(30), curve, np.zeros(30)]).intensity.copy()
    x[:, :, A6] = np.r_[noise, noise, noise][:, None] * 0.999
    x[5, :, A12] = noise[0] * 0.999
    whole = AUTrack.of(x, estimator="t/1", fps=200)
    out = modulate(whole, settings=Modulation(gain=gain)).intensity
    assert not out[:, :, A6].any()
    assert not out[:25, :, A12].any()
    stages = modulation_stages(whole, settings=Modulation(gain=gain))
    assert np.array_equal(stages["transferred"].intensity, out)


def test_what_is_kept_grows_evenly_with_the_height() -> None:
    heights = np.linspace(0.1, 0.4, 301)
    bump = np.sin(np.linspace(0, np.pi, 41)) ** 2
    peaks = [float(modulate(track(h * bump)).intensity.max()) for h in heights]
    rise = np.diff(peaks)
    assert peaks[0] == 0
    assert (rise >= -1e-6).all()
    assert rise.max() < 0.01  # no height at which an expression appears at once


def test_sides_are_judged_apart() -> None:
    bump = np.sin(np.linspace(0, np.pi, 41)) ** 2
    x = np.zeros((41, 2, 17))
    x[:, 0, A12], x[:, 1, A12] = bump, 0.14 * bump
    out = modulate(AUTrack.of(x, estimator="t/1")).intensity
    assert out[:, 0, A12].max() > 0.9
    assert not out[:, 1].any()


@pytest.mark.parametrize(
    ("preset", "want"), [(PAPER, "hard"), (PUBLIC_CODE, "hard"), (Modulation(), "soft")]
)
def test_presets_state_their_form(preset: Modulation, want: str) -> None:
    assert preset.to_json()["threshold_form"] == want
    assert (PUBLIC_CODE.threshold, PAPER.threshold) == (0.15, 0.0)
