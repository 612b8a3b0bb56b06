"""How well the re-measured AUs agree with those that were asked for.

Values are pooled over clips, frames and sides. A unit that is asked in no clip has no
correlation; what counts for it is how much was read although nothing was asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.errors import TrackError
from famaug.shown.lines import one_line
from famaug.types import AUS, LEFT, RIGHT, AUTrack

ASKED_FROM = 0.05
"""A unit counts as asked in a clip where its intensity reaches this on either side."""


@dataclass(frozen=True)
class UnitAgreement:
    """One unit; None where there is nothing to compute from.

    Attributes:
        au: FACS number.
        asked_peak: largest intensity asked.
        r: Pearson r, asked against measured, both sides.
        r_sides: the same of left minus right; None when no asymmetry was asked.
        gain: how many times as strong as asked it is read (slope through 0).
        mae: mean absolute error, intensity.
        false_reading: mean intensity read in the clips in which the unit was not asked.
        values: number of pairs behind `mae`.
    """

    au: int
    asked_peak: float
    r: float | None
    r_sides: float | None
    gain: float | None
    mae: float | None
    false_reading: float | None
    values: int


@dataclass(frozen=True)
class Agreement:
    """All units together (same definitions) and each alone, in the order of `AUS`.

    `false_reading_worst` is the largest of the units' false readings.
    """

    r: float | None
    r_sides: float | None
    mae: float | None
    false_reading: float | None
    false_reading_worst: float | None
    units: tuple[UnitAgreement, ...]

    def __repr__(self) -> str:
        told = {
            "r": self.r,
            "r_sides": self.r_sides,
            "mae": self.mae,
            "false_reading": self.false_reading,
        }
        shown = [f"{name} {'-' if v is None else f'{v:.2f}'}" for name, v in told.items()]
        return one_line(self, *shown, f"{sum(u.asked_peak > 0 for u in self.units)} units asked")


def pearson(x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]]) -> float | None:
    """Pearson r over the pairs that are both finite; None for fewer than 3 or a constant side."""
    good = np.isfinite(x) & np.isfinite(y)
    a, b = x[good].astype(np.float64), y[good].astype(np.float64)
    if len(a) < 3 or np.ptp(a) < 1e-6 or np.ptp(b) < 1e-6:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def agreement(pairs: Sequence[tuple[AUTrack, AUTrack]]) -> Agreement:
    """Agreement of (asked, measured) tracks, pooled over the pairs.

    Frames missing on either side are left out. Left minus right is left out where a track knows
    no sides.

    Raises:
        TrackError: no pair, lengths that differ, or two intensity scales.
    """
    if not pairs:
        raise TrackError("agreement needs at least one pair of asked and measured tracks")
    for asked, measured in pairs:
        if len(asked) != len(measured):
            raise TrackError(f"asked has {len(asked)} frames, measured {len(measured)}")
        if asked.scale != measured.scale:
            raise TrackError(
                f"asked is on the {asked.scale!r} scale, measured on {measured.scale!r}; "
                "convert one before comparing"
            )
    x = np.concatenate([a.intensity for a, _ in pairs])
    y = np.concatenate([m.intensity for _, m in pairs])
    shown = np.concatenate([_shown(a) for a, _ in pairs])
    sided = np.concatenate([np.full(len(a), a.sided and m.sided) for a, m in pairs])
    units = tuple(_unit(au, x[..., k], y[..., k], shown[:, k], sided) for k, au in enumerate(AUS))
    false = [u.false_reading for u in units if u.false_reading is not None]
    return Agreement(
        r=pearson(x, y),
        r_sides=pearson(_sides(x[sided]), _sides(y[sided])),
        mae=_mean(np.abs(x - y)),
        false_reading=_mean(np.moveaxis(y, 1, 2)[~shown]),
        false_reading_worst=max(false, default=None),
        units=units,
    )


def _unit(
    au: int,
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    shown: NDArray[np.bool_],
    sided: NDArray[np.bool_],
) -> UnitAgreement:
    asked = bool(shown.any())
    return UnitAgreement(
        au=au,
        asked_peak=float(np.nanmax(x)) if asked else 0.0,
        r=pearson(x, y) if asked else None,
        r_sides=pearson(_sides(x[sided]), _sides(y[sided])) if asked else None,
        gain=_gain(x, y) if asked else None,
        mae=_mean(np.abs(x - y)),
        false_reading=_mean(y[~shown]),
        values=int((np.isfinite(x) & np.isfinite(y)).sum()),
    )


def _gain(x: NDArray[np.float32], y: NDArray[np.float32]) -> float | None:
    """Slope of `y` over `x` through 0; None where nothing was asked of what was read."""
    good = np.isfinite(x) & np.isfinite(y)
    a, b = x[good].astype(np.float64), y[good].astype(np.float64)
    weight = float(np.square(a).sum())
    return float((a * b).sum()) / weight if weight > 0 else None


def _shown(asked: AUTrack) -> NDArray[np.bool_]:
    """bool `T 17`, the same in every frame: is the unit asked anywhere in this clip?"""
    reached = np.nan_to_num(asked.intensity, nan=0.0).max(axis=(0, 1)) >= ASKED_FROM
    return np.repeat(reached[None], len(asked), axis=0)


def _sides(track: NDArray[np.float32]) -> NDArray[np.float32]:
    """Left minus right of `T 2` or `T 2 17`."""
    return np.asarray(track[:, LEFT] - track[:, RIGHT], np.float32)


def _mean(values: NDArray[np.floating[Any]]) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else None
