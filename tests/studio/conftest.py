"""A studio that is served, and a browser that looks at it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]  # fmt: skip
WAIT = 60_000
"""Milliseconds: a busy machine is slow, and no test asks for a time on the wall."""


@contextmanager
def studio(folder: Path, *arguments: object) -> Iterator[str]:
    """A studio's address, served from a folder of its own until the block ends."""
    words = [sys.executable, "-m", "famaug", "studio", "--port", "0", *map(str, arguments)]
    environment = os.environ | {"TMPDIR": str(folder)}
    (folder / "cwd").mkdir(exist_ok=True)
    served = subprocess.Popen(
        words, cwd=folder / "cwd", env=environment, text=True, stdout=subprocess.PIPE
    )
    try:
        assert served.stdout is not None
        line = served.stdout.readline()
        found = re.search(r"http://\S+/", line)
        assert found is not None, line
        yield found[0]
        assert served.poll() is None, "the server died"
    finally:
        served.terminate()
        served.wait(30)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The system's browser."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no chromium on PATH to look with")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page as a new person; a request to another machine, or an error in the page's
    script, fails the test."""
    wrong: list[str] = []
    opened = []

    def open_page(address: str, width: int = 1280, height: int = 900) -> Any:
        person = chromium.new_context(
            viewport={"width": width, "height": height}, accept_downloads=True
        )
        opened.append(person)
        page = person.new_page()
        page.set_default_timeout(WAIT)
        page.on("pageerror", lambda error: wrong.append(str(error)))

        def asked(request: Any) -> None:
            if not request.url.startswith(
                ("http://127.0.0.1:", "data:", "blob:", "ws://127.0.0.1")
            ):
                wrong.append(request.url)

        page.on("request", asked)
        page.goto(address)
        return page

    yield open_page
    for person in opened:
        person.close()
    assert not wrong, wrong


FACES = ("woman_31", "man_30", "woman_62")
EXPRESSIONS = ("aus:12L=2", "aus:4=2", "aus:1=2,2=2")
LABELS = ("positive", "negative", "surprise")


def make_cache(root: Path) -> Path:
    """A cache of nine clips: three expressions on three faces, every other one judged."""
    from famaug import Synthesizer, samples
    from famaug.modulation.rules import parse_expression, timed_source
    from famaug.seeding import keyed_generator
    from famaug.store import CacheWriter
    from famaug.types import Provenance

    maker = Synthesizer(size=96, fps=50)
    with CacheWriter(root) as writer:
        for n, (face, shown) in enumerate((f, e) for f in FACES for e in range(3)):
            driver = timed_source(parse_expression(EXPRESSIONS[shown]), (120, 120))
            plan = maker.plan(driver, samples.face(face), keyed_generator(n))
            scores = {"identity_mean": 0.9 + n / 100, "outside": 3.0 if n == 4 else 0.1}
            given = scores if n % 2 == 0 else {}
            story = Provenance(plan, "", f"faces/{face}", LABELS[shown], "rule", given)
            writer.put(plan.key, maker.render([plan])[0], story)
    return root


@pytest.fixture(scope="session")
def made_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed; its name is hostile."""
    return make_cache(tmp_path_factory.mktemp("studio") / "cache <b>")


def marked(page: Any, mark: str) -> Any:
    """An element by its mark."""
    return page.locator(f'[data-mark="{mark}"]').first
