"""The gate in a generation: bad clips are drawn again, counted, remembered, and never stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from famaug.config.generation import GENERATION, open_generation
from famaug.errors import InputError
from famaug.generation import Generation, Resources, generate
from famaug.generation.worker import Worker
from famaug.quality.gate import Gate
from famaug.store import ClipCache
from famaug.types import Picture
from tests.generation.gated_builders import UnsteadySynthesizer, is_spoilt
from tests.generation.generation_builders import content


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory, astronaut_picture: Picture) -> Path:
    path = tmp_path_factory.mktemp("face") / "astronaut.png"
    Image.fromarray(astronaut_picture).save(path)
    return path


def settings(out: Path, face: Path, **changes: Any) -> Generation:
    values: dict[str, Any] = {
        "out": out,
        "rules": ["rule:surprise"],
        "pictures": [face],
        "per_rule": 3,
        "synthesizer": UnsteadySynthesizer(),
        "gate": Gate(au_r=None, au_gain=None, au_false=None),
        "tries": 8,
    }
    return Generation(**(values | changes))


def test_the_gate_renders_where_the_worker_does(tmp_path: Path, face: Path) -> None:
    """On a GPU the judged clips were rendered on the CPU."""
    worker = Worker(settings(tmp_path / "c", face), Resources(), device="cuda:7", overlap=False)
    assert worker._gate is not None
    assert worker._gate.synthesizer is worker.synthesizer
    assert worker._gate.synthesizer.device == "cuda:7"
    assert worker.settings.synthesizer is worker.synthesizer


@pytest.mark.slow
def test_rejected_clips_are_drawn_again_and_the_run_can_go_on(tmp_path: Path, face: Path) -> None:
    bare = generate(settings(tmp_path / "bare", face, gate=None))
    spoilt = [
        is_spoilt(story.plan)
        for key in bare.keys
        if (story := ClipCache(tmp_path / "bare").provenance(key)) is not None
    ]
    assert any(spoilt)  # or this test tests nothing

    first = generate(settings(tmp_path / "cache", face))
    assert (first.made, first.planned, first.skipped) == (3, 3, [])
    assert first.rejected >= sum(spoilt)
    cache = ClipCache(tmp_path / "cache")
    assert sorted(first.keys) == sorted(cache.keys())
    for key in cache.keys():  # noqa: SIM118
        story = cache.provenance(key)
        assert story is not None
        assert not is_spoilt(story.plan)
        assert story.quality["flicker"] < 1.5

    again = generate(settings(tmp_path / "cache", face))
    assert (again.there, again.made, again.rejected) == (3, 0, 0)
    assert sorted(again.keys) == sorted(first.keys)

    two = generate(settings(tmp_path / "two", face), Resources(workers=2))
    assert two.made == 3
    assert content(tmp_path / "two") == content(tmp_path / "cache")


@pytest.mark.slow
def test_what_never_passes_is_skipped_with_the_reasons(tmp_path: Path, face: Path) -> None:
    strict = settings(tmp_path / "cache", face, gate=Gate(sharpness=2.0), tries=2, per_rule=1)
    first = generate(strict)
    assert (first.made, first.rejected) == (0, 2)
    (skip,) = first.skipped
    assert "the gate rejected 2 of 2 clips drawn" in skip.reason
    assert "sharpness is" in skip.reason
    again = generate(strict)
    assert (again.made, again.rejected) == (0, 0)  # remembered, not rendered
    assert again.skipped == first.skipped
    relaxed = settings(tmp_path / "cache", face, gate=Gate(flicker=None, au_r=None, outside=None,
                       seam=None, au_false=None, au_gain=None), per_rule=1)  # fmt: skip
    assert generate(relaxed).made == 1


def test_the_gate_in_a_config(tmp_path: Path, face: Path) -> None:
    path = tmp_path / "config.yaml"
    text = f"out: {tmp_path}/cache\ndrivers: {{rules: ['rule:surprise']}}\n"
    text += f"identities: {{pictures: ['{face}']}}\n"
    path.write_text(text + "gate: {enabled: true, tries: 5, limits: {seam: 0.2, au_r: null}}\n")
    made, _ = open_generation(GENERATION.read(path))
    assert made.gate == Gate(seam=0.2, au_r=None)
    assert made.tries == 5
    path.write_text(text + "gate: {enabled: true, limits: {seem: 0.2}}\n")
    with pytest.raises(InputError, match=r"gate.limits.seem is unknown; did you mean .*seam"):
        open_generation(GENERATION.read(path))
    with pytest.raises(InputError, match="tries must be 1 or more"):
        settings(tmp_path / "x", face, tries=0)
