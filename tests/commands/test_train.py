"""`famaug train`: each kind from its YAML, and what cannot be trained."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner, Result

from famaug.cli import app
from famaug.errors import FamaugError
from famaug.types import Picture


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


@pytest.fixture
def faces(tmp_path: Path, astronaut_picture: Picture) -> Path:
    folder = tmp_path / "faces"
    folder.mkdir()
    small = astronaut_picture[:256, 96:352, ::-1]
    for i, picture in enumerate((small, small[:, ::-1])):
        cv2.imwrite(str(folder / f"{i}.png"), picture)
    return folder


def test_a_sharpener_and_again(tmp_path: Path, faces: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        f"out: {tmp_path}/out\npictures: {{sharp: {faces}, hold_out: 0, kernels: 1,\n"
        "  kernel_steps: 5}\nloss: {feature: 0}\n"
        "training: {steps: 2, batch_size: 1, size: 16, device: cpu, decay: 1}\n"
    )
    done = run("superres", config)
    assert done.exit_code == 0, done.output
    assert "2 pictures, {'kernels': 1" in done.output
    assert "2 of 2 steps" in done.output
    assert (tmp_path / "out" / "sharpener.safetensors").is_file()
    assert "steps: 2" in (tmp_path / "out" / "config.yaml").read_text()
    again = run("superres", config)
    assert "2 of 2 steps" in again.output
    assert done.output.count("pixel") > again.output.count("pixel") == 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["sharpener", "x.yaml"], "generator, superres are possible"),
        (["superres", "no.yaml"], "no.yaml"),
        (["generator", "{config}", "training.epoch=3"], "did you mean training.epochs"),
    ],
)
def test_refused(tmp_path: Path, given: list[str], words: str) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"out: {tmp_path}/out\nfaces: {{root: {tmp_path}}}\n")
    done = run(*(g.format(config=config) for g in given))
    assert isinstance(done.exception, FamaugError)
    assert words in str(done.exception)
