"""What a run did and what it left out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from famaug.files.whole import write_whole
from famaug.shown.lines import one_line

SKIPPED = "skipped.csv"
FAILURES = "failures.txt"


@dataclass(frozen=True, order=True)
class Skip:
    """Something that was left out.

    Attributes:
        what: "driver", "identity", "subject" or "clip".
        name: its name ("casme2/01/EP02", a path); for a clip "driver on identity".
        reason: why, in a line.
        trace: the traceback, where the reason is an unforeseen error.
        gated: a clip that the gate let no draw of through: no fault, but the gate's work.
    """

    what: str
    name: str
    reason: str
    trace: str = ""
    gated: bool = False


@dataclass
class GenerationReport:
    """What a run did.

    Attributes:
        planned: clips the settings ask for and the material allows.
        there: of these, how many the cache held before.
        made: how many were rendered and stored by this run.
        skipped: what was left out and why; a clip that failed carries its traceback.
        notes: what a reader should know.
        rejected: clips that the gate rejected in this run, whether or not a later draw passed.
        keys: keys of all planned clips, in the order of the plan; as stored, where the gate had a
            clip drawn again.
        frames: frames of all planned clips.
        bytes_estimate: of the clips that were not there, about.
        bytes_free: free on the disk of the cache.
        measured: how many drivers and faces were measured anew.
        seconds: from the first clip's task to the last clip, workers being ready.
        total_seconds: of the whole run.
        lost_workers: workers that died and were replaced.
        stopped: it was interrupted before all was done.
    """

    planned: int = 0
    there: int = 0
    made: int = 0
    rejected: int = 0
    skipped: list[Skip] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list, repr=False)
    frames: int = 0
    bytes_estimate: int = 0
    bytes_free: int = 0
    measured: int = 0
    seconds: float = 0.0
    total_seconds: float = 0.0
    lost_workers: int = 0
    stopped: bool = False

    def __repr__(self) -> str:
        left_out = f"{len(self.skipped)} left out" if self.skipped else ""
        rejected = f"{self.rejected} rejected by the gate" if self.rejected else ""
        told = f"{self.planned} planned, {self.there} there before, {self.made} made"
        stopped = "stopped" if self.stopped else ""
        seconds = f"{self.total_seconds:.1f} s" if self.total_seconds else ""
        return one_line(self, told, left_out, rejected, stopped, seconds)

    @property
    def clips_per_second(self) -> float:
        return self.made / self.seconds if self.seconds else 0.0

    @property
    def finished(self) -> bool:
        """Every planned clip is in the cache, or was left out for a reason."""
        left_out = sum(s.what == "clip" for s in self.skipped)
        return 0 < self.planned == self.there + self.made + left_out

    @property
    def failed(self) -> list[Skip]:
        """What was left out for another reason than the gate's."""
        return [s for s in self.skipped if not s.gated]

    @property
    def complete(self) -> bool:
        """Everything that was asked for is in the cache."""
        return not self.skipped and not self.stopped and self.there + self.made == self.planned

    def to_json(self) -> dict[str, Any]:
        """Numbers and names, without the keys."""
        value = {k: v for k, v in vars(self).items() if k not in ("keys", "skipped")}
        skipped = [{"what": s.what, "name": s.name, "reason": s.reason} for s in self.skipped]
        gated = len(self.skipped) - len(self.failed)
        value |= {"left_out_by_gate": gated, "skipped": skipped}
        return value | {"clips_per_second": round(self.clips_per_second, 3)}


def write_skipped(out: Path, skipped: Iterable[Skip]) -> None:
    """`skipped.csv` (what, name, reason) and `failures.txt` (tracebacks) in the cache's folder;
    either is removed when there is nothing to say."""
    rows = sorted(set(skipped))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["what", "name", "reason"])
    writer.writerows([s.what, s.name, " ".join(s.reason.split())] for s in rows)
    _replace(out / SKIPPED, text.getvalue() if rows else "")
    traces = [f"{s.what} {s.name}\n{s.trace}\n" for s in rows if s.trace]
    _replace(out / FAILURES, "\n".join(traces))


def _replace(path: Path, text: str) -> None:
    if not text:
        path.unlink(missing_ok=True)
        return
    write_whole(path, text)
