"""Every key of a configuration stands in its page's table, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from famaug.config.generation import GENERATION
from famaug.recognition.config import AblationConfig

DOCS = Path(__file__).resolve().parents[1] / "docs"


def keys_of(kind: type[Any], above: str = "") -> Iterator[str]:
    hints = get_type_hints(kind)
    for f in fields(kind):
        if is_dataclass(hints[f.name]):
            yield from keys_of(hints[f.name], f"{above}{f.name}.")
        else:
            yield f"{above}{f.name}"


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
    [("generation.md", [*GENERATION.keys]), ("recognition.md", [*keys_of(AblationConfig)])],
)
def test_documented(page: str, keys: list[str]) -> None:
    known = {next((r for r in ROOMS if k.startswith(f"{r}.")), k) for k in keys}
    assert sorted(documented((DOCS / page).read_text())) == sorted(known)
