"""The clips of a cache as rows to filter and sort; pixels are read when they are seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from famaug.errors import FamaugError
from famaug.quality.gate import AT_LEAST, Gate
from famaug.quality.judge import Quality
from famaug.store.decisions import (
    Decisions,
    Verdict,
    decisions_path,
    read_decisions,
    write_decisions,
)
from famaug.store.reader import ClipCache
from famaug.types import Frames, Plan, Provenance

GateVerdict = Literal["passes", "fails", "not judged"]
ANY = "any"
NOBODY = "nobody named"


@dataclass(frozen=True)
class ClipRow:
    """A clip.

    Attributes:
        key: its name.
        label: class, "" where nobody said.
        driver, identity: person ("dataset/subject"), or what the plan calls it.
        system: what made it: generator, and sharpener where there was one.
        scores: of its quality, by name; none where it was not judged.
        gate: what the default gate says of them; `why`, its reasons.
        key_frames: onset, apex, offset.
        problem: why it cannot be read, or "".
    """

    key: str
    label: str = ""
    driver: str = ""
    identity: str = ""
    system: str = ""
    scores: dict[str, float] = field(default_factory=dict)
    gate: GateVerdict = "not judged"
    why: tuple[str, ...] = ()
    key_frames: tuple[int, int, int] = (0, 0, 0)
    fps: float = 100.0
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What is shown; `ANY` shows all.

    Attributes:
        order: "key", or a score's name: the worst first.
    """

    label: str = ANY
    driver: str = ANY
    identity: str = ANY
    gate: str = ANY
    decision: str = ANY
    order: str = "key"


class Shelf:
    """A cache with its decisions, which all pages of a server share.

    Raises:
        CacheError: it is none, or damaged.
        InputError: a file of decisions that cannot be read.
    """

    def __init__(self, root: Path) -> None:
        self.cache = ClipCache(root)
        self.file = decisions_path(root)
        self.decisions = read_decisions(self.file) if self.file.exists() else Decisions()
        self.rows: list[ClipRow] = []
        self._by_key: dict[str, ClipRow] = {}
        self._lock = threading.Lock()

    def read(self, told: Callable[[int, int], None] = lambda done, of: None) -> None:
        """Reads who is in each clip; one that is damaged is a row with a problem."""
        keys = self.cache.keys()
        rows = []
        for n, key in enumerate(keys):
            rows.append(self._row(key))
            if n % 100 == 0:
                told(n, len(keys))
        self.rows, self._by_key = rows, {row.key: row for row in rows}

    def _row(self, key: str) -> ClipRow:
        try:
            found = self.cache.provenance(key)
            return ClipRow(key) if found is None else row_of(key, found)
        except FamaugError as error:
            return ClipRow(key, problem=str(error))

    def row(self, key: str) -> ClipRow:
        """Of a key. Raises KeyError: none such was read."""
        return self._by_key[key]

    def decide(self, key: str, verdict: Verdict | None) -> None:
        """Notes a decision, and writes the file; what others wrote into it meanwhile stays."""
        with self._lock:
            known = read_decisions(self.file) if self.file.exists() else Decisions()
            decided = known.decided(key, verdict)
            write_decisions(self.file, decided)
            self.decisions = decided

    def shown(self, by: Filter) -> list[ClipRow]:
        """The rows that a filter lets through, in its order."""
        rows = [row for row in self.rows if self._fits(row, by)]
        if by.order != "key":
            missing = float("inf")
            sign = 1 if by.order in AT_LEAST else -1
            rows.sort(key=lambda r: sign * r.scores[by.order] if by.order in r.scores else missing)
        return rows

    def _fits(self, row: ClipRow, by: Filter) -> bool:
        mine = {
            "label": row.label,
            "driver": row.driver,
            "identity": row.identity,
            "gate": row.gate,
            "decision": self.decisions.of(row.key) or "undecided",
        }
        return all(getattr(by, name) in (ANY, value) for name, value in mine.items())

    def values(self, name: str) -> list[str]:
        """What a row's field may be filtered by."""
        return [ANY, *sorted({str(getattr(row, name)) for row in self.rows})]

    @property
    def scored(self) -> list[str]:
        """Scores that some clip has."""
        return sorted({name for row in self.rows for name in row.scores})

    def frames(self, key: str, picked: Sequence[int] | None = None) -> Frames:
        """A clip's pixels, some frames or all. Raises CacheError: it is damaged or gone."""
        return self.cache.read(key, picked).frames


def row_of(key: str, provenance: Provenance) -> ClipRow:
    """What a clip's provenance says of it."""
    plan = provenance.plan
    reasons: tuple[str, ...] = ()
    verdict: GateVerdict = "not judged"
    if provenance.quality:
        reasons = Gate().check(Quality(provenance.quality))
        verdict = "fails" if reasons else "passes"
    moves = plan.key_frames if plan.track else (0, 0, 0)
    return ClipRow(
        key,
        label="" if provenance.label is None else str(provenance.label),
        driver=provenance.driver_subject or str(plan.driver.get("name") or NOBODY),
        identity=provenance.identity_subject or str(plan.identity.get("name") or NOBODY),
        system=system_of(plan),
        scores=dict(provenance.quality),
        gate=verdict,
        why=reasons,
        key_frames=moves,
        fps=plan.fps,
    )


def system_of(plan: Plan) -> str:
    """What made a clip, for comparison: its generator and sharpener."""
    return plan.generator if plan.superres is None else f"{plan.generator} + {plan.superres}"


def pages(rows: Sequence[ClipRow], size: int) -> Iterator[Sequence[ClipRow]]:
    """The rows in pages, one empty page where there are none."""
    for start in range(0, max(len(rows), 1), size):
        yield rows[start : start + size]
