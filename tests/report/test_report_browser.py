"""The page in a real browser: what it draws wide, narrow and dark."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from famaug.report.page import write_report
from famaug.report.values import ReportClip

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH to look with"),
]
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)


def browse(profile: Path, page: Path, *flags: str) -> str:
    """Run the browser on the page and return what it printed."""
    assert CHROMIUM is not None
    command = [CHROMIUM, *QUIET, f"--user-data-dir={profile}", *flags, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, make_clip: Callable[..., ReportClip]) -> Path:
    path = tmp_path_factory.mktemp("look") / "report.html"
    return write_report(path, title="<b>Look</b>", intro="What this is.", clips=[make_clip()])


def shot(tmp_path: Path, page: Path, width: int, *flags: str) -> np.ndarray:
    out = tmp_path / f"shot-{width}.png"
    size = f"--window-size={width},2600"
    browse(tmp_path / "profile", page, f"--screenshot={out}", size, *flags)
    with Image.open(out) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_the_page_is_drawn_with_its_pictures(report: Path, tmp_path: Path) -> None:
    light = shot(tmp_path, report, 1280)
    assert light.shape == (2600, 1280, 3)
    assert (light[5, 5] > 240).all()
    colourful = np.ptp(light, axis=-1) > 60
    assert colourful.mean() > 0.03  # the orange suit, many times over
    assert colourful[:, 1100:1200].any()  # the strip reaches to the right


def test_a_dark_theme_is_followed(report: Path, tmp_path: Path) -> None:
    dark = shot(tmp_path, report, 1280, "--blink-settings=preferredColorScheme=0")
    assert (dark[5, 5] < 50).all()


def test_nothing_sticks_out_on_a_phone(report: Path, tmp_path: Path) -> None:
    """A frame of 400 px on a page of 500: headless windows are not made narrower than that."""
    style = "width:400px;height:2600px;border:0"
    frame = f'<body style="margin:0;background:#00f"><iframe src="report.html" style="{style}">'
    around = report.with_name("frame.html")
    around.write_text(frame)
    page = shot(tmp_path, around, 500)
    assert (page[:, 410:] == (0, 0, 255)).all()
    margin = page[1000:, 388:399]  # the page's own right margin stays empty
    assert (margin.min(axis=(0, 1)) > 240).all()


def test_the_browser_reads_hostile_text_as_text(report: Path, tmp_path: Path) -> None:
    dom = browse(tmp_path / "profile", report, "--dump-dom")
    assert "<h1>&lt;b&gt;Look&lt;/b&gt;</h1>" in dom
    assert "<title>&lt;b&gt;Look&lt;/b&gt;</title>" in dom


def test_the_page_prints(report: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.pdf"
    browse(tmp_path / "profile", report, f"--print-to-pdf={out}", "--no-pdf-header-footer")
    pages = out.read_bytes().count(b"/Type /Page\n")
    assert 2 <= pages <= 6
