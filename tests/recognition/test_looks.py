"""`synthetic.look`: clips that look like real ones, fitted on nobody whom a fold tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from famaug import Synthesizer
from famaug.cli import app
from famaug.config.experiments import open_ablation, open_problem, run_recogniser
from famaug.config.read import Config, Schema
from famaug.config.recognition import ABLATION, RECOGNITION
from famaug.data import Casme2, fit_look, load_look, save_look
from famaug.errors import InputError, LeakageError
from famaug.pipeline.inputs import Driver, Identity
from famaug.samples import FOLDER
from famaug.seeding import keyed_generator
from famaug.store import CacheWriter
from famaug.testing import make_replica
from famaug.types import Provenance

SIZE = (112, 90)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small replica with faces, its own clean synthetic clips beside it, and a look."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("looks")
    make_replica("casme2", root / "C", identities=FOLDER, subjects=3, clips=6, longest=6, size=SIZE)
    maker = Synthesizer(size=96, fps=25)
    picture = Identity.of(sorted(FOLDER.glob("*.jpg"))[-1])
    side = maker.find_face(picture)
    with CacheWriter(root / "cache") as writer:
        for n, label in enumerate(("happiness", "disgust", "surprise", "happiness")):
            rule = Driver.of("aus:12=2")
            plan = maker.plan_measured(
                rule.to_json(), maker.measure(rule), side, keyed_generator(n, "looks")
            )
            story = Provenance(plan, f"casme2/sub0{n % 3 + 1}", "", label, "driver")
            writer.put(plan.key, maker.render([plan])[0], story)
    return root


def config(
    root: Path, out: Path, *, look: str | None, cache: str = "cache", kind: Schema = RECOGNITION
) -> Config:
    synthetic = {"cache": str(root / cache), "ratio": 1.0, "look": look}
    values = {
        "out": str(out),
        "features": str(root / "features"),
        "data": {"reader": "casme2", "root": str(root / "C"), "options": {"label": "three"}},
        "network": {"input": {"flow": "farneback"}},
        "training": {"epochs": 2, "batch_size": 4},
    }
    if kind is ABLATION:
        values |= {"ratios": [0, 1], "sources": {"rules": synthetic["cache"]}}
        synthetic = {"look": look}
    return kind.of(values | {"synthetic": synthetic})


@pytest.mark.slow
def test_each_fold_trains_on_clips_with_its_own_look(data: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    mine = config(data, tmp_path / "out", look="fit")
    problem = open_problem(mine, progress=lambda *what: told.append(what))
    pool = problem.pool
    assert pool is not None
    assert pool.own is not None
    assert len(pool) == 4
    assert set(pool.own) == {"casme2/sub01", "casme2/sub02", "casme2/sub03"}
    assert ("synthetic clips", 8, 8) in told  # 3 x 4 but those of the tested drivers
    assert ("looks of the folds", 3, 3) in told
    first, second = pool.own["casme2/sub01"], pool.own["casme2/sub02"]
    both = problem.splits[0].allowed & problem.splits[1].allowed
    assert both.any()
    assert (first[both] != second[both]).any()
    assert not first[~problem.splits[0].allowed].any()  # nobody's clips lie about
    with pytest.raises(InputError, match="one by one"):
        problem.data()
    kept = sorted((data / "features").rglob("*.npy"))
    (data / "cache").rename(data / "moved")  # a second time no clip is rendered or read
    again = open_problem(config(data, tmp_path / "out", look="fit", cache="moved")).pool
    (data / "moved").rename(data / "cache")
    assert again is not None
    assert again.own is not None
    assert all(np.array_equal(again.own[k], pool.own[k]) for k in pool.own)
    assert sorted((data / "features").rglob("*.npy")) == kept
    scores = run_recogniser(mine, problem)
    assert scores is not None
    plain = open_problem(config(data, tmp_path / "out", look=None))
    with pytest.raises(InputError, match="another config"):
        run_recogniser(mine, plain)


def test_one_look_for_all_folds_is_of_nobody_they_test(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "look.json"
    save_look(fit_look(Casme2(data / "C"), clips=2), file)
    mine = config(data, tmp_path / "out", look=str(file))
    with pytest.raises(LeakageError, match=r"fitted on casme2/sub0\d.*whom a fold tests.*=fit"):
        open_problem(mine)
    save_look(replace(load_look(file), subjects=("samm/006",)), file)
    looked, plain = open_problem(mine), open_problem(config(data, tmp_path, look=None))
    assert looked.pool is not None
    assert plain.pool is not None
    assert looked.shared
    assert (looked.pool.inputs != plain.pool.inputs).any()
    assert looked.pool.provenances[0].plan.look == {"subjects": ["samm/006"]}
    _, pools, _ = open_ablation(config(data, tmp_path / "out", look=str(file), kind=ABLATION))
    assert np.array_equal(pools["rules"].inputs, looked.pool.inputs)


@pytest.mark.parametrize(
    ("look", "cache", "why"),
    [
        ("nowhere.json", "cache", "or a look's file; nowhere.json is no file"),
        ("fit", None, "synthetic.look has no effect: there is no synthetic.cache"),
    ],
)
def test_what_cannot_be_is_told_first(
    tmp_path: Path, look: str, cache: str | None, why: str
) -> None:
    data = {"reader": "casme2", "root": str(tmp_path)}
    with pytest.raises(InputError, match=why):
        RECOGNITION.of({"out": "x", "data": data, "synthetic": {"look": look, "cache": cache}})
    data = {"reader": "flow-folder", "root": str(tmp_path), "table": "t.csv"}
    with pytest.raises(InputError, match="no clips to fit it on"):
        RECOGNITION.of({"out": "x", "data": data, "synthetic": {"look": "fit", "cache": "c"}})


def test_doctor_keeps_a_look_without_the_held_out(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "look.json"
    line = ["doctor", "--dataset", "casme2", str(data / "C"), "--expect", "partial", "--look"]
    found = CliRunner().invoke(app, [*line, "--out", str(file), "--held-out", "1"])
    assert found.exit_code == 0, found.output
    assert f"wrote the look to {file}" in found.output
    assert load_look(file).subjects == ("casme2/sub02", "casme2/sub03")
    assert "is nobody" in str(CliRunner().invoke(app, [*line, "--held-out", "99"]).exception)
    assert "belong to --look" in str(CliRunner().invoke(app, [*line[:-1], "--out", "x"]).exception)
