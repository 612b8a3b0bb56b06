"""Everything that ships is named, with its source and licence, in README and NOTICE."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

from famaug.weights.shipped import FILES, SHIPPED

ROOT = Path(__file__).resolve().parents[2]
README, NOTICE = ((ROOT / name).read_text() for name in ("README.md", "NOTICE"))
WRITTEN_HERE = {".c", ".css", ".html", ".md", ".py", ".typed", ".yaml"}
"""Kinds of files that are famaug's own text."""


def test_readme_has_every_row() -> None:
    lacking = []
    for shipped in SHIPPED.values():
        size = (FILES / shipped.file).stat().st_size / 1e6
        row = f"| `{shipped.file}` ({size:.1f} MB) | {shipped.source} | {shipped.licence} |"
        lacking += [] if row in README else [row]
    assert not lacking, "README's table of licences should hold\n" + "\n".join(lacking)


def test_every_file_of_weights_is_registered() -> None:
    assert {p.name for p in FILES.iterdir()} == {s.file for s in SHIPPED.values()}


def test_notice_names_every_file_made_of_data() -> None:
    """And names none that is not there."""
    named = re.findall(r"^(famaug/\S+)$", NOTICE, re.MULTILINE)
    files = [
        p.relative_to(ROOT).as_posix()
        for p in (ROOT / "famaug").rglob("*")
        if p.is_file() and p.suffix not in WRITTEN_HERE and "__pycache__" not in p.parts
    ]
    assert not [f for f in files if not any(fnmatchcase(f, n) for n in named)]
    assert not [n for n in named if not any(fnmatchcase(f, n) for f in files)]
    assert not [f for f in files if Path(f).name not in README and not _by_folder(f)]


def _by_folder(file: str) -> bool:
    """Whether README names it with its folder: `samples/faces/*.jpg`."""
    return any(fnmatchcase(file, f"*/{n}") for n in re.findall(r"`([\w/]+/\*\.\w+)`", README))


def test_notice_says_the_registered_licence() -> None:
    paragraphs = NOTICE.split("\n\n")
    for shipped in SHIPPED.values():
        (said,) = (p for p in paragraphs if f"/{shipped.file}\n" in p)
        assert _letters(shipped.licence) in _letters(said), shipped.file


def _letters(text: str) -> str:
    """ "Apache License 2.0" and "Apache-2.0" are one."""
    return re.sub("[^a-z0-9]|license", "", text.lower())
