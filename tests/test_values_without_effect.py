"""A value of a configuration that would do nothing is an error that says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from famaug.config.ganimation import GANIMATION
from famaug.config.generation import GENERATION
from famaug.config.read import Config, Schema
from famaug.config.recognition import ABLATION, RECOGNITION
from famaug.errors import InputError
from famaug.recognition.inputs import InputSpec


def recognition(tmp_path: Path, text: str, kind: Schema = RECOGNITION) -> Config:
    (tmp_path / "c.yaml").write_text(text)
    return kind.read(tmp_path / "c.yaml", ["out=out", f"data.root={tmp_path}"])


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"reader": "casme2", "channels": "bgr"}, "data.channels has no effect"),
        ({"reader": "composite", "channels": "bgr"}, "data.channels has no effect"),
        ({"reader": "ClipFolder", "pattern": "{clip}.png"}, "data.pattern has no effect"),
        ({"reader": "casme2", "table": "t.csv"}, "data.table has no effect"),
        ({"reader": "casme2", "channels": "grey"}, "must be rgb or bgr; got 'grey'"),
        ({"reader": "flow-folder", "table": "t.csv", "channels": "BGR"}, "got 'BGR'"),
        ({"reader": "flow-folder", "table": "t.csv", "options": {"label": "three"}},
         "data.options has no effect"),
        ({"kind": "composite"}, "data.kind is unknown"),
    ],
)  # fmt: skip
def test_data_of_a_recogniser(tmp_path: Path, data: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        RECOGNITION.of({"out": "out", "data": {"root": str(tmp_path), **data}})


def test_synthetic_clips_that_are_not_there(tmp_path: Path) -> None:
    text = "data: {reader: casme2}\nsynthetic: {labels: {happiness: positive}}"
    with pytest.raises(InputError, match=r"synthetic.labels has no effect: there is no"):
        recognition(tmp_path, text)
    text = "data: {reader: casme2}\nsynthetic: {cache: cache/x, ratio: 1}"
    with pytest.raises(InputError, match=r"(?s)synthetic.cache has no effect.*synthetic.ratio"):
        recognition(tmp_path, text, ABLATION)


def test_frames_of_inputs_that_have_none() -> None:
    with pytest.raises(InputError, match="frames=8 has no effect on 'flow'"):
        InputSpec(kind="flow", size=28, frames=8)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dataset: {held_out: [casme2/sub01]}", "there is no dataset.root"),
        ("dataset: {fold: {by: subject, name: casme2/sub01}}", "there is no dataset.root"),
        ("dataset: {root: ., fold: {name: casme2/sub01}}", "dataset.fold.by is none"),
        ("dataset: {root: ., fold: {by: subject, name: a/b, parts: 3}}", "by is not parts"),
        ("drivers: {as_is: true}", "there are no drivers.tables"),
        ("identities: {own: false, per_subject: 4}", "identities.own is false"),
        ("gate: {enabled: false, limits: {seam: 3}}", "gate.enabled is false"),
        ("cache: {quality: 80}", "belongs to cache.codec jpeg"),
        ("work: {ray: {gpus: 1}}", "work.engine is not ray"),
    ],
)
def test_generation(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(InputError, match=f"has no effect: .*{told}"):
        GENERATION.read(tmp_path / "c.yaml", ["out=out"])


@pytest.mark.parametrize(
    "faces",
    [
        {"kind": "pictures", "window": 9},
        {"kind": "pictures", "full_scale": 1.0},
        {"kind": "videos", "options": {"table": "a"}},
        {"kind": "reader", "table": "aus.csv"},
        {"kind": "pictures", "scenes": 9},
        {"kind": "videos", "videos": "a"},
        {"kind": "rendered", "table": "aus.csv"},
    ],
)
def test_faces_of_a_generator(faces: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="has no effect"):
        GANIMATION.of({"out": "x", "faces": faces})
