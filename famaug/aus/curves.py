"""The elementary curve of an expression: onset, apex, offset."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError

Shape = Literal["linear", "cosine"]


def onset_apex_offset(
    length: int,
    *,
    apex: float,
    onset: float = 0.0,
    offset: float | None = None,
    shape: Shape = "cosine",
) -> NDArray[np.float64]:
    """0 up to the onset, 1 at the apex, 0 from the offset on; float64 `length`.

    Args:
        length: frames of the result, at least 1.
        onset, apex, offset: frame positions (fractions allowed), onset <= apex <= offset;
            `offset` defaults to the last frame. Where two coincide the curve steps.
        shape: "linear" ramps, or "cosine": raised cosines, at rest at both ends of a ramp.

    Raises:
        InputError: positions out of order, an empty clip, or an unknown shape.
    """
    end = float(length - 1) if offset is None else float(offset)
    if length < 1 or not onset <= apex <= end:
        raise InputError(
            f"need onset <= apex <= offset in a clip of at least one frame; got onset {onset}, "
            f"apex {apex}, offset {end}, {length} frames"
        )
    if shape not in ("linear", "cosine"):
        raise InputError(f"unknown shape {shape!r}: use 'linear' or 'cosine'")
    t = np.arange(length, dtype=np.float64)
    up = _ramp(t - onset, apex - onset)
    down = _ramp(end - t, end - apex)
    level = np.where(t <= apex, up, down)
    return level if shape == "linear" else raised_cosine(level)


def raised_cosine(level: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """0-1 to 0-1, with no slope at either end."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * level), np.float64)


def _ramp(distance: NDArray[np.float64], span: float) -> NDArray[np.float64]:
    if span <= 0:
        return np.asarray(distance >= 0, np.float64)
    return np.clip(distance / span, 0.0, 1.0)
