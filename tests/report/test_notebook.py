"""What a notebook shows: the facts, escaped, small, and without anything from outside."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from famaug.data import Casme2, MicroExpressionSynth, leave_one_subject_out
from famaug.seeding import keyed_generator
from famaug.store import CacheWriter, ClipCache
from famaug.testing import make_replica
from famaug.types import Clip, ClipRef, Plan, Provenance
from tests.report.report_sample import APEX, FPS, OFFSET, ONSET, smile, tracks
from tests.store.store_builders import moving_clip, plan_of, provenance_of

EVIL = "<script>alert(1)</script>"
SMALL = 400_000


class Page(HTMLParser):
    """Tags, text and picture addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.text = ""
        self.cells: list[list[str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag == "tr":
            self.cells.append([])

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.cells and data.strip() and self.tags[-1] == "td":
            self.cells[-1].append(data.strip())


def page(value: object) -> Page:
    """Its HTML, which asks for nothing and is small."""
    text = value._repr_html_()  # type: ignore[attr-defined]
    found = Page(text)
    assert len(text) < SMALL
    assert not {"script", "iframe", "link", "style"} & {*found.tags}
    assert all(source.startswith("data:image/") for source in found.sources)
    assert not re.search(r"\son\w+=", text)
    return found


def pictures(found: Page) -> list[Image.Image]:
    data = [s.partition(",")[2] for s in found.sources if "image/webp" in s]
    return [Image.open(io.BytesIO(base64.b64decode(d))) for d in data]


def test_a_clip_moves_and_shows_its_key_frames() -> None:
    ref = ClipRef("d", "1", "smile", None or (), None, FPS, ONSET, APEX, OFFSET, "happy")
    found = page(Clip(ref, smile()))
    moving, strip = pictures(found)
    assert moving.n_frames > 20  # type: ignore[attr-defined]
    assert strip.width > strip.height * 3
    assert "onset 4 apex 22 offset 50" in found.text


@pytest.mark.parametrize("count", [1, 2])
def test_clips_that_say_nothing_of_themselves(count: int) -> None:
    noise = keyed_generator(0, "x").integers(0, 256, (count, 30, 20, 3), dtype=np.uint8)
    found = page(Clip(ClipRef("", "", "x"), noise))
    assert ("one frame shows no motion" in found.text) == (count == 1)


def test_a_track_and_a_plan_show_their_curves() -> None:
    asked, _ = tracks()
    found = page(asked)
    assert [s.partition(";")[0] for s in found.sources] == ["data:image/svg+xml"]
    story = provenance_of(3)
    found = page(story)
    assert ["driver", "clip: d/01/c"] in found.cells
    assert ["face", "d/02/c"] in found.cells
    assert ["label", "happy, from the driver"] in found.cells
    assert len(found.sources) == 1
    assert ["face", "d/02/c"] in page(story.plan).cells


def test_what_comes_from_outside_is_escaped(tmp_path: Path) -> None:
    frames = moving_clip(1)
    ref = ClipRef(EVIL, EVIL, EVIL, emotion=EVIL, action_units=EVIL)
    plan = Plan(
        {"kind": EVIL, "name": EVIL}, {"name": EVIL}, plan_of(1).track, EVIL, "", 8, 100.0,
        superres=EVIL, look={"version": EVIL},
    )  # fmt: skip
    story = Provenance(plan, EVIL, EVIL, EVIL, "driver", {EVIL: 1.0}, licence=EVIL)
    with CacheWriter(tmp_path / "cache") as writer:
        writer.put(plan.key, frames, story)
    cache = ClipCache(tmp_path / "cache")
    for value in (Clip(ref, frames), plan, story, cache, cache.read(plan.key)):
        found = page(value)
        if not isinstance(value, ClipCache):
            assert "<script>" in found.text  # as text


def test_a_dataset_counts_real_and_synthetic_by_class(tmp_path: Path) -> None:
    make_replica("casme2", tmp_path / "CASME2", subjects=3, clips=6, longest=6)
    clips = Casme2(tmp_path / "CASME2")
    fold = leave_one_subject_out(clips)[0]
    with CacheWriter(tmp_path / "cache") as writer:
        for n in range(6):
            story = provenance_of(n, driver=sorted(clips.people)[n % 3], identity="faces/ann")
            writer.put(story.plan.key, moving_clip(n), story)
    mixed = MicroExpressionSynth(fold.train, ratio=1, cache=tmp_path / "cache")
    found = page(mixed)
    assert found.cells[0] == ["class", "casme2, real", "the cache has"]
    assert found.cells[-1] == ["all", str(len(fold.train)), "4"]
    assert ["happy", "0", "4"] in found.cells
    assert "left out: 2 of the cache, driver subject held out" in found.text
    assert page(fold).cells[0] == ["class", "train", "test"]
    assert page(clips).cells[-1] == ["all", "6"]
    assert ["happy", "6"] in page(ClipCache(tmp_path / "cache")).cells
