"""The YAMLs of a generation that ship; the recipe runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from skimage.data import astronaut

from famaug.config.generation import GENERATION, open_generation
from famaug.configs import shipped
from famaug.store import ClipCache
from famaug.testing import make_replica

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = list(shipped("generation").values())


def test_there_are_configs() -> None:
    assert len(CONFIGS) >= 4


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_config(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CASME2", "clips", "faces"):
        (tmp_path / "data" / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    config = GENERATION.read(path, ["seed=7"])
    assert config["seed"] == 7
    assert str(config["out"]).startswith("cache/")


@pytest.mark.slow
def test_the_recipe_makes_and_seals_a_cache(tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    Image.fromarray(astronaut()[:256, 96:352]).save(tmp_path / "faces" / "a.png")
    config = tmp_path / "c.yaml"
    config.write_text(
        f"out: {tmp_path}/cache\ndrivers: {{rules: ['rule:positive'], per_rule: 3}}\n"
        f"identities: {{pictures: [{tmp_path}/faces]}}\nrender: {{size: 64, fps: 20}}\n"
        "gate: {enabled: false}\n"
    )
    done = subprocess.run(
        [sys.executable, ROOT / "recipes" / "pregenerate_cache.py", "-q", config, "seed=1"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "sealed 3 clips" in done.stdout
    assert ClipCache(tmp_path / "cache").sealed


def test_the_composite_opens(tmp_path: Path) -> None:
    for name in ("smic", "casme2", "samm"):
        make_replica(name, tmp_path / name, longest=2)
    options = [f"dataset.options.{n}={tmp_path}/{n}" for n in ("smic", "casme2", "samm")]
    settings, _ = open_generation(
        GENERATION.read(
            shipped("generation")["composite"], [*options, "dataset.options.missing=skip"]
        )
    )
    assert 430 < len(settings.dataset) <= 442
