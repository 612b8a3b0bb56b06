"""Times of things done in turns, so that what slows the machine down slows all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import NamedTuple


class Timed(NamedTuple):
    """Median wall and processor time, milliseconds."""

    wall: float
    cpu: float


def in_turns(
    works: Mapping[str, Callable[[], object]], rounds: int, *, warm: int = 1
) -> dict[str, Timed]:
    """Each work once a round, in turns; the first `warm` rounds do not count."""
    wall: dict[str, list[float]] = {name: [] for name in works}
    cpu: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(rounds + warm):
        for name, work in works.items():
            start, began = time.perf_counter(), time.process_time()
            work()
            if turn >= warm:
                wall[name].append((time.perf_counter() - start) * 1e3)
                cpu[name].append((time.process_time() - began) * 1e3)
    return {name: Timed(median(wall[name]), median(cpu[name])) for name in works}
