"""What ships and what `famaug init` writes: every YAML loads and opens with its command line."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from famaug.cli import app
from famaug.config.generation import GENERATION
from famaug.config.recognition import ABLATION, RECOGNITION
from famaug.configs import KINDS, find_config, shipped
from famaug.errors import UsageError
from famaug.testing import make_replica

CONFIGS = [(kind, path) for kind in KINDS for path in shipped(kind).values()]


@pytest.mark.parametrize(("kind", "path"), CONFIGS, ids=lambda x: getattr(x, "stem", x))
def test_the_first_line_is_a_command_line(kind: str, path: Path) -> None:
    first = path.read_text().splitlines()[0]
    assert first.startswith("# famaug ")
    _, name, *rest = shlex.split(first.removeprefix("# "))
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    given = command.make_context(name, rest).params
    assert find_config(given["config"], kind) == path


def test_names_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_config("casme2", "generation").parent.name == "generation"
    monkeypatch.chdir(tmp_path)
    Path("faces").mkdir()  # a folder does not hide a configuration of that name
    assert find_config("faces", "superres").is_file()
    own = tmp_path / "casme2"
    own.write_text("out: x")
    assert find_config(own, "generation") == own
    with pytest.raises(UsageError, match=r"no such file.*did you mean casme2\?"):
        find_config("casme", "generation")
    with pytest.raises(UsageError, match="this is a folder"):
        find_config(tmp_path, "generation")


def init(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["init", *map(str, arguments), "--json"])
    return done.exit_code, str(done.exception or done.stdout)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("asked", "reader"),
    [
        (["--dataset", "CASME II", "--root", "C2"], "casme2"),
        (["--dataset", "Samm"], "samm"),
        (["--dataset", "megc2019", "--root", "my data"], "composite"),
        (["--dataset", "mine.clips:Reader"], "mine.clips:Reader"),
        ([], "ClipFolder"),
    ],
)
def test_what_init_writes_loads(here: Path, asked: list[str], reader: str) -> None:
    for kind in ("generation", "recognition", "ablation"):
        code, said = init(kind, here / "yamls", *asked)
        assert code == 0, said
        assert Path(json.loads(said.splitlines()[-1])["file"]).name == f"{kind}.yaml"
    root = Path(asked[3] if len(asked) > 2 else "data/clips")
    root.mkdir(parents=True)
    made = GENERATION.read(here / "yamls" / "generation.yaml")
    trained = RECOGNITION.read(here / "yamls" / "recognition.yaml")
    compared = ABLATION.read(here / "yamls" / "ablation.yaml")
    for config in (trained, compared):
        assert (config["data.reader"], config["data.root"]) == (reader, str(root))
    assert (made["dataset.reader"], made["dataset.root"]) == (reader, str(root))
    assert trained["synthetic.cache"] == made["out"]


def test_init_overwrites_nothing(here: Path) -> None:
    (here / "generation.yaml").write_text("mine")
    for arguments, words in (
        (["generation"], "is there already"),
        (["training"], "generation, recognition, ablation are possible"),
        (["ablation", "--dataset", "casme9"], "no --dataset 'casme9'"),
    ):
        code, said = init(*arguments)
        assert code == 1
        assert words in said
    assert (here / "generation.yaml").read_text() == "mine"
    assert not (here / "ablation.yaml").exists()


@pytest.mark.slow
def test_the_written_file_trains_on_a_replica(here: Path) -> None:
    make_replica("casme2", here / "CASME2", subjects=3, clips=9)
    init("recognition", ".", "--dataset", "casme2", "--root", "CASME2")
    command = [sys.executable, "-m", "famaug", "recognise", "recognition.yaml", "--json"]
    given = ["seeds=[0]", "training.epochs=2", "workers=0", "network.input.flow=dis"]
    done = subprocess.run([*command, *given, "-q"], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["finished"] is True
    assert (here / "results" / "casme2" / "scores.md").is_file()
    assert done.stderr == ""
