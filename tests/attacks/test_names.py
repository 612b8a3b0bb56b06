"""Names of strangers are shown as text, wherever they are shown."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

import famaug
from famaug.cli import app
from famaug.commands import terminal
from famaug.commands.terminal import printable
from famaug.store import CacheWriter, export_png
from famaug.testing import make_replica
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


def test_every_line_of_a_command_goes_through_the_one_that_escapes() -> None:
    """Commands print by `terminal.echo`, `say` and `note`; nothing else of theirs reaches a
    terminal but tables, whose cells are escaped."""
    folder = Path(famaug.__file__).parent
    direct = re.compile(r"\b(?:typer|click)\.(?:echo|secho)\(|(?<![\w.])print\(|print_exception\(")
    files = [folder / "cli.py", *sorted((folder / "commands").glob("*.py"))]
    found = [
        f"{file.name}: {line.strip()}"
        for file in files
        for line in file.read_text().splitlines()
        if direct.search(line)
    ]
    assert found == ["terminal.py: typer.echo(printable(text, lines=True), err=err)"]


def test_what_a_data_set_is_called_cannot_speak_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_replica("casme2", tmp_path / "C", clips=4)
    clip = next(p for p in sorted((tmp_path / "C").rglob("*")) if list(p.glob("*.jpg")))
    clip.rename(clip.with_name("EP\x1b[2J\u202e[bold]"))
    done = CliRunner().invoke(app, ["doctor", "--dataset", "casme2", str(tmp_path / "C")])
    assert done.exit_code == 1
    assert r"EP\x1b[2J\u202e[bold]" in done.output
    assert not {"\x1b", "\u202e"} & set(done.output)
    monkeypatch.setattr(terminal, "console", lambda: Console(stderr=True, width=200))
    with terminal.bars() as show:
        show("fold \x1b[2J[bold]x[/bold]", 1, 2)
    assert r"fold \x1b[2J[bold]x[/bold]" in capsys.readouterr().err
