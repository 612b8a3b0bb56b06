"""Names of strangers are shown as text, wherever they are shown."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from famaug.printable import printable
from famaug.store import CacheWriter, export_png
from famaug.types import Plan, Provenance

EVIL = "=cmd|'/c calc'!A1\x1b]0;owned\x07\x1b[2J\u202etxt.exe<script>[bold]../../x"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    plan = Plan({"name": EVIL}, {"name": EVIL}, [[[0.0] * 17] * 2] * 2, "w", "w", 8, 10.0)
    story = Provenance(plan, EVIL, EVIL, EVIL, "driver")
    with CacheWriter(tmp_path / "cache") as writer:
        writer.put(plan.key, np.zeros((2, 8, 8, 3), np.uint8), story)
    return tmp_path / "cache"


def test_control_characters_are_written_out() -> None:
    told = printable(EVIL)
    assert told.isprintable()
    assert r"\x1b]0;owned\x07" in told
    assert r"\u202e" in told
    assert printable("a\nb\tc", lines=True) == "a\nb\tc"
    assert printable("a\nb\udcff") == r"a\nb\udcff"
    assert printable("Gesicht_ä_表情 é") == "Gesicht_ä_表情 é"


@pytest.mark.parametrize("command", ["info", "ls"])
def test_a_terminal_is_shown_text(cache: Path, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "famaug", "cache", command, str(cache)], capture_output=True
    )
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"owned" in done.stdout


def test_an_error_is_shown_as_text(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "famaug", "cache", "info", str(tmp_path / "a\x1b[2Jb")],
        capture_output=True,
    )
    assert done.returncode != 0
    assert b"\x1b" not in done.stdout + done.stderr


def test_exports_name_files_by_keys_and_cells_are_no_formulas(cache: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_png(cache, out)
    names = {p.relative_to(out).parts[0] for p in out.rglob("*")} - {"clips.csv"}
    assert all(len(n) == 64 and set(n) <= set("0123456789abcdef") for n in names)
    with (out / "clips.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["driver"] == "'" + EVIL
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache", "out"]
