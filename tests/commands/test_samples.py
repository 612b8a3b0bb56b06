"""`famaug samples`: inputs that every other command takes, without a network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from famaug import samples
from famaug.aus.flow_and_points import measure_aus
from famaug.cli import app
from famaug.data import Casme2
from famaug.faces.mesher import FaceMesher
from famaug.media.clips import read_frames, read_picture
from famaug.types import AU_INDEX


@pytest.mark.slow
def test_a_folder_to_try_things_with(tmp_path: Path, mesher: FaceMesher) -> None:
    out = tmp_path / "try"
    done = CliRunner().invoke(app, ["samples", str(out), "--dataset", "casme2", "--json"])
    assert done.exit_code == 0, done.output
    written = json.loads(done.stdout.splitlines()[-1])["written"]
    names = ["CASME2", "README.txt", "clip.mp4", "face.png", "faces", "small.png"]
    assert written == {name: str(out / name) for name in names}
    assert {p.stem for p in (out / "faces").iterdir()} == samples.faces().keys()
    for name in ("face.png", "small.png"):
        mesher.find(read_picture(out / name))
    assert len(Casme2(out / "CASME2", clip="cropped").refs) == 16
    frames, fps = read_frames(out / "clip.mp4")
    assert fps == 100
    track = measure_aus(frames, mesher=mesher).track
    smile = np.nan_to_num(track.intensity[:, :, AU_INDEX[12]])
    assert not smile[:8].any()
    assert 1.5 < smile.max() < 2.5
    assert smile[-1].max() < 0.2
    assert "CC0" in (out / "README.txt").read_text()


def test_only_into_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    done = CliRunner().invoke(app, ["samples", str(tmp_path)])
    assert "new or empty folder" in str(done.exception)
    unknown = CliRunner().invoke(app, ["samples", str(tmp_path / "a"), "--dataset", "casme9"])
    assert "no data set 'casme9'" in str(unknown.exception)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
