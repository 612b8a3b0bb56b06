from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from famaug.report import page
from famaug.report.page import write_report
from famaug.report.values import ReportClip, ReportMedia, ReportTable
from famaug.types import Frames
from tests.report.report_sample import APEX, ONSET, face

VOID = {"meta", "link", "img", "input", "source", "br"}
LOADS = {"src", "srcset", "href", "action", "data", "poster", "background", "cite"}
HOSTILE = "<script>alert(1)</script>\"' onload=x & {{ 7 * 7 }}"


class Page(HTMLParser):
    """Collects tags and text; fails on tags that are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def named(self, *names: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.tags if tag in names]


@pytest.fixture(scope="module")
def full(
    tmp_path_factory: pytest.TempPathFactory,
    make_clip: Callable[..., ReportClip],
    smile_frames: Frames,
) -> Path:
    driver = np.ascontiguousarray(smile_frames[::2, ::2, ::2])
    return write_report(
        tmp_path_factory.mktemp("full") / "deep" / "report.html",
        title=f"Demo {HOSTILE}",
        intro=f"First {HOSTILE}.\n\nSecond.",
        clips=[
            make_clip(title=HOSTILE, notes=[HOSTILE], boxes={HOSTILE: (70, 62, 194, 108)}),
            make_clip(
                measured=None, driver_frames=driver, boxes={}, provenance={HOSTILE: [[1, 2]]}
            ),
        ],
        tables=[
            ReportTable(
                title="Background",
                columns=(HOSTILE, "Changed", "Share"),
                rows=[(HOSTILE, 0, 0.123456), ("b", 12, None), ("c", 3, float("nan"))],
                caption=HOSTILE,
                legend=[(HOSTILE, HOSTILE)],
                notes=[HOSTILE],
                picture=face(),
                picture_says=HOSTILE,
            )
        ],
        headline=[("0.91", HOSTILE)],
        media=[
            ReportMedia(name=HOSTILE, role=HOSTILE, licence="public domain",
                        source="https://example.org/a.png", picture=face()),
            ReportMedia(name="rule:positive", role="driver", licence="Apache-2.0", source="famaug"),
        ],
        timings={"render": 21.3, HOSTILE: 0.02, "all else": 61.0},
        notes=[HOSTILE],
    )  # fmt: skip


def test_page_is_well_formed_and_has_every_section(full: Path) -> None:
    parsed = Page(full.read_text("utf-8"))
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {"inputs", "clips", "clip-1", "clip-2", "tables", "timings", "short"} <= set(ids)
    targets = {a["href"][1:] for a in parsed.named("a")}  # type: ignore[index]
    assert targets <= set(ids)
    assert {a["for"] for a in parsed.named("label")} <= set(ids)


def test_page_loads_nothing_from_outside(full: Path) -> None:
    text = full.read_text("utf-8")
    parsed = Page(text)
    for tag, attrs in parsed.tags:
        for name in LOADS & set(attrs):
            value = attrs[name] or ""
            assert value.startswith("#" if tag == "a" else "data:"), (tag, name, value[:60])
    assert not parsed.named("script", "iframe", "object", "embed", "base", "form")
    assert not re.search(r"@import|url\(", text)
    policy = next(m["content"] for m in parsed.named("meta") if "http-equiv" in m)
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:")


def test_drawings_inside_the_page_load_nothing_either(full: Path) -> None:
    found = re.findall(r'data:image/svg\+xml;base64,([^"]+)"', full.read_text("utf-8"))
    assert len(found) >= 7
    for code in found:
        svg = base64.b64decode(code).decode()
        links = re.findall(r'href="([^"]*)"', svg)
        assert all(link.startswith(("#", "data:image/png")) for link in links)
        assert "<script" not in svg


def test_text_from_outside_is_escaped_and_shown_as_it_is(full: Path) -> None:
    text = full.read_text("utf-8")
    assert "<script" not in text
    parsed = Page(text)
    assert "".join(parsed.texts).count(HOSTILE) >= 10
    assert not any(name.startswith("on") for _, attrs in parsed.tags for name in attrs)


def test_every_picture_has_words_and_every_table_a_caption(full: Path) -> None:
    parsed = Page(full.read_text("utf-8"))
    assert all(a.get("alt") and a.get("width") and a.get("height") for a in parsed.named("img"))
    assert len(parsed.named("caption")) == len(parsed.named("table")) == 3
    assert all(a.get("scope") in ("col", "row") for a in parsed.named("th"))
    levels = [int(t[1]) for t, _ in parsed.tags if re.fullmatch("h[1-6]", t)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_numbers_are_rounded_and_gaps_are_dashes(full: Path) -> None:
    texts = [t.strip() for t in Page(full.read_text("utf-8")).texts if t.strip()]
    start = texts.index("Background")
    assert "0.12" in texts[start:]
    assert texts[start:].count("–") >= 2
    assert {"21.3 s", "20 ms", "1 min 1 s", "1 min 22 s"} <= set(texts)


def test_onset_and_apex_are_compared_without_loss(full: Path, smile_frames: Frames) -> None:
    """The two pictures of the comparator hold the clip's own pixels."""
    text = full.read_text("utf-8")
    for name, frame in (("first", ONSET), ("second", APEX)):
        code = re.findall(rf'<img class="{name}" src="data:image/webp;base64,([^"]+)"', text)[0]
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(code))).convert("RGB"))
        assert np.array_equal(shown[-256:], smile_frames[frame])


def test_what_others_say_stands_before_famaugs_own_reading(full: Path) -> None:
    parsed = Page(full.read_text("utf-8"))
    texts = [t.strip() for t in parsed.texts]
    own = next(i for i, t in enumerate(texts) if t.startswith("r, asked to read again"))
    assert texts.index("0.91") < own
    assert texts.index("Background") < texts.index("Every action unit")


def test_a_long_table_of_numbers_is_named_not_printed(full: Path) -> None:
    assert "table of 1 × 2" in "".join(Page(full.read_text("utf-8")).texts)


def test_an_empty_report_is_a_page_too(tmp_path: Path) -> None:
    path = write_report(tmp_path / "r.html", title="Nothing yet", intro="", clips=[])
    parsed = Page(path.read_text("utf-8"))
    assert not parsed.named("section", "img")


def test_a_failed_write_leaves_the_old_page_and_no_scraps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_report(tmp_path / "r.html", title="Old", intro="", clips=[])
    before = path.read_bytes()

    def full_disk(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_report(path, title="New", intro="", clips=[])
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]


def test_a_clip_that_cannot_be_drawn_writes_nothing(
    tmp_path: Path, make_clip: Callable[..., ReportClip], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(clip: ReportClip) -> None:
        raise ValueError(clip.title)

    monkeypatch.setattr(page, "clip_view", broken)
    with pytest.raises(ValueError):
        write_report(tmp_path / "r.html", title="x", intro="", clips=[make_clip()])
    assert not list(tmp_path.iterdir())


def test_a_page_of_eight_clips_stays_below_15_mb(full: Path) -> None:
    """Two clips of 256 px, one with a driver, take less than two eighths of it."""
    assert full.stat().st_size < 15e6 * 2 / 8
