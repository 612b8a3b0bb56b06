"""The engine `ray`: one Ray actor a worker, on as many machines as the cluster has.

Every actor writes a shard of its own into the cache's folder, which all machines must see. When a
machine is gone its actor is asked for anew, wherever there is room; its clips are done by whoever
is ready.
"""

from __future__ import annotations

import logging
import os
import socket
import traceback
from typing import Any

from famaug.errors import InputError
from famaug.generation.generation import Generation
from famaug.generation.resources import Resources
from famaug.generation.worker import Outcome, Task, Worker
from famaug.generation.workers import Event
from famaug.packages import need


class RayWorker:
    """What runs in an actor."""

    def __init__(self, settings: Generation, resources: Resources) -> None:
        import torch

        device = "cuda" if resources.ray_gpus > 0 and torch.cuda.is_available() else "cpu"
        self.worker = Worker(settings, resources, device=device, host=socket.gethostname())

    def ready(self) -> list[Outcome]:
        return []

    def do(self, task: Task) -> list[Outcome]:
        return self.worker.do(task)


class RayPool:
    """Actors of a Ray cluster.

    Args:
        settings: of the generation; `out`, `measured` and the data must be folders that all
            machines see under the same path.
        resources: its `ray_address` None takes RAY_ADDRESS, a cluster that runs here, or starts one
            on this machine.

    Raises:
        InputError: no cluster answers. MissingPackageError: Ray is not installed.
    """

    def __init__(self, settings: Generation, resources: Resources) -> None:
        self.size = resources.workers
        self._ray, self._ours = _connect(resources.ray_address)
        cpus, gpus = resources.ray_cpus, resources.ray_gpus
        # not restarted by Ray: a task retried on an actor that waits for room would wait with it
        options = {"num_cpus": cpus, "num_gpus": gpus, "max_restarts": 0, "max_task_retries": 0}
        self._actor = self._ray.remote(**options)(RayWorker)
        self._settings = self._ray.put(settings)
        self._resources = resources
        self._actors: dict[int, Any] = {}
        self._waited: dict[Any, int] = {}
        self._count = 0

    def start(self) -> int:
        self._count += 1
        actor = self._actor.remote(self._settings, self._resources)
        self._actors[self._count] = actor
        self._waited[actor.ready.remote()] = self._count
        return self._count

    def submit(self, worker: int, task: Task) -> None:
        self._waited[self._actors[worker].do.remote(task)] = worker

    def wait(self, timeout: float) -> list[Event]:
        waited = list(self._waited)
        done, _ = self._ray.wait(waited, num_returns=1, timeout=timeout)
        return [self._hear(future, self._waited.pop(future)) for future in done]

    def _hear(self, future: Any, worker: int) -> Event:
        try:
            return Event(worker, outcomes=self._ray.get(future) or None)
        except self._ray.exceptions.RayActorError as error:
            self.kill(worker)
            return Event(worker, died=f"was lost by Ray: {error}")
        except Exception:
            self.kill(worker)
            return Event(worker, died=f"failed:\n{traceback.format_exc()}")

    def kill(self, worker: int) -> None:
        actor = self._actors.pop(worker)
        self._waited = {f: w for f, w in self._waited.items() if w != worker}
        self._ray.kill(actor, no_restart=True)

    def close(self) -> None:
        for worker in list(self._actors):
            self.kill(worker)
        if self._ours:
            self._ray.shutdown()


def _connect(address: str | None) -> tuple[Any, bool]:
    """The module ray, connected, and whether this call connected it."""
    # Ray reports usage to its makers unless told not to; what people generate is their own matter
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray = need("ray", "the engine ray")
    if ray.is_initialized():
        return ray, False
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise InputError(
            f"no Ray cluster answers at {address or 'RAY_ADDRESS'}: {error}; start one with "
            "`ray start --head`, or leave the address out to run on this machine"
        ) from error
    return ray, True
