"""How every command ends: exit codes, notes, log, and no traceback unless it is asked for."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer

from famaug.commands import options, terminal
from famaug.errors import FaceError, FilterTooWideWarning, InputError, TableWarning, UsageError


@pytest.fixture(autouse=True)
def _level() -> object:
    yield
    terminal.set_level()


def ended(error: BaseException | None, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    def work() -> None:
        if error is not None:
            raise error

    with pytest.raises(SystemExit) as end:
        terminal.run(work)
    return int(str(end.value.code)), capsys.readouterr().err


def test_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(None, capsys) == (0, "")
    assert ended(InputError("no"), capsys) == (1, "famaug: no\n")
    assert ended(UsageError("no"), capsys) == (2, "famaug: no\n")
    assert ended(KeyboardInterrupt(), capsys)[0] == 130
    code, said = ended(ZeroDivisionError("by\nzero"), capsys)
    assert code == 1
    assert said.startswith("famaug: unexpected ZeroDivisionError: by zero; run with -v")
    assert "Traceback" not in said
    terminal.set_level(verbose=True)
    assert "Traceback" in ended(ZeroDivisionError("x"), capsys)[1]


def test_control_c_in_a_command_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer()

    @app.command()
    def work() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as end:
        terminal.run(lambda: app([]))
    assert end.value.code == 130
    assert "stopped; what was finished is kept" in capsys.readouterr().err


def test_what_is_wrong_before_the_work_was_typed() -> None:
    with pytest.raises(UsageError, match="twice"), terminal.typed():
        raise InputError("twice")
    with pytest.raises(FaceError) as kept, terminal.typed():
        raise FaceError("none found")
    assert terminal.exit_code(kept.value) == 1


def test_warnings_are_grouped(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.set_level()
    with terminal.notes():
        for i in range(20):
            warnings.warn(f"wide {i}", FilterTooWideWarning, stacklevel=1)
        warnings.warn("order", TableWarning, stacklevel=1)
    said = capsys.readouterr().err.splitlines()
    assert said[:4] == ["note: wide 0", "note: wide 1", "note: wide 2", "note: order"]
    assert said[4].startswith("note: and 17 more like these (FilterTooWideWarning)")
    terminal.set_level(quiet=True)
    with terminal.notes():
        warnings.warn("order", TableWarning, stacklevel=1)
        terminal.end(True, "none", {})
    said = capsys.readouterr()
    assert said.err == ""
    assert json.loads(said.out)["notes"] == ["order"]  # of this command, and though it was quiet


def test_log_lines_reach_the_terminal_by_level(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("famaug.recognition")
    for how, shown in (({}, False), ({"verbose": True}, True), ({"quiet": True}, False)):
        terminal.set_level(**how)
        log.info("a line [with brackets]")
        assert ("a line [with brackets]" in capsys.readouterr().err) == shown


def test_the_library_alone_is_silent() -> None:
    code = "import logging, famaug; logging.getLogger('famaug.x').warning('told')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_verbose_may_stand_anywhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "famaug", "recognise", tmp_path / "gone.yaml", "-v"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert "gone.yaml: no such file" in done.stderr.splitlines()[-1]


def test_options_come_from_a_dataclass(capsys: pytest.CaptureFixture[str]) -> None:
    app, seen = typer.Typer(), []
    app.command()(options.grouped(command_that_tells(seen)))
    with pytest.raises(SystemExit):
        terminal.run(lambda: app(["a.png", "--seed", "3", "--as-is", "--face", "x", "--face", "y"]))
    path, drawing, as_json = seen[0]
    assert (path, as_json) == (Path("a.png"), False)
    assert drawing == Drawing(seed=3, as_is=True, face=["x", "y"])
    with pytest.raises(SystemExit):
        terminal.run(lambda: app(["--help"]))
    told = " ".join(capsys.readouterr().out.split())
    assert "Another seed draws" in told
    assert "--no-as-is" not in told
    with pytest.raises(SystemExit) as end:
        terminal.run(lambda: app(["a.png", "--seed", "x"]))
    assert end.value.code == 2


@dataclass(frozen=True)
class Drawing:
    """What is drawn.

    Attributes:
        seed: Another seed draws another
            expression.
        as_is: Show it as written.
        face, unused: One of the faces.
    """

    seed: int = 0
    as_is: Annotated[bool, typer.Option("--as-is")] = False
    face: list[str] = field(default_factory=list)


def command_that_tells(seen: list[object]) -> Callable[..., None]:
    def command(path: Path, drawing: Drawing, as_json: options.AsJson = False) -> None:
        """Work."""
        seen.append((path, drawing, as_json))

    return command


def test_an_option_without_docs_is_a_fault_of_ours() -> None:
    @dataclass
    class Bare:
        seed: int = 0

    def command(bare: Any) -> None: ...

    command.__annotations__["bare"] = Bare
    with pytest.raises(KeyError, match="seed"):
        options.grouped(command)


def test_values_by_name() -> None:
    given = ["label=three", "fps = 100", "skin=.5", "numbered=true", "of=01", "at=a=b"]
    assert options.named_values("--option", given) == {
        "label": "three", "fps": 100, "skin": 0.5, "numbered": True, "of": "01", "at": "a=b",
    }  # fmt: skip
    assert options.named_values("--option", None) == {}
    for bad in (["label"], ["=3"], ["label="], ["a=1", "a=2"]):
        with pytest.raises(UsageError, match="--option is NAME=VALUE"):
            options.named_values("--option", bad)
