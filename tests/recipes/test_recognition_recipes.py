"""The recognition recipes as a user starts them, on a small flow folder with synthetic clips."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import famaug.samples
from famaug.config.experiments import make_sources, open_ablation, open_problem
from famaug.config.read import Config
from famaug.config.recognition import ABLATION, RECOGNITION
from famaug.configs import shipped
from famaug.errors import InputError
from famaug.seeding import keyed_generator
from famaug.store import CacheWriter, ClipCache
from famaug.testing import make_clip
from famaug.types import Plan, Provenance

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = [*shipped("recognition").values(), *shipped("ablation").values()]
NAMES = ("negative", "positive", "surprise")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_config(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("flow", "data/CASME2", "data/faces"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    kind = ABLATION if path.parent.name == "ablation" else RECOGNITION
    config = kind.read(path, ["seeds=[7]"])
    assert config["seeds"] == [7]
    assert config["training.select"] == "last"


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """flow/ and flow.csv of 4 subjects, cache/ of synthetic clips, and a config."""
    root = tmp_path_factory.mktemp("material")
    (root / "flow").mkdir()
    lines, draw = ["dataset,subject,clip,label"], keyed_generator(0, "material")
    for i in range(20):
        subject, label = f"s{i % 4}", i % 3
        picture = draw.integers(0, 120, (28, 28, 3)).astype(np.uint8)
        picture[label * 9 : label * 9 + 9] += 100
        cv2.imwrite(str(root / "flow" / f"{subject}_c{i} .png"), picture)
        lines.append(f"d{i % 2},{subject},c{i},{NAMES[label]}")
    (root / "flow.csv").write_text("\n".join(lines))
    _write_cache(root / "cache", lambda i: f"d{i % 2}/s{i % 4}")
    _write_cache(root / "others", lambda i: f"elsewhere/p{i % 4}")
    (root / "config.yaml").write_text(
        f"out: {root}/out\ndata: {{reader: flow-folder, root: {root}/flow, table: {root}/flow.csv, "
        f"channels: bgr, origin: made noise}}\nnetwork: {{input: {{flow: dis}}}}\n"
        "training: {epochs: 3, learning_rate: 0.01, batch_size: 16}\n"
    )
    return root


def _write_cache(folder: Path, who: Callable[[int], str]) -> None:
    with CacheWriter(folder) as writer:
        for i in range(12):
            track = [[[level] * 17] * 2 for level in (0.0, 1.0, 0.5)]
            plan = Plan({"n": i}, {"name": "x"}, track, "g", "w", None, 10.0)
            story = Provenance(plan, who(i), who(i), NAMES[i % 3], "driver")
            writer.put(plan.key, make_clip(i, frames=3, shift=(0.3, 0.1)).frames, story)


def run(recipe: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "recipes" / f"{recipe}.py", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=200,
    )


@pytest.mark.slow
def test_train(material: Path) -> None:
    out = material / "trained"
    done = run(
        "train_recognizer",
        material / "config.yaml",
        f"out={out}",
        f"synthetic.cache={material}/cache",
        "synthetic.ratio=1",
        "seeds=[0,1]",
    )
    assert done.returncode == 0, done.stderr
    assert "20 real clips of 4 subjects, 12 synthetic, 4 folds, 2 seeds" in done.stdout
    assert "Data: made noise; these numbers say nothing about the real data sets." in done.stdout
    value = json.loads((out / "scores.json").read_text())
    assert value["parts"]["all"]["clips"] == 20
    assert "ratio: 1.0" in (out / "config.yaml").read_text()
    assert len(list((out / "runs").rglob("*.json"))) == 8


@pytest.mark.slow
def test_tensorboard_shows_the_loss(material: Path) -> None:

    out = material / "board"
    done = run("train_recognizer", material / "config.yaml", f"out={out}", "tensorboard=true")
    assert done.returncode == 0, done.stderr
    board = EventAccumulator(str(out / "tensorboard")).Reload()
    shown = board.Scalars("loss/seed0")
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [event.step for event in shown] == [line["step"] for line in lines]
    mean = [sum(line["loss"].values()) / len(line["loss"]) for line in lines]
    assert [event.value for event in shown] == pytest.approx(mean, rel=1e-5)


@pytest.mark.slow
def test_every_mistake_in_a_config_is_told(material: Path) -> None:
    done = run(
        "train_recognizer",
        material / "config.yaml",
        "training.epoch=3",
        "training.batch_size=many",
        "netwrk.name=x",
        "seeds=[a]",
    )
    assert done.returncode == 2
    assert "4 values are wrong" in done.stderr
    assert "training.epoch is unknown; did you mean training.epochs?" in done.stderr
    assert "netwrk is unknown; did you mean network?" in done.stderr
    assert "training.batch_size must be a whole number; got 'many'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("network.name=two-branch", "a flow folder holds flow pictures"),
        ("network.input.size=32", "ststnet does not take its input, flow of shape (3, 32, 32)"),
        ("data.classes=[negative,sleepy]", "no clip has the label 'sleepy'"),
        ("synthetic.ratio=1", "synthetic.cache must name a cache"),
        ("synthetic.only=true", "synthetic.cache must name a cache"),
        ("training.pretrain_steps=2", "training.pretrain_steps has no effect: there is no synth"),
        ("training.start=nothing", "'nothing' is neither"),
        ("training.shift=20", "20 pixels of pictures that have 28"),
        ("training.learning_rate=-1", "learning_rate is above 0"),
        ("folds=loo", "folds must be loso, k-fold:K or dataset"),
        ("shard=1", "shard must be written k/n"),
        ("missing_class=drop", "missing_class must be zero or skip"),
    ],
)
def test_errors_before_training(material: Path, change: str, words: str) -> None:
    with pytest.raises(InputError) as told:
        open_problem(RECOGNITION.read(material / "config.yaml", [change]))
    assert words in str(told.value)


@pytest.mark.slow
def test_synthetic_clips_alone(material: Path) -> None:
    out = material / "alone"
    given = [f"out={out}", f"synthetic.cache={material}/others", "synthetic.only=true"]
    done = run("train_recognizer", material / "config.yaml", *given)
    assert done.returncode == 0, done.stderr
    assert "12 synthetic clips to train on, 20 real ones of 4 subjects to test on" in done.stdout
    assert "Trained on synthetic clips alone" in done.stdout
    value = json.loads((out / "scores.json").read_text())
    assert value["parts"]["all"]["clips"] == 20
    assert len(list((out / "runs").rglob("*.json"))) == 1
    given[1] = f"synthetic.cache={material}/cache"  # of the people who are tested
    with pytest.raises(InputError, match=r"holds no clip that may be trained on; left.*held"):
        open_problem(RECOGNITION.read(material / "config.yaml", given))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["folds=k-fold:2"], "folds has no effect: synthetic.only tests every real clip"),
        (["synthetic.ratio=1"], "synthetic.ratio has no effect"),
        (["training.pretrain_steps=2"], "training.pretrain_steps has no effect"),
        (["synthetic.look=fit"], "synthetic.look is fit, and with synthetic.only there are no"),
        (["weights=folder"], "synthetic.only has no effect: weights are scored"),
    ],
)
def test_what_goes_without_real_clips(material: Path, changes: list[str], words: str) -> None:
    given = [f"synthetic.cache={material}/others", "synthetic.only=true", *changes]
    with pytest.raises(InputError, match=words):
        RECOGNITION.read(material / "config.yaml", given)


def test_an_ablation_scores_no_weights(tmp_path: Path) -> None:
    """They had no effect, and nobody said so."""
    data = {"reader": "casme2", "root": str(tmp_path)}
    with pytest.raises(InputError, match="weights has no effect: an ablation trains"):
        ABLATION.of({"out": "x", "weights": str(tmp_path), "data": data, "ratios": [0]})


@pytest.mark.slow
def test_ablation(material: Path) -> None:
    out = material / "ablated"
    given = [f"out={out}", f"sources.rules={material}/cache", "ratios=[0,1]", "training.epochs=2"]
    given += [f"sources.others={material}/others", "training.pretrain_steps=1"]
    given.append("tensorboard=true")  # wrote nothing
    done = run("ablate_synthetic_ratio", material / "config.yaml", *given)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.strip().splitlines()
    assert lines[0] == "4 settings of 20 real clips of 4 subjects, 0 synthetic, 4 folds, 1 seeds"
    assert lines[-2].startswith("Data: made noise;")
    assert "gain" in lines[-1]
    assert (out / "ablation.html").is_file()
    for setting in ("ratio-0", "rules/ratio-1", "others/alone"):
        assert len([*(out / setting / "tensorboard").iterdir()]) == 1
    assert json.loads((out / "rules" / "ratio-1" / "scores.json").read_text())["data"]


def test_a_class_without_a_synthetic_clip(
    material: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = ClipCache(material / "others")
    with CacheWriter(tmp_path / "two") as writer:
        for key in cache.keys():  # noqa: SIM118
            clip = cache.read(key)
            if clip.provenance is not None and clip.provenance.label != "surprise":
                writer.put(key, clip.frames, clip.provenance)
    given = [f"synthetic.cache={tmp_path}/two", "synthetic.ratio=1"]
    open_problem(RECOGNITION.read(material / "config.yaml", given))
    assert "two: none is surprise" in caplog.text
    for alone in ("synthetic.only=true", "training.pretrain_steps=1"):
        with pytest.raises(InputError, match=r"synthetic clips is surprise, and it is trained"):
            open_problem(RECOGNITION.read(material / "config.yaml", [given[0], alone]))


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces")
    for path in [*famaug.samples.faces().values()][:2]:
        shutil.copy(path, folder)
    return folder


@pytest.mark.slow
def test_an_ablation_from_faces_and_flow_pictures(material: Path, faces: Path) -> None:
    out = material / "from_faces"
    given = [f"out={out}", "sources={}", "drawn=[rules,drawn]", "ratios=[0,1]", f"features={out}/f"]
    given += [f"faces={faces}", "per_class=2", "training.epochs=1", "synthetic.look=casme2"]
    done = run("ablate_synthetic_ratio", material / "config.yaml", *given)
    assert done.returncode == 0, done.stderr
    with (out / "ablation.csv").open() as file:
        rows = {r["setting"] for r in csv.DictReader(file) if r["part"] == "all"}
    assert rows == {
        "no synthetic clips",
        "rules at ratio 1", "drawn at ratio 1",
        "synthetic only: rules", "synthetic only: drawn",
    }  # fmt: skip


@pytest.mark.slow
def test_what_cannot_be_made_of_faces(material: Path, tmp_path: Path) -> None:
    def config(*changes: str) -> Config:
        given = [f"out={tmp_path}/out", f"sources.rules={tmp_path}/rules", *changes]
        return ABLATION.read(material / "config.yaml", given)

    for changes, why in (
        (["per_class=3"], "per_class has no effect: there are no faces"),
        (["drawn=[rules]"], "drawn has no effect: there are no faces"),
        ([f"faces={tmp_path}", "drawn=[rules]"], "sources and drawn both name rules"),
        ([f"faces={tmp_path}", "drawn=[rule]"], "must be one of rules, stats, drawn; got rule"),
    ):
        with pytest.raises(InputError, match=why):
            config(*changes)
    with pytest.raises(InputError, match="a flow-folder has no frames; give `faces`"):
        make_sources(config(), per_clip=2, progress=lambda *told: None)
    (tmp_path / "noise").mkdir()
    noise = keyed_generator(0, "noise").integers(0, 256, (128, 128, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "noise" / "a.png"), noise)
    alone = ["sources={}", f"faces={tmp_path}/noise", "per_class=1"]
    with pytest.raises(InputError, match="none of 1 pictures shows a usable face"):
        open_ablation(ABLATION.read(material / "config.yaml", alone))
