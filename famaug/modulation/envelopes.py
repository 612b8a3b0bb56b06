"""Onset-apex-offset envelopes, timed like real micro-expressions.

The timings are percentiles of 4,067 annotated micro-expressions of five data sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from famaug.aus.curves import onset_apex_offset
from famaug.errors import InputError, TrackError
from famaug.modulation.smoothing import STRONGEST, auto_half_width, smooth_values
from famaug.people.datasets import dataset_name
from famaug.types import AU_INDEX, AUTrack

Values = NDArray[np.float64]
Percentiles = tuple[float, float, float]

NORMAL_P90 = 1.2815515655446004
FARTHEST = 2.0
"""Draws stop at two standard deviations: no expression of a length that nobody annotated."""
POINTS = 33


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Milliseconds from onset to apex (`rise`) and apex to offset (`fall`): 10 / 50 / 90 %."""

    rise: Percentiles
    fall: Percentiles

    def draw(self, rng: np.random.Generator) -> tuple[float, float]:
        """(rise, fall) in ms, from log-normal halves through the three percentiles."""
        first, second = np.clip(rng.standard_normal(2), -FARTHEST, FARTHEST)
        return _quantile(self.rise, float(first)), _quantile(self.fall, float(second))


TIMINGS: dict[str, Timing] = {
    "casme2": Timing(rise=(90, 150, 265), fall=(80, 150, 276)),
    "samm": Timing(rise=(90, 160, 255), fall=(84, 200, 315)),
    "dfme": Timing(rise=(107, 200, 283), fall=(82, 180, 274)),
    "casme3": Timing(rise=(100, 200, 267), fall=(167, 433, 1363)),
    "smic": Timing(rise=(90, 160, 264), fall=(76, 160, 254)),
}
"""CASME II (255 expressions), SAMM (159), DFME (2,629), CAS(ME)3 (860), SMIC (164)."""


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """The course of an expression between 0 (rest) and 1 (apex).

    Attributes:
        shape: "linear", "cosine", or "fitted" with the two curves below.
        rise: fitted only: levels at equal steps of time from onset to apex, ending in 1.
        fall: fitted only: levels at equal steps from apex (1) to offset.
    """

    shape: Literal["linear", "cosine", "fitted"] = "cosine"
    rise: tuple[float, ...] = ()
    fall: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        fitted = len(self.rise) >= 2 and len(self.fall) >= 2
        if self.shape not in ("linear", "cosine", "fitted") or (self.shape == "fitted") != fitted:
            raise InputError(
                "an envelope is 'linear', 'cosine', or 'fitted' with two points or more in rise "
                f"and fall; got {self.shape!r} with {len(self.rise)} and {len(self.fall)}"
            )

    def at(self, *, length: int, apex: int) -> Values:
        """Levels at frames 0 (onset) to length-1 (offset), 1 at frame `apex`; float64 `T`."""
        if self.shape != "fitted":
            return onset_apex_offset(length, apex=apex, shape=self.shape)
        if not 0 <= apex < length:
            raise InputError(f"the apex must be a frame from 0 to {length - 1}; got {apex}")
        return _joined(self.rise, self.fall, length, apex)

    def timed(self, *, rise_ms: float, fall_ms: float, fps: float) -> Values:
        """Levels of a clip at `fps` whose apex falls on a frame; a ramp is a frame at least."""
        apex = frames_of(rise_ms, fps)
        return self.at(length=apex + frames_of(fall_ms, fps) + 1, apex=apex)


def frames_of(ms: float, fps: float) -> int:
    """Milliseconds as whole frames, at least 1.

    Raises:
        InputError: a rate or duration that is not above 0.
    """
    if not (fps > 0 and ms > 0 and np.isfinite(fps * ms)):
        raise InputError(f"durations and fps must be above 0; got {ms} ms at {fps} fps")
    return max(1, round(ms * fps / 1000))


def timing(name: str) -> Timing:
    """Timing of a data set by any of its names.

    Raises:
        InputError: a name that is not in `TIMINGS`.
    """
    found = TIMINGS.get(dataset_name(name))
    if found is None:
        raise InputError(f"no timing for {name!r}: use one of {', '.join(TIMINGS)}")
    return found


def find_apex(track: AUTrack) -> int:
    """The frame where the strongest AUs together are farthest from the onset (the first frame)."""
    return int(np.argmax(_course(track)))


def fit_envelope(track: AUTrack, *, apex: int | None = None) -> Envelope:
    """The course of a driver's expression: its strongest AUs, averaged, up and then down.

    The curve is onset-relative, made monotone on either side of the apex by isotonic regression
    and scaled to 1 at the apex. It may end above 0: not every clip is cut at the offset.

    Raises:
        TrackError: no AU rises, or the apex is the clip's first or last frame.
    """
    course = _course(track)
    peak = int(np.argmax(course)) if apex is None else apex
    if not 0 < peak < len(course) - 1 or course[peak] <= 0:
        raise TrackError(
            f"cannot fit an envelope: the strongest AUs rise by {course.max():.2f} and peak at "
            f"frame {peak} of {len(course)}; a clip with onset, apex and offset is needed"
        )
    up = isotonic_regression(course[: peak + 1]).x
    down = isotonic_regression(course[peak:], increasing=False).x
    return Envelope(shape="fitted", rise=_curve(up, up[-1]), fall=_curve(down, down[0]))


def _course(track: AUTrack) -> Values:
    """Onset-relative mean of the strongest columns, filtered; float64 `T`.

    By Savitzky-Golay: a mean filter would pull the apex of a lopsided curve to its slow side.
    """
    x = track.intensity.astype(np.float64)
    if not np.isfinite(x).all(axis=0).any():
        raise TrackError("no AU is measured in every frame: fill the gaps first")
    x = np.where(np.isfinite(x).all(axis=0), x, 0.0)
    y = smooth_values(x, n=min(2, auto_half_width(x)), method="savgol")
    y -= y[:3].mean(axis=0)
    y[:, :, AU_INDEX[45]] = 0.0
    flat = y.reshape(len(y), -1)
    rise = flat.max(axis=0)
    strongest = np.argsort(-rise, kind="stable")[: STRONGEST * 2]
    leading = strongest[rise[strongest] >= rise.max() / 2]  # the rest may be noise
    course: Values = flat[:, leading].mean(axis=1)
    return course


def _curve(levels: NDArray[np.floating[Any]], top: float) -> tuple[float, ...]:
    at = np.linspace(0, len(levels) - 1, POINTS)
    scaled = np.clip(np.interp(at, np.arange(len(levels)), levels) / top, 0.0, 1.0)
    return tuple(round(float(v), 4) for v in scaled)


def _joined(rise: tuple[float, ...], fall: tuple[float, ...], length: int, apex: int) -> Values:
    t = np.arange(length, dtype=np.float64)
    up = np.interp(t / max(apex, 1), np.linspace(0, 1, len(rise)), rise)
    down = np.interp((t - apex) / max(length - 1 - apex, 1), np.linspace(0, 1, len(fall)), fall)
    level: Values = np.where(t < apex, up, down)
    return level


def _quantile(percentiles: Percentiles, z: float) -> float:
    low, middle, high = np.log(percentiles)
    spread = (middle - low if z < 0 else high - middle) / NORMAL_P90
    return float(np.exp(middle + spread * z))
