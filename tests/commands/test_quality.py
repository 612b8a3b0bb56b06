"""`famaug quality` on a cache, a folder of clips and a video, as a user types it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from famaug.cli import app
from famaug.errors import InputError
from famaug.media.clips import write_clip
from famaug.pipeline import Synthesizer
from famaug.pipeline.inputs import Identity
from famaug.quality.judge import MEANING
from famaug.seeding import keyed_generator
from famaug.store import CacheWriter
from famaug.store.codecs import cache_key
from famaug.types import Frames, Picture, Plan, Provenance


@pytest.fixture(scope="module")
def clips(
    tmp_path_factory: pytest.TempPathFactory, astronaut_picture: Picture
) -> list[tuple[Plan, Frames]]:
    """Two expressions on a face that lies on the disk."""
    path = tmp_path_factory.mktemp("face") / "astronaut.png"
    Image.fromarray(astronaut_picture).save(path)
    synthesizer = Synthesizer(size=160, fps=30)
    face = Identity.of(path)
    plans = [
        synthesizer.plan(f"aus:{units}", face, keyed_generator(n, "quality command"))
        for n, units in enumerate(("4=1.5,12L=1.5", "1=1.5,2=1.5"))
    ]
    return list(zip(plans, synthesizer.render(plans), strict=True))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, clips: list[tuple[Plan, Frames]]) -> Path:
    root = tmp_path_factory.mktemp("quality") / "cache"
    with CacheWriter(root) as writer:
        for plan, frames in clips:
            key = cache_key(plan, codec="delta", quality=None)
            writer.put(key, frames, Provenance(plan, "", "", None, "none"))
    return root


def _run(*args: object, code: int = 0) -> tuple[str, dict[str, Any]]:
    done = CliRunner().invoke(app, ["quality", *map(str, args), "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.output, json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.slow
def test_a_cache(cache: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    text, figures = _run(cache, "--frames", 6, "--report", page)
    assert figures["au_r"] > 0.7
    assert figures["rejected"] == 0
    assert len(figures["clips"]) == 2
    for clip in figures["clips"].values():
        assert set(clip["scores"]) <= set(MEANING)
        assert clip["scores"]["au_r"] > 0.7
        assert clip["reasons"] == []
    assert "Quality of the clips" in text
    for score in MEANING:  # whole, not folded letter by letter
        assert f" {score.replace('_', ' ')} " in text
    html = page.read_text()
    for wanted in ("Quality of the clips", "au_gain", "passes", "AU12", "median"):
        assert wanted in html


def test_a_bad_clip_is_told_and_strict_fails(
    clips: list[tuple[Plan, Frames]], tmp_path: Path
) -> None:
    plan, frames = clips[0]
    noise = np.random.default_rng(0).normal(0, 8, frames.shape[:3])[..., None]
    noisy = np.clip(frames + noise, 0, 255).astype(np.uint8)
    write_clip(tmp_path / "all" / "noisy", noisy, fps=plan.fps, plan=plan)
    write_clip(tmp_path / "all" / "fine", frames, fps=plan.fps, plan=plan)
    _, figures = _run(tmp_path / "all", "--frames", 4, "--strict", code=1)
    assert figures["rejected"] == 1
    assert "flicker is" in " ".join(figures["clips"]["noisy"]["reasons"])
    assert figures["clips"]["fine"]["reasons"] == []


def test_a_video_without_a_plan_has_no_au_scores(
    clips: list[tuple[Plan, Frames]], tmp_path: Path
) -> None:
    plan, frames = clips[1]
    write_clip(tmp_path / "clip.mp4", frames, fps=plan.fps, plan=plan)
    text, figures = _run(tmp_path / "clip.mp4", "--frames", 4)
    scores = figures["clips"]["clip.mp4"]["scores"]
    assert "au_r" not in scores
    assert "outside" in scores
    assert any("no plan" in note for note in figures["notes"])
    assert figures["au_r"] is None
    assert "note: " in text


def test_without_fetched_weights_scores_are_missing_and_said_to_be(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAMAUG_HOME", str(tmp_path))
    _, figures = _run(cache, "--frames", 3, "--clips", 1, "--against", cache)
    (clip,) = figures["clips"].values()
    assert not any(name.startswith("identity") for name in clip["scores"])
    assert "feature_frechet" not in figures
    notes = " ".join(figures["notes"])
    assert "famaug weights fetch sface" in notes
    assert "famaug weights fetch mobilenet_v2" in notes


@pytest.mark.slow
def test_distance_between_sets(
    fetched: Callable[[str], Path], clips: list[tuple[Plan, Frames]], tmp_path: Path
) -> None:
    fetched("mobilenet_v2")
    plan, frames = clips[0]
    for n in range(4):
        write_clip(tmp_path / "a" / f"{n}", frames[n : n + 3], fps=30, plan=plan)
        (tmp_path / "a" / f"{n}" / "plan.json").unlink()
        dark = (frames[n : n + 3] * 0.5).astype(np.uint8)
        write_clip(tmp_path / "b" / f"{n}", dark, fps=30, plan=plan)
    _, figures = _run(tmp_path / "a", "--frames", 3, "--against", tmp_path / "b")
    assert figures["feature_frechet"] > 3 * figures["feature_frechet_real_halves"]
    shutil.rmtree(tmp_path / "b" / "3")
    with pytest.raises(InputError, match="4 clips or more"):
        _run(tmp_path / "a", "--frames", 3, "--against", tmp_path / "b")


def test_generate_with_the_gate(tmp_path: Path, astronaut_picture: Picture) -> None:
    Image.fromarray(astronaut_picture).save(tmp_path / "face.png")
    arguments = ["generate", "--driver", "aus:4=1.5,12L=1.5", "--identity", tmp_path / "face.png"]
    arguments += ["--out", tmp_path / "clip", "--size", 160, "--fps", 30, "--gate", "--json"]
    done = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    assert figures["quality"]["au_r"] > 0.7
    assert figures["rejected"] == 0
    assert (tmp_path / "clip" / "plan.json").is_file()


def test_bad_input(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no frames, no videos"):
        _run(tmp_path / "empty")
    with pytest.raises(InputError, match="no such file"):
        _run(tmp_path / "none")
    with pytest.raises(InputError, match=r"write a \.html"):
        _run(cache, "--report", tmp_path / "x.pdf")
