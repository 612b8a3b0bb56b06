"""Expressions by how often people annotated them: which AUs go together in a class."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from famaug.aus.facs import FacsUnit, parse_facs
from famaug.errors import InputError
from famaug.modulation.envelopes import Envelope
from famaug.modulation.sources import AS_LISTED, RAISED_COSINE, STRENGTH, PeakSource
from famaug.modulation.variation import Variation
from famaug.types import AU_INDEX, AUS

CLASSES = ("positive", "negative", "surprise")
TABLE = "combinations.csv"
"""class, units, clips: counts over 2,875 annotated clips of DFME and CAS(ME)^3, units that cannot
be shown left out, and combinations of a single clip."""


@dataclass(frozen=True, kw_only=True)
class StatsSource(PeakSource):
    """Draws a combination of AUs as often as it was annotated in a class; sides as annotated.

    Attributes:
        name: "positive", "negative" or "surprise".
        intensity: range of an AU's intensity at the apex; one strength for both its sides.
        timing, envelope, variation, times: as of `RuleSource`.

    Raises:
        InputError: another class, or a range that cannot be.
    """

    kind: ClassVar[str] = "stats"
    estimator: ClassVar[str] = "stats/1"
    name: str
    intensity: tuple[float, float] = STRENGTH
    timing: str = "dfme"
    envelope: Envelope = RAISED_COSINE
    # no part of its name: what it does shows in the track
    variation: Variation = field(default=AS_LISTED, repr=False)
    times: tuple[float, float] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.name not in CLASSES:
            raise InputError(
                f"unknown statistics {self.name!r}: use one of {', '.join(CLASSES)}, or a .json"
            )
        self._check_range()

    @property
    def text(self) -> str:
        return f"stats:{self.name}"

    @property
    def label(self) -> str:
        return self.name

    def _peak(self, rng: np.random.Generator) -> NDArray[np.float64]:
        seen = combinations()[self.name]
        counts = np.cumsum([n for _, n in seen])
        at = int(np.searchsorted(counts, rng.integers(counts[-1]), side="right"))
        return peak_of(seen[at][0], self.intensity, rng)


def peak_of(
    units: tuple[FacsUnit, ...], intensity: tuple[float, float], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Intensities at the apex, `2 17`, of units that can be shown: the letter's, or drawn where
    there is none."""
    peak = np.zeros((2, len(AUS)))
    for unit in units:
        sides = {"left": [0], "right": [1], "both": [0, 1]}[unit.side]
        strength = unit.intensity(float(rng.uniform(*intensity)))
        peak[sides, AU_INDEX[unit.au]] = np.maximum(peak[sides, AU_INDEX[unit.au]], strength)
    return peak


@lru_cache(maxsize=1)
def combinations() -> dict[str, tuple[tuple[tuple[FacsUnit, ...], int], ...]]:
    """Of each class: combinations of AUs, and in how many clips each was annotated."""
    found: dict[str, list[tuple[tuple[FacsUnit, ...], int]]] = {name: [] for name in CLASSES}
    with files("famaug.modulation").joinpath(TABLE).open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found[row["class"]].append((parse_facs(row["units"]), int(row["clips"])))
    return {name: tuple(rows) for name, rows in found.items()}
