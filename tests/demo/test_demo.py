"""The demo without a network: the whole way on what ships, and a page that says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from famaug import samples
from famaug.data import Casme2
from famaug.data.clips import ClipFolder
from famaug.demo.run import RULES, run_demo
from famaug.store import ClipCache, export_png

pytestmark = pytest.mark.slow

Demo = tuple[Path, dict[str, Any], list[str]]
CLIPS = 3


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """With a folder that holds a face and a wall."""
    folder = tmp_path_factory.mktemp("faces")
    (folder / "someone.jpg").write_bytes(samples.face("woman_32").read_bytes())
    Image.fromarray(np.full((100, 100, 3), 80, np.uint8)).save(folder / "wall.png")
    out = tmp_path_factory.mktemp("demo")
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAMAUG_HOME", str(out / "nothing"))
        figures = run_demo(
            out, identities=folder, size=96, offline=True, rules=RULES[:2], say=said.append
        )
    return out, figures, said


def test_it_runs_on_what_ships_and_says_so(demo: Demo) -> None:
    out, figures, said = demo
    assert said[0] == "Sample media"
    assert said[-1] == "Report"
    assert figures["clips"] == CLIPS
    assert figures["driver"] == "rendered"
    assert figures["background_changed"] == 0
    assert figures["r"] >= 0.8
    assert 1 <= figures["blendshapes_seen"] <= figures["blendshapes_asked"]
    page = (out / "report.html").read_text()
    assert "this is offline" in page
    assert "driver of the first clip was itself rendered" in page
    assert "A rendered smile, onset to apex (someone)" in page
    assert "wall was left out" in page
    assert page.count("<article") == CLIPS


def test_what_others_see_stands_before_famaugs_own_reading(demo: Demo) -> None:
    page = (demo[0] / "report.html").read_text()
    by_itself = page.index("read again by famaug itself")
    assert page.index("asked units seen by Google&#39;s net") < by_itself
    assert page.index("What a net that knows nothing") < page.index("Every action unit")


def test_the_loader_runs_on_a_replica_and_leaves_out_who_is_held_out(demo: Demo) -> None:
    out = demo[0]
    assert len({r.subject for r in Casme2(out / "CASME2").refs}) == 4
    page = (out / "report.html").read_text()
    assert "1: driver subject held out" in page
    assert "6 × 8 × 112 × 112 × 3" in page


def test_the_cache_keeps_the_plans(demo: Demo) -> None:
    cache = ClipCache(demo[0] / "cache")
    assert len(cache) == CLIPS
    for key in cache.keys():  # noqa: SIM118  a ClipCache is no dict
        stored = cache.read(key)
        assert stored.provenance is not None
        assert stored.provenance.plan.key == key
        assert stored.frames.shape[1:] == (96, 96, 3)


def test_an_exported_cache_is_a_data_set(demo: Demo, tmp_path: Path) -> None:
    export_png(demo[0] / "cache", tmp_path / "someone")
    clips = ClipFolder(tmp_path)
    assert len(clips) == CLIPS
    assert clips[0][0].frames.shape[1:] == (96, 96, 3)
