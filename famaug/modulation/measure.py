"""What a filter does to a track, in numbers: noise left, expression left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from famaug.modulation.gaps import fill_gaps
from famaug.modulation.smoothing import (
    Edges,
    Method,
    auto_half_width,
    rise_kept,
    smooth_values,
)
from famaug.modulation.transfer import transfer_values
from famaug.types import AU_INDEX, AU_NAMES, AUTrack

STRENGTH = 1.5
"""What the strongest AU is brought to when steps are compared: a clear micro-expression."""
HALF_WIDTHS: tuple[int | Literal["auto"], ...] = (0, 1, 2, 3, 5, "auto")


@dataclass(frozen=True)
class FilterEffect:
    """One half-width on one clip.

    Attributes:
        asked: half-width asked for; `n` is what was used.
        jitter: mean |frame-to-frame difference|, all AUs.
        largest_jump: the largest frame-to-frame difference.
        range_kept: (max - min) of all AUs, against the raw track's.
        rise_kept: onset-to-peak of the strongest AUs, against the raw track's (`rise_kept`).
    """

    asked: int | str
    n: int
    jitter: float
    largest_jump: float
    range_kept: float
    rise_kept: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class ReferenceEffect:
    """Eq. 3 on the strongest AU of a clip: the onset form beside the printed one.

    Attributes:
        au: name of the AU that rises most.
        rise: what the filtered driver rises by.
        onset_peak, printed_peak: highest value that either form shows (alpha 0, no threshold).
        onset_match, printed_match: correlation over time with the driver's own curve.
    """

    au: str
    rise: float
    onset_peak: float
    printed_peak: float
    onset_match: float
    printed_match: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class ThresholdEffect:
    """The threshold on a clip whose strongest AU is then brought to `STRENGTH`.

    Attributes:
        own_step: the largest frame-to-frame difference of the filtered clip itself, as strong.
        soft_step, hard_step: with either form of the threshold.
        frames: frames in which the strongest AU is above its onset.
        soft_frames, hard_frames: how many of them are left.
        soft_switches, hard_switches: how often an AU appears or disappears from a frame to the
            next, all AUs and sides.
        soft_switch, hard_switch: median step at a switch; 0 without one.
    """

    own_step: float
    soft_step: float
    hard_step: float
    frames: int
    soft_frames: int
    hard_frames: int
    soft_switches: int
    hard_switches: int
    soft_switch: float
    hard_switch: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def filter_effects(
    track: AUTrack,
    *,
    half_widths: Sequence[int | Literal["auto"]] = HALF_WIDTHS,
    edges: Edges = "shrink",
    method: Method = "mean",
) -> list[FilterEffect]:
    """Noise and range left by each half-width; those wider than the clip are left out.

    Raises:
        TrackError: gaps too long to fill.
    """
    x = np.nan_to_num(fill_gaps(track).intensity.astype(np.float64))
    full = np.ptp(x, axis=0).sum()
    effects = []
    for asked in half_widths:
        n = auto_half_width(x) if asked == "auto" else asked
        if 2 * n + 1 > len(x):
            continue
        y = smooth_values(x, n=n, edges=edges, method=method)
        steps = np.abs(np.diff(y, axis=0))
        effects.append(
            FilterEffect(
                asked,
                n,
                float(steps.mean()) if steps.size else 0.0,
                float(steps.max(initial=0.0)),
                float(np.ptp(y, axis=0).sum() / full) if full > 0 else 1.0,
                rise_kept(x, y),
            )
        )
    return effects


def reference_effect(track: AUTrack, *, n: int = 1) -> ReferenceEffect:
    """The onset form of Eq. 3 beside the printed one, both after the same filter.

    Raises:
        TrackError: gaps too long to fill, or a clip shorter than the window.
    """
    x = np.nan_to_num(fill_gaps(track).intensity.astype(np.float64))
    y = smooth_values(x, n=n)
    rise = (y - y[0]).max(axis=0)
    rise[:, AU_INDEX[45]] = 0
    side, au = (int(v) for v in np.unravel_index(int(np.argmax(rise)), rise.shape))
    onset = transfer_values(y, threshold=0, alpha=0)[:, side, au]
    printed = transfer_values(y, reference="previous", threshold=0, alpha=0)[:, side, au]
    curve = y[:, side, au]
    return ReferenceEffect(
        AU_NAMES[au],
        float(rise[side, au]),
        float(onset.max()),
        float(printed.max()),
        _match(onset, curve),
        _match(printed, curve),
    )


def threshold_effect(track: AUTrack, *, n: int = 1) -> ThresholdEffect | None:
    """The soft form of the threshold beside the hard one, on the onset form of Eq. 3; None where
    no AU rises above the threshold.

    Raises:
        TrackError: gaps too long to fill, or a clip shorter than the window.
    """
    y = smooth_values(np.nan_to_num(fill_gaps(track).intensity.astype(np.float64)), n=n)
    own = transfer_values(y, threshold=0, alpha=0)
    soft = transfer_values(y, alpha=0)
    hard = transfer_values(y, alpha=0, threshold_form="hard")
    if not soft.any():
        return None
    side, au = (int(v) for v in np.unravel_index(int(np.argmax(own.max(axis=0))), own.shape[1:]))
    forms = [x * (STRENGTH / x.max()) for x in (own, soft, hard)]
    steps = [float(np.abs(np.diff(x, axis=0)).max(initial=0)) for x in forms]
    frames = [int((x[:, side, au] > 0).sum()) for x in forms]
    (softs, soft_size), (hards, hard_size) = (_switches(x) for x in forms[1:])
    return ThresholdEffect(
        own_step=steps[0],
        soft_step=steps[1],
        hard_step=steps[2],
        frames=frames[0],
        soft_frames=frames[1],
        hard_frames=frames[2],
        soft_switches=softs,
        hard_switches=hards,
        soft_switch=soft_size,
        hard_switch=hard_size,
    )


def _switches(x: NDArray[np.float64]) -> tuple[int, float]:
    """How often a column of `T ...` leaves or reaches 0, and the median step there."""
    on = x > 0
    found = np.abs(np.diff(x, axis=0))[on[1:] != on[:-1]]
    return len(found), float(np.median(found)) if len(found) else 0.0


def _match(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
