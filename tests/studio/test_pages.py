"""The studio's pages in a real browser."""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from famaug import samples
from famaug.data import MicroExpressionSynth
from famaug.store import ClipCache
from famaug.store.decisions import decisions_path
from tests.store.store_builders import ListOfClips
from tests.studio.conftest import marked, studio

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
Visit = Callable[..., Any]
HOSTILE = "<img src=x onerror=alert(1)>.jpg"


@pytest.fixture(scope="module")
def place(made_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a cache, a damaged one, and a face with a hostile name."""
    root = tmp_path_factory.mktemp("place")
    shutil.copytree(made_cache, root / made_cache.name)
    shutil.copytree(made_cache, root / "damaged")
    (root / "damaged" / "manifest.json").write_text('{"famaug_cache": 1, "sealed": 3}')
    shutil.copy(samples.face("woman_31"), root / HOSTILE)
    return root


@pytest.fixture(scope="module")
def served(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with studio(folder, place) as address:
        yield address
    left = [p for p in folder.iterdir() if p.name != "cwd"]
    assert not left, left
    assert not [*(folder / "cwd").iterdir()], "files in the user's folder"


def source(page: Any, name: str) -> str:
    return str(page.locator(f'img[alt="{name}"]').get_attribute("src") or "")


def wait_new(page: Any, name: str, old: str) -> None:
    page.wait_for_function(
        "([name, old]) => { const i = document.querySelector(`img[alt='${name}']`);"
        " return i && i.src && i.src !== old }",
        arg=[name, old],
    )


def set_slider(page: Any, label: str, share: float) -> None:
    box = page.locator(f'[aria-label="{label}"]').bounding_box()
    page.mouse.click(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)


def upload(page: Any, mark: str, name: str, data: bytes) -> None:
    field = page.locator(f'[data-mark="{mark}"] input[type=file]')
    field.set_input_files({"name": name, "mimeType": "image/png", "buffer": data})


def told(page: Any, text: str) -> str:
    box = marked(page, "said")
    page.wait_for_function(
        "text => document.querySelector('[data-mark=said]').innerText.includes(text)", arg=text
    )
    return str(box.inner_text())


def test_a_slider_moves_pixels_and_the_command_says_so(served: str, visit: Visit) -> None:
    page = visit(served)
    wait_new(page, "rest", "")
    page.wait_for_function("document.body.innerText.includes('nothing moves yet')")
    rest = source(page, "now")
    marked(page, "apart").click()
    page.locator('[aria-label="AU12 left"]').scroll_into_view_if_needed()
    set_slider(page, "AU12 left", 0.36)
    wait_new(page, "now", rest)
    page.wait_for_function("document.body.innerText.includes('--driver aus:12L=1.8')")
    apex = source(page, "now")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("document.body.innerText.includes('aus:12L=2.1')")
    wait_new(page, "now", apex)
    assert "RuleSource" not in page.inner_text("body")
    assert "timed_source(parse_expression('aus:12L=2.1')" in marked(page, "python").inner_text()
    rest = source(page, "rest")
    marked(page, "difference").click()
    wait_new(page, "rest", rest)
    still = source(page, "now")
    set_slider(page, "moment of the clip", 0.1)
    wait_new(page, "now", still)
    marked(page, "play").click()
    page.wait_for_function("document.querySelector(\"img[alt='now']\").src.includes('image/webp')")
    with page.expect_download() as saved:
        marked(page, "save").click()
    assert saved.value.suggested_filename == "clip.zip"


def test_drawn_and_driven(served: str, visit: Visit) -> None:
    page = visit(served)
    wait_new(page, "rest", "")
    before = source(page, "now")
    page.get_by_role("button", name="Drawn").click()
    page.wait_for_function("document.body.innerText.includes('--driver rule:positive')")
    wait_new(page, "now", before)
    before = source(page, "now")
    page.get_by_role("button", name="From a clip").click()
    page.locator('[data-mark="clips"]').click()
    page.get_by_role("option", name="the sample clip (a smile)").click()
    page.wait_for_function("document.body.innerText.includes('--driver clip.mp4')")
    wait_new(page, "now", before)


def png_of(width: int, height: int) -> bytes:
    """A grey picture of any size, a small file."""
    rows = zlib.compress(b"\0" * ((width + 1) * height), 9)

    def part(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", rows) + part(b"IEND", b"")


def test_bad_input_is_told_and_the_server_lives_on(served: str, visit: Visit) -> None:
    page = visit(served)
    wait_new(page, "rest", "")
    upload(page, "face-upload", "text.png", b"this is text")
    assert "not a picture" in told(page, "text.png")
    upload(page, "face-upload", "grey.png", png_of(300, 300))
    assert "face" in told(page, "grey.png").casefold()
    upload(page, "face-upload", "large.png", png_of(10_000, 10_000))
    assert "10000 x 10000 pixels" in told(page, "large.png")
    upload(page, "face-upload", HOSTILE, b"text")
    assert HOSTILE in told(page, HOSTILE)
    assert page.locator('img[src="x"]').count() == 0
    before = source(page, "rest")
    upload(page, "face-upload", "mine.jpg", samples.face("man_30").read_bytes())
    wait_new(page, "rest", before)
    assert not marked(page, "said").is_visible()
    assert marked(page, "own").inner_text() == "your picture: mine.jpg"


def test_two_people_do_not_see_each_others_pictures(served: str, visit: Visit) -> None:
    one, two = visit(served), visit(served)
    for page in (one, two):
        wait_new(page, "rest", "")
    theirs = source(two, "rest")
    upload(one, "face-upload", "private.jpg", samples.face("woman_62").read_bytes())
    wait_new(one, "rest", theirs)
    set_slider(one, "AU1 left", 0.5)
    one.wait_for_function("document.body.innerText.includes('--identity private.jpg')")
    set_slider(two, "AU2 left", 0.5)
    two.wait_for_function("document.body.innerText.includes('--driver aus:2=')")
    assert source(two, "rest") == theirs
    assert "private" not in two.content()
    assert "private" not in visit(served).content()


def test_a_clip_rejected_in_the_page_is_gone_from_the_loader(
    served: str, visit: Visit, place: Path, made_cache: Path
) -> None:
    cache = place / made_cache.name
    page = visit(f"{served}clips")
    page.wait_for_function("document.querySelectorAll('.tile').length == 9")
    assert page.locator("b").count() == 0  # the cache's name is text
    key = page.locator(".tile").nth(1).get_attribute("data-key")
    page.locator(".tile").nth(1).click()
    page.keyboard.press("r")
    page.wait_for_function("document.querySelector('.tile.reject') != null")
    page.keyboard.press("a")
    page.wait_for_function("document.querySelector('.tile.accept') != null")
    data = MicroExpressionSynth(
        ListOfClips(["1", "2"]), ratio=30, cache=cache, held_out=(), decisions=decisions_path(cache)
    )
    seen = {data[i]["clip"] for i in range(2, len(data))}
    assert seen == set(ClipCache(cache).keys()) - {key}
    shown = source(page, "clip")
    page.keyboard.press("1")
    page.wait_for_function("document.querySelector(\"img[alt='clip']\").src.includes('onset')")
    assert source(page, "clip") != shown
    marked(page, "view-slow").click()
    page.wait_for_function(
        "(i => i.src.includes('slow') && i.complete && i.naturalWidth == 96)"
        "(document.querySelector(\"img[alt='clip']\"))"
    )
    marked(page, "filter-decision").click()
    page.get_by_role("option", name="reject").click()
    page.wait_for_function("document.querySelectorAll('.tile').length == 1")


def test_a_damaged_cache_is_told(served: str, visit: Visit, made_cache: Path) -> None:
    page = visit(f"{served}clips")
    page.wait_for_selector(".tile")
    marked(page, "cache").click()
    page.get_by_role("option", name="damaged").click()
    assert "manifest" in told(page, "damaged")
    marked(page, "cache").click()
    page.get_by_role("option", name=made_cache.name).click()
    page.wait_for_function("document.querySelectorAll('.tile').length == 9")


@pytest.mark.parametrize("at", ["", "clips"])
def test_nothing_sticks_out_on_a_phone(served: str, visit: Visit, at: str) -> None:
    page = visit(served + at, width=390, height=844)
    page.wait_for_selector("img[src]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_other_hosts_names_are_refused(served: str) -> None:
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    with pytest.raises(HTTPError, match="400"):
        urlopen(Request(served, headers={"Host": "evil.example"}))
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{served}media/no/{'0' * 64}/apex.jpg")
