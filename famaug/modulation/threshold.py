"""What of a track is noise: the threshold of Eq. 3, soft (famaug's) or hard (as published).

Values at or below the threshold are noise, by the measured scale. Setting them to 0 one by one,
as published, cuts the feet off every expression: it appears at once at 0.15, and when it is scaled
up afterwards, at several times that. The soft form judges whole excursions instead, so that what
is kept is kept from its first frame to its last, and no step is larger than the driver's own.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

ThresholdForm = Literal["soft", "hard"]
Values = NDArray[np.float64]

WHOLE = 1.5
"""An excursion that reaches so many times the threshold is kept as it is; below, it fades."""
ROUNDING = 1e-6
"""Tracks are float32: 1.1 - 1.0 must count as 0.1 where it meets the threshold."""


def hard_threshold(y: Values, threshold: float) -> Values:
    """0 where `y` is at or below the threshold."""
    return np.where(y <= threshold + ROUNDING, 0.0, y)


def soft_threshold(y: Values, measured: NDArray[Any], threshold: float) -> Values:
    """Excursions that stay at or below the threshold vanish; the others are kept whole.

    An excursion is a stretch of frames with y > 0 in one column. It is multiplied as a whole, by 0
    when `measured` stays at or below the threshold in it, by 1 when it reaches 1.5 times the
    threshold, by a share in between. So the result never steps further from one frame to the next
    than `y`, clipped at 0, does.

    Args:
        y: `... T 2 17`, what would be shown without a threshold.
        measured: the same before any gain, on the scale that the threshold belongs to.

    Returns:
        float64 of that shape, never below 0.
    """
    raised = np.maximum(y, 0.0)
    if threshold == 0 or not y.size:
        return raised
    columns = np.moveaxis(raised, -3, -1)  # time last: an excursion is a stretch of the flat array
    up = (columns > 0).reshape(-1)
    starts = np.ones(len(up), bool)
    starts[1:] = up[1:] != up[:-1]
    starts[:: columns.shape[-1]] = True
    at = np.flatnonzero(starts)
    height = np.maximum.reduceat(np.moveaxis(measured, -3, -1).reshape(-1), at)
    fade = (height - threshold - ROUNDING) / ((WHOLE - 1) * threshold)
    lengths = np.diff(at, append=len(up))
    share = np.repeat(np.clip(fade, 0.0, 1.0), lengths).reshape(columns.shape)
    return np.ascontiguousarray(np.moveaxis(columns * share, -1, -3))
