"""Profiles that come with famaug, and mixtures: by name wherever a look is taken."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from famaug import MicroExpressionSynth, Synthesizer
from famaug.cli import app
from famaug.config.recognition import RECOGNITION
from famaug.data.guard import Guard, people_of
from famaug.errors import InputError
from famaug.faces.mesher import FaceMesher
from famaug.look.applying import apply_look
from famaug.look.files import PROFILES, load_look, look_of, profile_named, save_look
from famaug.look.look import Look
from famaug.look.mixture import Mixture
from famaug.media.pictures import read_picture
from famaug.samples import faces
from famaug.seeding import keyed_generator
from famaug.store import CacheWriter
from famaug.types import Picture, Provenance
from tests.store.store_builders import ListOfClips

RELEASED = {"casme2": ((340, 280), 200, False), "samm": ((400, 400), 200, True),
            "smic": ((170, 140), 100, False)}  # fmt: skip


def one_of(name: str) -> Look:
    look = load_look(name)
    assert isinstance(look, Look)
    return look


@pytest.fixture(scope="module")
def picture() -> Picture:
    return read_picture(sorted(faces().values())[4])


def test_each_is_as_released_and_of_nobody() -> None:
    for name, (size, fps, grey) in RELEASED.items():
        look = one_of(name)
        assert (look.size, look.fps, look.grey) == (size, fps, grey)
        assert look.framing[1] == 0.15
        assert look.framing[3] == 0.78
        assert look.subjects == ()
        assert look.clips == 0
        assert "measured on nobody" in look.source
        assert any("measured  on nobody" in line for line in look.lines())
        assert min(look.turns) > 0
        assert min(look.drift) > 0
    composite = load_look("composite")
    assert isinstance(composite, Mixture)
    assert len(composite.looks) == 2
    assert all(x.clips == 0 and x.size == (200, 164) and x.grey for x in composite.looks)
    assert "34 of its people" in composite.source
    assert composite.subjects == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("composite", "composite"), ("MEGC2019", "composite"), ("CASME II", "casme2"),
        ("SMIC", "smic"), ("smic-vis", None), ("casme", None), ("samm/look.json", None),
        ("casme2.json", None), ("fit", None), ("", None),
    ],
)  # fmt: skip
def test_names(text: str, name: str | None) -> None:
    assert profile_named(text) == name


def test_each_clip_of_a_composite_looks_like_one_of_them(picture: Picture) -> None:
    maker = Synthesizer(size=400, look="composite", fps=100)
    seen: Counter[float] = Counter()
    for seed in range(24):
        plan = maker.plan("rule:surprise", picture, keyed_generator(seed, "m"))
        assert plan.look is not None
        height, width = plan.look["size"]
        noise = plan.look["noise"][0][1]
        look = next(x for x in load_look("composite").looks if x.noise[0][1] == noise)  # type: ignore[union-attr]
        assert plan.fps == look.fps  # drawn together with the frames
        assert plan.look["grey"] == look.grey
        assert plan.look["subjects"] == []
        assert set(plan.look) >= {"turn", "light"}
        seen[noise] += 1
    assert len(seen) == 2
    clip = maker.render([plan])[0]
    assert clip.shape[1:3] == (height, width)
    again = Synthesizer(size=400, look="composite", fps=100)
    assert again.plan("rule:surprise", picture, keyed_generator(23, "m")).key == plan.key


def test_the_guard_lets_a_profile_of_nobody_in(picture: Picture) -> None:
    plan = Synthesizer(size=256, look="smic").plan("aus:12=1", picture, keyed_generator(0, "g"))
    story = Provenance(plan, "", "", "happy", "rule")
    assert ("look fitted on a held-out subject", ()) in people_of(story)
    assert Guard({"smic/s1"}).reason(story) is None
    Guard({"smic/s1"}).check_people(load_look("composite").subjects, "the look was fitted on")


def test_clean_clips_are_shown_so_when_they_are_read(tmp_path: Path, picture: Picture) -> None:
    maker = Synthesizer(size=256, fps=50)
    plan = maker.plan("rule:happiness", picture, keyed_generator(0, "c"))
    with CacheWriter(tmp_path / "c") as writer:
        story = Provenance(plan, "d/9", "", "happy", "driver")
        writer.put(plan.key, maker.render([plan])[0], story)
    data = ListOfClips(["1", "2"])
    train = MicroExpressionSynth(data, held_out=(), ratio=1, cache=tmp_path / "c", look="smic")
    assert train.look == load_look("smic")
    assert train[2]["frames"].shape[1:] == (170, 140, 3)


def test_a_face_lies_where_the_profile_says(mesher: FaceMesher, picture: Picture) -> None:
    from famaug.data.look_fit import find_mesh
    from famaug.faces.align import crop_face
    from famaug.faces.framing import Framing

    crop, mesh, _ = crop_face(picture, mesher.find(picture), 400)
    look = replace(one_of("casme2"), spread=((0.0,) * 4,) * 4)
    told = look.draw(keyed_generator(1, "p"), length=2, fps=200)
    clip = apply_look(np.repeat(crop[None], 2, 0), mesh, told)
    place = Framing.of(find_mesh(clip[0], mesher), look.size)
    assert place.brow_y == pytest.approx(0.15, abs=0.02)
    assert place.mouth_y == pytest.approx(0.78, abs=0.02)


def test_files_of_nobody_and_mixtures(tmp_path: Path) -> None:
    for name in PROFILES:
        look = load_look(name)
        save_look(look, tmp_path / "look.json")
        assert load_look(tmp_path / "look.json") == look
        assert look_of(look) is look
    samm = one_of("samm").to_json()
    for changes, why in (
        ({"source": " "}, "fitted on nobody has 0 clips and says its source"),
        ({"clips": 3}, "which are no people"),
    ):
        (tmp_path / "look.json").write_text(json.dumps(samm | changes))
        with pytest.raises(InputError, match=why):
            load_look(tmp_path / "look.json")
    mine = {"version": "look/2", "mixture": ["samm", samm | {"subjects": ["samm/006"], "clips": 1}]}
    (tmp_path / "mine.json").write_text(json.dumps(mine))
    mixed = load_look(tmp_path / "mine.json")
    assert mixed.subjects == ("samm/006",)
    for odd in ({"more": 1}, {"version": "look/3"}, {"mixture": []}, {"mixture": [{}]}):
        (tmp_path / "mine.json").write_text(json.dumps(mine | odd))
        with pytest.raises(InputError):
            load_look(tmp_path / "mine.json")
    with pytest.raises(InputError, match="one or more looks"):
        Mixture(looks=())


@pytest.mark.parametrize("wrong", ["nothing", "cas me 3", 7])
def test_what_is_no_look_is_told_with_the_profiles(wrong: Any) -> None:
    with pytest.raises(InputError, match="composite, casme2, samm, smic"):
        Synthesizer(size=256, look=wrong)
    with pytest.raises(InputError, match=r"a Look"):
        MicroExpressionSynth(ListOfClips(["1", "2"]), ratio=1, cache="c", look=wrong)


def test_a_recogniser_takes_a_profile(tmp_path: Path) -> None:
    def config(look: str) -> Any:
        data = {"reader": "casme2", "root": str(tmp_path)}
        return RECOGNITION.of(
            {"out": "x", "data": data, "synthetic": {"look": look, "cache": "c", "ratio": 1}}
        )

    from famaug.config.experiments import fixed_look

    assert fixed_look(config("composite")) == load_look("composite")
    with pytest.raises(InputError, match="a profile"):
        config("composit")


def test_a_profile_is_printed_and_written(tmp_path: Path) -> None:
    out = tmp_path / "mine.json"
    shown = CliRunner().invoke(app, ["doctor", "--profile", "composite", "--out", str(out)])
    assert shown.exit_code == 0, shown.output
    for words in ("164 x 200, grey", "brows at 15%", "on nobody"):
        assert words in shown.output
    assert load_look(out) == load_look("composite")
    wrong = CliRunner().invoke(app, ["doctor", "--profile", "composit"])
    assert wrong.exit_code != 0
    both = CliRunner().invoke(app, ["doctor", "--profile", "samm", "--look"])
    assert "goes alone" in f"{both.output}{both.exception}"


def test_faces_are_cropped_as_large_as_they_are_shown(picture: Picture) -> None:
    large = cv2.resize(picture, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)

    def side(look: str, face: Picture, **more: Any) -> int | None:
        maker = Synthesizer(look=look, **more)
        return maker.plan("aus:12=1", face, keyed_generator(0, "s")).size

    assert side("smic", large) == 320  # 107 of 282 x 3 pixels are to be shown as 107
    assert side("samm", large) == 704
    assert side("samm", picture) == 256  # there is no more of it
    assert side("samm", large, size=300) == 300
