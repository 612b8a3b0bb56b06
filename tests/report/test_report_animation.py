from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from famaug.errors import InputError
from famaug.report.animation import (
    SHORTEST_MS,
    animated_webp,
    fitting_webp,
    playback,
    side_by_side,
    slow_factor,
)
from famaug.seeding import keyed_generator
from famaug.types import Frames


def noise(count: int, height: int = 24, width: int = 32) -> Frames:
    generator = keyed_generator(1, "animation")
    return generator.integers(0, 256, (count, height, width, 3), np.uint8)


@pytest.mark.parametrize("fps", [24, 29.97, 30, 50, 60, 100, 200])
def test_playback_takes_as_long_as_the_clip(fps: float) -> None:
    show = playback(61, fps)
    assert sum(show.durations) == pytest.approx(61 / fps * 1000, abs=0.51)
    assert show.indices[0] == 0
    assert min(show.durations[:-1]) >= SHORTEST_MS


def test_slowed_playback_keeps_every_frame() -> None:
    show = playback(61, 200, slow=8)
    assert show.indices == tuple(range(61))
    assert set(show.durations) == {40}
    assert playback(10, 50).indices == tuple(range(10))


def test_slow_factor_gives_every_frame_40_ms() -> None:
    assert [slow_factor(f) for f in (25, 30, 60, 100, 200)] == [2, 2, 4, 4, 8]


def test_lossless_animation_decodes_to_the_same_frames_and_times() -> None:
    frames = noise(5)
    data = animated_webp(frames, (33, 34, 33, 33, 34), quality=None, pause_ms=500)
    with Image.open(io.BytesIO(data)) as image:
        assert image.n_frames == 5
        assert image.info["loop"] == 0
        decoded = [(np.asarray(f.convert("RGB")), f.info["duration"]) for f in
                   ImageSequence.Iterator(image)]  # fmt: skip
    np.testing.assert_array_equal(np.stack([f for f, _ in decoded]), frames)
    assert [d for _, d in decoded] == [33, 34, 33, 33, 534]


def test_quality_falls_until_the_budget_is_kept() -> None:
    frames = noise(4, 64, 64)
    times = [40] * 4
    best, least = (len(animated_webp(frames, times, quality=q)) for q in (90, 62))
    assert len(fitting_webp(frames, times, budget=best)) == best
    assert least <= len(fitting_webp(frames, times, budget=best - 1)) < best
    assert len(fitting_webp(frames, times, budget=1)) == least


def test_panels_stand_side_by_side_at_one_height() -> None:
    still, moving = noise(1, 48, 64), noise(3)
    joined = side_by_side([("neutral", still), ("synthetic", moving)])
    assert joined.shape[0] == 3
    assert joined.shape[2] == 32 + 6 + 32
    np.testing.assert_array_equal(joined[:, -24:, -32:], moving)
    assert (joined[:, -24:, :32] == joined[:1, -24:, :32]).all()


def test_lengths_that_do_not_fit_are_errors() -> None:
    with pytest.raises(InputError, match=r"\[2, 3\]"):
        side_by_side([("a", noise(2)), ("b", noise(3))])
    with pytest.raises(InputError, match="3 frames, but 2"):
        animated_webp(noise(3), (10, 10))
    with pytest.raises(InputError, match="above 0"):
        playback(3, 0)
