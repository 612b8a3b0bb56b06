"""Hands tasks to workers, whichever engine runs them, and sees to those that die or hang."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from famaug.errors import RenderError
from famaug.generation.worker import Measure, Outcome, Render, Task
from famaug.generation.worklist import PlannedClip

log = logging.getLogger(__name__)

POLL_S = 0.2
TRIES = 2
"""How many workers a clip may take with it."""
STARTS = 3
"""How many workers in a row may die before one is ready."""
START_LIMIT_S = 600.0


@dataclass(frozen=True)
class Event:
    """What became of a worker: ready to work (outcomes None), done, or (`died`) gone and why."""

    worker: int
    outcomes: list[Outcome] | None = None
    died: str = ""


class Pool(Protocol):
    """An engine: processes that run a `Worker` each."""

    size: int

    def start(self) -> int:
        """Starts one worker; an `Event` says when it is ready. Returns its number."""
        ...

    def submit(self, worker: int, task: Task) -> None: ...

    def wait(self, timeout: float) -> list[Event]:
        """What happened, as soon as something has."""
        ...

    def kill(self, worker: int) -> None:
        """Ends a worker at once; no event follows."""
        ...

    def close(self) -> None:
        """Ends all workers: idle ones now, busy ones are killed."""
        ...


class Tasks:
    """Tasks still to be handed out. Clips of one face go to one worker while there is other
    work for the others: preparing a face costs as much as some clips."""

    def __init__(self, tasks: Iterable[Task] = ()) -> None:
        self._loose = deque(tasks)
        self._faces: dict[str, deque[PlannedClip]] = {}
        self._at: dict[int, str] = {}
        self._chunk = 1

    @staticmethod
    def of_clips(clips: Sequence[PlannedClip], chunk: int) -> Tasks:
        """Clips to render, up to `chunk` in a task."""
        tasks = Tasks()
        tasks._chunk = chunk
        for clip in clips:
            tasks._faces.setdefault(clip.face.key, deque()).append(clip)
        return tasks

    def __bool__(self) -> bool:
        return bool(self._loose or self._faces)

    def put_back(self, task: Task) -> None:
        self._loose.appendleft(task)

    def take(self, worker: int) -> Task | None:
        if self._loose:
            return self._loose.popleft()
        if not self._faces:
            return None
        face = self._at.get(worker)
        if face not in self._faces:
            taken = {f for w, f in self._at.items() if w != worker}
            free = [f for f in self._faces if f not in taken] or list(self._faces)
            face = max(free, key=lambda f: len(self._faces[f]))
            self._at[worker] = face
        queue = self._faces[face]
        clips = tuple(queue.popleft() for _ in range(min(self._chunk, len(queue))))
        if not queue:
            del self._faces[face]
        return Render(clips)


@dataclass
class _Busy:
    task: Task
    since: float = field(default_factory=time.monotonic)


class Workers:
    """The workers of a run.

    Args:
        open_pool: opens the engine, when there is something to do.
        limit_s: seconds a clip or a measurement may take before its worker is killed.

    Attributes:
        lost: workers that died at work.
    """

    def __init__(self, open_pool: Callable[[], Pool], *, limit_s: float) -> None:
        self.limit_s, self.lost = limit_s, 0
        self._open = open_pool
        self._pool: Pool | None = None
        self._idle: list[int] = []
        self._busy: dict[int, _Busy] = {}
        self._starting: dict[int, float] = {}
        self._false_starts = 0
        self._tries: dict[str, int] = {}

    @property
    def pool(self) -> Pool:
        if self._pool is None:
            self._pool = self._open()
        return self._pool

    def close(self) -> None:
        """Ends all workers."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def prepare(self) -> None:
        """Starts the workers and waits until one is ready."""
        while not self._idle:
            self._fill()
            for event in self.pool.wait(POLL_S):
                self._note(event, Tasks())
            self._check_starts()

    def run(self, tasks: Tasks, stop: Callable[[], bool] = lambda: False) -> Iterator[Outcome]:
        """Does all tasks; yields what became of each part, in the order they end.

        When `stop` says so nothing new is begun, and what runs is waited for.

        Raises:
            RenderError: workers cannot be started.
        """
        while True:
            stopping = stop()
            if not stopping and tasks:
                self._fill()
                self._hand_out(tasks)
            if not self._busy and (stopping or not tasks):
                return
            for event in self.pool.wait(POLL_S):
                yield from self._note(event, tasks)
            yield from self._end_hung(tasks)
            self._check_starts()

    def _fill(self) -> None:
        while len(self._idle) + len(self._busy) + len(self._starting) < self.pool.size:
            self._starting[self.pool.start()] = time.monotonic()

    def _hand_out(self, tasks: Tasks) -> None:
        for worker in list(self._idle):
            task = tasks.take(worker)
            if task is None:
                return
            self._idle.remove(worker)
            self._busy[worker] = _Busy(task)
            self.pool.submit(worker, task)

    def _note(self, event: Event, tasks: Tasks) -> list[Outcome]:
        if event.died:
            return self._bury(event.worker, event.died, tasks)
        self._starting.pop(event.worker, None)
        self._busy.pop(event.worker, None)
        self._false_starts = 0
        self._idle.append(event.worker)
        return event.outcomes or []

    def _bury(self, worker: int, why: str, tasks: Tasks) -> list[Outcome]:
        """A worker is gone: what it did is done again, clip by clip, by others."""
        if self._starting.pop(worker, None) is not None:
            self._false_starts += 1
            if self._false_starts >= STARTS:
                raise RenderError(f"workers cannot be started: {why}")
            return []
        self.lost += 1
        log.info("worker %d is gone (%s): its clips are done by others", worker, why)
        if worker in self._idle:
            self._idle.remove(worker)
        busy = self._busy.pop(worker, None)
        given_up = []
        for part in [] if busy is None else _parts(busy.task):
            (name,) = part.names
            ident = part.item.key if isinstance(part, Measure) else part.clips[0].key
            self._tries[ident] = self._tries.get(ident, 0) + 1
            if self._tries[ident] < TRIES:
                tasks.put_back(part)
            else:
                reason = f"its worker {why}, {TRIES} times"
                given_up.append(Outcome(name, ident, "failed", reason, f"{name}: {reason}"))
        return given_up

    def _end_hung(self, tasks: Tasks) -> Iterator[Outcome]:
        now = time.monotonic()
        for worker, busy in list(self._busy.items()):
            if now - busy.since > self.limit_s * len(busy.task.names):
                self.pool.kill(worker)
                why = f"took more than {self.limit_s:g} seconds and was killed"
                yield from self._bury(worker, why, tasks)

    def _check_starts(self) -> None:
        late = [t for t in self._starting.values() if time.monotonic() - t > START_LIMIT_S]
        if late and not self._idle and not self._busy:
            raise RenderError(
                f"no worker got ready in {START_LIMIT_S:g} seconds: are there the processors or "
                "GPUs that each asks for?"
            )


def _parts(task: Task) -> list[Measure | Render]:
    return [task] if isinstance(task, Measure) else [Render((p,)) for p in task.clips]
