"""The recipe that trains a recogniser on drawn expressions alone, as a user starts it."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from famaug import samples
from famaug.recognition import load_recogniser
from famaug.recognition.saved import read_about
from famaug.seeding import keyed_generator

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("network.options={width: 4}", "network.input.flow=dis", "training.steps=6", "workers=0")


def run(out: Path, *more: object) -> subprocess.CompletedProcess[str]:
    given = ["--faces", samples.FOLDER, "--out", out, "--clips-per-face", 2, *more, *SMALL]
    return subprocess.run(
        [sys.executable, ROOT / "recipes/train_flow_cnn.py", *map(str, given)],
        capture_output=True,
        text=True,
        cwd=out.parent,
        check=False,
    )


@pytest.fixture
def real(tmp_path: Path) -> list[object]:
    """A flow folder of 3 subjects, as options of the recipe."""
    (tmp_path / "flow").mkdir()
    draw = keyed_generator(0, "flow")
    with (tmp_path / "flow.csv").open("w") as file:
        table = csv.writer(file)
        table.writerow(["dataset", "subject", "clip", "label"])
        for i in range(9):
            picture = draw.integers(0, 256, (28, 28, 3)).astype(np.uint8)
            cv2.imwrite(str(tmp_path / "flow" / f"s{i % 3}_c{i} .png"), picture)
            table.writerow(["d", f"s{i % 3}", f"c{i}", i // 3])
    return ["--test", tmp_path / "flow", "--table", tmp_path / "flow.csv"]


@pytest.mark.slow
def test_a_network_and_its_scores(tmp_path: Path, real: list[object]) -> None:
    out = tmp_path / "net.safetensors"
    first = run(out, *real, "--seeds", "0,1", "--leave-out", "man_87")
    assert first.returncode == 0, first.stderr
    assert "14 drawn expressions on 7 faces" in first.stdout
    assert "Trained on synthetic clips alone" in first.stdout
    assert "| all | 3 | 9 |" in first.stdout
    about = read_about(out)
    assert about.subjects == ()
    assert about.made["scores"]["seeds"] == [0, 1]
    assert str(tmp_path) not in str(about)
    load_recogniser(out, classes=["negative", "positive", "surprise"])

    # real clips decide nothing: without them the same weights come out
    again = run(out, "--leave-out", "man_87.jpg")
    assert again.returncode == 0, again.stderr
    assert read_about(out).logits == about.logits
    assert "scores" not in read_about(out).made


@pytest.mark.slow
def test_what_it_refuses(tmp_path: Path) -> None:
    wrong = run(tmp_path / "net.pth")
    assert (wrong.returncode, "--out must end in .safetensors" in wrong.stderr) == (1, True)
    alone = run(tmp_path / "net.safetensors", "--test", tmp_path)
    assert "--test and --table belong together" in alone.stderr
    weak = run(tmp_path / "net.safetensors", "--strength", "0,9")
    assert "intensity must be a range within 0-5" in weak.stderr
