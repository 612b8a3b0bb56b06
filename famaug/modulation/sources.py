"""What an expression can be drawn from without a driver's frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError
from famaug.modulation.envelopes import Envelope
from famaug.modulation.envelopes import timing as timing_of
from famaug.modulation.transfer import MAX_INTENSITY
from famaug.modulation.variation import Variation
from famaug.types import AUTrack

RAISED_COSINE = Envelope()
AS_LISTED = Variation()
STRENGTH = (0.5, 1.5)
"""Range of an AU's intensity at the apex of a micro-expression, of 5."""
LONGEST_MS = 10_000.0
"""Of a rise or a fall that is told."""


class ExpressionSource(ABC):
    """Draws expressions; the same generator state gives the same track."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """In `Plan.driver`."""

    @property
    @abstractmethod
    def text(self) -> str:
        """As `parse_expression` reads it, or as people do."""

    @property
    def title(self) -> str:
        """Its name in plans: no path."""
        return self.text

    @property
    @abstractmethod
    def label(self) -> str | int | None:
        """The class that goes with the expression, or None."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, *, fps: float = 200.0) -> AUTrack:
        """One expression from onset (frame 0) to offset, shown as written.

        Raises:
            InputError: `fps` is not above 0.
        """


class PeakSource(ExpressionSource):
    """Draws intensities at the apex, and a course from rest to there and back.

    Attributes:
        estimator: of the tracks, which are on famaug's scale.
        intensity: range from which strengths are drawn that nothing else says.
        timing: data set whose timing is drawn from, see `envelopes.TIMINGS`.
        envelope: course between onset and offset.
        variation: how expressions differ from what is listed.
        times: milliseconds from onset to apex and from apex to offset, where they are not drawn.
    """

    estimator: ClassVar[str]
    intensity: tuple[float, float]
    timing: str
    envelope: Envelope
    variation: Variation
    times: tuple[float, float] | None = None

    def draw(self, rng: np.random.Generator, *, fps: float = 200.0) -> AUTrack:
        peak = self.variation.applied(self._peak(rng), rng)
        rate, level = self._course(rng, fps)
        return AUTrack.of(
            level[:, None, None] * peak, estimator=self.estimator, fps=rate, modulated=True
        )

    @abstractmethod
    def _peak(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Intensities at the apex, `2 17`."""

    def _course(self, rng: np.random.Generator, fps: float) -> tuple[float, NDArray[np.float64]]:
        """Frames per second, and the level of each frame, 1 at the apex."""
        rise, fall = self.times or timing_of(self.timing).draw(rng)
        return fps, self.envelope.timed(rise_ms=rise, fall_ms=fall, fps=fps)

    def _check_range(self) -> None:
        """Raises InputError for a range of strengths or a timing that cannot be."""
        check_strength(self.intensity)
        timing_of(self.timing)
        check_times(self.times)


def check_times(times: tuple[float, float] | None) -> None:
    """Raises InputError unless both are milliseconds above 0 and at most `LONGEST_MS`, or None."""
    if times is not None and not (len(times) == 2 and all(0 < t <= LONGEST_MS for t in times)):
        raise InputError(
            "from onset to apex and from apex to offset take more than 0 and at most "
            f"{LONGEST_MS:g} milliseconds each; got {tuple(times)}"
        )


def check_strength(intensity: tuple[float, float]) -> None:
    """Raises InputError unless it is a range within 0-5, above 0."""
    low, high = intensity
    if not 0 < low <= high <= MAX_INTENSITY:
        raise InputError(f"intensity must be a range within 0-5, above 0; got {tuple(intensity)}")
