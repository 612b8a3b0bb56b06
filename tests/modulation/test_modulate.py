from __future__ import annotations

import time

import numpy as np
import pytest

from famaug.errors import InputError, TrackError
from famaug.modulation.modulate import PAPER, PUBLIC_CODE, Modulation, modulate, modulate_many
from famaug.seeding import digest, keyed_generator
from famaug.types import AU_INDEX, AUTrack


def noisy(clips: int, length: int) -> np.ndarray:
    """Bumps over a resting level that is not zero, with an estimator's jitter."""
    rng = keyed_generator(0, "noisy")
    level = np.sin(np.linspace(0, np.pi, length)) ** 2
    x = rng.uniform(0, 0.6, (clips, 1, 2, 17)) + level[:, None, None] * rng.uniform(
        0, 1.5, (clips, 1, 2, 17)
    )
    return np.clip(x + 0.08 * rng.standard_normal((clips, length, 2, 17)), 0, 5)


@pytest.mark.parametrize(
    "settings",
    [
        Modulation(),
        PAPER,
        PUBLIC_CODE,
        Modulation(edges="drop"),
        Modulation(threshold_form="hard"),
        Modulation(alpha=0.0, gain={"12": 2.0, "4L": 0.5}),
    ],
)
def test_many_is_modulate_clip_by_clip(settings: Modulation) -> None:
    x = noisy(300, 40).astype(np.float32)
    rest = keyed_generator(1).uniform(0, 1, (300, 2, 17))
    many = modulate_many(x, rest, settings=settings)
    for i in (0, 17, 255, 256, 299):
        one = modulate(AUTrack.of(x[i], estimator="t"), rest[i], settings=settings)
        assert np.array_equal(many[i], one.intensity)


def test_ten_thousand_clips_in_seconds() -> None:
    x = np.broadcast_to(noisy(100, 64).astype(np.float32), (100, 100, 64, 2, 17))
    x = x.reshape(10_000, 64, 2, 17)
    began = time.process_time()
    out = modulate_many(x)
    assert time.process_time() - began < 30
    assert out.shape == x.shape


def test_the_resting_level_of_a_person_is_gone() -> None:
    x = noisy(1, 60)[0]
    plain = modulate(AUTrack.of(x, estimator="t")).intensity
    other = modulate(AUTrack.of(np.clip(x + 0.3, 0, 5), estimator="t")).intensity
    assert np.abs(plain - other).mean() < 0.01
    assert not plain[0].any()


def test_gaps_and_presence_go_through() -> None:
    x = noisy(1, 60)[0]
    x[20:22] = np.nan
    presence = np.ones(17)
    presence[AU_INDEX[12]] = 0
    out = modulate(
        AUTrack.of(x, estimator="t"), presence=presence, settings=Modulation(presence_gate=0.5)
    )
    assert np.isfinite(out.intensity).all()
    assert not out.intensity[:, :, AU_INDEX[12]].any()
    with pytest.raises(TrackError, match="frames 20-21: 2 frames, more than the 1"):
        modulate(AUTrack.of(x, estimator="t"), settings=Modulation(max_gap=1))


def test_settings_are_json_able() -> None:
    assert digest(Modulation(gain={"12L": 1.3}).to_json()) != digest(Modulation().to_json())


def test_many_refuses_what_is_per_clip() -> None:
    x = noisy(2, 30)
    for settings in (Modulation(n="auto"), Modulation(presence_gate=0.5)):
        with pytest.raises(InputError, match="clip by clip"):
            modulate_many(x, settings=settings)
    with pytest.raises(InputError, match="N T 2 17"):
        modulate_many(x[0])
    x[1, 3, 0, 0] = np.nan
    with pytest.raises(InputError, match="NaN"):
        modulate_many(x)
    with pytest.raises(TrackError, match="shorter than the window"):
        modulate_many(noisy(2, 4), settings=Modulation(n=3, edges="drop"))
