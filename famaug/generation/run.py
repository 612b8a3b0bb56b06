"""A generation from end to end: measure, plan, skip what is there, render, report."""

from __future__ import annotations

import logging
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from famaug import errors
from famaug.errors import CacheError, InputError, RejectedError
from famaug.generation.generation import Generation
from famaug.generation.items import Item
from famaug.generation.local import LocalPool
from famaug.generation.material import gather
from famaug.generation.ray_engine import RayPool
from famaug.generation.report import GenerationReport, Skip, write_skipped
from famaug.generation.resources import Resources
from famaug.generation.worker import Measure, Outcome
from famaug.generation.workers import Pool, Tasks, Workers
from famaug.generation.worklist import WorkList, make_worklist
from famaug.perception.identity import WEIGHTS as IDENTITY
from famaug.pipeline.measurements import Kind, MeasuredStore
from famaug.store import manifest
from famaug.store.reader import ClipCache
from famaug.weights.fetch import find_stored

log = logging.getLogger(__name__)

Stage = Literal["measuring", "planning", "rendering"]
Progress = Callable[[Stage, int, int], None]


def generate(
    settings: Generation,
    resources: Resources | None = None,
    *,
    dry_run: bool = False,
    progress: Progress = lambda stage, done, total: None,
    stop: Callable[[], bool] = lambda: False,
) -> GenerationReport:
    """Makes every clip of `settings` that its cache does not hold yet.

    Call it again after an interruption, a kill or a full disk: it goes on. The finished cache is
    the same for any `resources` and any interruption.

    In a script, call it under `if __name__ == "__main__":`, as workers import the script.

    Args:
        dry_run: measure and plan only; nothing is written to the cache. What was measured is kept
            for the run itself.
        progress: is told a stage, what is done of it, and its total.
        stop: asked again and again; once True, nothing more is listed, measured or planned, clips
            that are begun are finished, and the report says `stopped`.

    Raises:
        InputError: no driver or no face is left (`skipped.csv` says why).
        CacheError: the cache cannot be written; clips made before stay.
        RenderError: workers cannot be started.
    """
    began, planned = time.monotonic(), False
    run = _Run(settings, resources or Resources(), progress, stop)
    with run.workers() as workers:
        material = gather(settings, stop=stop)
        run.report.skipped += [*settings.skipped, *material.skipped]
        run.report.notes += material.notes
        faces = run.find_faces(workers, material.faces)
        drivers = run.measure(workers, material.drivers)
        if not stop():
            run.check(drivers, faces, dry_run)
            work = make_worklist(
                settings,
                drivers,
                faces,
                progress=lambda d, n: progress("planning", d, n),
                stop=stop,
            )
            planned = not stop()
            if planned:
                run.render(workers, work, dry_run)
        run.report.lost_workers = workers.lost
    run.report.stopped = stop() and not (planned and run.report.finished)
    run.report.total_seconds = time.monotonic() - began
    return run.report


