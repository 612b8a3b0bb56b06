"""Every notebook runs from first cell to last in an empty folder; none is kept with outputs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LIMIT_S = 300
"""Seconds for one cell."""
FAILED = ("famaug: ", "Traceback", "Usage: famaug", "not found")
"""What a command that failed has printed."""


def _read(path: Path) -> nbformat.NotebookNode:
    text = path.read_text(encoding="utf-8")
    found: nbformat.NotebookNode = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    return found


def test_they_are_numbered_and_all_there() -> None:
    assert [p.name[:2] for p in NOTEBOOKS] == [f"{n}_" for n in range(1, 7)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_outputs_are_stripped(path: Path) -> None:
    notebook = _read(path)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.docs
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_it_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TERM", "dumb")
    notebook = _read(path)
    client = NotebookClient(notebook, timeout=LIMIT_S, resources={"metadata": {"path": tmp_path}})
    client.execute()
    printed = [
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ())
    ]
    assert any(printed)
    # a shell line that fails does not stop a notebook
    assert not [text for text in printed if any(word in text for word in FAILED)]
