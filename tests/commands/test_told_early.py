"""What is wrong with a command line is told before torch is loaded, in a line, with exit code 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT_TORCH = """
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            sys.exit("torch is loaded")
sys.meta_path.insert(0, NoTorch())
from famaug.cli import main
for line in sys.stdin.read().splitlines():
    sys.argv = ["famaug", *line.split()]
    try:
        main()
    except SystemExit as end:
        print(end.code)
"""
GENERATE = "generate --identity face.png --driver rule:positive"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "face.png").write_bytes(b"x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "img001.png").write_bytes(b"x")
    (tmp_path / "made.yaml").write_text(
        "out: c\ndrivers: {rules: ['rule:sleepy'], per_rule: 0}\nwork: {engine: rya}\n"
        "render: {peak: 9}\nidentities: {pictures: [nowhere]}\n"
    )
    (tmp_path / "trained.yaml").write_text("out: r\nfolds: loo\ntraining: {learning_rate: 0}\n")
    return tmp_path


def test_before_torch(here: Path) -> None:
    asked = {
        "generate --identity face.png --out a.mp4 --driver rule:sleepy": (2, "sleepy"),
        "generate --identity face.png --out a.mp4 --driver aus:3=1": (2, "unknown AU '3'"),
        "generate --identity face.png --out a.mp4 --driver gone.mp4": (1, "no such file"),
        "generate --identity gone.png --out a.mp4 --driver rule:positive": (1, "no such file"),
        f"{GENERATE} --out full": (2, "not an empty folder"),
        f"{GENERATE} --out a.gif": (2, ".mp4"),
        f"{GENERATE} --out a.mp4 --size 5": (2, "64 to 4096"),
        f"{GENERATE} --out a.mp4 --peak 9": (2, "at most 5"),
        f"{GENERATE} --out a.mp4 --generator wrap": (2, "did you mean warp?"),
        "aus face.png --out a.txt": (2, "must end in .csv"),
        "aus face.png --out a.csv --sizes 1,x": (2, "whole numbers"),
        "quality gone": (1, "no such file"),
        "quality full --report a.pdf": (2, ".html"),
        "pregenerate made.yaml": (2, "drivers.per_rule must be 1 or more"),
        "pregenerate casme3": (2, "no configuration that ships"),
        "recognise trained.yaml": (2, "learning_rate is above 0"),
        "ablate trained.yaml": (2, "folds must be loso"),
        "train sharpener faces": (2, "generator, superres"),
        "cache export full --out a.zip": (2, "write a .tar"),
        "doctor --dataset casme9 full": (2, "no data set 'casme9'"),
        "doctor --expect partial": (2, "belong to --dataset"),
        "weights import gone --out a.txt": (2, "must end in .safetensors"),
        "samples full": (2, "a new or empty folder"),
        "samples new --dataset casme9": (2, "no data set 'casme9'"),
        "init training": (2, "generation, recognition, ablation"),
    }
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH], cwd=here, input="\n".join(asked),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    codes = done.stdout.split()
    assert codes == [str(code) for code, _ in asked.values()], done.stderr
    assert "torch is loaded" not in done.stderr
    assert "Traceback" not in done.stderr
    for _, words in asked.values():
        assert words in done.stderr
    # all that is wrong with a configuration is told at once
    for words in (
        "sleepy",
        "work.engine must be local or ray",
        "peak must be",
        "nowhere is not there",
    ):
        assert words in done.stderr
