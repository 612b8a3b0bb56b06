"""The compact generator that ships, on a real face."""

from __future__ import annotations

import numpy as np
import pytest

from famaug.aus.estimator import measure_aus
from famaug.faces.landmarks import LEFT_LIDS, RIGHT_LIDS
from famaug.generator.learned import LearnedRenderer, shipped_generator
from famaug.generator.warp import WarpRenderer
from famaug.types import AU_INDEX
from famaug.weights.shipped import shipped_path


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


def test_it_is_closer_to_its_teacher_than_what_is_known(closed_mouth):
    """Where lips part: the mouth's inside is no motion of the picture."""
    teacher = WarpRenderer(*closed_mouth)
    ours = LearnedRenderer(*closed_mouth)
    known = LearnedRenderer(*closed_mouth, generator=_silent())
    what = np.concatenate([asked(26, left=2.5, right=2.5), asked(25, left=2.5, right=2.5)])
    target = teacher.render(what).astype(float)
    mouth = np.abs(known.render(what) - target).max((0, 3)) > 8
    assert mouth.sum() > 100
    errors = [np.abs(r.render(what) - target).mean((0, 3))[mouth].mean() for r in (ours, known)]
    assert errors[0] < 0.8 * errors[1]


@pytest.mark.parametrize("au", [5, 45])
def test_lids_are_the_warps(face, astronaut, au):
    what = asked(au, left=3, right=3)
    ours, warped = (r.render(what)[0].astype(float) for r in (face, WarpRenderer(*astronaut)))
    ring = face.mesh[list(LEFT_LIDS + RIGHT_LIDS), :2]
    x0, y0 = ring.min(0).astype(int) - 6
    x1, y1 = ring.max(0).astype(int) + 7
    eyes = (slice(y0, y1), slice(x0, x1))
    asked_for = np.abs(warped - face.picture)[eyes].mean()
    assert np.abs(ours - warped)[eyes].mean() < 0.3 * asked_for


def _silent():
    """The shipped network with nothing to say."""
    import copy
    from dataclasses import replace

    generator = shipped_generator()
    network = copy.deepcopy(generator.network)
    network.head.weight.zero_()
    network.head.bias.zero_()
    return replace(generator, network=network)
