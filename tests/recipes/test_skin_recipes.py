"""What the skin recipes compute, on evidence whose answer is known."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from famaug.judges.expressions import CLASSES
from famaug.types import AU_INDEX, AUS, Picture

RECIPES = Path(__file__).resolve().parents[2] / "recipes"


def _recipe(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"recipe_{name}", RECIPES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def evaluation() -> ModuleType:
    return _recipe("evaluate_skin")


@pytest.fixture(scope="module")
def learning() -> ModuleType:
    return _recipe("learn_skin")


def test_fhog_is_blind_to_contrast_and_sees_a_line_where_it_is(evaluation: ModuleType) -> None:
    flat = np.full((112, 112), 90, np.float32)
    assert evaluation.fhog(flat).shape == (12, 12, 31)
    assert np.abs(evaluation.fhog(flat)).max() < 1e-3
    line = flat.copy()
    line[:, 58:60] -= 40  # upright, dark
    seen = evaluation.fhog(line)
    strong = np.abs(seen).sum((0, 2))
    assert strong.argmax() in (5, 6)
    assert strong[:4].max() < 0.2 * strong.max()
    signed = seen[5, :, :18].sum(0) + seen[6, :, :18].sum(0)
    assert set(np.argsort(signed)[-2:]) == {0, 9}  # darker to the right, and brighter again
    assert np.allclose(evaluation.fhog(90 + 2 * (line - 90)), seen, atol=1e-3)


def test_a_turned_picture_turns_its_directions(evaluation: ModuleType) -> None:
    x = np.arange(112, dtype=np.float32)
    waves = np.repeat(128 + 40 * np.sin(x / 5)[None], 112, 0)
    upright, level = evaluation.fhog(waves), evaluation.fhog(waves.T)
    assert upright[6, 6, 18:27].argmax() == 0
    assert level[6, 6, 18:27].argmax() in (4, 5)  # 90 degrees lie between two of nine


def test_cells_of_an_au_lie_where_it_shows(evaluation: ModuleType) -> None:
    for au in evaluation.SHOWS:
        cells = evaluation._cells(au)
        assert cells.any()
        assert (cells == cells[:, ::-1]).all()
    assert evaluation._cells(1).nonzero()[0].max() < evaluation._cells(17).nonzero()[0].min()


def test_a_change_like_the_real_one_has_cosine_one(evaluation: ModuleType) -> None:
    real = np.random.default_rng(0).normal(size=(12, 12, 31)).astype(np.float32)
    (same, half, turned) = evaluation._compare(real, [real, real / 2, -real], 12)
    assert same == pytest.approx([1, 1])
    assert half == pytest.approx([1, 0.5])
    assert turned == pytest.approx([-1, 1])


def _evidence(learning: ModuleType, person: str, maps: np.ndarray, au: int, seed: int) -> object:
    rng = np.random.default_rng(seed)
    intensity = np.zeros((40, len(AUS)), np.float32)
    intensity[:, AU_INDEX[au]] = rng.uniform(0, 4, 40)
    present = (intensity >= 1).sum(0)
    intensity -= intensity.mean(0)
    change = intensity @ maps + rng.normal(0, 0.02, (40, maps.shape[1]))
    nothing = np.zeros_like(maps)
    return learning.Evidence(
        person, change.astype(np.float32), intensity, nothing, nothing, present, 1.0
    )


def test_what_people_share_is_learnt_and_what_they_do_not_is_seen(learning: ModuleType) -> None:
    rng = np.random.default_rng(1)
    maps = np.zeros((len(AUS), 50), np.float32)
    maps[AU_INDEX[12]] = rng.normal(0, 0.1, 50)
    prior = np.ones_like(maps)
    alike = [_evidence(learning, p, maps, 12, i) for i, p in enumerate("abc")]
    found = learning._regress(alike, np.ones(len(AUS), np.float32), prior)
    assert np.corrcoef(found[AU_INDEX[12]], maps[AU_INDEX[12]])[0, 1] > 0.99
    frames, agreement = learning._support(alike, ["a", "b", "c"], prior)[12]
    assert len(frames) == 3
    assert min(agreement) > 0.9
    apart = [
        _evidence(learning, p, maps * s, 12, i)
        for i, (p, s) in enumerate(zip("ab", (1, -1), strict=True))
    ]
    assert max(learning._support(apart, ["a", "b"], prior)[12][1]) < 0
    assert learning._support(alike, ["a", "b", "c"], prior)[4] == ({}, [])


def test_drawn_creases_are_taken_off_first(learning: ModuleType) -> None:
    maps = np.zeros((len(AUS), 50), np.float32)
    maps[AU_INDEX[6]] = 0.1
    seen = _evidence(learning, "a", maps, 6, 0)._replace(folds=maps)
    for share in (0.0, 0.5, 1.0):
        creases = np.full(len(AUS), share, np.float32)
        found = learning._regress([seen], creases, np.ones_like(maps))[AU_INDEX[6]]
        assert found == pytest.approx(0.1 * (1 - share), abs=0.02)


def test_expressions_are_judged_on_a_folder(tmp_path: Path, photos: list[Picture], fetched) -> None:
    for name in ("expressions_dense", "expressions_xception"):
        fetched(name)
    for i, photo in enumerate(photos[:2]):
        Image.fromarray(photo).save(tmp_path / f"{i}.png")
    out = tmp_path / "out" / "judged.json"
    command = [sys.executable, str(RECIPES / "evaluate_expressions.py"), str(tmp_path)]
    command += ["--every", "1", "--skins", "1", "--size", "160", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    judged = json.loads(out.read_text())
    assert judged["faces"] == len(photos[:2])
    smile = judged["dense"]["skin 1"]["6+12"]
    assert smile["class"] == "happy"
    assert smile["most"] in CLASSES
    assert smile["rise"] > 0.5
