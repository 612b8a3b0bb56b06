"""The engine `local`: one process a worker on this machine, and its GPUs if it has any."""

from __future__ import annotations

import multiprocessing
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pickle import PicklingError

from famaug.errors import InputError
from famaug.generation.generation import Generation
from famaug.generation.resources import Resources, devices
from famaug.generation.worker import Task, Worker
from famaug.generation.workers import Event
from famaug.processes import end_with_parent

GONE_S = 5.0


class LocalPool:
    """Processes; tasks and outcomes go through pipes. "auto" deals out the GPUs, else the CPU."""

    def __init__(self, settings: Generation, resources: Resources) -> None:
        self.size = resources.workers
        self._settings, self._resources = settings, resources
        self._devices = devices(resources.device)
        # forked from a server that has loaded torch once and touched no GPU: workers start at once
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([Worker.__module__])
        self._workers: dict[int, tuple[BaseProcess, Connection]] = {}
        self._count = 0

    def start(self) -> int:
        ours, theirs = self._context.Pipe()
        device = self._devices[len(self._workers) % len(self._devices)]
        process = self._context.Process(
            target=_serve,
            args=(theirs, self._settings, self._resources, device),
            name=f"famaug worker {self._count}",
            daemon=True,
        )
        try:
            with _ctrl_c_ignored():
                process.start()
        except (AttributeError, TypeError, PicklingError) as error:
            raise InputError(
                f"the dataset or the synthesizer cannot be sent to a worker process: {error}; "
                "make them of classes and functions of a module (no lambdas, no open files)"
            ) from error
        theirs.close()
        self._count += 1
        self._workers[self._count] = process, ours
        return self._count

    def submit(self, worker: int, task: Task) -> None:
        # one that died just now is found out by `wait`
        with suppress(BrokenPipeError, ConnectionResetError):
            self._workers[worker][1].send(task)

    def wait(self, timeout: float) -> list[Event]:
        pipes = {pipe: number for number, (_, pipe) in self._workers.items()}
        return [self._hear(pipes[pipe]) for pipe in wait(list(pipes), timeout)]  # type: ignore[index]

    def _hear(self, worker: int) -> Event:
        process, pipe = self._workers[worker]
        try:
            heard = pipe.recv()
        except (EOFError, ConnectionResetError):
            process.join(GONE_S)
            ending = _ending(process.exitcode)
            self.kill(worker)
            return Event(worker, died=ending)
        if isinstance(heard, str):
            self.kill(worker)
            return Event(worker, died=f"failed to start:\n{heard}")
        return Event(worker, outcomes=heard or None)

    def kill(self, worker: int) -> None:
        process, pipe = self._workers.pop(worker)
        pipe.close()
        process.kill()
        process.join()
        process.close()

    def close(self) -> None:
        for _, pipe in self._workers.values():
            pipe.close()  # an idle worker reads the end and goes
        for process, _ in self._workers.values():
            process.join(GONE_S)
        for process, _ in self._workers.values():
            process.kill()
            process.join()
            process.close()
        self._workers.clear()


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    """A process started meanwhile ignores Ctrl-C from its first moment."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _ending(code: int | None) -> str:
    if code is None:
        return "closed its pipe"
    if code >= 0:
        return f"ended with exit code {code}"
    name = signal.Signals(-code).name if -code in {*signal.Signals} else f"signal {-code}"
    hint = " (out of memory?)" if -code == signal.SIGKILL else ""
    return f"was killed by {name}{hint}"


def _serve(pipe: Connection, settings: Generation, resources: Resources, device: str) -> None:
    """The worker's process: ends when the pipe does, or soon after its parent."""
    # Ctrl-C goes to the whole group: the parent decides, and lets clips that are begun be finished
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    end_with_parent()
    try:
        worker = Worker(settings, resources, device=device)
    except Exception:
        pipe.send(traceback.format_exc())
        return
    try:
        pipe.send([])
        while True:
            pipe.send(worker.do(pipe.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the parent has gone, or needs no more
    finally:
        worker.close()
