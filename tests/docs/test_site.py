"""The site as it is built: pages, links, and that nothing is loaded from elsewhere."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.docs
LOADING = {"img": "src", "script": "src", "link": "href", "iframe": "src", "video": "src"}


class Page(HTMLParser):
    """What one page refers to, loads, and offers as anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {k: v or "" for k, v in attrs}
        if "id" in told:
            self.anchors.add(told["id"])
        if tag == "a" and "href" in told:
            self.links.append(told["href"])
        if tag in LOADING and told.get(LOADING[tag]) and told.get("rel") != "canonical":
            self.loads.append(told[LOADING[tag]])


def _build(out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, f"{ROOT}/recipes/build_site.py", "--out", f"{out}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "site"
    done = _build(out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {p: Page(p.read_text(encoding="utf-8")) for p in site.rglob("*.html")}


def test_every_page_of_the_docs_is_in_it(site: Path) -> None:
    names = {p.stem for p in (ROOT / "docs").glob("*.md")} | {"index", "changelog"}
    assert names <= {p.stem for p in site.glob("*.html")}


def test_links_lead_somewhere(pages: dict[Path, Page]) -> None:
    wrong, checked = [], 0
    for path, page in pages.items():
        if path.name == "404.html":
            continue  # it is shown at any address
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            checked += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchored = pages.get(target)
            if not target.exists():
                wrong.append(f"{path.name}: {link}")
            elif parts.fragment and anchored and unquote(parts.fragment) not in anchored.anchors:
                wrong.append(f"{path.name}: {link} (no such place on the page)")
    assert checked > 300
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_nothing_comes_from_elsewhere(pages: dict[Path, Page]) -> None:
    foreign = {x for p in pages.values() for x in p.loads if urlsplit(x).netloc}
    assert not foreign


def test_the_reference_has_what_can_be_imported(pages: dict[Path, Page]) -> None:
    import famaug.data

    page = next(v for k, v in pages.items() if k.name == "famaug.data.html")
    ends = {a.rpartition(".")[2] for a in page.anchors}
    assert set(famaug.data.__all__) <= ends
    assert "famaug.data.readers.base.ReleaseReader" in page.anchors


def test_notes_of_fences_are_not_shown(site: Path) -> None:
    text = (site / "data.html").read_text(encoding="utf-8")
    assert "```" not in text
    assert "continues</p>" not in text


def test_a_folder_that_is_no_site_stays(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    (tmp_path / "sitemap.xml").touch()  # another site's
    done = _build(tmp_path)
    assert done.returncode == 1
    assert "holds something that is no site" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_an_old_site_is_replaced(site: Path) -> None:
    (site / "left.html").touch()
    assert _build(site).returncode == 0
    assert not (site / "left.html").exists()
