"""Rating and driver in a real browser."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.studio.conftest import marked, studio
from tests.studio.test_pages import Visit, source, told, upload, wait_new

FACES = ("woman_31", "man_55_glasses", "woman_62")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def place(made_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache, and a real clip with its AUs."""
    from famaug.demo.sample_folder import write_smile

    root = tmp_path_factory.mktemp("rated")
    shutil.copytree(made_cache, root / "cache")
    (root / "real").mkdir()
    write_smile(root / "real" / "one.mp4")
    (root / "real" / "aus.csv").write_text("clip,aus\none,6+12\n")
    return root


@pytest.fixture(scope="module")
def served(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with studio(
        tmp_path_factory.mktemp("server"), place / "cache", "--real", place / "real"
    ) as address:
        yield address


def begin(page: Any, rater: str, each: int) -> None:
    marked(page, "rater").fill(rater)
    page.get_by_label("clips of each system").fill(str(each))
    marked(page, "begin").click()
    wait_new(page, "half", "")


def answer_all(page: Any, count: int) -> list[tuple[str, str]]:
    """Rates all that is shown; gives the halves and AUs as they came."""
    seen = []
    for done in range(count):
        page.wait_for_function(
            "text => document.querySelector('[data-mark=progress]').innerText.includes(text)",
            arg=f"{done} of {count} rated",
        )
        page.wait_for_function("document.querySelector('[data-mark=next][disabled]') != null")
        seen.append((marked(page, "title").inner_text(), marked(page, "aus").inner_text()))
        before = source(page, "half")
        for question, value in (("aus", done % 4), ("quality", 2), ("noise", 3)):
            marked(page, f"{question}-{value}").click()
        page.wait_for_function("document.querySelector('[data-mark=next][disabled]') == null")
        marked(page, "next").click()
        if done + 1 < count:
            wait_new(page, "half", before)
    page.wait_for_function("document.body.innerText.includes('Thank you')")
    return seen


def test_a_round_of_rating_ends_in_a_csv(served: str, visit: Visit, place: Path) -> None:
    page = visit(f"{served}rating")
    begin(page, "Ada <b>", 2)
    seen = answer_all(page, 6)  # two drawn clips and a real one, two halves each
    assert {half for half, _ in seen} == {"Upper face", "Lower face"}
    assert any("AU12 lip corner puller" in aus for _, aus in seen)
    text = page.content()
    assert "warp/" not in text  # blind
    assert "one.mp4" not in text
    other = visit(f"{served}rating")
    begin(other, "Ben", 2)
    answer_all(other, 6)
    with other.expect_download() as saved:
        marked(other, "csv").click()
    rows = [*csv.DictReader(Path(saved.value.path()).read_text().splitlines())]
    assert len(rows) == 12
    assert {r["rater"] for r in rows} == {"Ada <b>", "Ben"}
    assert {r["system"].partition("/")[0] for r in rows} == {"warp", "real"}
    marked(other, "results").click()
    table = marked(other, "means")
    table.wait_for()
    assert "agreement (alpha)" in table.inner_text()
    assert "real" in table.inner_text()
    assert len([*(place / "cache.ratings").iterdir()]) == 2


def test_a_rater_goes_on_where_they_stopped(served: str, visit: Visit) -> None:
    page = visit(f"{served}rating")
    begin(page, "Cy", 1)
    page.locator("body").click()
    for key in "312":
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.wait_for_function("document.body.innerText.includes('1 of 4 rated')")
    again = visit(f"{served}rating")
    begin(again, "Cy", 1)
    again.wait_for_function("document.body.innerText.includes('1 of 4 rated')")
    nobody = visit(f"{served}rating")
    marked(nobody, "begin").click()
    told(nobody, "a rater's name has")


def test_a_driver_through_its_stages_and_on_three_faces(served: str, visit: Visit) -> None:
    page = visit(f"{served}driver")
    assert not page.locator("img").first.is_visible()  # no picture yet, and no sign of a broken one
    upload(page, "clip-upload", "text.mp4", b"this is text")
    assert "text.mp4" in told(page, "text.mp4")
    marked(page, "clips").click()
    page.get_by_role("option", name="the sample clip (a smile)").click()
    wait_new(page, "stages", "")
    assert "AU12 lip corner puller, left" in marked(page, "kept").inner_text()
    for name in ("the driver", *FACES):
        wait_new(page, name, "")
    assert not marked(page, "said").is_visible()
    assert len({source(page, n) for n in FACES}) == 3


@pytest.mark.parametrize("at", ["rating", "driver"])
def test_nothing_sticks_out_on_a_phone(served: str, visit: Visit, at: str) -> None:
    page = visit(served + at, width=390, height=844)
    page.wait_for_selector(".card")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
