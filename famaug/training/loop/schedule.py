"""Learning rates as a function of the step."""

from __future__ import annotations

from dataclasses import dataclass

from famaug.errors import InputError


@dataclass(frozen=True, kw_only=True)
class LinearDecay:
    """Full rate, then down in equal stairs, one an epoch, as GANimation does.

    Attributes:
        full: epochs at the full rate.
        decay: epochs behind them over which the rate goes to zero. The first of these still has
            the full rate and the last 1 / decay of it, since the published code lowers the rate
            after an epoch; 0: never.
        epoch: steps in an epoch.
        warm_up: steps over which the rate rises from zero.
    """

    full: int
    decay: int = 0
    epoch: int = 1
    warm_up: int = 0

    def __post_init__(self) -> None:
        if self.full < 0 or self.decay < 0 or self.epoch < 1 or self.warm_up < 0:
            raise InputError(f"a schedule counts from 0 upwards; got {self}")

    @property
    def steps(self) -> int:
        """Of all its epochs."""
        return (self.full + self.decay) * self.epoch

    def __call__(self, number: int) -> float:
        """Share of the full rate at step `number`, counted from 0."""
        rise = min(1.0, (number + 1) / self.warm_up) if self.warm_up else 1.0
        behind = number // self.epoch - self.full
        if self.decay == 0 or behind < 0:
            return rise
        return rise * max(0.0, 1 - behind / self.decay)
