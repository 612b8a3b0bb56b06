"""Each pixel score sees its own defect, in grey levels, and no other."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from famaug.errors import InputError
from famaug.quality.pixels import face_masks, flicker, midline_strip, pixel_scores
from famaug.types import Frames
from tests.quality.rendered_clip import Rendered


@pytest.fixture(scope="module")
def still(rendered: Rendered) -> Frames:
    return np.repeat(rendered.rest[None], 9, 0)


def _bytes(values: Any) -> Frames:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _scores(frames: Frames, rendered: Rendered) -> dict[str, float]:
    return pixel_scores(frames, rendered.rest, rendered.mesh)


def test_a_clip_at_rest_is_without_fault(still: Frames, rendered: Rendered) -> None:
    assert _scores(still, rendered) == {"flicker": 0, "outside": 0, "seam": 0, "sharpness": 1}


def test_flicker_is_the_noise_of_a_frame(still: Frames, rendered: Rendered) -> None:
    noise = np.random.default_rng(0).normal(0, 2, still.shape[:3])[..., None]
    noisy = _scores(_bytes(still + noise), rendered)
    assert noisy["flicker"] == pytest.approx(2, abs=0.15)  # and 0.29 of rounding
    ramp = np.arange(9)[:, None, None, None] * 3.0
    assert _scores(_bytes(still * 0.8 + ramp), rendered)["flicker"] < 0.5


def test_fast_motion_that_was_asked_is_no_flicker() -> None:
    """Four frames up, four down: time alone cannot tell that from noise, the plan can."""
    curve = np.sin(np.linspace(0, np.pi, 9)) ** 2
    asked = np.zeros((9, 2, 17), np.float32)
    asked[:, :, 8] = 1.5 * curve[:, None]
    rng = np.random.default_rng(0)
    moved = 40 * curve[:, None] * rng.normal(size=500) + 30 * curve[:, None] ** 2
    noise = rng.normal(0, 1, moved.shape)
    assert flicker((moved + noise).astype(np.float32)) > 1.5
    assert flicker((moved + noise).astype(np.float32), asked) == pytest.approx(1, abs=0.1)
    assert flicker(moved.astype(np.float32), asked) < 0.01


def test_change_outside_the_face_is_in_grey_levels(rendered: Rendered) -> None:
    grey = np.full((9, *rendered.rest.shape), 100, np.uint8)
    face, outside = face_masks(rendered.mesh, grey.shape[1:3])
    assert 0.1 < face.mean() < 0.6
    assert not (face & outside).any()
    for mask, want in ((outside, 5.0), (face, 0.0)):
        moved = grey.copy()
        moved[4, mask] += 5
        scores = pixel_scores(moved, grey[0], rendered.mesh)
        assert scores["outside"] == pytest.approx(want, abs=1e-3)


def test_a_seam_is_a_jump_at_the_midline_alone(still: Frames, rendered: Rendered) -> None:
    strip = midline_strip(rendered.mesh)
    start, end = strip[0].mean(0), strip[-1].mean(0)
    down = (end - start) / np.hypot(*(end - start))
    y, x = np.mgrid[: still.shape[1], : still.shape[2]]
    beside = (x - start[0]) * down[1] - (y - start[1]) * down[0]
    for shift, low, high in ((0, 1.2, 4.5), (12, 0.0, 0.3)):
        halves = still.astype(np.float64)
        halves[5] += 4 * (beside > shift)[..., None]
        assert low <= _scores(_bytes(halves), rendered)["seam"] <= high
    ramp = 4 * np.clip(beside / 60 + 0.5, 0, 1)
    smooth = _bytes(still + ramp[None, :, :, None])
    assert _scores(smooth, rendered)["seam"] < 0.4


def test_sharpness_falls_with_blur(still: Frames, rendered: Rendered) -> None:
    found = []
    for blur in (0.4, 0.8, 1.6):
        frames = still.copy()
        frames[3] = cv2.GaussianBlur(still[3], (0, 0), blur)
        found.append(_scores(frames, rendered)["sharpness"])
    assert 1 > found[0] > found[1] > found[2]
    assert found[2] < 0.4


def test_a_rendered_clip_has_a_little_of_each(rendered: Rendered) -> None:
    scores = _scores(rendered.frames, rendered)
    assert 0 < scores["flicker"] < 1
    assert scores["outside"] < 0.5
    assert scores["seam"] < 0.5
    assert scores["sharpness"] > 0.8


def test_short_clips_and_wrong_shapes(still: Frames, rendered: Rendered) -> None:
    assert "flicker" not in _scores(still[:4], rendered)
    with pytest.raises(InputError, match="must have one size"):
        pixel_scores(still[:, 1:], rendered.rest, rendered.mesh)
    with pytest.raises(InputError, match="finite, 478 x 3"):
        pixel_scores(still, rendered.rest, rendered.mesh * np.nan)