class _Run:
    """The state of one call of `generate`."""

    def __init__(
        self,
        settings: Generation,
        resources: Resources,
        progress: Progress,
        stop: Callable[[], bool],
    ) -> None:
        self.settings, self.resources = settings, resources
        self.progress, self.stop = progress, stop
        self.report = GenerationReport()
        self.store = MeasuredStore(settings.measured_folder)

    @contextmanager
    def workers(self) -> Iterator[Workers]:
        workers = Workers(self._open_pool, limit_s=self.resources.clip_limit_s)
        try:
            yield workers
        finally:
            workers.close()

    def _open_pool(self) -> Pool:
        engine = RayPool if self.resources.engine == "ray" else LocalPool
        return engine(self.settings, self.resources)

    def measure(self, workers: Workers, drivers: Sequence[Item]) -> list[Item]:
        """The drivers that can be used."""
        bad = self._measure(workers, "driver", [d for d in drivers if not d.drawn])
        return [d for d in drivers if d.key not in bad]

    def find_faces(self, workers: Workers, people: Sequence[Sequence[Item]]) -> list[Item]:
        """The usable faces; a person whose picture is unusable gets another one if there is."""
        most = self.settings.faces_per_subject
        taken: list[list[Item]] = [[] for _ in people]
        rest = [list(candidates) for candidates in people]
        while not self.stop():
            tried = [(i, rest[i].pop(0)) for i in range(len(people))
                     for _ in range(min(most - len(taken[i]), len(rest[i])))]  # fmt: skip
            if not tried:
                break
            bad = self._measure(workers, "identity", [face for _, face in tried])
            for i, face in tried:
                if face.key not in bad:
                    taken[i].append(face)
        return [face for own in taken for face in own]

    def _measure(
        self, workers: Workers, use: Literal["driver", "identity"], items: Sequence[Item]
    ) -> set[str]:
        """Measures what is not in the store; returns the keys of those that could not be had."""
        kind: Kind = "drivers" if use == "driver" else "faces"
        todo: dict[str, Item] = {}
        bad: set[str] = set()
        for item in items:
            if self.stop():
                break
            if not self.store.has(kind, item.key):
                todo[item.key] = item
                bad.add(item.key)
                continue
            refused = self.store.refusal(kind, item.key)
            if refused is not None:
                bad.add(item.key)
                self.report.skipped.append(Skip(use, item.name, refused))
        total, done = len(items), len(items) - len(todo)
        for outcome in workers.run(Tasks(Measure(use, s) for s in todo.values()), self.stop):
            done += 1
            if outcome.state == "done":
                bad.discard(outcome.ident)
                self.report.measured += 1
            else:
                self._leave_out(use, outcome)
            self.progress("measuring", done, total)
        return bad

    def _leave_out(self, what: str, outcome: Outcome) -> None:
        if outcome.state == "fatal":
            kind: type[CacheError] = getattr(errors, outcome.error, CacheError)
            raise kind(outcome.reason)
        gated = outcome.error == RejectedError.__name__
        self.report.skipped.append(Skip(what, outcome.name, outcome.reason, outcome.trace, gated))

    def check(self, drivers: Sequence[Item], faces: Sequence[Item], dry_run: bool) -> None:
        """Raises InputError when nothing can be made; `skipped.csv` then says why."""
        lacking = "driver" if not drivers else "face" if not faces else ""
        if not lacking:
            return
        why = Counter(s.reason for s in self.report.skipped).most_common(1)
        if not dry_run:
            self._write_skipped()
        raise InputError(
            f"no {lacking} is left to make clips from: {len(self.report.skipped)} were skipped"
            + (f", most often because: {why[0][0]}" if why else "")
            + "".join(f"; {note}" for note in self.report.notes)
        )

    def render(self, workers: Workers, work: WorkList, dry_run: bool) -> None:
        """Makes the clips of the plan that are not there."""
        report = self.report
        report.skipped += work.skipped
        report.notes += work.notes
        report.keys = [p.key for p in work.clips]
        self._tell_of_gate()
        report.planned, report.frames = len(work.clips), work.frames
        there = _present(self.settings.out)
        todo = [p for p in work.clips if p.key not in there]
        report.there = report.planned - len(todo)
        log.info("%d clips planned, %d of them are there", report.planned, report.there)
        report.bytes_estimate = sum(work.bytes[p.key] for p in todo)
        report.bytes_free = _free(self.settings.out)
        if report.bytes_estimate > report.bytes_free:
            report.notes.append(
                f"about {report.bytes_estimate / 1e9:.1f} GB are needed, and "
                f"{report.bytes_free / 1e9:.1f} GB are free"
            )
        if dry_run:
            return
        self._open_cache(bool(todo))
        if todo:
            workers.prepare()
        self.progress("rendering", report.there, report.planned)
        tasks = Tasks.of_clips(todo, self.resources.clips_in_a_task(self.settings.out))
        began = time.monotonic()
        stored: dict[str, str] = {}
        try:
            for outcome in workers.run(tasks, self.stop):
                report.rejected += outcome.rejected
                if outcome.state == "done":
                    report.made += 1
                    stored[outcome.ident] = outcome.key or outcome.ident
                else:
                    self._leave_out("clip", outcome)
                self.progress("rendering", report.there + report.made, report.planned)
        finally:
            report.seconds = time.monotonic() - began
            report.keys = [stored.get(key, key) for key in report.keys]
            self._write_skipped()

    def _tell_of_gate(self) -> None:
        if self.settings.gate is not None and find_stored(IDENTITY) is None:
            self.report.notes.append(
                f"the gate does not look at identity: famaug weights fetch {IDENTITY}"
            )

    def _open_cache(self, writing: bool) -> None:
        """Early, so that a sealed or foreign folder is told before workers start."""
        manifest.create(manifest.cache_root(self.settings.out))
        if not writing:
            return
        if manifest.load(manifest.cache_root(self.settings.out)).sealed is not None:
            raise CacheError(
                f"{self.settings.out} is sealed and lacks clips of this plan; write to a new folder"
            )

    def _write_skipped(self) -> None:
        manifest.create(manifest.cache_root(self.settings.out))
        write_skipped(self.settings.out, self.report.skipped)


def _present(out: Path) -> set[str]:
    """Keys of the clips that the cache holds; none where there is no cache yet."""
    if not (out / manifest.NAME).exists():
        return set()
    return set(ClipCache(out).keys())


def _free(out: Path) -> int:
    folder = out.absolute()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
