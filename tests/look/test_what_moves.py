"""Turns of the head, drift, a crop that jumps, light that changes, lids that half close: each drawn
as wide as its number says, and seen in the pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from famaug import Synthesizer
from famaug.errors import InputError, RenderError
from famaug.faces.align import crop_face
from famaug.faces.framing import Framing, matrix_of, moved_mesh
from famaug.faces.landmarks import LEFT_BROW, OUTER_LIPS, RIGHT_BROW
from famaug.faces.mesher import FaceMesher
from famaug.faces.pose import FLIP, angles, fit_similarity
from famaug.look.applying import apply_look, luma
from famaug.look.curves import HALF_SHUT, slow
from famaug.look.look import Look
from famaug.look.turning import HeadTurns, rotation, turned_mesh
from famaug.media.pictures import read_picture
from famaug.samples import faces
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AUTrack, Floats, Frames

SIZE = (256, 208)
PLAIN = Look(
    size=SIZE,
    fps=100.0,
    grey=False,
    framing=(0.5, 0.2, 0.5, 0.74),
    spread=((0.0,) * 4,) * 4,
    blur=0.0,
    noise=((0.0, 0.0), (255.0, 0.0)),
    chroma=0.0,
    jpeg=None,
    paths=(),
    blinks=0.0,
    subjects=("d/s1",),
    clips=1,
)
NOSE = (1, 4, 5, 195, 197, 6)


@pytest.fixture(scope="module")
def face(mesher: FaceMesher) -> tuple[Frames, Floats]:
    """A crop of 400 pixels and its mesh."""
    picture = read_picture(sorted(faces().values())[4])
    crop, mesh, _ = crop_face(picture, mesher.find(picture), 400)
    return crop, mesh


def drawn(look: Look, length: int, seed: int = 0, **more: Any) -> dict[str, Any]:
    return look.draw(keyed_generator(seed, "w"), length=length, fps=100.0) | more


def shown(face: tuple[Frames, Floats], told: dict[str, Any], length: int) -> Frames:
    return apply_look(np.repeat(face[0][None], length, 0), face[1], told)


def in_frame(face: tuple[Frames, Floats]) -> Floats:
    return moved_mesh(face[1], matrix_of(face[1], Framing(*PLAIN.framing), SIZE))


def followed(clip: Frames, points: NDArray[Any], i: int = -1) -> NDArray[Any]:
    """How far points of the first frame have moved in frame i, by their texture."""
    grey = [cv2.cvtColor(clip[k], cv2.COLOR_RGB2GRAY) for k in (0, i)]
    at = points.astype(np.float32)[:, None]
    to, ok, _ = cv2.calcOpticalFlowPyrLK(grey[0], grey[1], at, None, winSize=(15, 15))
    out: NDArray[Any] = np.where(ok == 1, (to - at)[:, 0], np.nan)
    return out


def textured(clip: Frames, mesh: Floats) -> NDArray[Any]:
    """Mesh points on texture, away from the frame's border."""
    x, y = mesh[:468, 0], mesh[:468, 1]
    inside = (x > 20) & (x < SIZE[1] - 20) & (y > 20) & (y < SIZE[0] - 20)
    corner = cv2.cornerMinEigenVal(cv2.cvtColor(clip[0], cv2.COLOR_RGB2GRAY), 9)
    at = np.flatnonzero(inside)
    strength = corner[y[at].astype(int), x[at].astype(int)]
    out: NDArray[Any] = at[strength > np.quantile(strength, 0.4)]
    return out


