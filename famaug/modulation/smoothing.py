"""Eq. 2: a centred filter over time, with stated edges and a guard against erasing the clip.

The paper's formula runs its index over the AUs (0-16); a filter over *time* is meant. It gives no
window, so the half-width is a parameter here, and `n="auto"` finds the widest one that the
expression survives.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from famaug.errors import FilterTooWideWarning, InputError, TrackError
from famaug.types import AU_INDEX, AUTrack

Edges = Literal["shrink", "reflect", "drop"]
Method = Literal["mean", "median", "savgol"]
Values = NDArray[np.float64]

WIDE = 8
"""A window above 1/8 of the clip's length is warned about."""
STRONGEST = 3
"""How many AUs count as the expression when the kept range is judged."""


def smooth(
    track: AUTrack,
    *,
    n: int | Literal["auto"] = 1,
    edges: Edges = "shrink",
    method: Method = "mean",
    keep: float = 0.9,
) -> AUTrack:
    """Filter a track over time with a window of 2n+1 frames (FAMGAN Eq. 2).

    Args:
        n: half-width in frames; 0 leaves the track as it is; "auto" is the widest one that keeps
            `keep` of the strongest AUs' rise (see `auto_half_width`).
        edges: "shrink" cuts the window at the clip's ends, "reflect" mirrors the clip about its
            first and last frame, "drop" is the paper's: n frames are lost at both ends.
        method: "mean" is the paper's; "median" and "savgol" (order 2) are for comparison.

    Missing values (NaN) stay missing and are left out of their neighbours' windows.

    Raises:
        TrackError: the track is shorter than the window.
        InputError: an unknown edge rule or method, or a negative half-width.
    Warns:
        FilterTooWideWarning: 2n+1 is above an eighth of the clip's length.
    """
    half = auto_half_width(track.intensity, keep=keep) if n == "auto" else n
    y = smooth_values(track.intensity, n=half, edges=edges, method=method)
    _warn_if_wide(track.intensity, y, half)
    cut = slice(half, len(track) - half) if edges == "drop" else slice(None)
    return replace(track, intensity=y.astype(np.float32), confidence=track.confidence[cut])


def smooth_values(
    x: NDArray[np.floating[Any]], *, n: int = 1, edges: Edges = "shrink", method: Method = "mean"
) -> Values:
    """The filter itself, on `... T 2 17` (any number of clips at once); float64 of that shape.

    `edges="drop"` returns T - 2n frames. Errors as in `smooth`; gives no warning.
    """
    length = x.shape[-3]
    _check(length, n, edges, method)
    y = np.asarray(x, np.float64)
    if n == 0:
        return y.copy()
    if method == "savgol":
        return _savgol(y, n, edges)
    padded = _padded(y, n, edges)
    centre = y[..., n : length - n, :, :] if edges == "drop" else y
    if method == "mean":
        filtered = _nan_mean(padded, 2 * n + 1)
    else:
        filtered = _nan_median(sliding_window_view(padded, 2 * n + 1, axis=-3))
    return np.where(np.isfinite(centre), filtered, np.nan)


