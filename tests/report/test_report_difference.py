from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2lab

from famaug.errors import InputError
from famaug.report.difference import (
    difference_picture,
    diverging_map,
    fitting_gain,
    signed_difference,
    still_share,
)

NEUTRAL = diverging_map()[255]


def grey(value: int = 120) -> np.ndarray:
    return np.full((8, 10, 3), value, np.uint8)


def test_identical_pictures_are_neutral_everywhere() -> None:
    assert (difference_picture(grey(), grey(), gain=32) == NEUTRAL).all()


@pytest.mark.parametrize("channel", [0, 1, 2])
@pytest.mark.parametrize("step", [-1, 1])
def test_the_smallest_change_of_any_channel_stands_off_from_neutral(
    channel: int, step: int
) -> None:
    changed = grey()
    changed[3, 4, channel] = 120 + step
    picture = difference_picture(changed, grey(), gain=1)
    off = (picture != NEUTRAL).any(axis=-1)
    assert off.sum() == 1
    assert off[3, 4]
    assert np.abs(picture[3, 4].astype(int) - NEUTRAL).max() >= 4


def test_darker_is_blue_and_brighter_is_red() -> None:
    darker = difference_picture(grey(80), grey(), gain=4)[0, 0].astype(int)
    brighter = difference_picture(grey(160), grey(), gain=4)[0, 0].astype(int)
    assert darker[2] > darker[0] + 60
    assert brighter[0] > brighter[2] + 60


def test_a_change_of_colour_without_luminance_is_seen() -> None:
    changed = grey()
    changed[..., 0] += 10
    changed[..., 1] -= 3
    assert (signed_difference(changed, grey()) == 10).all()


def test_map_darkens_steadily_to_both_ends_and_evenly() -> None:
    lightness = rgb2lab(diverging_map()[None])[0, :, 0]  # CIELAB, 0-100
    assert (np.diff(lightness[:256]) >= -0.3).all()
    assert (np.diff(lightness[255:]) <= 0.3).all()
    assert abs(lightness[0] - lightness[-1]) < 5


def test_gain_follows_the_size_of_the_change() -> None:
    small, large = grey(123), grey(250)
    assert fitting_gain(small[None], grey()) == 32
    assert fitting_gain(large[None], grey()) == 1
    assert fitting_gain(grey(150)[None], grey()) == 8
    assert fitting_gain(grey()[None], grey()) == 1


def test_still_share_counts_pixels_equal_in_all_frames() -> None:
    frames = np.stack([grey(), grey(), grey()])
    frames[2, :4, 0, 1] += 1
    assert still_share(frames) == pytest.approx(1 - 4 / 80)


def test_sizes_that_differ_are_named() -> None:
    with pytest.raises(InputError, match=r"\(8, 10, 3\) and \(4, 10, 3\)"):
        difference_picture(grey(), grey()[:4], gain=1)
    with pytest.raises(InputError, match="gain"):
        difference_picture(grey(), grey(), gain=0)