@pytest.mark.parametrize("turn", [(2.0, 0.0), (-2.0, 0.0), (0.0, 2.0), (0.0, -2.0), (3.0, -2.0)])
def test_pixels_go_where_the_turned_mesh_goes(
    turn: tuple[float, float], face: tuple[Frames, Floats]
) -> None:
    clip = shown(face, drawn(PLAIN, 2, turn=[[0, 0], list(turn)]), 2)
    mesh = in_frame(face)
    at = textured(clip, mesh)
    want = (turned_mesh(mesh, *turn) - mesh)[at, :2]
    got = followed(clip, mesh[at, :2])
    sure = np.isfinite(got).all(1)
    assert sure.sum() > 100
    want, got = want[sure], got[sure]
    # the depth is smoothed, and following by texture smooths once more
    assert np.corrcoef(want.ravel(), got.ravel())[0, 1] > 0.94
    assert (want * got).sum() / (want**2).sum() == pytest.approx(0.95, abs=0.12)
    field = _forward(HeadTurns(mesh, SIZE), *turn)
    x, y = mesh[at, :2].astype(np.float32).T
    there = cv2.remap(field, x[:, None], y[:, None], cv2.INTER_LINEAR)[:, 0][sure]
    assert np.sqrt(((there - want) ** 2).mean() / (want**2).mean()) < 0.2
    # the nose is carried farthest, to where it points
    nose, brows = (np.nanmedian(followed(clip, mesh[list(k), :2]), 0) for k in (NOSE, LEFT_BROW))
    ahead = (nose - brows) * [1, -1]
    for k in (0, 1):
        if turn[k]:
            assert np.sign(ahead[k]) == np.sign(turn[k])


def test_a_turned_mesh_has_the_angles_asked_for(face: tuple[Frames, Floats]) -> None:
    mesh = in_frame(face)
    assert angles(rotation(7, -4)) == pytest.approx((7, -4, 0), abs=1e-9)
    found = fit_similarity(mesh * FLIP, turned_mesh(mesh, 7, -4) * FLIP, np.ones(len(mesh)))
    assert angles(found.rotation) == pytest.approx((7, -4, 0), abs=1e-6)
    assert found.scale == pytest.approx(1)


def test_the_way_back_is_the_way_there(face: tuple[Frames, Floats]) -> None:
    turns = HeadTurns(in_frame(face), SIZE)
    still = np.array([[1.0, 0, 0], [0, 1, 0]])
    assert not turns.backward(0, 0, still).any()
    back = turns.backward(5, -5, still)
    y, x = (v.astype(np.float32) for v in np.mgrid[: SIZE[0], : SIZE[1]])
    there = cv2.remap(_forward(turns, 5, -5), x + back[..., 0], y + back[..., 1], cv2.INTER_LINEAR)
    assert np.quantile(np.abs(there + back)[8:-8, 8:-8], 0.99) < 0.15
    assert np.abs(back).max() > 6


def _forward(turns: HeadTurns, yaw: float, pitch: float) -> NDArray[Any]:
    turn = rotation(yaw, pitch) * FLIP[:, None] * FLIP - np.eye(3)
    field = np.tensordot(turn[:2], turns.place, 1).transpose(1, 2, 0).astype(np.float32)
    return np.asarray(cv2.resize(field, SIZE[::-1], interpolation=cv2.INTER_LINEAR))


def test_what_is_far_from_the_face_stays(mesher: FaceMesher) -> None:
    picture = read_picture(sorted(faces().values())[4])
    _, mesh, _ = crop_face(picture, mesher.find(picture), 256, margin=2.6)
    turns = HeadTurns(mesh, (256, 256))
    back = np.abs(turns.backward(5, 5, np.array([[1.0, 0, 0], [0, 1, 0]]))).max(-1)
    x, y = mesh[list(OUTER_LIPS), 0].mean(), mesh[:468, 1].mean()
    assert back[round(y), round(x)] > 1
    assert back[:8].max() == back[-8:].max() == back[:, :8].max() == back[:, -8:].max() == 0


