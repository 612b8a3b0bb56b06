"""The look: measured on clips whose look is known, drawn into the plan, applied without drawing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from skimage.data import astronaut

from famaug import Synthesizer
from famaug.data import MicroExpressionSynth, leave_one_subject_out
from famaug.data.guard import DRIVER, LOOK, Guard
from famaug.data.head_motion import head_motion
from famaug.data.look_fit import find_mesh, fit_look, jpeg_quality, noise_of
from famaug.errors import InputError, LeakageError, RenderError
from famaug.faces.framing import Framing, framed, matrix_of
from famaug.faces.mesher import FaceMesher
from famaug.look.applying import apply_look, blur_of, luma, sensed
from famaug.look.look import Look
from famaug.look.reading import (
    HAS_LOOK,
    NO_MESH,
    _in_time,
    mesh_in,
    why_no_look,
    with_look,
)
from famaug.modulation.modulate import Modulation
from famaug.pipeline.inputs import Driver, Identity
from famaug.seeding import keyed_generator
from famaug.store import CacheWriter
from famaug.types import AU_INDEX, AUTrack, Clip, ClipRef, Floats, Frames, Provenance
from tests.made_clips import MadeClips
from tests.store.store_builders import ListOfClips, provenance_of

SIZE = (256, 208)
PLACE = Framing(0.5, 0.18, 0.51, 0.76)
NOISE = ((60.0, 1.0), (200.0, 1.8))


@pytest.fixture(scope="module")
def face(mesher: FaceMesher) -> tuple[Frames, Floats]:
    picture = np.asarray(astronaut())
    return picture, mesher.find(picture)


def made_clip(face: tuple[Frames, Floats], seed: int, *, grey: bool = False) -> Clip:
    """A face framed as PLACE, drifting 3 pixels to the right and turning by one degree."""
    picture, mesh = face
    rng = keyed_generator(seed, "look-test")
    matrix = matrix_of(mesh, PLACE, SIZE)
    frames = []
    for i in range(10):
        move = np.array([i / 3, 0, np.radians(i / 9), 0], np.float32)
        shown = cv2.GaussianBlur(framed(picture, matrix, SIZE, move), (0, 0), 0.8)
        shown = np.repeat(luma(shown)[..., None], 3, 2) if grey else shown
        frames.append(sensed(shown, NOISE, 0.0, None, rng))
    ref = ClipRef("d", f"s{seed}", "c", fps=100.0, onset=0, emotion="happy")
    return Clip(ref, np.stack(frames))


@pytest.fixture(scope="module")
def look(face: tuple[Frames, Floats], mesher: FaceMesher) -> Look:
    return fit_look(MadeClips([made_clip(face, i) for i in range(3)]), mesher=mesher)


def test_what_is_measured_is_what_was_made(look: Look, face: tuple[Frames, Floats]) -> None:
    assert look.size == SIZE
    assert look.fps == 100
    assert not look.grey
    assert look.jpeg is None
    assert np.allclose(look.framing, (0.5, 0.18, 0.51, 0.76), atol=0.02)
    levels, spreads = zip(*look.noise, strict=True)
    assert np.allclose(spreads, np.interp(levels, *zip(*NOISE, strict=True)), rtol=0.25)
    seconds, path = look.paths[0]
    assert seconds == pytest.approx(0.09)
    height = (0.76 - 0.18) * SIZE[0]
    assert path[-1][0] * height == pytest.approx(3, abs=0.35)
    assert np.degrees(path[-1][2]) == pytest.approx(1, abs=0.15)
    assert abs(path[-1][3]) < 0.004
    assert look.blinks == 0
    assert look.subjects == ("d/s0", "d/s1", "d/s2")
    assert Look.from_json(json.loads(json.dumps(look.to_json()))) == look
    assert any("brows at 18%" in line for line in look.lines())
    with pytest.raises(InputError, match="fit it again"):
        Look.from_json({"version": "look/0"})


def test_grey_clips_and_blinks(face: tuple[Frames, Floats], mesher: FaceMesher) -> None:
    grey = fit_look(MadeClips([made_clip(face, 1, grey=True)]), mesher=mesher)
    assert grey.grey
    maker = Synthesizer(size=256, modulation=Modulation(n=0))
    plan = maker.plan(
        AUTrack.of(_blink(), estimator="test", fps=100.0), face[0], keyed_generator(0, "b")
    )
    ref = ClipRef("d", "s1", "c", fps=100.0, onset=0)
    blinking = fit_look(MadeClips([Clip(ref, maker.render([plan])[0])]), mesher=mesher)
    assert blinking.blinks > 0


def _blink() -> Floats:
    track = np.zeros((16, 2, 17), np.float32)
    track[4:12, :, AU_INDEX[45]] = 5
    return track


def test_clips_get_the_look(look: Look, face: tuple[Frames, Floats], mesher: FaceMesher) -> None:
    maker = Synthesizer(size=320, look=look, fps=200)
    plan = maker.plan("aus:12=1.5", face[0], keyed_generator(3, "look"), seed=3)
    assert plan.look is not None
    assert plan.look["subjects"] == list(look.subjects)
    assert plan.fps == 100  # the data set's, not the synthesizer's
    json.dumps(plan.to_json())
    (clip,) = maker.render([plan])
    assert clip.shape[1:] == (*SIZE, 3)
    again = fit_look(
        MadeClips([Clip(ClipRef("d", "s9", "c", fps=100.0, onset=0), clip)]), mesher=mesher
    )
    assert np.allclose(again.framing, plan.look["framing"], atol=0.02)
    assert again.blur == pytest.approx(look.blur, abs=0.15)
    assert np.allclose([s for _, s in again.noise], [s for _, s in look.noise], rtol=0.3)
    moved = np.abs(np.asarray(again.paths[0][1])[-1] - np.asarray(plan.look["path"])[-1])
    assert moved[0] < 0.01
    assert moved[2] < 0.004


def test_the_same_plan_gives_the_same_pixels(look: Look, face: tuple[Frames, Floats]) -> None:
    def make(seed: int) -> tuple[str, Frames]:
        maker = Synthesizer(size=256, look=look)
        plan = maker.plan("aus:12=1", face[0], keyed_generator(seed, "look"))
        return plan.key, maker.render([plan])[0]

    (key, clip), (same_key, same), (other_key, other) = make(1), make(1), make(2)
    assert key == same_key
    assert np.array_equal(clip, same)
    assert key != other_key
    assert not np.array_equal(clip, other)


def test_the_look_is_part_of_the_key(look: Look, face: tuple[Frames, Floats]) -> None:
    maker = Synthesizer(size=256)
    plan = maker.plan("aus:12=1", face[0], keyed_generator(1, "look"))
    drawn = look.draw(keyed_generator(1, "l"), length=len(plan.track), fps=100)
    assert plan.look is None
    looked = replace(plan, look=drawn)
    assert looked.key != plan.key
    assert maker.render([looked])[0].shape[1:3] == SIZE  # the plan says it all
    with pytest.raises(RenderError, match="pixels were asked for"):
        maker.render([replace(plan, look=drawn | {"size": [100_000, 100_000]})])
    with pytest.raises(RenderError, match="drawn for"):
        apply_look(np.zeros((3, 64, 64, 3), np.uint8), face[1], drawn)
    with pytest.raises(RenderError, match="look/0"):
        apply_look(np.zeros((3, 64, 64, 3), np.uint8), face[1], drawn | {"version": "look/0"})
    with pytest.raises(InputError, match="size"):
        Synthesizer(size=None, look=look)


def test_a_look_of_a_held_out_subject_stays_out(look: Look) -> None:
    story = provenance_of(1, driver="d/s5", identity="d/s6")
    looked = replace(story, plan=replace(story.plan, look={"subjects": list(look.subjects)}))
    assert Guard({"d/s7"}).reason(looked) is None
    assert Guard({"d/s01"}).reason(looked) == LOOK
    with pytest.raises(LeakageError, match="look fitted"):
        Guard({"d/s1"}).check(looked, "clip")


def test_a_fold_is_measured_without_its_test_subject(
    face: tuple[Frames, Floats], mesher: FaceMesher
) -> None:
    from famaug.data import leave_one_subject_out

    data = MadeClips([made_clip(face, i) for i in range(2)])
    fold = leave_one_subject_out(data)[0]
    assert fit_look(fold.train, mesher=mesher).subjects == ("d/s1",)

    class Leaky(MadeClips):
        held_out = frozenset({"d/s1"})

    with pytest.raises(LeakageError):
        fit_look(Leaky(data.clips), mesher=mesher)


def test_no_face_no_look(mesher: FaceMesher) -> None:
    blank = Clip(ClipRef("d", "s", "c", fps=1.0), np.zeros((2, 64, 64, 3), np.uint8))
    with pytest.raises(InputError, match="none of 1 clips shows a face"):
        fit_look(MadeClips([blank]), mesher=mesher)


def test_jpeg_quality_is_read_from_the_file(tmp_path: Path) -> None:
    picture = np.asarray(astronaut())[:64, :64]
    for quality in (30, 75, 92):
        path = tmp_path / f"{quality}.jpg"
        cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert jpeg_quality(str(path)) == pytest.approx(quality, abs=1)
    assert jpeg_quality(str(tmp_path / "x.png")) is None


def test_blur_and_noise_by_hand(face: tuple[Frames, Floats]) -> None:
    sharp = luma(face[0])
    measured = [blur_of(cv2.GaussianBlur(sharp, (0, 0), s)) for s in (1.0, 1.5, 2.5)]
    assert measured == sorted(measured)
    assert measured[2] - measured[0] == pytest.approx(1.5, abs=0.5)
    still = np.repeat(face[0][None], 3, 0)
    assert noise_of(still)[0][0][1] == 0
    assert noise_of(still[:1])[1] == 0


def test_a_still_head_does_not_move(face: tuple[Frames, Floats]) -> None:
    still = np.repeat(face[0][None], 3, 0)
    moves, turn = head_motion(still, face[1])
    assert np.abs(moves).max() < 1e-3
    assert np.abs(turn).max() < 1e-2
    flat = np.full((2, 64, 64, 3), 7, np.uint8)
    assert not any(m.any() for m in head_motion(flat, face[1] / 8))


def test_a_blink_is_planned_as_often_as_measured(look: Look) -> None:
    track = AUTrack.of(np.zeros((100, 2, 17)), estimator="t", fps=100.0)
    often = replace(look, blinks=0.7)
    au = AU_INDEX[45]
    hits = [
        bool(often.timed(track, keyed_generator(i, "blink")).intensity[..., au].any())
        for i in range(200)
    ]
    assert 0.38 < np.mean(hits) < 0.62  # 1 - exp(-0.7)
    assert not look.timed(track, keyed_generator(0, "blink")).intensity.any()
    slow: Any = look.timed(
        AUTrack.of(np.zeros((41, 2, 17)), estimator="t", fps=200.0), keyed_generator(0, "r")
    )
    assert (len(slow), slow.fps) == (21, 100)


def test_a_tight_crop_is_found(face: tuple[Frames, Floats], mesher: FaceMesher) -> None:
    clip = made_clip(face, 0)
    mesh = find_mesh(clip.frames[0], mesher)
    place = Framing.of(mesh, SIZE)
    assert place.brow_y == pytest.approx(0.18, abs=0.02)


def test_doctor_prints_the_look(replica: Callable[..., Path]) -> None:
    from typer.testing import CliRunner

    from famaug.cli import app

    # tiny faces of formulas: no face, and that is said
    found = CliRunner().invoke(
        app, ["doctor", "--dataset", "casme2", str(replica("casme2", clips=6)), "--look"]
    )
    assert found.exit_code == 1
    assert "shows a face" in str(found.exception)


# -- put on when a clip is read -------------------------------------------------------------------


@pytest.fixture(scope="module")
def clean(
    tmp_path_factory: pytest.TempPathFactory, face: tuple[Frames, Floats], look: Look
) -> dict[str, Any]:
    """A cache of clean clips in every framing, and one with a look baked in."""
    root, picture = tmp_path_factory.mktemp("clean") / "c", face[0]
    made: dict[str, Any] = {"root": root}
    frame = {"size": [200, 160], "place": [0.5, 0.3, 0.5, 0.7]}
    ways: dict[str, tuple[Synthesizer, dict[str, Any]]] = {
        "own": (Synthesizer(size=None, fps=50), {}),
        "crop": (Synthesizer(size=192, fps=50), {}),
        "framed": (Synthesizer(size="auto", fps=50), {"frame": frame}),
        "baked": (Synthesizer(size=192, fps=50, look=look), {}),
    }
    with CacheWriter(root) as writer:
        for n, (name, (maker, more)) in enumerate(ways.items()):
            rule = Driver.of("aus:12=2")
            face_side = maker.find_face(Identity.of(picture))
            plan = maker.plan_measured(
                rule.to_json() | more, maker.measure(rule), face_side, keyed_generator(n, "clean")
            )
            frames = maker.render([plan])[0]
            writer.put(plan.key, frames, Provenance(plan, f"d/{n}", "", "happy", "driver"))
            made[name] = (plan, frames)
    return made


@pytest.mark.parametrize("way", ["own", "crop", "framed"])
def test_a_clean_clip_is_shown_as_the_data_set_would(
    way: str, clean: dict[str, Any], look: Look, mesher: FaceMesher
) -> None:
    plan, frames = clean[way]
    mesh = mesh_in(plan, *frames.shape[1:3])
    seen = find_mesh(frames[0], mesher)
    assert np.abs(mesh - seen)[:, :2].max() < 0.04 * np.ptp(seen[:, 0])
    story = Provenance(plan, "d/1", "", "happy", "driver")
    still = replace(look, spread=((0.0,) * 4,) * 4, paths=())
    shown, told = with_look(frames, story, still, keyed_generator(0, "read"))
    assert shown.shape[1:] == (*SIZE, 3)
    place = Framing.of(find_mesh(shown[0], mesher), SIZE)
    assert np.allclose(
        (place.brow_x, place.brow_y, place.mouth_x, place.mouth_y), look.framing, atol=0.02
    )
    # the data set has 100 frames a second, the clip 50: as long in seconds, the track beside it
    assert (plan.fps, told.plan.fps) == (50, 100)
    assert len(shown) == len(told.plan.track) == 2 * len(frames) - 1
    assert told.plan.intensity.max() == pytest.approx(plan.intensity.max(), abs=0.05)
    assert told.plan.look is not None
    assert Guard({"d/s1"}).reason(told) == LOOK
    again, _ = with_look(frames, story, still, keyed_generator(0, "read"))
    other, _ = with_look(frames, story, look, keyed_generator(1, "read"))
    assert np.array_equal(again, shown)
    assert not np.array_equal(other, shown)


def test_sharpened_clips_carry_their_mesh_along(clean: dict[str, Any]) -> None:
    plan, frames = clean["framed"]
    small = mesh_in(plan, *frames.shape[1:3])
    large = mesh_in(replace(plan, superres="compact/x"), 4 * frames.shape[1], 4 * frames.shape[2])
    assert np.allclose(large[:, :2], 4 * small[:, :2] + 1.5, atol=1e-3)
    own, _ = clean["own"]
    assert why_no_look(replace(own, superres="compact/x")) == NO_MESH
    assert why_no_look(replace(own, identity={"name": "x"})) == NO_MESH


def test_other_rates() -> None:
    ramp = np.arange(0, 60, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    up = _in_time(ramp[:4], 7, 0.5)
    assert up[:, 0, 0, 0].tolist() == [0, 0, 1, 2, 2, 2, 3]  # halves, rounded to even
    down = _in_time(ramp, 9, 60 / 9)
    assert np.abs(down[1:-1, 0, 0, 0] - np.arange(1, 8) * 60 / 9).max() <= 1
    noise = keyed_generator(0, "t").integers(0, 255, (60, 8, 8, 3), np.uint8)
    assert _in_time(noise, 9, 60 / 9).std() < 0.6 * noise.std()  # averaged, not picked


def test_one_cache_serves_every_fold(clean: dict[str, Any], look: Look) -> None:
    """Each fold with its own look, each epoch with a draw of its own."""
    data = ListOfClips(["0", "1", "2", "3"] * 2)
    fold = leave_one_subject_out(data)[0]
    mine = replace(look, subjects=("d/1", "d/2"))
    train = MicroExpressionSynth(
        fold.train, ratio=0.5, cache=clean["root"], look=mine, seed=3, tracks=True
    )
    # the baked look is fitted on d/s0, who could be d/0
    assert train.excluded == {DRIVER: 1, LOOK: 1}
    of_all = MicroExpressionSynth(data, held_out=(), ratio=1, cache=clean["root"], look=mine)
    assert of_all.excluded == {HAS_LOOK: 1}
    items = {}
    for epoch in (0, 1):
        train.set_epoch(epoch)
        for at in range(6, 9):
            item = train[at]
            story = Provenance.from_json(json.loads(item["provenance"]))
            assert item["frames"].shape[1:] == (*SIZE, 3)
            assert item["track"].shape[0] == item["frames"].shape[0] == len(story.plan.track)
            assert story.plan.look["subjects"] == ["d/1", "d/2"]
            assert train.guard.reason(story) is None
            assert torch.equal(item["frames"], train[at]["frames"])
            items[epoch, at] = (item["clip"], hash(item["frames"].numpy().tobytes()))
    assert len({h for _, h in items.values()}) == 6  # of two clips
    assert len({c for c, _ in items.values()}) == 2


def test_a_look_of_held_out_people_is_refused(clean: dict[str, Any], look: Look) -> None:
    data = ListOfClips(["s0", "s1", "s2", "s3"])
    fold = leave_one_subject_out(data)[0]
    with pytest.raises(LeakageError, match="the look was fitted on d/s0, who is held out"):
        MicroExpressionSynth(fold.train, ratio=1, cache=clean["root"], look=look)
    with pytest.raises(InputError, match="a Look"):
        MicroExpressionSynth(fold.train, ratio=1, cache=clean["root"], look="fitted")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="to the synthesizer"):
        MicroExpressionSynth(
            fold.train, ratio=1, mode="online", synthesizer=Synthesizer(), look=look
        )


def test_a_look_fitted_on_the_way(clean: dict[str, Any], face: tuple[Frames, Floats]) -> None:
    clips = MadeClips([made_clip(face, i) for i in range(2)])
    fold = leave_one_subject_out(clips)[0]
    train = MicroExpressionSynth(fold.train, ratio=3, cache=clean["root"], look="fit")
    assert train.look is not None
    assert train.look.subjects == ("d/s1",)
    assert train[2]["frames"].shape[1:] == (*SIZE, 3)
    assert MicroExpressionSynth(fold.train, ratio=0, look="fit")[0].ref.subject == "s1"
