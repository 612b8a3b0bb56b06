"""How real expressions differ from those that rules and annotators list: shown on one side, in
part, or more weakly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError
from famaug.modulation.transfer import MAX_INTENSITY
from famaug.modulation.units import parse_units, per_au
from famaug.types import AU_INDEX

Peak = NDArray[np.float64]

BOTH_SIDES = (9, 17, 23, 25, 26, 45)
"""AUs that stay on both sides: no combination in `combinations.csv` (annotated clips of DFME and
CAS(ME)^3) has AU09, 17, 23, 25 or 26 on one side only; a blink is no part of an expression."""
REST = 0.5
"""The weaker side of a one-sided expression shows up to so much; in half of the draws nothing."""
FAINT = 1 / 3
"""What an AU of a partial expression keeps where it is not dropped."""
VISIBLE = "12=0.6,25=0.3,26=0.15"
"""Shares with which drawn strengths make micro-expressions: at the same intensity a smile, parted
lips and a dropped jaw move several times as far as a frown. Set beside flow pictures of 34 people
of the MEGC2019 composite (docs/does_it_help.md)."""


@dataclass(frozen=True, kw_only=True)
class Variation:
    """Draws how an expression differs from its list of AUs.

    Attributes:
        one_sided: chance (0-1) that an expression is shown on one side: the other side is without
            it, or shows up to half of it. AUs of `BOTH_SIDES` stay.
        partial: chance (0-1) that some AUs of an expression are dropped, or shown at a third. At
            least one is shown in full; an expression of one AU has no part.
        factor: range of a factor on the whole expression.
        shares: factors on single AUs, as "12=0.6,26=0.15"; the others keep all they have.

    Raises:
        InputError: a chance outside 0-1, a range that is not above 0 and rising, or shares that
            cannot be read.
    """

    one_sided: float = 0.0
    partial: float = 0.0
    factor: tuple[float, float] = (1.0, 1.0)
    shares: str = ""

    def __post_init__(self) -> None:
        check_chance(self.one_sided)
        check_chance(self.partial)
        check_factor(self.factor)
        read_shares(self.shares)

    def applied(self, peak: Peak, rng: np.random.Generator) -> Peak:
        """Intensities at the apex `2 17`, some of them weaker or gone; never all. What has no
        chance draws nothing."""
        out = peak * per_au(read_shares(self.shares), default=1.0)
        if self.partial and rng.random() < self.partial:
            _drop_some(out, rng)
        if self.one_sided and rng.random() < self.one_sided:
            _weaken_a_side(out, rng)
        if self.factor != (1.0, 1.0):
            out = np.minimum(out * rng.uniform(*self.factor), MAX_INTENSITY)
        return out


def check_chance(chance: float) -> None:
    """Raises InputError outside 0-1."""
    if not 0 <= chance <= 1:
        raise InputError(f"must be a chance from 0 to 1; got {chance:g}")


def check_factor(factor: tuple[float, float]) -> None:
    """Raises InputError unless it is a rising range above 0, up to 10."""
    low, high = factor
    if not 0 < low <= high <= 10:
        raise InputError(f"must be a range of factors above 0, at most 10; got {[*factor]}")


def read_shares(text: str) -> dict[str, float]:
    """ "12=0.6,26=0.15" as {"12": 0.6, "26": 0.15}; nothing for "".

    Raises:
        InputError: it cannot be read, an AU is unknown, or a share is outside 0-5.
    """
    return parse_units(text) if text else {}


def _drop_some(peak: Peak, rng: np.random.Generator) -> None:
    shown = np.flatnonzero(peak.any(0))
    if len(shown) < 2:
        return
    order = rng.permutation(shown)
    # one stays and one goes; of the others each has the same chance of both
    gone = np.append(rng.random(len(order) - 2) < 0.5, True)
    share = np.where(rng.random(len(gone)) < 0.5, FAINT, 0.0)
    peak[:, order[1:][gone]] *= share[gone]


def _weaken_a_side(peak: Peak, rng: np.random.Generator) -> None:
    weak = int(rng.integers(2))
    share = rng.uniform(0, REST) if rng.random() < 0.5 else 0.0
    movable = np.ones(peak.shape[1], bool)
    movable[[AU_INDEX[au] for au in BOTH_SIDES]] = False
    if not peak[1 - weak].any():  # annotated on the other side only: that one stays
        return
    peak[weak, movable] *= share
