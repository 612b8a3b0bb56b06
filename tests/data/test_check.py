"""`famaug doctor --dataset`: what is wrong with a copy, told in one report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from typer.testing import CliRunner

from famaug.cli import app
from famaug.data.check import check_dataset
from famaug.data.readers.casme2 import Casme2
from famaug.data.readers.samm import Samm


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
