"""The command as a user types it, on real files: once in a process of its own, else in this one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from famaug.cli import COMMANDS
from famaug.media.clips import read_frames
from famaug.types import AU_NAMES, Frames, Picture
from tests.commands.typed import famaug


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory, astronaut_picture: Picture) -> Path:
    path = tmp_path_factory.mktemp("face") / "face.png"
    Image.fromarray(astronaut_picture).save(path)
    return path


def test_a_process_of_its_own(tmp_path: Path, face: Path) -> None:
    command = [sys.executable, "-m", "famaug", "generate", "--identity", face]
    more = ["--driver", "rule:sleepy", "--out", tmp_path / "clip"]
    done = subprocess.run([*command, *more], capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert "sleepy" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_of_every_command() -> None:
    text = famaug("--help").stdout
    for name in COMMANDS:
        assert name in text
        assert famaug(name, "--help").returncode == 0


def test_generate_then_measure(tmp_path: Path, face: Path) -> None:
    out = tmp_path / "clip"
    made = famaug(
        "generate", "--driver", "aus:12L=2", "--identity", face, "--out", out,
        "--size", "192", "--json",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    figures = json.loads(made.stdout.splitlines()[-1])
    frames, _ = read_frames(out)
    assert len(frames) == figures["frames"]
    assert frames.shape[1:] == (192, 192, 3)

    table = tmp_path / "aus.csv"
    measured = famaug("aus", out, "--out", table, "--sizes", "0", "--json")
    assert measured.returncode == 0, measured.stderr
    peaks = json.loads(measured.stdout.splitlines()[-1])["peaks"]
    assert max(peaks, key=peaks.get) == "AU12_left"
    rows = pd.read_csv(table)
    assert list(rows.columns[:2]) == ["frame", "side"]
    assert [c for c in rows.columns if c.endswith("_r")] == [f"{au}_r" for au in AU_NAMES]
    assert len(rows) == 2 * len(frames)

    again = famaug(
        "generate", "--driver", table, "--identity", face, "--out", tmp_path / "again.mp4",
        "--size", "96",
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert len(read_frames(tmp_path / "again.mp4")[0]) == len(frames)


def test_generate_is_repeatable(tmp_path: Path, face: Path) -> None:
    clips: list[Frames] = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        done = famaug(
            "generate", "--driver", "rule:negative", "--identity", face, "--out",
            tmp_path / name, "--size", "96", "--seed", seed,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        clips.append(read_frames(tmp_path / name)[0])
    assert np.array_equal(clips[0], clips[1])
    assert not np.array_equal(clips[0], clips[2])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--driver", "rule:sleepy"], "sleepy"),
        (["--driver", "nowhere.mp4"], "no such file"),
        (["--driver", "aus:3=1"], "3"),
        (["--driver", "rule:positive", "--size", "5"], "size"),
        (["--driver", "rule:positive", "--out", "clip.gif"], ".mp4"),
    ],
)
def test_bad_input_is_one_clear_line(
    tmp_path: Path, face: Path, args: list[str], said: str
) -> None:
    out = [] if "--out" in args else ["--out", str(tmp_path / "clip")]
    done = famaug("generate", "--identity", face, *out, *args)
    assert done.returncode == (1 if "nowhere" in args[1] else 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "clip").exists()


def test_unknown_options_exit_with_two(face: Path) -> None:
    assert famaug("generate", "--sized", "3").returncode == 2


def test_a_macro_expression_is_noted(tmp_path: Path, face: Path) -> None:
    asked = ("generate", "--identity", face, "--out", tmp_path / "x", "--dry-run", "--driver")
    assert "reaches 4.0 of 5" in famaug(*asked, "aus:12=4").stderr
    assert "note" not in famaug(*asked, "aus:12=4", "--peak", "1.5").stderr


def test_dry_runs_write_nothing(tmp_path: Path, face: Path) -> None:
    out = tmp_path / "clip"
    done = famaug(
        "generate", "--driver", "rule:positive", "--identity", face, "--out", out, "--dry-run"
    )
    assert done.returncode == 0, done.stderr
    assert not out.exists()


def test_doctor_and_weights() -> None:
    done = famaug("doctor", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["problems"] == []
    listed = famaug("weights", "list").stdout
    assert "face_landmarker" in listed
    assert "Apache-2.0" in listed
    assert "CC0" in listed


def test_bench_refuses_unknown_names() -> None:
    done = famaug("bench", "nothing")
    assert done.returncode == 1
    assert "faces" in done.stderr
