"""An ablation's three sources, on a small replica with faces."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from famaug.config.experiments import make_sources, open_clips
from famaug.config.recognition import ABLATION
from famaug.errors import InputError
from famaug.recognition.ablation_sources import fill_sources
from famaug.store import ClipCache
from famaug.testing import make_replica
from famaug.types import Picture


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
        f"out: {tmp_path}/out\ndata: {{root: {tmp_path}, options: {{missing: skip}}}}\n"
        f"sources: {{drivers: {tmp_path}/c/drivers, rules: {tmp_path}/c/rules, "
        f"varied: {tmp_path}/c/varied}}\n"
    )
    return path


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::famaug.errors.FilterTooWideWarning")
def test_three_sources_that_can_go_on(config: Path) -> None:
    settings = ABLATION.read(config)
    made = make_sources(settings, per_clip=1, progress=print)
    dataset = open_clips(settings)
    clips = len(dataset)
    for name, folder in settings["sources"].items():
        cache = ClipCache(folder)
        assert 0 < len(cache.keys()) == made[name]["made"] <= max(clips, 3)
        for key in cache.keys():  # noqa: SIM118
            story = cache.provenance(key)
            assert story is not None
            assert story.label in settings["data.classes"]
            if name == "drivers":
                assert story.driver_subject != story.identity_subject
            if name == "varied":
                assert story.driver_subject == story.identity_subject
    again = make_sources(settings, per_clip=1, progress=print)
    assert [again[n]["there"] for n in again] == [made[n]["made"] for n in made]
    with pytest.raises(InputError, match="clips of smic has annotated AUs"):
        fill_sources(dataset, {"annotations": config.parent / "c" / "annotations"})
    with pytest.raises(InputError, match="annotations, rules, stats, drawn, varied"):
        fill_sources(dataset, {"own": config.parent / "x"})
