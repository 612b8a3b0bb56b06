"""Work tells how far it is, to whoever listens."""

from __future__ import annotations

from pathlib import Path

from famaug.progress import ticked, told_to
from famaug.testing import make_replica


def test_without_a_listener_nothing_is_told() -> None:
    assert list(ticked([1, 2], "x")) == [1, 2]


def test_a_listener_hears_every_step(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    with told_to(lambda *step: told.append(step)):
        make_replica("smic", tmp_path / "r", subjects=2, clips=3)
    clips = [step for step in told if step[0] == "clips of smic"]
    assert clips == [("clips of smic", i, 3) for i in range(4)]
    told.clear()
    assert list(ticked([1], "x")) == [1]
    assert told == []