def test_turned_or_not_a_pixel_is_sampled_once(face: tuple[Frames, Floats]) -> None:
    """No turn, written out as zeros, gives the same sharpness as none: nothing is blurred twice."""
    still = shown(face, drawn(PLAIN, 2), 2)
    zeros = shown(face, drawn(PLAIN, 2, turn=[[0, 0], [0, 0]]), 2)
    turned = shown(face, drawn(PLAIN, 2, turn=[[0, 0], [3, 2]]), 2)
    assert np.abs(still.astype(int) - zeros).mean() < 0.6  # maps are rounded to 1/32 pixel
    sharp = [
        cv2.Laplacian(luma(clip[1]), cv2.CV_32F)[20:-20, 20:-20].std()
        for clip in (still, zeros, turned)
    ]
    assert sharp[1] == pytest.approx(sharp[0], rel=0.02)
    assert sharp[2] == pytest.approx(sharp[0], rel=0.06)


def test_slow_curves_are_as_wide_as_asked_and_smooth() -> None:
    paths = np.stack([slow(keyed_generator(i, "slow"), 61, 2) for i in range(3000)])
    assert not paths[:, 0].any()
    # numbers beyond two deviations are set to two: 0.96 of the width
    assert paths[:, -1].std() == pytest.approx(0.96, abs=0.03)
    assert paths[:, 30].std() == pytest.approx(0.96 * np.sqrt(0.5), abs=0.05)
    assert np.abs(np.diff(paths, 2, axis=1)).max() < 0.05
    assert abs(np.corrcoef(paths[:, -1].T)[0, 1]) < 0.06


def test_numbers_are_drawn_as_wide_as_they_say() -> None:
    look = replace(
        PLAIN,
        turns=(1.5, 0.5),
        drift=(0.02, 1.0, 0.01),
        misalign=(0.01, 0.4, 0.02),
        flicker=(0.03, 0.01),
    )
    told = [drawn(look, 12, seed) for seed in range(1500)]
    turn = np.array([t["turn"] for t in told])
    path = np.array([t["path"] for t in told])
    light = np.array([t["light"] for t in told])
    jump = np.array([t["jump"] for t in told])[:, 0]
    assert turn[:, -1].std(0) == pytest.approx((1.44, 0.48), rel=0.06)
    wide = np.array([0.02, 0.02, np.radians(1), 0.01]) * 0.96
    assert path[:, -1].std(0) == pytest.approx(wide, rel=0.06)
    assert np.log(light[:, -1, 0]).std() == pytest.approx(0.0288, rel=0.06)
    assert light[:, -1, 1].std() == pytest.approx(0.0096 * 255, rel=0.06)
    assert light[0, 0] == pytest.approx((1, 0))
    wide = np.array([0.01, 0.01, np.radians(0.4), 0.02]) * 0.96
    assert jump.std(0) == pytest.approx(wide, rel=0.06)
    assert drawn(PLAIN, 12).keys() & {"turn", "light", "jump"} == set()


def test_measured_paths_go_before_drift() -> None:
    look = replace(PLAIN, drift=(0.1, 1, 0.1), paths=((0.1, ((0.0,) * 4, (0.0,) * 4)),))
    assert not np.any(drawn(look, 5)["path"])


def test_the_crop_jumps_after_the_onset(face: tuple[Frames, Floats]) -> None:
    told = drawn(PLAIN, 5, jump=[[0.02, -0.01, 0.0, 0.0]], onset=2)
    clip = shown(face, told, 5)
    assert np.array_equal(clip[0], clip[1])
    assert np.array_equal(clip[0], clip[2])
    assert np.array_equal(clip[3], clip[4])
    mesh = in_frame(face)
    moved = np.nanmedian(followed(clip, mesh[textured(clip, mesh), :2]), 0)
    assert moved == pytest.approx((0.02 * SIZE[1], -0.01 * SIZE[1]), abs=0.15)
    moving = Synthesizer(size=320, look=replace(PLAIN, misalign=(0.01, 0.1, 0)))
    track = np.zeros((9, 2, 17))
    track[4:, :, AU_INDEX[12]] = 1
    plan = moving.plan(
        AUTrack.of(track, estimator="t", fps=100.0, modulated=True), face[0], keyed_generator(0, "")
    )
    assert plan.look is not None
    assert plan.look["onset"] == plan.key_frames[0] == 3


