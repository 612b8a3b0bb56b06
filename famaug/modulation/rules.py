"""Expressions without a driver clip: expert rules, and AUs written by hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError
from famaug.modulation.combinations import StatsSource
from famaug.modulation.envelopes import Envelope
from famaug.modulation.fitted import KINDS, FittedSource, is_file
from famaug.modulation.sources import (
    AS_LISTED,
    RAISED_COSINE,
    STRENGTH,
    ExpressionSource,
    PeakSource,
)
from famaug.modulation.transfer import MAX_INTENSITY
from famaug.modulation.units import parse_units, per_au
from famaug.modulation.variation import Variation
from famaug.types import AU_INDEX, AUS

EXPERT_RULES: dict[str, tuple[tuple[int, float], ...]] = {
    "happiness": ((12, 1.0), (25, 0.5), (6, 0.5)),
    "sadness": ((4, 1.0), (1, 0.5), (15, 0.5)),
    "surprise": ((1, 1.0), (2, 1.0), (5, 0.5), (25, 0.5), (26, 0.5)),
    "fear": ((5, 0.5), (20, 0.5), (25, 0.5), (26, 0.5)),
    "anger": ((4, 1.0), (7, 0.5), (23, 0.5)),
    "disgust": ((9, 1.0), (10, 0.5), (17, 1.0)),
    "contempt": ((14, 1.0),),
}
"""Emotion: (AU, probability that it is on). The table used for MiE-X, from FACS experts."""

CLASSES: dict[str, tuple[str, ...]] = {
    "positive": ("happiness",),
    "negative": ("sadness", "fear", "anger", "disgust", "contempt"),
    "surprise": ("surprise",),
}
"""The three classes of the MEGC composite; negative draws one of its five emotions."""

PREFIXES = ("rule:", "stats:", "early:", "pairs:", "aus:")
"""How the text of an expression begins that needs no driver."""


@dataclass(frozen=True, kw_only=True)
class RuleSource(PeakSource):
    """Draws expressions from a rule; the same generator state gives the same track.

    Attributes:
        name: a class ("positive", "negative", "surprise"), one of the seven emotions, or "aus".
        units: for "aus": (AU name, intensity) pairs, shown exactly so.
        intensity: range of an AU's intensity at the apex (0.5-1.5 at micro-expression strength;
            1.5-4 is the literature's macro variant).
        timing: data set whose timing is drawn from, see `envelopes.TIMINGS`.
        envelope: course between onset and offset.
        asymmetry: the weaker side of an expression is down to 1 - asymmetry of the other; 0 is
            symmetric. AUs by hand say their sides themselves.
        magnification: factor on all intensities, clipped to 5.
        variation: how expressions differ from the rule; AUs by hand are shown exactly as written.
        times: milliseconds from onset to apex and from apex to offset; None draws them from
            `timing`.
    """

    kind: ClassVar[str] = "rule"
    estimator: ClassVar[str] = "rule/1"
    name: str
    units: tuple[tuple[str, float], ...] = ()
    intensity: tuple[float, float] = STRENGTH
    timing: str = "casme2"
    envelope: Envelope = RAISED_COSINE
    # no part of its name: what it does shows in the track
    variation: Variation = field(default=AS_LISTED, repr=False)
    times: tuple[float, float] | None = field(default=None, repr=False)
    asymmetry: float = 0.0
    magnification: float = 1.0

    def __post_init__(self) -> None:
        _check(self)

    @property
    def text(self) -> str:
        """As `parse_expression` reads it: "rule:positive", "aus:4=1.5,12L=1"."""
        if self.name != "aus":
            return f"rule:{self.name}"
        return "aus:" + ",".join(f"{unit}={value:g}" for unit, value in self.units)

    @property
    def label(self) -> str | None:
        """The emotion or class shown, None for AUs by hand."""
        return None if self.name == "aus" else self.name

    def _peak(self, rng: np.random.Generator) -> NDArray[np.float64]:
        peak: NDArray[np.float64] = np.minimum(self._units(rng) * self.magnification, MAX_INTENSITY)
        return peak

    def _units(self, rng: np.random.Generator) -> NDArray[np.float64]:
        if self.name == "aus":
            return per_au(dict(self.units))
        emotions = CLASSES.get(self.name, (self.name,))
        emotion = emotions[int(rng.integers(len(emotions)))]
        row = _draw_units(EXPERT_RULES[emotion], self.intensity, rng)
        sides = np.ones(2)
        sides[int(rng.integers(2))] -= rng.uniform(0, self.asymmetry)
        return sides[:, None] * row


def parse_expression(text: str) -> RuleSource | StatsSource | FittedSource:
    """`rule:NAME`, `stats:NAME`, `aus:4=1.5,7=1,12L=1` (a bare number is both sides), or with
    a file of `famaug pool` `stats:FILE.json`, `early:FILE.json`, `pairs:FILE.json`, each
    perhaps with `:CLASS`, as a source.

    Raises:
        InputError: none of these forms, an unknown name or AU, or an intensity outside 0-5.
    """
    kind, colon, rest = text.strip().partition(":")
    if f"{kind}{colon}" not in PREFIXES:
        raise InputError(
            f"cannot read the expression {text!r}: write rule:NAME (one of {_rule_names()}), "
            f"stats:NAME (one of {', '.join(CLASSES)}, or statistics saved as .json), "
            "early:FILE.json, pairs:FILE.json, or AUs by hand, as aus:4=1.5,7=1,12L=1"
        )
    if kind == "aus":
        return RuleSource(name="aus", units=tuple(parse_units(rest).items()))
    if kind in KINDS and (kind != "stats" or is_file(rest)):
        return FittedSource.of(kind, rest)
    name = rest.strip().lower()
    return StatsSource(name=name) if kind == "stats" else RuleSource(name=name)


def timed_source(source: ExpressionSource, times: tuple[float, float]) -> RuleSource | StatsSource:
    """The source, with its milliseconds from onset to apex and from apex to offset told.

        timed_source(parse_expression("aus:12L=1.5"), (150, 200))

    Raises:
        InputError: times that cannot be, or a source that has its own (files of `famaug pool`).
    """
    if not isinstance(source, RuleSource | StatsSource):
        raise InputError(f"{source.text} draws how long an expression takes from its own clips")
    return replace(source, times=times)


def _draw_units(
    rule: tuple[tuple[int, float], ...], intensity: tuple[float, float], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Intensities `17`. Under the fear rule all may stay off: then one is turned on."""
    chances = np.array([p for _, p in rule])
    on = rng.random(len(rule)) < chances
    if not on.any():
        on[int(rng.integers(len(rule)))] = True
    row = np.zeros(len(AUS))
    row[[AU_INDEX[au] for au, _ in rule]] = np.where(on, rng.uniform(*intensity, len(rule)), 0.0)
    return row


def _rule_names() -> str:
    return ", ".join(dict.fromkeys([*CLASSES, *EXPERT_RULES]))


def _check(source: RuleSource) -> None:
    if source.name == "aus":
        if not per_au(dict(source.units)).any():
            raise InputError("AUs by hand need at least one above 0, as aus:12=1")
        if source.variation != AS_LISTED:
            raise InputError("AUs by hand are shown as written: they take no variation")
    elif source.name not in CLASSES and source.name not in EXPERT_RULES:
        raise InputError(f"unknown rule {source.name!r}: use one of {_rule_names()}")
    elif source.units:
        raise InputError(f"units are for AUs by hand; rule {source.name!r} draws its own")
    source._check_range()
    if not 0 <= source.asymmetry <= 1 or not 0 < source.magnification <= 100:
        raise InputError(
            "asymmetry must be from 0 to 1, magnification above 0 and at most 100; "
            f"got {source.asymmetry} and {source.magnification}"
        )
