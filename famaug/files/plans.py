"""What keeps a stored plan, perhaps a stranger's, from being one."""

from __future__ import annotations

from typing import Any

import numpy as np

from famaug.files.limits import wrong_fields

LARGEST_SIDE = 8192
"""Pixels: no plan asks for more."""


def wrong_plan(kind: type, value: Any, *, units: int) -> str | None:
    """Why a value is no plan, or None.

    Args:
        kind: the plan's dataclass.
        value: as it was read.
        units: how many AUs a frame of its track has on each side.
    """
    if not isinstance(value, dict):
        return f"it is {type(value).__name__}"
    if wrong := wrong_fields(kind, value):
        return wrong
    size, fps = value["size"], value["fps"]
    if not (size is None or 1 <= size <= LARGEST_SIDE) or not 0 < fps < 1e6:
        return f"size {size}, {fps} frames per second"
    try:
        track = np.asarray(value["track"], np.float64)
    except (TypeError, ValueError) as error:
        return f"its track is no table of numbers: {error}"
    if track.size and (track.shape[1:] != (2, units) or not np.isfinite(track).all()):
        return f"its track has the shape {track.shape}, or holds numbers that are none"
    return None