def test_light_changes(face: tuple[Frames, Floats]) -> None:
    told = drawn(PLAIN, 3, light=[[1.0, 0.0], [1.1, 0.0], [0.9, 4.0]])
    clip = shown(face, told, 3).astype(float)
    dark = clip[0] < 220
    assert (clip[1] / np.maximum(clip[0], 1))[dark & (clip[0] > 40)].mean() == pytest.approx(
        1.1, abs=0.01
    )
    assert (clip[2] - 0.9 * clip[0])[dark].mean() == pytest.approx(4, abs=0.1)


def test_lids_close_half_way_as_often_as_said() -> None:
    track = AUTrack.of(np.zeros((100, 2, 17)), estimator="t", fps=100.0)
    often, au = replace(PLAIN, half_blinks=0.7), AU_INDEX[45]
    tops = np.array(
        [often.timed(track, keyed_generator(i, "h")).intensity[..., au].max() for i in range(400)]
    )
    assert 0.42 < (tops > 0).mean() < 0.58  # 1 - exp(-0.7)
    # one at the clip's edge is seen in part
    assert tops.max() <= HALF_SHUT[1]
    assert np.median(tops[tops > 0]) == pytest.approx(np.mean(HALF_SHUT), abs=0.25)
    stay = [often.timed(track, keyed_generator(i, "h")).intensity[-1, 0, au] for i in range(400)]
    assert 0.2 < np.mean(np.array(stay)[tops > 0] > 0.5) < 0.5  # a third, and those at the end
    assert not PLAIN.timed(track, keyed_generator(0, "h")).intensity.any()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"turns": (1.0,)}, "turns are 2 numbers"),
        ({"turns": (-1.0, 0.0)}, "turns are 2 numbers from 0 to 15, 15"),
        ({"drift": (0.1, 90.0, 0.0)}, "drift are 3 numbers"),
        ({"misalign": (float("nan"), 0.0, 0.0)}, "misalign are 3 numbers"),
        ({"flicker": (2.0, 0.0)}, "flicker are 2 numbers"),
        ({"half_blinks": -1.0}, "half_blinks a second"),
    ],
)
def test_numbers_that_cannot_be(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        replace(PLAIN, **changes)


def test_profiles_and_plans_of_the_first_version(face: tuple[Frames, Floats]) -> None:
    new = ("turns", "drift", "misalign", "flicker", "half_blinks", "source")
    old = {k: v for k, v in PLAIN.to_json().items() if k not in new} | {"version": "look/1"}
    assert Look.from_json(old) == PLAIN
    told = drawn(PLAIN, 2)
    first = shown(face, told | {"version": "look/1"}, 2)
    assert np.array_equal(first, shown(face, told, 2))
    for name in ("turn", "light"):
        with pytest.raises(RenderError, match=f"{name} was drawn for 1 frames; the clip has 2"):
            shown(face, told | {name: [[1.0, 0.0]]}, 2)
    with pytest.raises(RenderError, match=r"jump has rows of 4 numbers; got \[\[1\.0, 0\.0\]\]"):
        shown(face, told | {"jump": [[1.0, 0.0]]}, 2)


def test_turns_of_a_clip_are_in_its_plan(face: tuple[Frames, Floats]) -> None:
    maker = Synthesizer(size=320, look=replace(PLAIN, turns=(2.0, 2.0)))
    plan = maker.plan("aus:12=1", face[0], keyed_generator(1, "t"))
    assert plan.look is not None
    assert replace(plan, look=plan.look | {"turn": []}).key != plan.key
    clip = maker.render([plan])[0]
    assert np.array_equal(clip, maker.render([plan])[0])
    brows = in_frame(face)[[*LEFT_BROW, *RIGHT_BROW], :2]
    assert np.isfinite(followed(clip, brows)).any()
