"""How the work is done: engine, workers, devices. None of it changes the result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from famaug.errors import InputError
from famaug.generation.shards import on_network

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
        return on_network(out) if self.copy_shards is None else self.copy_shards

    def clips_in_a_task(self, out: Path) -> int:
        """Clips that a worker is given, and acknowledges, at once."""
        if self.copies(out):
            return COPIED
        on_gpu = self.ray_gpus > 0 if self.engine == "ray" else devices(self.device) != ["cpu"]
        return ON_A_GPU if on_gpu else ON_A_CPU


def devices(device: str) -> list[str]:
    """The devices that the workers of the engine "local" are dealt.

    Raises:
        InputError: a device that does not exist here.
    """
    import torch  # loads for seconds, and a configuration is checked without it

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "auto":
        return [f"cuda:{i}" for i in range(count)] or ["cpu"]
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise InputError(f"no device {device!r}; write auto, cpu, cuda or cuda:0") from error
    if kind == "cuda" and not count:
        raise InputError(f"device {device!r} was asked for, but torch sees no GPU here")
    return [device]
