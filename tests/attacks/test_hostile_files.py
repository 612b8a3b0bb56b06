"""Every hostile file is an error of the project's own, within 512 MiB and 5 seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.hostile import FILES, Hostile

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """All of them, read one after the other in one process that imports once."""
    done = subprocess.run(
        [sys.executable, str(HERE / "hostile.py"), "--json"],
        capture_output=True,
        text=True,
        timeout=240,
        cwd=tmp_path_factory.mktemp("hostile"),
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {row["name"]: row for row in rows}


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_it_costs_little(costs: dict[str, dict[str, Any]], file: Hostile) -> None:
    cost = costs[file.name]
    assert cost["mib"] <= 512
    assert cost["cpu"] <= 5
    assert ("FamaugError" in cost["error"]) == file.refused, cost["error"]


def test_the_table_of_security_md_names_them_all() -> None:
    text = (HERE.parents[1] / "SECURITY.md").read_text()
    missing = [f.name for f in FILES if f"| {f.name} | {f.what} |" not in text]
    assert not missing
