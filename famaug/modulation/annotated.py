"""Expressions from annotations: a clip's AUs, sides and timing as people wrote them down."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from famaug.aus.facs import FacsUnit, not_shown, parse_facs
from famaug.errors import InputError, TrackError
from famaug.modulation.combinations import peak_of
from famaug.modulation.envelopes import TIMINGS, Envelope
from famaug.modulation.envelopes import timing as timing_of
from famaug.modulation.sources import AS_LISTED, RAISED_COSINE, STRENGTH, PeakSource
from famaug.modulation.variation import Variation
from famaug.types import AUS, ClipRef


@dataclass(frozen=True, kw_only=True)
class AnnotatedSource(PeakSource):
    """Draws what was annotated of one clip; no pixel of it is needed.

    The AUs and sides are the annotation's. Of doubtful ones ("R12 or R14", "4?") each is shown in
    half of the draws, and never none. Strengths are those of the letters (A is 1 ... E is 5), or
    drawn for each AU. Times that nobody annotated are drawn, as of `timing`.

    Attributes:
        clip: whose annotation, "dataset/subject/clip".
        annotation: as published ("4+L7").
        rise, fall: frames from onset to apex, and from apex to offset, or None.
        span: frames from onset to offset where the apex is not known, at least 2, or None.
        fps: of these frames; None takes that of the draw.
        shows: class that goes with it, or None; it has no part in what is drawn.
        intensity: range of strengths that no letter says.
        timing, envelope, variation: as of `RuleSource`.

    Raises:
        InputError: an annotation that cannot be read or tells of no AU, or values out of range.
        TrackError: no AU of it can be shown.
    """

    kind: ClassVar[str] = "annotation"
    estimator: ClassVar[str] = "annotation/1"
    clip: str
    annotation: str
    rise: int | None = None
    fall: int | None = None
    fps: float | None = None
    span: int | None = None
    shows: str | int | None = field(default=None, repr=False)
    intensity: tuple[float, float] = STRENGTH
    timing: str = "casme2"
    envelope: Envelope = RAISED_COSINE
    # no part of its name: what it does shows in the track
    variation: Variation = field(default=AS_LISTED, repr=False)

    def __post_init__(self) -> None:
        units = parse_facs(self.annotation)
        if not units:
            raise InputError(f"its annotation {self.annotation!r} tells of no AU")
        if not self._shown:
            raise TrackError(
                f"no AU of {self.annotation!r} can be shown: famaug has {', '.join(map(str, AUS))}"
            )
        for name, least in (("rise", 1), ("fall", 1), ("span", 2), ("fps", 1e-9)):
            value = getattr(self, name)
            if value is not None and not least <= value < float("inf"):
                raise InputError(f"{name} must be at least {least}; got {value}")
        self._check_range()

    @staticmethod
    def of(
        ref: ClipRef,
        *,
        shows: str | int | None = None,
        intensity: tuple[float, float] = STRENGTH,
    ) -> AnnotatedSource:
        """Of a clip's reference.

        Raises:
            InputError: it has no annotated AUs, or as the class.
            TrackError: as the class.
        """
        if ref.action_units is None:
            raise InputError("no AUs are annotated")
        span = None if ref.apex is not None else _between(ref.onset, ref.offset)
        return AnnotatedSource(
            clip=ref.key,
            annotation=ref.action_units,
            rise=_between(ref.onset, ref.apex),
            fall=_between(ref.apex, ref.offset),
            span=None if span == 1 else span,
            fps=ref.fps,
            shows=shows,
            intensity=intensity,
            timing=ref.dataset if ref.dataset in TIMINGS else "casme2",
        )

    @property
    def text(self) -> str:
        return f"{self.clip}: {self.annotation}"

    @property
    def label(self) -> str | int | None:
        return self.shows

    @property
    def left_out(self) -> tuple[str, ...]:
        """Codes that cannot be shown, as written: ("24", "AD38")."""
        return not_shown(self.annotation)

    @cached_property
    def _shown(self) -> tuple[FacsUnit, ...]:
        return tuple(u for u in parse_facs(self.annotation) if u.shown)

    def to_json(self) -> dict[str, Any]:
        """JSON-able; `from_json` gives an equal one back, with the usual envelope and variation."""
        return {k: v for k, v in asdict(self).items() if k not in ("envelope", "variation")}

    @staticmethod
    def from_json(value: dict[str, Any]) -> AnnotatedSource:
        """From `to_json`."""
        low, high = value["intensity"]
        return AnnotatedSource(**{**value, "intensity": (low, high)})

    def _peak(self, rng: np.random.Generator) -> NDArray[np.float64]:
        on = [not u.uncertain or bool(rng.random() < 0.5) for u in self._shown]
        if not any(on):
            on[int(rng.integers(len(on)))] = True
        chosen = tuple(u for u, shown in zip(self._shown, on, strict=True) if shown)
        return peak_of(chosen, self.intensity, rng)

    def _course(self, rng: np.random.Generator, fps: float) -> tuple[float, NDArray[np.float64]]:
        rate = fps if self.fps is None else self.fps
        rise, fall = timing_of(self.timing).draw(rng)
        if self.span is not None:  # the apex lies where it would between such a rise and fall
            apex = min(max(1, round(self.span * rise / (rise + fall))), self.span - 1)
            return rate, self.envelope.at(length=self.span + 1, apex=apex)
        if self.rise is not None:
            rise = 1000 * self.rise / rate
        if self.fall is not None:
            fall = 1000 * self.fall / rate
        return rate, self.envelope.timed(rise_ms=rise, fall_ms=fall, fps=rate)


def _between(first: int | None, last: int | None) -> int | None:
    """Frames from one to the other; None where that is not known, or nothing."""
    if first is None or last is None or last <= first:
        return None
    return last - first
