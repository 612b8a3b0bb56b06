"""Every key of a configuration stands in its page's table, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from famaug.config.generation import GENERATION
from famaug.config.recognition import ABLATION

DOCS = Path(__file__).resolve().parents[1] / "docs"


def documented(page: str) -> list[str]:
    """In a row "`data.root`, `options`" the second is `data.options`."""
    text = page[page.index("## The configuration") :]
    rows = re.search(r"\| key \|.*?\n\|---.*?\n((?:\|.*\n)+)", text)
    assert rows is not None
    found = []
    for row in rows.group(1).splitlines():
        above = ""
        for name in re.findall(r"`([^`]+)`", row.split("|")[1]):
            room, dot, last = name.rpartition(".")
            above = f"{room}." if dot else above
            found.append(f"{above}{last}")
    return found


ROOMS = ("render.modulation", "gate.limits")
"""Whose keys stand on pages of their own."""


@pytest.mark.parametrize(
    ("page", "keys"),
    [("generation.md", [*GENERATION.keys]), ("recognition.md", [*ABLATION.keys])],
)
def test_documented(page: str, keys: list[str]) -> None:
    known = {next((r for r in ROOMS if k.startswith(f"{r}.")), k) for k in keys}
    assert sorted(documented((DOCS / page).read_text())) == sorted(known)
