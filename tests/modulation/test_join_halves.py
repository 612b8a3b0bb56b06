from __future__ import annotations

import numpy as np
import pytest

from famaug.aus.halves import mirror_halves
from famaug.errors import InputError
from famaug.modulation.halves import join_halves
from famaug.seeding import keyed_generator

LINE = np.array([[20.0, 0.0], [20.0, 39.0]])


def clips() -> tuple[np.ndarray, np.ndarray]:
    rng = keyed_generator(0, "join")
    left, right = rng.integers(0, 256, (2, 3, 40, 41, 3)).astype(np.uint8)
    return left, right


def test_hard_cut_is_the_papers() -> None:
    left, right = clips()
    joined = join_halves(left, right, LINE, seam=0)
    assert np.array_equal(joined[:, :, 21:], left[:, :, 21:])
    assert np.array_equal(joined[:, :, :21], right[:, :, :21])


def test_seam_is_smooth_and_the_rest_untouched() -> None:
    left = np.full((2, 40, 41, 3), 200, np.uint8)
    right = np.full((2, 40, 41, 3), 100, np.uint8)
    row = join_halves(left, right, LINE, seam=8)[0, 7, :, 0].astype(int)
    assert set(row[:17]) == {100}
    assert set(row[24:]) == {200}
    assert row[20] == 150
    assert np.all(np.diff(row) >= 0)
    assert np.diff(row).max() <= 20
    noisy = clips()
    joined = join_halves(*noisy, LINE, seam=8)
    assert np.array_equal(joined[:, :, 25:], noisy[0][:, :, 25:])
    assert np.array_equal(joined[:, :, :16], noisy[1][:, :, :16])


def test_halves_of_a_picture_join_to_the_picture() -> None:
    picture = clips()[0][0]
    left, right = mirror_halves(picture, LINE)
    assert np.array_equal(join_halves(left[None], right[None], LINE, seam=0)[0], picture)


def test_one_midline_a_frame() -> None:
    left, right = clips()
    lines = np.stack([LINE, LINE + np.array([5, 0]), LINE - np.array([5, 0])])
    joined = join_halves(left, right, lines, seam=0)
    for i, column in enumerate((21, 26, 16)):
        assert np.array_equal(joined[i, :, column:], left[i, :, column:])
        assert np.array_equal(joined[i, :, :column], right[i, :, :column])


def test_bad_input() -> None:
    left, right = clips()
    with pytest.raises(InputError, match="of one shape"):
        join_halves(left, right[:2], LINE)
    with pytest.raises(InputError, match="seam must be"):
        join_halves(left, right, LINE, seam=-1)
    with pytest.raises(InputError, match="one for each of 3"):
        join_halves(left, right, np.stack([LINE] * 2))
    with pytest.raises(InputError, match="two points apart"):
        join_halves(left, right, np.zeros((2, 2)))
