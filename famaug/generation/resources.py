"""How the work is done: engine, workers, devices. None of it changes the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from famaug.errors import InputError
from famaug.generation.crew import Pool
from famaug.generation.settings import Generation

GPU_BATCHES = 4
"""Batches in a task of a worker with a GPU: it stores one while it renders the next."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """How the work is done; none of it changes the result.

    Attributes:
        engine: "local" (processes on this machine) or "ray" (actors on a cluster).
        workers: processes or actors.
        batch: clips rendered in one call.
        device: "auto" (a GPU each where there are any), "cpu", "cuda", "cuda:0"; local only.
        clip_limit_s: seconds a clip may take before its worker is taken for hung.
        ray_address, ray_cpus, ray_gpus: the cluster, and what each actor asks of it.
    """

    engine: Literal["local", "ray"] = "local"
    workers: int = 1
    batch: int = 4
    device: str = "auto"
    clip_limit_s: float = 600.0
    ray_address: str | None = None
    ray_cpus: float = 1.0
    ray_gpus: float = 0.0

    def __post_init__(self) -> None:
        if self.engine not in ("local", "ray"):
            raise InputError(f"engine is local or ray; got {self.engine!r}")
        for name in ("workers", "batch"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be 1 or more; got {getattr(self, name)}")
        if self.clip_limit_s <= 0:
            raise InputError(f"clip_limit_s must be above 0; got {self.clip_limit_s}")

    @property
    def clips_in_a_task(self) -> int:
        return self.batch * (GPU_BATCHES if self._uses_gpu else 1)

    @property
    def _uses_gpu(self) -> bool:
        if self.engine == "ray":
            return self.ray_gpus > 0
        from famaug.generation.local import devices

        return devices(self.device) != ["cpu"]


def open_pool(settings: Generation, resources: Resources) -> Pool:
    """The engine's workers, none started yet.

    Raises:
        InputError: a device that does not exist, or Ray is missing or does not answer.
    """
    if resources.engine == "ray":
        from famaug.generation.ray_engine import RayPool

        return RayPool(
            settings,
            workers=resources.workers,
            batch=resources.batch,
            address=resources.ray_address,
            cpus=resources.ray_cpus,
            gpus=resources.ray_gpus,
        )
    from famaug.generation.local import LocalPool

    return LocalPool(
        settings, workers=resources.workers, batch=resources.batch, device=resources.device
    )
