"""The recipe that makes an ablation's three sources, on a small replica with faces."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from famaug.recognition.config import AblationConfig, load_settings
from famaug.recognition.setup import open_clips
from famaug.store import ClipCache
from famaug.testing import make_replica
from famaug.types import Picture

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def config(tmp_path: Path, photos: list[Picture]) -> Path:
    (tmp_path / "faces").mkdir()
    for i, photo in enumerate(photos[1:4]):
        Image.fromarray(photo).save(tmp_path / "faces" / f"{i}.png")
    make_replica(
        "smic", tmp_path / "smic", identities=tmp_path / "faces", subjects=2, clips=3,
        size=(224, 186), longest=6,
    )  # fmt: skip
    path = tmp_path / "config.yaml"
    path.write_text(
        f"out: {tmp_path}/out\ndata: {{smic: {tmp_path}/smic, missing: skip}}\n"
        f"sources: {{drivers: {tmp_path}/c/drivers, rules: {tmp_path}/c/rules, "
        f"varied: {tmp_path}/c/varied}}\n"
    )
    return path


def run(config: Path) -> str:
    recipe = ROOT / "recipes" / "make_ablation_sources.py"
    done = subprocess.run(
        [sys.executable, recipe, config, "--per-clip", "1"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_three_sources_that_can_go_on(config: Path) -> None:
    text = run(config)
    settings = load_settings(AblationConfig, config)
    clips = len(open_clips(settings.data))
    for name, folder in settings.sources.items():
        cache = ClipCache(folder)
        assert 0 < len(cache.keys()) <= max(clips, 3), text
        for key in cache.keys():  # noqa: SIM118
            story = cache.provenance(key)
            assert story is not None
            assert story.label in settings.data.classes
            if name == "drivers":
                assert story.driver_subject != story.identity_subject
            if name == "varied":
                assert story.driver_subject == story.identity_subject
    again = run(config)
    assert again.count(": 0 made") == 3
