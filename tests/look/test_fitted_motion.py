"""Turns in depth and changes of light are measured as wide as clips were made with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from famaug import Synthesizer
from famaug.data.head_motion import AT_REST, head_motion, light_change, width_of
from famaug.data.look_fit import fit_look
from famaug.faces.align import crop_face
from famaug.faces.framing import Framing, matrix_of, moved_mesh
from famaug.faces.mesher import FaceMesher
from famaug.look.applying import apply_look
from famaug.look.curves import slow
from famaug.look.files import load_look
from famaug.look.look import Look
from famaug.media.pictures import read_picture
from famaug.samples import faces
from famaug.seeding import keyed_generator
from famaug.types import Clip, ClipRef, Floats, Frames
from tests.made_clips import MadeClips

CASME2 = load_look("casme2")
assert isinstance(CASME2, Look)
PLAIN = replace(CASME2, drift=(0.0,) * 3, turns=(0.0, 0.0), misalign=(0.0,) * 3, flicker=(0.0, 0.0))


@pytest.fixture(scope="module")
def face(mesher: FaceMesher) -> tuple[Frames, Floats]:
    picture = read_picture(sorted(faces().values())[4])
    crop, mesh, _ = crop_face(picture, mesher.find(picture), 320)
    return crop, mesh


def shown(face: tuple[Frames, Floats], **rows: list[list[float]]) -> tuple[Frames, Floats]:
    """A still face with these changes from frame to frame, and its mesh in the first."""
    length = len(next(iter(rows.values())))
    told = PLAIN.draw(keyed_generator(0, "f"), length=length, fps=200) | rows
    place = Framing(*told["framing"])
    mesh = moved_mesh(face[1], matrix_of(face[1], place, PLAIN.size))
    return apply_look(np.repeat(face[0][None], length, 0), face[1], told), mesh


def test_a_turn_is_told_from_a_shift(face: tuple[Frames, Floats]) -> None:
    turn = [[0.0, 0.0], [2.0, 0.0], [-2.0, 0.0], [0.0, 2.0], [1.0, -2.0], [0.0, 0.0]]
    path = [[0.0] * 4] * 4 + [[0.02, -0.01, 0.01, 0.005]] * 2
    found = head_motion(*shown(face, turn=turn, path=path))
    assert found.turn == pytest.approx(np.array(turn), abs=0.15)
    assert found.path[:4] == pytest.approx(0, abs=0.004)
    assert found.path[4:] == pytest.approx(np.array(path[4:]), abs=0.004)


def test_light_is_told_from_motion(face: tuple[Frames, Floats]) -> None:
    light = [[1.0, 0.0], [1.05, 0.0], [1.0, 5.0], [0.97, 4.0], [1.02, -3.0]]
    path = [[0.0] * 4, [0.0] * 4, [0.0] * 4, [0.03, 0.02, 0.02, 0.01], [-0.02, 0.0, -0.01, 0.0]]
    clip, mesh = shown(face, light=light, path=path)
    found = light_change(clip, mesh, head_motion(clip, mesh).path)
    assert found[:, 0] == pytest.approx(np.array(light)[:, 0], abs=0.006)
    assert found[:, 1] == pytest.approx(np.array(light)[:, 1], abs=0.9)


def test_the_width_of_slow_curves() -> None:
    def rows(seed: int) -> tuple[tuple[float, ...], ...]:
        curve: NDArray[np.float64] = slow(keyed_generator(seed, "w"), 12, 2) * [2.0, 0.5]
        return tuple(map(tuple, curve))

    many = [rows(i) for i in range(600)]
    assert width_of(many, 2) == pytest.approx((2, 0.5), rel=0.08)
    assert width_of(many, 2, since=AT_REST) == pytest.approx((2, 0.5), rel=0.12)
    few = [*many[:100], *(((0.0, 0.0), (90.0, 90.0)) for _ in range(5))]
    assert width_of(few, 2) == pytest.approx((2, 0.5), rel=0.3)  # some clips are measured wrongly
    assert width_of([], 2) == (0, 0)
    assert width_of([((0.0, 0.0),)], 2) == (0, 0)


@pytest.mark.parametrize(
    ("turns", "flicker"), [((0.0, 0.0), (0.0, 0.0)), ((1.5, 0.6), (0.03, 0.006))]
)
def test_a_fit_gives_the_numbers_that_clips_were_made_with(
    turns: tuple[float, float], flicker: tuple[float, float], mesher: FaceMesher
) -> None:
    """Expressions, drift, noise and JPEG in them, on eight faces."""
    smic = load_look("smic")
    assert isinstance(smic, Look)
    look = replace(
        smic, turns=turns, flicker=flicker, misalign=(0.0,) * 3, blinks=0.0, half_blinks=0.0,
        size=(255, 210), jpeg=92,
    )  # fmt: skip
    maker = Synthesizer(look=look, size=256, fps=100)
    pictures = [read_picture(path) for path in faces().values()]
    clips, turned, lit = [], [], []
    for i in range(16):
        rule = ("rule:positive", "rule:negative", "rule:surprise")[i % 3]
        plan = maker.plan(rule, pictures[i % len(pictures)], keyed_generator(i, "known"))
        assert plan.look is not None
        ref = ClipRef("d", f"s{i}", "c", fps=100.0, onset=0)
        clips.append(Clip(ref, maker.render([plan])[0]))
        turned.append(plan.look.get("turn", []))
        gains = plan.look.get("light", [])
        lit.append([[np.log(gain), offset / 255] for gain, offset in gains])
    found = fit_look(MadeClips(clips), mesher=mesher)
    # against what these sixteen drew: within 0.1 degrees and a sixth, 0.5 % and a tenth
    want = width_of(turned, 2, since=AT_REST)
    assert found.turns == pytest.approx(want, abs=0.1 + max(turns) / 6)
    want = width_of(lit, 2)
    assert found.flicker == pytest.approx(want, abs=0.005 + max(flicker) / 10)
    assert found.misalign == (0, 0, 0)
    assert found.half_blinks == 0
    assert len(found.paths) == found.clips
