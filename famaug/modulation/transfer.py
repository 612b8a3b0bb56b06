"""Eq. 3: what the driver's face changed, shown on another person's face.

    y'_i = clip0( alpha * y_target + gain * (x_i - x_ref) ),   without what is noise

What is noise a threshold says: see `famaug.modulation.threshold`. The paper prints
x_ref = x_{i-1}, which keeps only frame-to-frame noise; its text and its public code subtract the
first frame. `reference="onset"` is that; `reference="previous"` is the print.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError, NotNeutralWarning, TrackError
from famaug.modulation.threshold import ThresholdForm, hard_threshold, soft_threshold
from famaug.modulation.units import PerAU, per_au
from famaug.types import AU_NAMES, AUS, SIDES, AUTrack

Reference = Literal["onset", "previous", "neutral"]
Gain = float | Mapping[str, float] | Mapping[int, float] | NDArray[np.floating[Any]]
Values = NDArray[np.float64]

MAX_INTENSITY = 5.0
ALPHA = 0.1
THRESHOLD = 0.15
NEUTRAL_LIMIT = 1.0


def transfer(
    track: AUTrack,
    target: AUTrack | NDArray[np.floating[Any]] | None = None,
    *,
    reference: Reference = "onset",
    onset: int = 0,
    neutral: NDArray[np.floating[Any]] | None = None,
    alpha: float = ALPHA,
    gain: Gain = 1.0,
    threshold: float = THRESHOLD,
    threshold_form: ThresholdForm = "soft",
    presence: NDArray[np.floating[Any]] | None = None,
    presence_gate: float = 0.0,
    neutral_limit: float = NEUTRAL_LIMIT,
) -> AUTrack:
    """The driver's track as the target face shall show it (FAMGAN Eq. 3), clipped to [0, 5].

    Args:
        target: AUs the target face has at rest: `17`, `2 17`, or a track of it (its mean). None
            means zero, which is right for famaug's own scale: it counts from the neutral face.
        reference: "onset" subtracts frame `onset`; "previous" the frame before (the printed
            form; its first frame is no change); "neutral" subtracts `neutral` (`17` or `2 17`),
            or nothing where the track already counts from the neutral face.
        alpha: share of the target's own AUs that stays. The paper says "a small coefficient"
            without a value (0.1 here); its public code uses 1.
        gain: factor on the change; a number, or by AU {12: 1.3, "4L": 0.8}, the rest 1. The
            public code uses 0.8.
        threshold: what is at or below it is noise (the public code's 0.03 on a 0-1 scale).
        threshold_form: "soft": an excursion (of one AU on one side) that stays at or below the
            threshold before the gain is 0, one that reaches 1.5 times as much is kept whole, and
            between it fades: no step is added. "hard": every value at or below it is 0, after the
            gain, as the public code does.
        presence: mean presence (OpenFace's AU_c) of each AU over the clip, `17` or `2 17`.
        presence_gate: AUs whose presence is below it do not move.
        neutral_limit: a driver above it at its reference frame is warned about.

    An AU that was not observed in any frame does not move; its confidence stays 0.

    Raises:
        TrackError: gaps in the track (fill them first), or a target on another scale.
        InputError: arguments of the wrong shape or range.
    Warns:
        NotNeutralWarning: the driver's onset is not at rest; the message holds the numbers.
    """
    if not 0 <= onset < len(track):
        raise InputError(f"onset must be a frame from 0 to {len(track) - 1}; got {onset}")
    x = _without_gaps(track)
    _warn_if_not_neutral(x[onset], neutral_limit, onset)
    y = transfer_values(
        x,
        _target(track, target),
        reference=reference,
        onset=onset,
        neutral=neutral,
        alpha=alpha,
        gain=gain,
        threshold=threshold,
        threshold_form=threshold_form,
        presence=presence,
        presence_gate=presence_gate,
    )
    return replace(track, intensity=y.astype(np.float32), modulated=True)


def transfer_values(
    x: NDArray[np.floating[Any]],
    target: NDArray[np.floating[Any]] | float = 0.0,
    *,
    reference: Reference = "onset",
    onset: int = 0,
    neutral: NDArray[np.floating[Any]] | None = None,
    alpha: float = ALPHA,
    gain: Gain = 1.0,
    threshold: float = THRESHOLD,
    threshold_form: ThresholdForm = "soft",
    presence: NDArray[np.floating[Any]] | None = None,
    presence_gate: float = 0.0,
) -> Values:
    """Eq. 3 on `... T 2 17`, any number of clips at once; float64 of that shape in [0, 5].

    `target` broadcasts against `... 2 17` (one row a clip). Otherwise as `transfer`.
    """
    _check(alpha, threshold, presence_gate, presence)
    if threshold_form not in ("soft", "hard"):
        raise InputError(f"threshold_form is 'soft' or 'hard'; got {threshold_form!r}")
    values: Values = np.asarray(x, np.float64)
    rest = np.expand_dims(np.asarray(target, np.float64), -3) if np.ndim(target) > 1 else target
    change = values - _reference(values, reference, onset, neutral)
    if presence is not None and presence_gate > 0:
        moves = _two_sided(presence, "presence") >= presence_gate
        change = np.where(moves, change, 0.0)
    y = alpha * rest + gains(gain) * change
    if threshold_form == "hard":
        y = hard_threshold(y, threshold)
    else:
        y = soft_threshold(y, alpha * rest + change, threshold)
    return np.clip(y, 0.0, MAX_INTENSITY)


def gains(gain: Gain) -> PerAU:
    """Gain as float64 `2 17`: a number, a mapping by AU (the rest 1), or an array."""
    if isinstance(gain, Mapping):
        result = per_au(gain, default=1.0)
    elif isinstance(gain, np.ndarray):
        result = _two_sided(gain, "gain")
    else:
        result = np.full((2, len(AUS)), float(gain))
    if not np.isfinite(result).all() or (result < 0).any():
        raise InputError(f"gains must be finite and at least 0; got {gain}")
    return result


def _reference(
    x: Values, reference: str, onset: int, neutral: NDArray[np.floating[Any]] | None
) -> Values | float:
    if neutral is not None and reference != "neutral":
        raise InputError(f"neutral is given, but reference is {reference!r}: use 'neutral'")
    if reference == "onset":
        first: Values = x[..., onset : onset + 1, :, :]
        return first
    if reference == "previous":
        return np.concatenate([x[..., :1, :, :], x[..., :-1, :, :]], axis=-3)
    if reference == "neutral":
        return 0.0 if neutral is None else _two_sided(neutral, "neutral")
    raise InputError(f"unknown reference {reference!r}: use 'onset', 'previous' or 'neutral'")


def _two_sided(a: NDArray[np.floating[Any]], name: str) -> PerAU:
    """`17` or `2 17` as float64 `2 17`."""
    if a.shape not in ((len(AUS),), (2, len(AUS))) or not np.isfinite(a).all():
        raise InputError(f"{name} must be {len(AUS)} or 2 x {len(AUS)} numbers; got {a.shape}")
    return np.broadcast_to(np.asarray(a, np.float64), (2, len(AUS))).copy()


def _target(track: AUTrack, target: AUTrack | NDArray[np.floating[Any]] | None) -> PerAU:
    if target is None:
        return np.zeros((2, len(AUS)))
    if not isinstance(target, AUTrack):
        return _two_sided(target, "target")
    if target.scale != track.scale:
        raise TrackError(
            f"the driver is on the {track.scale!r} scale, the target on {target.scale!r}; they "
            "are never mixed: measure both with one estimator, or leave the target out"
        )
    rest: PerAU = _without_gaps(target).mean(axis=0)
    return rest


def _without_gaps(track: AUTrack) -> Values:
    """float64 `T 2 17`; columns never observed are 0, any other gap is refused."""
    x = track.intensity.astype(np.float64)
    missing = ~np.isfinite(x)
    partly = missing & ~missing.all(axis=0)
    if missing.all():
        raise TrackError("the track holds no measured value: nothing to transfer")
    if partly.any():
        frames = np.flatnonzero(partly.any(axis=(1, 2)))
        raise TrackError(
            f"{len(frames)} of {len(x)} frames have missing AUs (first: frame {frames[0]}): "
            "fill short gaps with famaug.modulation.gaps.fill_gaps first"
        )
    return np.nan_to_num(x)


def _check(
    alpha: float, threshold: float, gate: float, presence: NDArray[np.floating[Any]] | None
) -> None:
    for name, value, top in (
        ("alpha", alpha, 1.0),
        ("threshold", threshold, MAX_INTENSITY),
        ("presence_gate", gate, 1.0),
    ):
        if not 0 <= value <= top:
            raise InputError(f"{name} must be from 0 to {top:g}; got {value}")
    if gate > 0 and presence is None:
        raise InputError("presence_gate needs presence: the mean of each AU's AU_c over the clip")


def _warn_if_not_neutral(row: Values, limit: float, onset: int) -> None:
    high = np.argwhere(row > limit)
    if not len(high):
        return
    named = ", ".join(
        f"{AU_NAMES[au]} {SIDES[side]} {row[side, au]:.2f}"
        for side, au in sorted(high.tolist(), key=lambda s: -row[s[0], s[1]])[:6]
    )
    warnings.warn(
        f"the driver is not at rest at frame {onset}: {named} (mean of all AUs "
        f"{row.mean():.2f}). The onset form subtracts this; if the expression had begun by then, "
        "start the clip earlier or give its neutral face",
        NotNeutralWarning,
        stacklevel=3,
    )
