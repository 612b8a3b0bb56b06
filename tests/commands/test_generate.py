"""`famaug generate`: what it says of a driver, without rendering."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from famaug.aus.table import read_table, write_table
from famaug.cli import app
from famaug.errors import UsageError
from famaug.modulation.rules import parse_expression
from famaug.seeding import keyed_generator
from famaug.types import AUTrack, Picture


@pytest.fixture
def face(tmp_path: Path, astronaut_picture: Picture) -> Path:
    path = tmp_path / "face.png"
    Image.fromarray(astronaut_picture).save(path)
    return path


def run(driver: Path, face: Path, *options: object) -> Result:
    arguments = ["generate", "--driver", driver, "--identity", face, "--out", face.parent / "o"]
    done = CliRunner().invoke(app, [*map(str, [*arguments, "--dry-run", *options, "--json"])])
    assert done.exit_code == 0, done.output
    return done


def key(done: Result) -> str:
    return str(json.loads(done.stdout.splitlines()[-1])["key"])


def test_notes_on_a_driver(tmp_path: Path, face: Path) -> None:
    x = parse_expression("aus:4=1.5,12L=1.2").draw(keyed_generator(0)).intensity
    raw = write_table(AUTrack.of(x, estimator="t/1"), tmp_path / "raw.csv")
    assumed = run(raw, face)
    assert "at 100 fps" in assumed.stdout
    assert "note: the driver does not say its frame rate: 100" in assumed.stderr
    told = run(raw, face, "--fps", 200)
    assert "at 200 fps" in told.stdout
    assert "note" not in told.stderr

    done = CliRunner().invoke(
        app, ["modulate", str(raw), "--fps", "200", "--out", str(tmp_path / "shown.csv")]
    )
    assert done.exit_code == 0, done.output
    assert read_table(tmp_path / "shown.csv").modulated
    shown = run(tmp_path / "shown.csv", face, "--fps", 100)
    assert "note: shown.csv is shown as written, not modulated" in shown.stderr
    assert "note: shown.csv says 200 frames per second itself; --fps 100 is for" in shown.stderr
    assert key(run(raw, face, "--fps", 200, "--as-is")) != key(told)
    again = CliRunner().invoke(app, ["modulate", str(tmp_path / "shown.csv"), "--dry-run"])
    assert "modulated already" in again.stderr
    assert np.abs(read_table(tmp_path / "shown.csv").intensity).max() > 1


def test_times_of_an_expression_by_hand(face: Path) -> None:
    arguments = ["generate", "--identity", str(face), "--out", str(face.parent / "o"), "--dry-run"]
    driver = ["--driver", "aus:12L=1.5", "--fps", "200"]
    done = CliRunner().invoke(app, [*arguments, *driver, "--rise", "100", "--fall", "250"])
    assert "71 frames at 200 fps" in done.stdout, done.output
    half = CliRunner().invoke(app, [*arguments, *driver, "--rise", "100"])
    assert isinstance(half.exception, UsageError)
    assert "--rise and --fall go together" in str(half.exception)
    clip = ["--driver", str(face), "--rise", "100", "--fall", "100"]
    own = CliRunner().invoke(app, [*arguments, *clip])
    assert isinstance(own.exception, UsageError)
    assert "says itself how long it takes" in str(own.exception)
