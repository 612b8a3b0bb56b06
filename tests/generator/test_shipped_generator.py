"""The compact generator that ships, on a real face."""

from __future__ import annotations

import numpy as np
import pytest

from famaug.aus.estimator import measure_aus
from famaug.generator.learned import LearnedRenderer, shipped_generator
from famaug.generator.warp import WarpRenderer
from famaug.types import AU_INDEX
from famaug.weights.load import shipped_path


@pytest.fixture(scope="module")
def face(astronaut) -> LearnedRenderer:
    return LearnedRenderer(*astronaut)


def asked(au: int, *, left: float, right: float) -> np.ndarray:
    out = np.zeros((1, 2, 17), np.float32)
    out[0, :, AU_INDEX[au]] = left, right
    return out


def test_it_is_small(face):
    assert shipped_path("compact_generator").stat().st_size < 8 << 20
    assert shipped_generator().kind == "compact"


def test_what_is_asked_can_be_read_again(face, mesher):
    rest = np.zeros((1, 2, 17), np.float32)
    units = (1, 2, 4, 6, 9, 12, 26)
    track = np.concatenate([rest, *(asked(au, left=2, right=0.5) for au in units)])
    seen = measure_aus(face.render(track), mesher=mesher).track.intensity[1:]
    for row, au in enumerate(units):
        left, right = seen[row, :, AU_INDEX[au]]
        assert left > right + 0.5, au
        assert left > 0.8, au


def test_it_is_closer_to_its_teacher_than_the_known_motion_is(face, astronaut):
    """Where the jaw drops: the inside of the mouth is no motion of the picture."""
    teacher = WarpRenderer(*astronaut, skin=0)
    bare = LearnedRenderer(*astronaut, skin=0)
    known = LearnedRenderer(*astronaut, skin=0, generator=_silent())
    what = asked(26, left=2, right=2)
    target = teacher.render(what)[0].astype(float)
    errors = [np.abs(r.render(what)[0] - target).mean() for r in (bare, known)]
    assert errors[0] < 0.9 * errors[1]


def _silent():
    """The shipped network with nothing to say."""
    import copy
    from dataclasses import replace

    generator = shipped_generator()
    network = copy.deepcopy(generator.network)
    network.head.weight.zero_()
    network.head.bias.zero_()
    return replace(generator, network=network)
