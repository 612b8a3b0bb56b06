"""What the playground asks for, and that its command and its Python make the same clip."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from famaug import samples
from famaug.aus.facs import AUS
from famaug.cli import app
from famaug.errors import FaceError, MediaError
from famaug.media.clips import read_frames
from famaug.studio.desk import Desk
from famaug.studio.incoming import clip_of
from famaug.studio.wish import Wish, command_line, python_text, units_text
from famaug.types import AU_INDEX, Frames
from tests.generator.test_own_generator import TINT


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk("test")


def test_units_as_they_are_written() -> None:
    peak = np.zeros((2, len(AUS)))
    assert units_text(peak) == ""
    peak[:, AU_INDEX[4]] = 1.5
    peak[0, AU_INDEX[12]] = 1.8
    peak[:, AU_INDEX[14]] = (0.3, 0.1)
    assert units_text(peak) == "aus:4=1.5,12L=1.8,14L=0.3,14R=0.1"


def made_again(wish: Wish, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Frames]:
    """The clip by its command and by its Python, both typed in the folder of its files."""
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(app, shlex.split(command_line(wish, "one"))[1:])
    assert done.exit_code == 0, done.output
    exec(python_text(wish, "two"), {})
    return [read_frames(folder / name)[0] for name in ("one", "two")]


@pytest.mark.parametrize(
    "asked",
    [
        {"driver": "aus:4=1,12L=1.8", "times": (120.0, 80.0), "skin": 0.5},
        {"driver": "rule:surprise", "seed": 3, "fps": 60.0},
    ],
)
def test_the_same_clip_again(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: dict[str, object]
) -> None:
    photo = tmp_path / "a person's photo.jpg"
    shutil.copy(samples.face("woman_31"), photo)
    wish = Wish(identity=photo.name, size=128, **asked)  # type: ignore[arg-type]
    face = desk.find_face(photo.read_bytes(), photo.name)
    plan = desk.plan(wish, face)
    frames = desk.draw(wish, face, plan)
    assert len(frames) == len(plan.track) > 3
    for again in made_again(wish, tmp_path, monkeypatch):
        assert np.array_equal(frames, again)


def test_a_generator_of_ones_own(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine_for_studio.py").write_text(TINT)
    monkeypatch.syspath_prepend(str(tmp_path))
    shutil.copy(samples.face("man_30"), tmp_path / "face.jpg")
    asked = {"identity": "face.jpg", "driver": "aus:12=2", "size": 64}
    wish = Wish(generator="mine_for_studio:Tint", **asked)  # type: ignore[arg-type]
    assert "--generator mine_for_studio:Tint" in command_line(wish)
    face = desk.find_face((tmp_path / "face.jpg").read_bytes(), "face.jpg")
    frames = desk.draw(wish, face, desk.plan(wish, face))
    warp = Wish(**asked)  # type: ignore[arg-type]
    other = desk.draw(warp, face, desk.plan(warp, face))
    assert frames.shape[1:] == other.shape[1:]
    assert np.abs(frames.astype(int).max(0) - other.max(0)).mean() > 1
    for again in made_again(wish, tmp_path, monkeypatch):
        assert np.array_equal(frames, again)


@pytest.mark.slow
def test_the_same_clip_of_a_driver(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from famaug.demo.sample_folder import write_smile

    write_smile(tmp_path / "clip.mp4")
    driver = clip_of((tmp_path / "clip.mp4").read_bytes(), "clip.mp4")
    shutil.copy(samples.face("man_30"), tmp_path / "face.jpg")
    wish = Wish(identity="face.jpg", driver="clip.mp4", fps=None, peak=1.5, size=128)
    face = desk.find_face((tmp_path / "face.jpg").read_bytes(), "face.jpg")
    frames = desk.draw(wish, face, desk.plan(wish, face, desk.measure(driver)))
    for again in made_again(wish, tmp_path, monkeypatch):
        assert np.array_equal(frames, again)


def test_one_frame_is_that_of_the_clip(desk: Desk) -> None:
    face = desk.find_face(samples.face("woman_62").read_bytes(), "w.jpg")
    wish = Wish(identity="w.jpg", driver="aus:12R=2", size=96)
    whole = desk.draw(wish, face, desk.plan(wish, face))
    plan, apex, picture = desk.draw_one(wish, face, None)
    assert apex == plan.key_frames[1]
    assert np.array_equal(picture, whole[apex])
    _, last, picture = desk.draw_one(wish, face, 1.0)
    assert last == len(whole) - 1
    assert np.array_equal(picture, whole[0])  # at rest again


@pytest.mark.slow
def test_faces_of_others_come_between(desk: Desk) -> None:
    """More faces than are held: the first is drawn as before."""
    wish = Wish(identity="a", driver="aus:12=1", size=64)
    faces = [desk.find_face(p.read_bytes(), n) for n, p in samples.faces().items()]
    crops = [f.picture[8:, i:].copy() for f in faces for i in (4, 8)]
    every = [*faces, *(desk.find_face(_png(c), "c") for c in crops[:4])]
    assert len(every) > 8
    first = desk.draw_one(wish, every[0], None)[2]
    for face in every[1:]:
        desk.draw_one(wish, face, None)
    assert np.array_equal(desk.draw_one(wish, every[0], None)[2], first)


def _png(picture: Frames) -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


def test_bad_pictures_and_clips(desk: Desk) -> None:
    with pytest.raises(MediaError, match=r"text\.png: not a picture"):
        desk.find_face(b"just some text", "text.png")
    with pytest.raises(FaceError):
        desk.find_face(_png(np.full((300, 300, 3), 128, np.uint8)), "grey.png")
    with pytest.raises(MediaError, match=r"notes\.txt: a video is asked for"):
        clip_of(b"text", "notes.txt")
    with pytest.raises(MediaError, match=r"^clip\.mp4"):
        clip_of(b"text", "clip.mp4")
