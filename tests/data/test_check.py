"""`famaug doctor --dataset`: what is wrong with a copy, told in one report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from famaug.cli import app
from famaug.data.check import check_dataset
from famaug.data.readers.casme2 import Casme2
from famaug.data.readers.samm import Samm
from famaug.testing import make_clip


def test_a_whole_copy_matches_what_is_published(replica: Callable[..., Path]) -> None:
    report = check_dataset(Samm(replica("samm")))
    assert report.problems == ()
    assert report.clips == 159
    assert len(report.details["corrections made"]) == 9
    report = check_dataset(Casme2(replica("casme2")))
    assert report.problems == ("1 clips with missing frames",)
    assert report.emotions["others"] == 99


def test_everything_that_is_wrong(replica: Callable[..., Path], tmp_path: Path) -> None:
    root = tmp_path / "r"
    shutil.copytree(replica("casme2", clips=12), root)
    gone, holed, broken, *_ = Casme2(root).refs
    shutil.rmtree(Path(gone.frames[0]).parent)
    Path(holed.frames[2]).unlink()
    Path(broken.frames[1]).write_bytes(Path(broken.frames[1]).read_bytes()[:99])
    stranger = root / "Cropped" / "Cropped" / "sub99" / "EP99_01"
    shutil.copytree(Path(holed.frames[0]).parent, stranger)

    found = CliRunner().invoke(
        app, ["doctor", "--dataset", "casme2", str(root), "--images", "--json"]
    )
    assert found.exit_code == 1
    told = json.loads(found.stdout.splitlines()[-1])
    partial = check_dataset(Casme2(root), expect="partial")
    assert partial.problems == ("1 clips with missing frames", "1 folders without row")
    assert "a partial copy: 1 clips without folder" in partial.notes
    assert told["details"]["clips without folder"] == [f"{gone.subject}/{gone.clip}"]
    assert told["details"]["clips with missing frames"][0].startswith(
        f"{holed.subject}/{holed.clip} ("
    )
    assert told["details"]["folders without row"] == ["sub99/EP99_01"]
    assert len(told["details"]["unreadable images"]) == 1
    assert any("12 annotated expressions, 255 are published" in p for p in told["problems"])
    assert "folders without row: sub99/EP99_01" in found.stdout


def test_a_partial_copy_can_be_good(replica: Callable[..., Path]) -> None:
    root = str(replica("smic", clips=12))
    for more, code in (([], 1), (["--expect", "partial"], 0), (["--expect", "complete"], 1)):
        found = CliRunner().invoke(app, ["doctor", "--dataset", "SMIC-HS", root, *more])
        assert found.exit_code == code, found.output
    noted = doctor("SMIC-HS", root, "--expect", "partial")[1]["notes"]  # JSON had lost them
    assert any(note.startswith("a partial copy: 12 annotated") for note in noted), noted


def test_bad_command_lines(tmp_path: Path) -> None:
    for line, text in (
        (["--dataset", "casme2"], "go together"),
        (["--dataset", "casme9", str(tmp_path)], "no data set 'casme9'"),
        (["--images"], "belong to --dataset"),
        (["--dataset", "casme2", str(tmp_path)], "looked in"),
    ):
        found = CliRunner().invoke(app, ["doctor", *line])
        assert found.exit_code == 1
        assert text in str(found.exception)


def doctor(*words: str) -> tuple[int, dict[str, Any], str]:
    done = CliRunner().invoke(app, ["doctor", "--dataset", *words, "--json"])
    assert not done.exception or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, json.loads(done.stdout.splitlines()[-1]), done.output


def test_the_composite_and_each_of_its_releases(
    replica: Callable[..., Path], tmp_path: Path
) -> None:
    """Only releases could be named."""
    for name in ("smic", "casme2", "samm"):
        (tmp_path / name).symlink_to(replica(name))
    code, told, said = doctor("composite", str(tmp_path), "--expect", "partial")
    assert told["details"]["clips of the list that are missing"] == ["smic/s18/s18_sur_03"]
    assert [part["dataset"] for part in told["parts"]] == ["SMIC", "CASME II", "SAMM"]
    assert told["clips"] == 441
    assert told["published"]["clips"] == 442
    assert told["notes"] == ["a partial copy: 1 clips of the composite's list are missing"]
    assert told["problems"] == [
        "SMIC: 1 empty clips",
        "CASME II: 1 clips with missing frames",
    ]
    assert "441 of 442 published" in said
    assert code == 1
    for name in ("casme2", "smic"):
        (tmp_path / name).unlink()
    _, told, _ = doctor("megc2019", str(tmp_path))
    assert told["problems"] == ["309 clips of the composite's list are missing"]  # SAMM has 133


def test_a_data_set_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "mine"
    for who in ("anna", "ben"):
        (root / who / "smile").mkdir(parents=True)
        for i, frame in enumerate(make_clip(1, frames=4).frames):
            Image.fromarray(frame).save(root / who / "smile" / f"{i:05}.png")
    (root / "anna" / "smile" / "00001.png").write_bytes(b"no picture")
    (tmp_path / "own.py").write_text(
        "from famaug.data import ClipFolder\n"
        "class Own(ClipFolder):\n"
        "    def __init__(self, root):\n"
        "        super().__init__(root, dataset='own')\n"
    )
    monkeypatch.chdir(tmp_path)
    code, told, _ = doctor("own:Own", "mine")
    assert (code, told["clips"], told["subjects"], told["problems"]) == (0, 2, 2, [])
    code, told, _ = doctor("ClipFolder", "mine", "--images")
    assert (code, told["problems"]) == (1, ["1 unreadable images"])
    done = CliRunner().invoke(app, ["doctor", "--dataset", "own:Own", "mine", "--clip", "raw"])
    assert "--clip: not for the data set own:Own" in str(done.exception)
