"""How the work is done: engine, workers, devices. None of it changes the result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from famaug.errors import InputError

if TYPE_CHECKING:
    from famaug.generation.generation import Generation
    from famaug.generation.workers import Pool

ON_A_CPU, ON_A_GPU, COPIED = 4, 16, 32
"""Clips in a task of a worker: one with a GPU stores a clip while it renders the next, and one that
copies shards makes a shard of each task."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """How the work is done; none of it changes the result.

    Attributes:
        engine: "local" (processes on this machine) or "ray" (actors on a cluster).
        workers: processes or actors.
        device: "auto" (a GPU each where there are any), "cpu", "cuda", "cuda:0"; local only.
        clip_limit_s: seconds a clip may take before its worker is taken for hung.
        copy_shards: write on local disks and copy finished shards into the cache; None does so
            where the cache lies on a network file system, which LMDB cannot write to.
        ray_address, ray_cpus, ray_gpus: the cluster, and what each actor asks of it.
    """

    engine: Literal["local", "ray"] = "local"
    workers: int = 1
    device: str = "auto"
    clip_limit_s: float = 600.0
    copy_shards: bool | None = None
    ray_address: str | None = None
    ray_cpus: float = 1.0
    ray_gpus: float = 0.0

    def __post_init__(self) -> None:
        if self.engine not in ("local", "ray"):
            raise InputError(f"engine is local or ray; got {self.engine!r}")
        if self.workers < 1:
            raise InputError(f"workers must be 1 or more; got {self.workers}")
        if self.clip_limit_s <= 0:
            raise InputError(f"clip_limit_s must be above 0; got {self.clip_limit_s}")

    def copies(self, out: Path) -> bool:
        """Whether shards are written elsewhere and copied into the cache `out`."""
        from famaug.generation.shards import on_network

        return on_network(out) if self.copy_shards is None else self.copy_shards

    def clips_in_a_task(self, out: Path) -> int:
        """Clips that a worker is given, and acknowledges, at once."""
        if self.copies(out):
            return COPIED
        return ON_A_GPU if self._uses_gpu else ON_A_CPU

    @property
    def _uses_gpu(self) -> bool:
        if self.engine == "ray":
            return self.ray_gpus > 0
        from famaug.generation.local import devices

        return devices(self.device) != ["cpu"]

    def open_pool(self, settings: Generation) -> Pool:
        """The engine's workers, none started yet.

        Raises:
            InputError: a device that does not exist, or no Ray cluster answers.
            MissingPackageError: Ray is not installed.
        """
        if self.engine == "ray":
            from famaug.generation.ray_engine import RayPool

            return RayPool(settings, self)
        from famaug.generation.local import LocalPool

        return LocalPool(settings, self)
