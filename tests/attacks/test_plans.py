"""Plans of strangers: they open no path, ask for no memory, and end in no foreign error."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from famaug import Plan, Synthesizer
from famaug.errors import FamaugError, InputError, RenderError
from famaug.pipeline.inputs import read_identity
from famaug.seeding import digest, keyed_generator
from famaug.types import Picture, Provenance


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory, astronaut_picture: Picture) -> Path:
    path = tmp_path_factory.mktemp("faces") / "face.png"
    Image.fromarray(astronaut_picture).save(path)
    return path


@pytest.fixture(scope="module")
def plan(face: Path) -> Plan:
    return Synthesizer(size=96).plan("aus:12=1", str(face), keyed_generator(0, "a"))


def test_a_path_is_looked_at_only_below_a_named_folder(face: Path, tmp_path: Path) -> None:
    source = {"path": str(face), "frame": None}
    wanted = Synthesizer(size=96).plan("aus:12=1", str(face), keyed_generator(0, "a")).identity
    assert read_identity(source, wanted["digest"], below=[face.parent]) is not None
    assert read_identity(source, wanted["digest"], below=[tmp_path]) is None
    out = str(face.parent / ".." / face.parent.name / "face.png")
    assert read_identity({"path": out}, wanted["digest"], below=[face.parent]) is not None
    (tmp_path / "link.png").symlink_to(face)  # inside by name, outside in truth
    linked = {"path": str(tmp_path / "link.png"), "frame": None}
    assert read_identity(linked, wanted["digest"], below=[tmp_path]) is None


@pytest.mark.parametrize(
    "source",
    [
        {"path": "pipe"}, {"path": "/dev/zero"}, {"path": "."}, {"path": "a\0b"}, {"path": 5}, "x",
        ["path"], {"frame": 1}, {"path": "a.png", "frame": "x"}, {"path": "a.png", "frame": -1},
        {"path": "a.png", "frame": 1e9}, {"path": "x" * 5000},
    ],
)  # fmt: skip
def test_odd_sources_are_no_pictures(tmp_path: Path, source: Any) -> None:
    os.mkfifo(tmp_path / "pipe")
    if isinstance(source, dict) and source.get("path") == "pipe":
        source = {"path": str(tmp_path / "pipe")}
    assert read_identity(source, "0" * 64) is None


def _without(plan: Plan, *names: str) -> Plan:
    return replace(plan, identity={k: v for k, v in plan.identity.items() if k not in names})


def _framed(plan: Plan, frame: Any) -> Plan:
    return replace(plan, params={**plan.params, "frame": frame})


@pytest.mark.parametrize(
    "change",
    [
        lambda p: _without(p, "digest"),
        lambda p: _without(p, "mesh"),
        lambda p: replace(p, identity={**p.identity, "mesh": "AAAA"}),
        lambda p: replace(p, identity={**p.identity, "mesh": "%%%"}),
        lambda p: replace(p, identity={**p.identity, "mesh": 7}),
        lambda p: _framed(p, {"size": [10**6, 10**6], "place": [1] * 4}),
        lambda p: _framed(p, {"size": "x", "place": None}),
        lambda p: _framed(p, 3),
        lambda p: _framed(p, {"size": [64, 64], "place": [1e999] * 4}),
        lambda p: replace(p, track=p.track[:1] * 10**6),
        lambda p: replace(p, look={"odd": 1}),
        lambda p: replace(p, superres="other"),
    ],
)  # fmt: skip
def test_odd_plans_are_render_errors(
    plan: Plan, face: Path, change: Callable[[Plan], Plan]
) -> None:
    with pytest.raises(RenderError):
        Synthesizer(size=96, faces=face.parent).render([change(plan)])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("driver", "x"), ("identity", None), ("track", [[1]]), ("track", [[["a"] * 17] * 2]),
        ("track", [[[float("nan")] * 17] * 2]), ("track", {}), ("size", "big"), ("size", 10**9),
        ("size", True), ("fps", 0), ("fps", "x"), ("fps", float("inf")), ("seed", 1.5),
        ("params", []), ("look", "x"), ("generator", 1), ("surplus", 1),
    ],
)  # fmt: skip
def test_plans_of_other_kinds_are_no_plans(plan: Plan, name: str, value: Any) -> None:
    story = Provenance(plan, "", "", "happiness", "rule").to_json()
    story["plan"][name] = value
    with pytest.raises(InputError):
        Plan.from_json(story["plan"])
    with pytest.raises(FamaugError):
        Provenance.from_json(story)
    with pytest.raises(FamaugError):
        Provenance.from_json({**story, "plan": 3})


def test_a_plan_has_one_key_however_its_numbers_are_written(plan: Plan) -> None:
    odd = replace(
        plan,
        fps=np.float64(plan.fps),
        seed=np.int64(plan.seed),
        size=np.int32(plan.size or 0),
        track=np.asarray(plan.track).tolist(),
        params={**plan.params, "sizes": np.asarray(plan.params["sizes"], np.float32)},
    )
    assert odd.key == plan.key
    assert Plan.from_json(json.loads(json.dumps(odd.to_json()))).key == plan.key
    assert replace(plan, fps=plan.fps + 1).key != plan.key
    assert digest({"a": 2, "b": [1.0, -0.0]}) == digest({"b": (np.int8(1), 0), "a": np.float32(2)})
    assert digest(1) != digest("1")
    assert digest(2**53 + 1) != digest(float(2**53))


def test_a_picture_too_large_for_its_own_size_is_told_to_give_one(plan: Plan, face: Path) -> None:
    maker = Synthesizer(size=None, faces=face.parent)
    vast = replace(plan, size=None, params={**plan.params, "frame": {}})
    with pytest.raises(RenderError):
        maker.render([vast])
    for side in (4097, 8192, 10**9):
        frame = {"size": [side, side], "place": [0.4, 0.4, 0.5, 0.6]}
        framed = _framed(replace(plan, size=None), frame)
        with pytest.raises(RenderError, match=r"give a size \(--size 1024\)"):
            maker.render([framed])
