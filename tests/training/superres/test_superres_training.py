"""The training as a whole: it learns, goes on exactly, and its recipe runs as a user starts it."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from famaug.config.superres import SUPERRES, open_superres, split_pictures
from famaug.configs import shipped
from famaug.errors import InputError
from famaug.superres.models import load_model
from famaug.superres.srvgg import SRVGG
from famaug.training.loop.engine import Engine
from famaug.training.superres.degrade import Pools
from famaug.training.superres.evaluate import HeldOut
from famaug.training.superres.kernels import gaussian_kernel, twice
from famaug.training.superres.objective import (
    PatchDiscriminator,
    SuperresLossWeights,
    SuperresObjective,
)
from famaug.training.superres.patches import DegradedPatches
from famaug.types import Picture

ROOT = Path(__file__).resolve().parents[3]
CONFIGS = list(shipped("superres").values())


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_configs(path: Path, tmp_path: Path) -> None:
    sharp = f"pictures.sharp={tmp_path}"
    config = SUPERRES.read(path, ["training.steps=7", "training.decay=0", sharp])
    assert config["training.steps"] == 7


@pytest.fixture(scope="module")
def pools() -> Pools:
    return Pools(twice(gaussian_kernel(1.0))[None], np.zeros((0, 48, 48, 3), np.float32))


def tiny() -> SRVGG:
    torch.manual_seed(0)
    return SRVGG(features=8, convs=2)


def test_it_learns(pools: Pools, astronaut_picture: Picture) -> None:
    """Pixels alone, a tiny network: nearer to the truth after 60 steps, and so is the held out."""
    source = DegradedPatches([astronaut_picture[:, :256]], pools, size=16)
    held = HeldOut([astronaut_picture[:256, 256:]], pools)
    net = tiny()
    before = held.measure(net)["psnr"]
    weights = SuperresLossWeights(pixel=1, feature=0, adversarial=0)
    engine = Engine(device="cpu")
    objective = SuperresObjective(net, engine, trunk=None, weights=weights, learning_rate=2e-3)
    losses = [float(objective.step(source.batch(i, range(4)), i)["pixel"]) for i in range(60)]
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])
    assert held.measure(net)["psnr"] > before + 0.5


def test_every_loss_pulls_and_the_judge_learns_to_tell(
    pools: Pools, astronaut_picture: Picture
) -> None:
    source = DegradedPatches([astronaut_picture], pools, size=16)
    objective = SuperresObjective(
        tiny(),
        Engine(device="cpu"),
        trunk=None,
        weights=SuperresLossWeights(feature=0),
        learning_rate=1e-3,
    )
    made = [objective.step(source.batch(i, range(4)), i) for i in range(40)]
    assert set(made[0]) == {"pixel", "adversarial", "discriminator"}
    assert float(made[-1]["discriminator"]) < 0.8 * float(made[0]["discriminator"])
    batch = source.batch(99, range(4))
    with torch.inference_mode():
        real, made_up = (
            objective.judge(batch["sharp"]),
            objective.judge(objective.net(batch["small"])),
        )
    assert real.mean() > max(0.2, float(made_up.mean()))
    assert PatchDiscriminator()(torch.zeros(1, 3, 64, 64)).shape[:2] == (1, 1)
    with pytest.raises(InputError, match="not all 0"):
        SuperresLossWeights(pixel=0, feature=0, adversarial=0)
    with pytest.raises(InputError, match="needs a trunk"):
        SuperresObjective(tiny(), Engine(device="cpu"), trunk=None)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory, astronaut_picture: Picture) -> Path:
    """pictures/ of five parts of a photograph, a tiny start, and a config without features."""
    root = tmp_path_factory.mktemp("superres")
    (root / "pictures").mkdir()
    for i in range(5):
        part = astronaut_picture[i * 60 : i * 60 + 192, i * 50 : i * 50 + 192]
        Image.fromarray(part).save(root / "pictures" / f"{i}.png")
    save_file(dict(tiny().state_dict()), root / "tiny.safetensors")
    (root / "config.yaml").write_text(
        f"out: {root}/out\nmodel: {root}/tiny.safetensors\nthreads: 1\n"
        f"pictures: {{sharp: {root}/pictures, hold_out: 5, kernels: 2, kernel_steps: 3}}\n"
        "loss: {feature: 0.0}\n"
        "training: {steps: 8, batch_size: 2, size: 20, device: cpu, log_every: 2, "
        "checkpoint_every: 4, look_every: 4}\n"
    )
    return root


def test_a_run_that_was_cut_goes_on_exactly(material: Path) -> None:
    file, cut = material / "config.yaml", f"out={material}/cut"
    training, _ = open_superres(SUPERRES.read(file))
    assert training.run() == 8
    first, _ = open_superres(SUPERRES.read(file, [cut, "training.seconds=0.000001"]))
    assert first.run() == 2
    second, _ = open_superres(SUPERRES.read(file, [cut]))
    assert second.run() == 8
    a, b = (load_file(material / name / "sharpener.safetensors") for name in ("out", "cut"))
    assert a.keys() == b.keys()
    assert all(torch.equal(a[k], b[k]) for k in a)
    assert not torch.equal(a["body.0.weight"], tiny().state_dict()["body.0.weight"])
    made = load_model(material / "out" / "sharpener.safetensors")
    assert made(torch.rand(1, 3, 8, 8)).shape == (1, 3, 32, 32)
    records = [json.loads(x) for x in (material / "cut" / "log.jsonl").read_text().splitlines()]
    assert [r["step"] for r in records if "pixel" in r] == [2, 4, 6, 8]
    assert any("held_out/plain_psnr" in r for r in records)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("training.decay=9", "decay is 0 to training.steps"),
        ("training.learning_rate=0", "learning_rate must be above 0"),
        ("training.checkpoint_every=3", "multiple of log_every"),
        ("pictures.hold_out=1", "leaves 0 of 5 pictures"),
        ("pictures.sharp=nowhere", "pictures.sharp: nowhere is not there"),
        ("training.size=100", "need pictures of at least 448"),
        ("loss.pixel=-1", "at least 0"),
    ],
)
def test_mistakes_before_training(material: Path, change: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        open_superres(SUPERRES.read(material / "config.yaml", [change]))


def test_another_setting_is_refused(material: Path) -> None:
    file, out = material / "config.yaml", f"out={material}/other"
    open_superres(SUPERRES.read(file, [out]))[0].run()
    with pytest.raises(InputError, match=r"training of another setting .differs in loss"):
        open_superres(SUPERRES.read(file, [out, "loss.pixel=2.0"]))[0].run()


def test_split(material: Path) -> None:
    kept, held = split_pictures(material / "pictures", 2)
    assert [p.stem for p in held] == ["0", "2", "4"]
    assert [p.stem for p in kept] == ["1", "3"]


def test_the_recipe_is_what_the_command_runs(material: Path) -> None:
    config, short = material / "config.yaml", ["pictures.hold_out=0", "training.steps=4"]
    outs = [material / "by_recipe", material / "by_command"]
    recipe = runpy.run_path(str(ROOT / "recipes" / "train_superres.py"))
    recipe["main"](SimpleNamespace(config=str(config), overrides=[*short, f"out={outs[0]}"]))
    open_superres(SUPERRES.read(config, [*short, f"out={outs[1]}"]))[0].run()
    a, b = (load_file(out / "sharpener.safetensors") for out in outs)
    assert all(torch.equal(a[k], b[k]) for k in a)
    assert not torch.equal(a["body.0.weight"], tiny().state_dict()["body.0.weight"])


def test_a_start_that_enlarges_by_another_factor(material: Path) -> None:
    """The recipe trained it, where the command refused."""
    start = material / "twice.safetensors"
    save_file(dict(SRVGG(features=8, convs=2, scale=2).state_dict()), start)
    config, changes = material / "config.yaml", [f"model={start}", f"out={material}/twice"]
    recipe = runpy.run_path(str(ROOT / "recipes" / "train_superres.py"))
    with pytest.raises(InputError, match="enlarges by 2; 4 is trained"):
        open_superres(SUPERRES.read(config, changes))
    with pytest.raises(InputError, match="enlarges by 2; 4 is trained"):
        recipe["main"](SimpleNamespace(config=str(config), overrides=changes))


@pytest.mark.media
def test_the_recipe(material: Path, fetched: object) -> None:
    """As a user starts it, features and the measurement of held-out faces included."""
    assert callable(fetched)
    fetched("mobilenet_v2")
    done = subprocess.run(
        [
            sys.executable,
            ROOT / "recipes" / "train_superres.py",
            material / "config.yaml",
            f"out={material}/recipe",
            "loss.feature=0.1",
            "training.steps=2",
        ],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert "4 pictures, {'kernels': 2" in done.stdout
    scores = json.loads((material / "recipe" / "scores.json").read_text())
    assert set(scores) == {"steps", "plain", "real"}
    assert {"psnr", "ssim", "feature"} <= set(scores["real"]["trained"])
    wrong = subprocess.run(
        [
            sys.executable,
            ROOT / "recipes" / "train_superres.py",
            material / "config.yaml",
            "training.step=2",
        ],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert wrong.returncode == 2
    assert "did you mean training.steps?" in wrong.stderr
