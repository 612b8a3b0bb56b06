"""The whole of FAMGAN's modulation in one call: gaps, Eq. 2, Eq. 3. For one clip or thousands."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from famaug.errors import FamaugWarning, InputError
from famaug.modulation.gaps import fill_gaps
from famaug.modulation.smoothing import Edges, Method, smooth, smooth_values
from famaug.modulation.threshold import ThresholdForm
from famaug.modulation.transfer import ALPHA, THRESHOLD, Reference, transfer, transfer_values
from famaug.types import AUS, AUTrack

BATCH = 256
"""Clips worked on together: bounds the memory at some hundred megabytes."""


@dataclass(frozen=True, kw_only=True)
class Modulation:
    """Settings of the modulation; JSON-able, so that a plan can carry them.

    See `smooth` for n, edges and method, `transfer` for reference, alpha, gain, threshold,
    threshold_form and presence_gate, `fill_gaps` for min_confidence and max_gap.
    """

    n: int | Literal["auto"] = 1
    edges: Edges = "shrink"
    method: Method = "mean"
    reference: Reference = "onset"
    alpha: float = ALPHA
    gain: float | Mapping[str, float] = 1.0
    threshold: float = THRESHOLD
    threshold_form: ThresholdForm = "soft"
    presence_gate: float = 0.0
    min_confidence: float = 0.0
    max_gap: int | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


PAPER = Modulation(reference="previous", threshold=0.0, threshold_form="hard")
"""Eq. 3 as printed (alpha "small", no threshold)."""
PUBLIC_CODE = Modulation(n=0, alpha=1.0, gain=0.8, threshold_form="hard")
"""What the authors' public code does: no filter, the first frame as reference, values at or below
0.15 set to 0 one by one."""


def modulate(
    track: AUTrack,
    target: AUTrack | NDArray[np.floating[Any]] | None = None,
    *,
    settings: Modulation | None = None,
    presence: NDArray[np.floating[Any]] | None = None,
    neutral: NDArray[np.floating[Any]] | None = None,
) -> AUTrack:
    """A driver's measured track as the target face shall show it, `T 2 17` in [0, 5].

    Gaps are bridged, the track is filtered over time (Eq. 2) and taken relative to its onset
    (Eq. 3). `target`, `presence` and `neutral` as in `transfer`. The result has no missing
    values; `confidence` tells what was measured; `modulated` is True.

    Raises, warns: as `fill_gaps`, `smooth` and `transfer`.
    """
    s = settings or Modulation()
    whole = fill_gaps(track, min_confidence=s.min_confidence, max_gap=s.max_gap)
    return transfer(
        smooth(whole, n=s.n, edges=s.edges, method=s.method),
        target,
        reference=s.reference,
        neutral=neutral,
        alpha=s.alpha,
        gain=s.gain,
        threshold=s.threshold,
        threshold_form=s.threshold_form,
        presence=presence,
        presence_gate=s.presence_gate,
    )


def as_written(track: AUTrack, *, max_gap: int | None = None) -> AUTrack:
    """A track that says itself what a face shall show, ready to be rendered: nothing but gaps are
    bridged, and AUs that are never there do not move.

    Raises: as `fill_gaps`.
    """
    whole = fill_gaps(track, max_gap=max_gap)
    return whole.with_intensity(np.nan_to_num(whole.intensity), modulated=True)


def modulation_stages(
    track: AUTrack,
    target: AUTrack | NDArray[np.floating[Any]] | None = None,
    *,
    settings: Modulation | None = None,
    presence: NDArray[np.floating[Any]] | None = None,
    averaged: AUTrack | None = None,
) -> dict[str, AUTrack]:
    """The track after every step, for figures: raw, (averaged,) filtered, relative, transferred.

    Args:
        track: as measured at one size.
        averaged: the same clip averaged over sizes (Eq. 1); the later steps then start from it.

    "relative" is the change alone (no target, no threshold, gain 1); it may be clipped at 0.
    """
    s = settings or Modulation()
    source = averaged or track
    stages = {"raw": track} | ({} if averaged is None else {"averaged": averaged})
    whole = fill_gaps(source, min_confidence=s.min_confidence, max_gap=s.max_gap)
    with warnings.catch_warnings():  # the last step gives them all
        warnings.simplefilter("ignore", FamaugWarning)
        filtered = smooth(whole, n=s.n, edges=s.edges, method=s.method)
        relative = transfer(filtered, reference=s.reference, alpha=0.0, threshold=0.0)
    shown = modulate(source, target, settings=s, presence=presence)
    return stages | {"filtered": filtered, "relative": relative, "transferred": shown}


def modulate_many(
    intensity: NDArray[np.floating[Any]],
    target: NDArray[np.floating[Any]] | float = 0.0,
    *,
    settings: Modulation | None = None,
) -> NDArray[np.float32]:
    """Many clips of one length at once: `N T 2 17` to float32 `N T 2 17`, all in [0, 5].

    Same numbers as `modulate` clip by clip, but without warnings and gap filling, and with no
    loop over frames. `target` is a number or `N 2 17`. n="auto", a presence gate and gap limits
    depend on the single clip: use `modulate` for those.

    Raises:
        InputError: another shape, values that are not finite, or settings of single clips.
        TrackError: clips shorter than the window.
    """
    s = settings or Modulation()
    if s.n == "auto" or s.presence_gate > 0 or s.min_confidence > 0:
        raise InputError("n='auto', presence_gate and min_confidence work clip by clip: modulate()")
    if intensity.ndim != 4 or intensity.shape[2:] != (2, len(AUS)) or 0 in intensity.shape:
        raise InputError(f"intensity must be N T 2 {len(AUS)}; got {intensity.shape}")
    if not np.isfinite(intensity).all():
        raise InputError("intensity holds NaN or infinities: fill the gaps clip by clip first")
    rest = np.broadcast_to(np.asarray(target, np.float64), (len(intensity), 2, len(AUS)))
    lost = 2 * s.n if s.edges == "drop" else 0
    shape = (len(intensity), max(intensity.shape[1] - lost, 0), 2, len(AUS))
    result = np.empty(shape, np.float32)
    for start in range(0, len(intensity), BATCH):
        part = slice(start, start + BATCH)
        smoothed = smooth_values(intensity[part], n=s.n, edges=s.edges, method=s.method)
        result[part] = transfer_values(
            smoothed.astype(np.float32),  # as a track holds it: the same numbers as clip by clip
            rest[part],
            reference=s.reference,
            alpha=s.alpha,
            gain=s.gain,
            threshold=s.threshold,
            threshold_form=s.threshold_form,
        )
    return result
