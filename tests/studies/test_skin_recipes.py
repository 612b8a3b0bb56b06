"""What the skin recipes compute, on evidence whose answer is known."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import evaluate_skin
import learn_skin
import numpy as np
import pytest
from expressions.judge import CLASSES
from PIL import Image

from famaug.types import AU_INDEX, AUS, Picture

STUDIES = Path(__file__).resolve().parents[2] / "recipes" / "studies"


def test_fhog_is_blind_to_contrast_and_sees_a_line_where_it_is() -> None:
    flat = np.full((112, 112), 90, np.float32)
    assert evaluate_skin.fhog(flat).shape == (12, 12, 31)
    assert np.abs(evaluate_skin.fhog(flat)).max() < 1e-3
    line = flat.copy()
    line[:, 58:60] -= 40  # upright, dark
    seen = evaluate_skin.fhog(line)
    strong = np.abs(seen).sum((0, 2))
    assert strong.argmax() in (5, 6)
    assert strong[:4].max() < 0.2 * strong.max()
    signed = seen[5, :, :18].sum(0) + seen[6, :, :18].sum(0)
    assert set(np.argsort(signed)[-2:]) == {0, 9}  # darker to the right, and brighter again
    assert np.allclose(evaluate_skin.fhog(90 + 2 * (line - 90)), seen, atol=1e-3)


def test_a_turned_picture_turns_its_directions() -> None:
    x = np.arange(112, dtype=np.float32)
    waves = np.repeat(128 + 40 * np.sin(x / 5)[None], 112, 0)
    upright, level = evaluate_skin.fhog(waves), evaluate_skin.fhog(waves.T)
    assert upright[6, 6, 18:27].argmax() == 0
    assert level[6, 6, 18:27].argmax() in (4, 5)  # 90 degrees lie between two of nine


def test_cells_of_an_au_lie_where_it_shows() -> None:
    for au in evaluate_skin.SHOWS:
        cells = evaluate_skin.cells_of(evaluate_skin.SHOWS[au])
        assert cells.any()
        assert (cells == cells[:, ::-1]).all()
    brows, chin = (evaluate_skin.cells_of(evaluate_skin.SHOWS[au]) for au in (1, 17))
    assert brows.nonzero()[0].max() < chin.nonzero()[0].min()


def test_a_change_like_the_real_one_has_cosine_one() -> None:
    real = np.random.default_rng(0).normal(size=(12, 12, 31)).astype(np.float32)
    (same, half, turned) = evaluate_skin._compare(real, [real, real / 2, -real], 12)
    assert same == pytest.approx([1, 1])
    assert half == pytest.approx([1, 0.5])
    assert turned == pytest.approx([-1, 1])


def _evidence(person: str, maps: np.ndarray, au: int, seed: int) -> object:
    rng = np.random.default_rng(seed)
    intensity = np.zeros((40, len(AUS)), np.float32)
    intensity[:, AU_INDEX[au]] = rng.uniform(0, 4, 40)
    present = (intensity >= 1).sum(0)
    intensity -= intensity.mean(0)
    change = intensity @ maps + rng.normal(0, 0.02, (40, maps.shape[1]))
    nothing = np.zeros_like(maps)
    return learn_skin.Evidence(
        person, change.astype(np.float32), intensity, nothing, nothing, present, 1.0
    )


def test_what_people_share_is_learnt_and_what_they_do_not_is_seen() -> None:
    rng = np.random.default_rng(1)
    maps = np.zeros((len(AUS), 50), np.float32)
    maps[AU_INDEX[12]] = rng.normal(0, 0.1, 50)
    prior = np.ones_like(maps)
    alike = [_evidence(p, maps, 12, i) for i, p in enumerate("abc")]
    found = learn_skin._regress(alike, np.ones(len(AUS), np.float32), prior)
    assert np.corrcoef(found[AU_INDEX[12]], maps[AU_INDEX[12]])[0, 1] > 0.99
    frames, agreement = learn_skin._support(alike, ["a", "b", "c"], prior)[12]
    assert len(frames) == 3
    assert min(agreement) > 0.9
    apart = [
        _evidence(p, maps * s, 12, i) for i, (p, s) in enumerate(zip("ab", (1, -1), strict=True))
    ]
    assert max(learn_skin._support(apart, ["a", "b"], prior)[12][1]) < 0
    assert learn_skin._support(alike, ["a", "b", "c"], prior)[4] == ({}, [])


def test_drawn_creases_are_taken_off_first() -> None:
    maps = np.zeros((len(AUS), 50), np.float32)
    maps[AU_INDEX[6]] = 0.1
    seen = _evidence("a", maps, 6, 0)._replace(folds=maps)
    for share in (0.0, 0.5, 1.0):
        creases = np.full(len(AUS), share, np.float32)
        found = learn_skin._regress([seen], creases, np.ones_like(maps))[AU_INDEX[6]]
        assert found == pytest.approx(0.1 * (1 - share), abs=0.02)


@pytest.mark.slow
def test_expressions_are_judged_on_a_folder(tmp_path: Path, photos: list[Picture], fetched) -> None:
    for name in ("expressions_dense", "expressions_xception"):
        fetched(name)
    for i, photo in enumerate(photos[:2]):
        Image.fromarray(photo).save(tmp_path / f"{i}.png")
    out = tmp_path / "out" / "judged.json"
    command = [sys.executable, str(STUDIES / "evaluate_expressions.py"), str(tmp_path)]
    command += ["--every", "1", "--skins", "1", "--size", "160", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    judged = json.loads(out.read_text())
    assert judged["faces"] == len(photos[:2])
    smile = judged["dense"]["skin 1"]["6+12"]
    assert smile["class"] == "happy"
    assert smile["most"] in CLASSES
    assert smile["rise"] > 0.5
