from __future__ import annotations

import numpy as np
import pytest

from famaug.errors import InputError
from famaug.report.difference import diverging_map
from famaug.report.lettering import PAPER
from famaug.report.strip import (
    GAP,
    HEAD,
    MARGIN,
    choose_frames,
    difference_strip,
    film_strip,
    same_moment,
)
from famaug.types import Frames
from tests.report.report_sample import APEX, BOXES, FPS, OFFSET, ONSET

MARKS = {"onset": ONSET, "apex": APEX, "offset": OFFSET, "fps": FPS}


def column(k: int) -> slice:
    return slice(MARGIN + k * (256 + GAP), MARGIN + k * (256 + GAP) + 256)


def test_frames_are_chosen_between_the_marks_and_never_twice() -> None:
    assert choose_frames(4, 22, 50) == (4, 13, 22, 36, 50)
    assert choose_frames(4, 22, 50, between=0) == (4, 22, 50)
    assert choose_frames(0, 1, 2) == (0, 1, 2)
    assert choose_frames(3, 3, 3) == (3,)


def test_moments_map_end_to_end() -> None:
    assert [same_moment(i, 5, 9) for i in range(5)] == [0, 2, 4, 6, 8]
    assert same_moment(0, 1, 7) == 0


def test_strip_holds_the_frames_at_full_resolution(smile_frames: Frames) -> None:
    strip = np.asarray(film_strip(smile_frames, (4, 22, 50), **MARKS))
    assert strip.shape == (HEAD + 256, MARGIN + 3 * 256 + 2 * GAP, 3)
    for k, i in enumerate((4, 22, 50)):
        np.testing.assert_array_equal(strip[HEAD:, column(k)], smile_frames[i])


def test_heads_are_written_above_every_column(smile_frames: Frames) -> None:
    strip = np.asarray(film_strip(smile_frames, (4, 13, 22), **MARKS))
    inked = [(strip[:20, column(k)] != PAPER).any() for k in range(3)]
    assert inked == [True, False, True]  # 13 is neither onset nor apex
    assert all((strip[20:HEAD, column(k)] != PAPER).any() for k in range(3))


def test_details_and_driver_are_rows_of_their_own(smile_frames: Frames) -> None:
    driver = np.full((7, 128, 128, 3), 90, np.uint8)
    strip = film_strip(smile_frames, (4, 22), **MARKS, driver=driver, boxes=BOXES)
    rows = [256, 256, *(round((y1 - y0) * 256 / (x1 - x0)) for x0, y0, x1, y1 in BOXES.values())]
    assert strip.size == (MARGIN + 2 * 256 + GAP, HEAD + sum(rows) + GAP * (len(rows) - 1))
    assert (np.asarray(strip)[HEAD : HEAD + 256, column(0)] == 90).all()


def test_small_clips_are_enlarged_by_a_whole_factor() -> None:
    frames = np.zeros((3, 60, 64, 3), np.uint8)
    strip = film_strip(frames, (0, 1, 2), onset=0, apex=1, offset=2, fps=30)
    assert strip.size == (MARGIN + 3 * 192 + 2 * GAP, HEAD + 180)


def test_difference_strip_is_neutral_at_the_onset_and_shows_the_motion(
    smile_frames: Frames,
) -> None:
    strip = np.asarray(difference_strip(smile_frames, (ONSET, APEX), **MARKS))[HEAD : HEAD + 256]
    neutral = diverging_map()[255]
    assert (strip[:, column(0)] == neutral).all()
    moved = (strip[:, column(1)] != neutral).any(axis=-1)
    truth = (smile_frames[APEX] != smile_frames[ONSET]).any(axis=-1)
    np.testing.assert_array_equal(moved, truth)
    assert 0.02 < moved.mean() < 0.2


def test_every_colour_of_an_enlarged_difference_is_one_of_the_map() -> None:
    frames = np.zeros((2, 50, 50, 3), np.uint8)
    frames[1, 10:20, 10:20] = 7
    strip = difference_strip(frames, (0, 1), onset=0, apex=1, offset=1, fps=30, gain=8)
    cell = np.asarray(strip)[HEAD : HEAD + 200, MARGIN + 200 + GAP :]
    assert cell.shape == (200, 200, 3)
    colours = {tuple(c) for c in cell.reshape(-1, 3).tolist()}
    assert colours == {tuple(diverging_map()[k].tolist()) for k in (255, 255 + 56)}


def test_frames_that_are_not_there_are_an_error(smile_frames: Frames) -> None:
    for chosen in ((), (0, 56), (-1,)):
        with pytest.raises(InputError, match="between 0 and 55"):
            film_strip(smile_frames, chosen, **MARKS)
