"""The page on adding parts: how much there is to read is counted again."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (?P<part>[a-z ]+) \| (?P<read>.*famaug/.*) \| (?P<lines>\d+) \| .* \|$")
NAMED = re.compile(r"`(?P<path>famaug/[\w/]+\.py)(?::(?P<names>[\w, ]+))?`")
ROWS = [
    m for line in (ROOT / "docs/extending.md").read_text().splitlines() if (m := ROW.match(line))
]
SLACK = 12
"""Lines by which a row may be wrong: a docstring grows without the page."""


def counted(read: str) -> int:
    """Lines of the files, classes and functions that a row names."""
    total = 0
    for path, names in NAMED.findall(read):
        text = (ROOT / path).read_text()
        if not names:
            total += len(text.splitlines())
        wanted = {n.strip() for n in names.split(",") if n.strip()}
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name in wanted:
                wanted.remove(node.name)
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                total += (node.end_lineno or first) - first + 1
        assert not wanted, f"{path} has no {wanted}"
    return total


def test_every_part_has_its_row() -> None:
    parts = [row["part"] for row in ROWS]
    assert parts == ["estimator", "generator", "data set reader", "recogniser", "command"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["part"])
def test_lines_to_read(row: re.Match[str]) -> None:
    assert abs(counted(row["read"]) - int(row["lines"])) <= SLACK, counted(row["read"])
