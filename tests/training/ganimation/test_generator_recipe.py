"""The recipe as a user starts it, and its configs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from famaug.config.ganimation import GANIMATION, open_faces, open_ganimation
from famaug.errors import InputError, TrainingError
from famaug.generator.networks.saved import load_generator
from famaug.seeding import keyed_generator
from famaug.types import AU_NAMES, Picture

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "famaug" / "configs" / "generator"
CONFIGS = sorted(p for p in FOLDER.rglob("*.yaml") if p.stem.startswith("ganimation"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_config(path: Path, tmp_path: Path) -> None:
    assert GANIMATION.read(path, ["seed=7", f"faces.root={tmp_path}"])["seed"] == 7


def test_the_paper_config_is_the_published_training(tmp_path: Path) -> None:
    """Every number, written out once more from the published code."""
    config = GANIMATION.read(FOLDER / "ganimation-paper.yaml", [f"faces.root={tmp_path}"])
    n, w, t = (
        SimpleNamespace(**config.nested(f"{r}.")) for r in ("network", "weights", "training")
    )
    assert (n.width, n.blocks, n.affine, n.flow) == (64, 6, True, False)
    assert (n.critic_width, n.critic_layers, n.both_sides, n.sequence) == (64, 6, False, 0)
    assert (w.adversarial, w.penalty, w.units, w.cycle) == (1, 10, 4000 / 25, 10)
    assert (w.attention, w.smoothness, w.smoothness_reduction) == (0.1, 1e-5, "sum")
    assert (t.epochs, t.decay_epochs, t.batch_size, t.generator_every) == (20, 10, 25, 5)
    assert (t.learning_rate, t.betas, t.penalty_step) == (1e-4, [0.5, 0.999], "separate")
    assert (t.noise / 5, t.mirror, t.ema_decay, t.precision, t.clip) == (0.1, True, 0, "fp32", None)
    assert config["faces.size"] == 128


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory, astronaut_picture: Picture) -> Path:
    """Twelve pictures of one face under other light, a wall, their AUs, and a small config."""
    root = tmp_path_factory.mktemp("material")
    (root / "faces").mkdir()
    draw, rows = keyed_generator(0, "material"), []
    small = cv2.resize(astronaut_picture[:300, 80:380], (220, 220), interpolation=cv2.INTER_AREA)
    for i in range(12):
        lit = np.clip(small * draw.uniform(0.6, 1.2), 0, 255).astype(np.uint8)
        cv2.imwrite(str(root / "faces" / f"p{i}.png"), lit[:, :, ::-1])
        values = draw.uniform(0, 4, 17).round(2)
        units = dict(zip([f"{n}_r" for n in AU_NAMES], values, strict=True))
        rows.append({"picture": f"p{i}.png", **units})
    cv2.imwrite(str(root / "faces" / "wall.png"), np.full((99, 99, 3), 90, np.uint8))
    pd.DataFrame([*rows, {**rows[0], "picture": "wall.png"}]).to_csv(root / "aus.csv", index=False)
    (root / "config.yaml").write_text(
        f"out: {root}/out\n"
        f"faces: {{root: {root}/faces, table: {root}/aus.csv, size: 32, hold_out: 6,\n"
        f"  prepared: {root}/prepared}}\n"
        "network: {width: 4, blocks: 1, critic_width: 4, critic_layers: 3}\n"
        "training: {epochs: 3, decay_epochs: 2, batch_size: 5, device: cpu, log_every: 2,\n"
        "  checkpoint_every: 4, look_every: 10, generator_every: 2, tensorboard: false}\n"
    )
    return root


def run(
    *arguments: object, command: bool = False, **how: object
) -> subprocess.CompletedProcess[str]:
    """The recipe, or the command that is the same."""
    what = ["-m", "famaug", "train", "generator"]
    recipe = [ROOT / "recipes" / "train_generator.py"]
    line = [sys.executable, *(what if command else recipe), *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        line, capture_output=True, text=True, timeout=200, env=environment, **how  # type: ignore[call-overload]
    )  # fmt: skip


@pytest.mark.slow
def test_train(material: Path) -> None:
    done = run(material / "config.yaml")
    assert done.returncode == 0, done.stderr
    first, *records, last = done.stdout.strip().splitlines()
    assert first == "12 faces of 32 pixels; 1 left out: no face found (wall.png)"
    assert last.startswith("10 of 10 steps")  # ten faces in two batches, five epochs
    logged = [json.loads(r) for r in records]
    assert {"critic/units", "generator/cycle", "rate"} < set(logged[0])
    assert any("collapse/mean_attention" in r for r in logged)
    assert any("held_out/lost" in r for r in logged)
    out = material / "out"
    net, note = load_generator(out / "generator.safetensors")
    assert net.settings["width"] == 4
    assert (note["scale"], note["size"], note["steps"]) == ("openface", 32, 10)
    assert (out / "samples" / "step000010.png").is_file()
    assert "width: 4" in (out / "config.yaml").read_text()
    same = run(material / "config.yaml", f"out={material}/same", command=True)
    assert same.returncode == 0, same.stderr
    told = [json.loads(x) for x in (material / "same" / "log.jsonl").read_text().splitlines()]
    for record in (*told, *logged):
        record.pop("seconds_per_step", None)
    assert told == logged
    again, _ = load_generator(material / "same" / "generator.safetensors")
    assert all(map(torch.equal, net.state_dict().values(), again.state_dict().values()))
    for changes in ([], ["training.noise=0.1"]):
        config = GANIMATION.read(material / "config.yaml", changes)
        training = open_ganimation(config, watch=print, progress=print)
        if not changes:
            assert training.run() == 10  # nothing is left to do
    with pytest.raises(InputError, match=r"another setting \(differs in training\)"):
        training.run()


@pytest.mark.slow
def test_every_mistake_in_a_config_is_told(material: Path) -> None:
    done = run(material / "config.yaml", "training.epoch=3", "network.width=wide", "netwrk.x=1")
    assert done.returncode == 2
    assert "3 values are wrong" in done.stderr
    assert "did you mean training.epochs?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("faces.kind=films", "pictures, videos, reader or rendered"),
        ("faces.table=null", "needs the AUs of every face"),
        ("faces.held_out=[p99]", "held_out names 'p99'"),
        ("faces.hold_out=1", "0 or at least 2"),
        ("faces.size=36", "multiple of 2"),
        ("training.batch_size=11", "fewer than a batch of 11"),
        ("training.betas=[0.5]", "a list of 2: a number, a number"),
        ("training.penalty_step=none", "separate or joint"),
        ("training.precision=fp8", "fp32 or bf16"),
        ("network.sequence=4", "runs of 4 frames"),
        ("weights.units=-1", "at least 0; units are not"),
        ("weights.smoothness_reduction=max", "sum or mean"),
    ],
)
def test_errors_before_training(material: Path, change: str, words: str) -> None:
    other = change.startswith(("faces.size", "faces.table"))  # their faces are kept apart
    prepared = f"faces.prepared={material}/{change.replace('=', '-') if other else 'prepared'}"

    def begin() -> None:
        config = GANIMATION.read(material / "config.yaml", [change, prepared])
        open_ganimation(config, watch=print, progress=print)

    with pytest.raises((InputError, TrainingError), match=words):
        begin()


def test_readers_are_found_by_name(tmp_path: Path) -> None:
    for reader, options, words in (
        ("casme9", {}, "no faces.reader 'casme9'"),
        ("famaug.data.clips:Nothing", {}, "has no Nothing"),
        ("ClipFolder", {"speed": 3}, "faces.options.speed is unknown"),
    ):
        faces = {"kind": "reader", "root": str(tmp_path), "reader": reader, "options": options}
        with pytest.raises(InputError, match=words):
            open_faces(GANIMATION.of({"out": "x", "faces": faces}), progress=print)
