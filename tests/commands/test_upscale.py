"""`famaug upscale` as a user calls it: pictures, folders, videos, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from famaug.cli import app
from famaug.errors import FamaugError
from famaug.media.clips import read_frames, read_picture, write_clip
from famaug.types import Frames, Picture


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["upscale", *map(str, arguments)])


@pytest.fixture(scope="module")
def face(astronaut_picture: Picture) -> Picture:
    return cv2.resize(astronaut_picture[:256, 96:352], (96, 96), interpolation=cv2.INTER_AREA)


@pytest.fixture
def folder(tmp_path: Path, face: Picture) -> Path:
    """Three frames named as a data set names them; a brow pixel changes."""
    path = tmp_path / "clip"
    path.mkdir()
    for i in (9, 10, 11):
        frame = face.copy()
        frame[30, 40] += np.uint8(i)
        Image.fromarray(frame).save(path / f"reg_img{i}.png")
    return path


def test_a_picture(tmp_path: Path, face: Picture) -> None:
    Image.fromarray(face).save(tmp_path / "face.png")
    done = run(tmp_path / "face.png", "--out", tmp_path / "large.png", "--json")
    assert done.exit_code == 0, done.output
    assert read_picture(tmp_path / "large.png").shape == (384, 384, 3)
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["made"] == [384, 384]
    assert figures["aus"]["frames"] == 1
    assert 0 <= figures["aus"]["mean"] < 0.5
    assert "below 128 sharpening redraws eyes and teeth" in done.stderr


@pytest.mark.parametrize(
    ("given", "side"), [(["--scale", "1"], 96), (["--size", "200"], 200), (["--scale", "5"], 480)]
)
def test_sizes(tmp_path: Path, face: Picture, given: list[str], side: int) -> None:
    Image.fromarray(face).save(tmp_path / "face.png")
    done = run(tmp_path / "face.png", "--out", tmp_path / "o" / "new.jpg", "--no-check", *given)
    assert done.exit_code == 0, done.output
    assert read_picture(tmp_path / "o" / "new.jpg").shape == (side, side, 3)


def test_a_folder_keeps_its_names(tmp_path: Path, folder: Path) -> None:
    given = ("--temporal", "reuse", "--no-check", "--json")
    done = run(folder, "--out", tmp_path / "large", *given)
    assert done.exit_code == 0, done.output
    names = sorted(p.name for p in (tmp_path / "large").iterdir())
    assert names == ["reg_img10.png", "reg_img11.png", "reg_img9.png"]
    frames, _ = read_frames(tmp_path / "large")
    assert frames.shape == (3, 384, 384, 3)
    assert np.array_equal(frames[0, 200:], frames[1, 200:])
    assert not np.array_equal(frames[0], frames[1])
    again = run(folder, "--out", tmp_path / "large")
    assert isinstance(again.exception, FamaugError)
    assert "not an empty folder" in str(again.exception)


def test_a_video(tmp_path: Path, face: Picture) -> None:
    frames: Frames = np.repeat(face[None], 5, 0)
    write_clip(tmp_path / "in.mp4", frames, fps=30, plan=None)
    done = run(tmp_path / "in.mp4", "--out", tmp_path / "out.mp4", "--temporal", "reuse")
    assert done.exit_code == 0, done.output
    made, fps = read_frames(tmp_path / "out.mp4")
    assert made.shape == (5, 384, 384, 3)
    assert fps == 30
    assert "AUs changed by" in done.stdout


def test_dry_run_writes_nothing(tmp_path: Path, folder: Path) -> None:
    done = run(folder, "--out", tmp_path / "large", "--dry-run")
    assert done.exit_code == 0, done.output
    assert not (tmp_path / "large").exists()


def test_no_face(tmp_path: Path) -> None:
    Image.fromarray(np.full((40, 40, 3), 99, np.uint8)).save(tmp_path / "grey.png")
    done = run(tmp_path / "grey.png", "--out", tmp_path / "large.png")
    assert done.exit_code == 0, done.output
    assert "AUs are not compared: no face found" in done.stdout


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--out", "{tmp}/x.mp4"], "needs --fps"),
        (["--out", "{tmp}/x.gif"], "a folder .no suffix. or a video"),
        (["--out", "{tmp}/clip"], "is the source"),
        (["--out", "{tmp}/x", "--scale", "2", "--size", "9"], "give one of them"),
        (["--out", "{tmp}/x", "--size", "-4"], "up to 16 times"),
        (["--out", "{tmp}/x", "--neutral", "3"], "has 3 frames"),
        (["--out", "{tmp}/x", "--temporal", "some"], "temporal is 'full' or 'reuse'"),
        (["--out", "{tmp}/x", "--model", "sharp"], "a name .faces, compact, realsr"),
        (["--out", "{tmp}/x", "--model", "{tmp}/no.pth"], "no such file"),
        (["--out", "{tmp}/x", "--memory", "1"], "the memory budget holds"),
    ],
)
def test_refused(tmp_path: Path, folder: Path, given: list[str], words: str) -> None:
    done = run(folder, *(g.format(tmp=tmp_path) for g in given))
    assert done.exit_code != 0
    assert isinstance(done.exception, FamaugError)
    assert re.search(words, str(done.exception))
    assert not (tmp_path / "x").exists()


def test_a_picture_does_not_become_a_folder(tmp_path: Path, face: Picture) -> None:
    Image.fromarray(face).save(tmp_path / "face.png")
    done = run(tmp_path / "face.png", "--out", tmp_path / "large")
    assert "a picture becomes a picture" in str(done.exception)


def test_what_is_no_picture_is_said_first(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    done = run(tmp_path / "notes.txt", "--out", tmp_path / "out.png")
    assert isinstance(done.exception, FamaugError)
    assert re.search("notes.txt: not a video", str(done.exception))
