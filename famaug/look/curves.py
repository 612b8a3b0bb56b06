"""Slow random motion, and lids that close and open: courses over a clip's frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

FARTHEST = 2.0
"""Standard deviations that a draw stays within."""
WAVES = 4
BLINK_SECONDS = 0.2
DROOP_SECONDS = 0.4
DROOPS = 1 / 3
"""Share of half blinks in which the lids stay where they went, for the rest of the clip."""
HALF_SHUT = (1.5, 3.0)
"""AU45 of a half blink, of 5: the lids close by 30 to 60 %."""


def bounded(rng: np.random.Generator, *shape: int) -> Values:
    """Standard normal numbers, those beyond `FARTHEST` set to it."""
    return np.clip(rng.standard_normal(shape), -FARTHEST, FARTHEST)


def slow(rng: np.random.Generator, length: int, count: int) -> Values:
    """`T count`: independent smooth random curves that begin at 0, one unit of standard deviation
    wide at the last frame and the square root of the time's share before it.

    Brownian motion without its fast part: the linear term and the first `WAVES` sines of its
    Karhunen-Loeve expansion (Loeve, "Probability Theory II", 1978, section 37).
    """
    t = np.arange(length) / max(length - 1, 1)
    k = np.arange(1, WAVES + 1)
    waves = np.sqrt(2) * np.sin(np.pi * np.outer(t, k)) / (np.pi * k)
    draws = bounded(rng, 1 + WAVES, count)
    out: Values = np.concatenate([t[:, None], waves], 1) @ draws
    return out


def half_blink(rng: np.random.Generator, length: int, fps: float) -> Values:
    """`T`: AU45 of lids that close part of the way, and go back or stay."""
    at, depth, stays = rng.random(), rng.uniform(*HALF_SHUT), rng.random() < DROOPS
    t = (np.arange(length) - at * length) / fps
    if stays:
        # it may have begun before the clip
        share = np.clip(t / DROOP_SECONDS + 0.5, 0, 1)
        closed = share * share * (3 - 2 * share)
    else:
        closed = pulse(t / BLINK_SECONDS)
    out: Values = depth * closed
    return out


def pulse(t: NDArray[np.floating[Any]]) -> Values:
    """A raised cosine over -1 to 1, 1 at 0."""
    out: Values = np.where(np.abs(t) < 1, (1 + np.cos(np.pi * t)) / 2, 0)
    return out
