"""The keys that every training's YAML has, and what they make."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, cast

from famaug.packages import need
from famaug.training.engine import Engine, Precision
from famaug.training.loop import LoopOptions

_FREE = ("device", "log_every", "checkpoint_every", "look_every", "workers", "tensorboard",
         "seconds")  # fmt: skip
"""Keys that decide nothing of the outcome: a training may go on with others."""


@dataclass
class LoopConfig:
    """See `LoopOptions` and `Engine`. look_every: steps between looks at held-out faces."""

    batch_size: int = 8
    device: str = "auto"
    precision: str = "fp32"
    clip: float | None = 1.0
    log_every: int = 50
    checkpoint_every: int = 500
    look_every: int = 500
    ema_decay: float = 0.999
    workers: int = 0
    tensorboard: bool = False
    seconds: float | None = None

    def engine(self) -> Engine:
        """Raises:
        InputError: an unknown device or precision.
        MissingPackageError: accelerate, or TensorBoard that is asked for, is not installed.
        """
        if self.tensorboard:
            need("tensorboard", "tensorboard: true")  # told before faces are prepared
        precision = cast(Precision, self.precision)
        return Engine(device=self.device, precision=precision, clip=self.clip)

    def options(self, steps: int) -> LoopOptions:
        """Raises:
        InputError: values that do not fit.
        """
        return LoopOptions(
            steps=steps,
            batch_size=self.batch_size,
            log_every=self.log_every,
            checkpoint_every=self.checkpoint_every,
            ema_decay=self.ema_decay,
            workers=self.workers,
            tensorboard=self.tensorboard,
            seconds=self.seconds,
        )

    def decisive(self, *, but: tuple[str, ...] = ()) -> dict[str, Any]:
        """What a checkpoint belongs to: all but what is free, here and for that training."""
        return {k: v for k, v in asdict(self).items() if k not in (*_FREE, *but)}
