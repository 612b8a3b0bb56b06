"""What was run, with its time, at the end of the run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docs.documents import PYTHON, Ran, environment_of

RELEASES = ("casme2",)


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `famaug samples` writes, once for all documents."""
    folder = tmp_path_factory.mktemp("samples") / "folder"
    replicas = [x for name in RELEASES for x in ("--dataset", name)]
    subprocess.run(
        [PYTHON.parent / "famaug", "samples", folder, *replicas], check=True, cwd=folder.parent,
        env=environment_of(PYTHON),
    )  # fmt: skip
    return folder


@pytest.fixture
def ran(record_property: Callable[[str, object], None]) -> Iterator[list[Ran]]:
    """Steps of one test: printed when all is done, from worker processes too."""
    steps: list[Ran] = []
    yield steps
    for done in steps:
        line = f"{done.seconds:6.1f} s  {done.code}  {done.step.where:28} {done.step.shown}"
        record_property("ran", line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [r for found in terminalreporter.stats.values() for r in found]
    properties = [p for r in reports for p in getattr(r, "user_properties", ())]
    lines = dict.fromkeys(value for name, value in properties if name == "ran")
    if lines:
        terminalreporter.section("blocks and commands of README and docs, seconds of CPU")
        for line in lines:
            terminalreporter.write_line(line)