def auto_half_width(x: NDArray[np.floating[Any]], *, keep: float = 0.9) -> int:
    """The widest half-width at which the strongest AUs keep `keep` of their rise.

    Rise is onset to peak: mean of the first three frames against the 95th percentile over time,
    summed over the three strongest columns other than the blink (AU45). A raw maximum would not
    do: on a noisy track most of it is noise, and no filter could keep it. Never wider than an
    eighth of the clip, so "auto" never warns.

    Args:
        x: intensities `T 2 17`.
    Raises:
        InputError: `keep` is not in (0, 1].
    """
    if not 0 < keep <= 1:
        raise InputError(f"keep must be above 0 and at most 1; got {keep}")
    best = 0
    for n in range(1, (x.shape[-3] // WIDE - 1) // 2 + 1):
        if rise_kept(x, smooth_values(x, n=n)) < keep:
            break
        best = n
    return best


def rise_kept(before: NDArray[np.floating[Any]], after: NDArray[np.floating[Any]]) -> float:
    """Share of the strongest AUs' onset-to-peak rise that `after` still has; 1 if none rises.

    Both are `T 2 17`; the strongest are picked in `before`.
    """
    rise = _rise(np.asarray(before, np.float64)).ravel()
    strongest = np.argsort(-rise, kind="stable")[: STRONGEST * 2]
    total = rise[strongest].sum()
    if total <= 0:
        return 1.0
    return float(_rise(np.asarray(after, np.float64)).ravel()[strongest].sum() / total)


def _rise(x: Values) -> Values:
    """Onset-to-peak of every column, `2 17`, never below 0; 0 for AU45 and unseen columns."""
    known = np.isfinite(x)
    ordered = np.sort(np.where(known, x, np.inf), axis=0)
    at = 0.95 * np.maximum(known.sum(axis=0, keepdims=True) - 1, 0)
    low = at.astype(np.int64)
    below = np.take_along_axis(ordered, low, axis=0)
    above = np.take_along_axis(ordered, np.minimum(low + 1, np.ceil(at).astype(np.int64)), axis=0)
    peak = np.where(np.isfinite(below), below, 0.0)
    peak = peak + (at - low) * np.where(np.isfinite(above), above - peak, 0.0)
    first, seen = np.where(known[:3], x[:3], 0.0).sum(axis=0), known[:3].sum(axis=0)
    rise = np.where(seen > 0, peak[0] - first / np.maximum(seen, 1), 0.0)
    rise[:, AU_INDEX[45]] = 0.0
    positive: Values = np.maximum(rise, 0.0)
    return positive


def _check(length: int, n: int, edges: str, method: str) -> None:
    if edges not in ("shrink", "reflect", "drop"):
        raise InputError(f"unknown edges {edges!r}: use 'shrink', 'reflect' or 'drop'")
    if method not in ("mean", "median", "savgol"):
        raise InputError(f"unknown method {method!r}: use 'mean', 'median' or 'savgol'")
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
        raise InputError(f"the half-width n must be a whole number from 0, or 'auto'; got {n!r}")
    if 2 * n + 1 > length:
        raise TrackError(
            f"the track has {length} frames, shorter than the window of 2n+1 = {2 * n + 1}: "
            f"use n at most {(length - 1) // 2}, or n='auto'"
        )


def _warn_if_wide(before: NDArray[np.float32], after: Values, n: int) -> None:
    length = len(before)
    if n == 0 or (2 * n + 1) * WIDE <= length:
        return
    warnings.warn(
        f"the window of {2 * n + 1} frames is above 1/{WIDE} of the clip's {length}: "
        f"the strongest AUs keep {rise_kept(before, after):.0%} of their rise. "
        "Use a smaller n, or n='auto'",
        FilterTooWideWarning,
        stacklevel=3,
    )


def _padded(y: Values, n: int, edges: Edges) -> Values:
    if edges == "drop":
        return y
    pads = [(0, 0)] * (y.ndim - 3) + [(n, n), (0, 0), (0, 0)]
    if edges == "reflect":
        return np.pad(y, pads, mode="reflect")
    return np.pad(y, pads, constant_values=np.nan)


def _nan_mean(padded: Values, width: int) -> Values:
    """Mean over every window of `width` frames, by shifted sums: no copy of the windows."""
    frames = padded.shape[-3] - width + 1
    known = np.isfinite(padded)
    filled = np.where(known, padded, 0.0)
    shape = (*padded.shape[:-3], frames, *padded.shape[-2:])
    total, count = np.zeros(shape), np.zeros(shape, np.int64)
    for shift in range(width):
        total += filled[..., shift : shift + frames, :, :]
        count += known[..., shift : shift + frames, :, :]
    mean: Values = total / np.maximum(count, 1)
    return mean


def _nan_median(window: NDArray[Any]) -> Values:
    """Median over the last axis without NaN, which sorts to the end."""
    ordered = np.sort(window, axis=-1)
    count = np.maximum(np.isfinite(ordered).sum(axis=-1, keepdims=True), 1)
    low = np.take_along_axis(ordered, (count - 1) // 2, axis=-1)
    high = np.take_along_axis(ordered, count // 2, axis=-1)
    result: Values = ((low + high) / 2)[..., 0]
    return result


def _savgol(y: Values, n: int, edges: Edges) -> Values:
    """Savitzky-Golay of order 2 (order 1 for three frames, where 2 would change nothing)."""
    from scipy.signal import savgol_filter  # takes a third of a second to load

    missing = ~np.isfinite(y)
    mode: Literal["mirror", "interp"] = "mirror" if edges == "reflect" else "interp"
    order = min(2, 2 * n - 1)
    filtered: Values = savgol_filter(bridged(y), 2 * n + 1, order, axis=-3, mode=mode)
    filtered[missing] = np.nan
    return filtered[..., n : y.shape[-3] - n, :, :] if edges == "drop" else filtered


def bridged(y: Values) -> Values:
    """NaN replaced by linear interpolation over time, held at the ends; 0 if nothing is known."""
    known = np.isfinite(y)
    if known.all():
        return y
    time = np.arange(y.shape[-3]).reshape(-1, 1, 1)
    before = np.maximum.accumulate(np.where(known, time, -1), axis=-3)
    after = np.flip(
        np.minimum.accumulate(np.flip(np.where(known, time, y.shape[-3]), -3), axis=-3), -3
    )
    before_ok, after_ok = before >= 0, after < y.shape[-3]
    first = np.where(before_ok, before, np.where(after_ok, after, 0))
    last = np.where(after_ok, after, first)
    step = np.where(last > first, (time - first) / np.maximum(last - first, 1), 0.0)
    filled = np.nan_to_num(y)
    a = np.take_along_axis(filled, first, axis=-3)
    b = np.take_along_axis(filled, last, axis=-3)
    return a + step * (b - a)
