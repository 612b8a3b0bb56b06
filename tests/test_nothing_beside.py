"""No test, recipe or module looks for files beside the checkout: a fresh clone is enough."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HERE = "__" + "file__"
CLIMB = re.compile(r"\.parents\[(\d+)\]|((?:\.parent)+)\b")


def climbs(text: str) -> list[int]:
    """How many folders up each `Path(__file__)...parents[n]` or `.parent.parent` leads."""
    found = []
    for line in text.splitlines():
        if HERE not in line:
            continue
        for level, chain in CLIMB.findall(line):
            found.append(int(level) + 1 if level else chain.count(".parent"))
    return found


def test_the_pattern_sees_both_ways() -> None:
    assert climbs(f"A = Path({HERE}).resolve().parents[3] / 'faces'") == [4]
    assert climbs(f"B = Path({HERE}).parent.parent / 'x'") == [2]


@pytest.mark.parametrize("room", ["tests", "recipes", "famaug"])
def test_no_path_leads_out_of_the_checkout(room: str) -> None:
    out = []
    for path in sorted((ROOT / room).rglob("*.py")):
        depth = len(path.relative_to(ROOT).parts)
        far = [n for n in climbs(path.read_text()) if n > depth]
        out += [f"{path.relative_to(ROOT)} climbs {n}" for n in far]
    assert not out
