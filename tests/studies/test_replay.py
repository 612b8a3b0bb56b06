"""What the replay says of changes whose answer is known."""

from __future__ import annotations

import evaluate_skin
import numpy as np
import pytest
import replay
from replay import Change, Seen

from famaug.types import AU_INDEX, AUS, Floats

SHAPE = (12, 12, 31)


def frames_of(au: int, strength: float, *, share: float, noise: float, count: int) -> list[Seen]:
    """Frames that show an AU, all real ones with noise of their own; rendered: a share of it."""
    pattern = np.random.default_rng(7)
    gradients = pattern.normal(size=SHAPE).astype(np.float32)
    light = pattern.normal(size=(112, 112)).astype(np.float32)
    out = []
    for k in range(count):
        rng = np.random.default_rng(100 + k)
        aus: Floats = np.zeros(len(AUS), np.float32)
        aus[AU_INDEX[au]] = strength
        own = 1.0 if strength >= 1 else 0.0
        real = Change(
            (own * gradients + noise * rng.normal(size=SHAPE)).astype(np.float32),
            (own * light + noise * rng.normal(size=light.shape)).astype(np.float32),
        )
        out.append(Seen(aus, real, Change(share * gradients, share * light)))
    return out


@pytest.mark.parametrize("share", [0.5, 1.0, 1.5])
def test_size_is_rendered_over_real_with_the_noise_of_resting_frames_taken_off(
    share: float,
) -> None:
    seen = frames_of(12, 2.0, share=share, noise=1.0, count=8)
    seen += frames_of(12, 0.0, share=0, noise=1.0, count=8)
    row = replay.compared(seen, 12, ())
    assert row is not None
    assert row.frames == 8
    for size, cosine in (row.gradients, row.light):
        assert size == pytest.approx(share, rel=0.1)
        assert cosine == pytest.approx(np.sqrt(0.5), abs=0.05)


def test_frames_of_other_aus_of_the_region_are_no_rest() -> None:
    """A smile's frames say nothing of the noise where the lip rises."""
    seen = frames_of(12, 2.0, share=1, noise=0, count=6)
    both = [s._replace(aus=s.aus.copy()) for s in seen]
    for s in both:
        s.aus[AU_INDEX[10]] = 1.5
    row = replay.compared([*seen, *both], 10, ())
    assert row is not None
    assert row.gradients == pytest.approx((1, 1), abs=1e-3)


def test_an_au_that_eyes_doubt_or_few_frames_show_is_left_out() -> None:
    seen = frames_of(12, 2.0, share=1, noise=0, count=6)
    assert replay.compared(seen, 12, (12,)) is None
    assert replay.compared(seen[:3], 12, ()) is None
    assert replay.compared([s._replace(made=None) for s in seen], 12, ()) is None


def test_every_au_has_a_region_with_cells_and_pixels() -> None:
    assert set(replay.REGIONS) == set(AUS)
    for region in replay.REGIONS.values():
        assert evaluate_skin.cells_of(region).any()
