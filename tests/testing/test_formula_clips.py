from __future__ import annotations

import numpy as np
import pytest

from famaug.errors import InputError
from famaug.testing import make_clip


def test_the_same_seed_gives_the_same_clip() -> None:
    one, two, other = make_clip(3), make_clip(3), make_clip(4)
    np.testing.assert_array_equal(one.frames, two.frames)
    assert one.ref == two.ref
    assert np.abs(one.frames.astype(int) - other.frames).mean() > 10
    assert one.frames.std() > 15


def test_it_slides_by_the_given_shift() -> None:
    """A quarter pixel a frame to the right: after four frames a whole pixel."""
    frames = make_clip(0, frames=5, shift=(0.25, -0.5)).frames.astype(int)
    moved = np.abs(frames[4, :-2, 1:] - frames[0, 2:, :-1])
    assert moved.max() <= 1
    assert np.abs(frames[4] - frames[0]).mean() > 5


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(InputError, match="frames >= 1"):
        make_clip(0, frames=0)
