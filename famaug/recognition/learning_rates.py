"""The learning rate of every step."""

from __future__ import annotations

from functools import lru_cache

import torch

from famaug.recognition.options import RateSchedule


@lru_cache(maxsize=16)
def learning_rates(schedule: RateSchedule, rate: float, steps: int) -> tuple[float, ...]:
    """The rate of each of `steps` steps.

    Args:
        schedule: "constant", or "one-cycle": torch's `OneCycleLR` with its own settings (up from
            a 25th by a cosine over the first 30 % of the steps, then down to nearly nothing) and
            Adam's betas left alone.
        rate: the constant, or the highest.
        steps: of the whole training.
    """
    if schedule == "constant":
        return (rate,) * steps
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=rate)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=rate, total_steps=steps, cycle_momentum=False
    )
    found = []
    for step in range(steps):
        found.append(float(cycle.get_last_lr()[0]))
        optimizer.step()
        if step + 1 < steps:
            cycle.step()
    return tuple(found)
