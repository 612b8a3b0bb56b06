"""Where a mouth opens: the rims of its lips, as the picture shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from famaug.generator.motion.layers import Image, look_up
from famaug.generator.motion.mouth_colours import Colours, find_colours
from famaug.generator.motion.opening import MOUTH, Rims, find_rims

_CLOSED = 0.045
"""Rims nearer than this share of the mouth's width are one seam, but where teeth are seen."""
_TEETH_SEEN = 0.12
"""Share of the seam that looks like teeth from which lips count as parted."""
_SEAM_REACH = 0.22
"""Centimetres round the mesh's seam in which the dark line between the lips is looked for."""
_LATE = 3
"""Of the steps in `_RIM_REACH`, eight: how many a mesh's rim may miss a tooth by."""
_RIM_REACH = 0.14
"""Centimetres beyond the mesh's rims over which teeth may go on."""


def mouth_rims(picture: Image, mesh: NDArray[Any], scale: float) -> tuple[Rims, bool]:
    """Rims of the mouth opening, and whether the lips are closed (both rims are one seam)."""
    rims = find_rims(mesh, *MOUTH)
    share = rims.height / max(2 * rims.half_width, 1e-6)
    colours = find_colours(picture, mesh, rims, scale)
    if share < _CLOSED and not _teeth_between(picture, rims, colours, scale):
        seam = (rims.upper + rims.lower) / 2
        seam = seam + _seam_shift(picture, rims, seam, scale)
        return replace(rims, upper=seam, lower=seam), True
    return _round_teeth(picture, rims, colours, scale), False


def _teeth_between(picture: Image, rims: Rims, colours: Colours, scale: float) -> bool:
    """Whether teeth are seen between nearly closed lips."""
    s = np.linspace(-0.6, 0.6, 41) * rims.half_width
    upper, lower = rims.curves(s)
    middle, reach = (upper + lower) / 2, np.maximum(lower - upper, 0.1 * scale) / 2
    steps = np.linspace(-1, 1, 7)
    t = middle[:, None] + reach[:, None] * steps
    seen = look_up(picture, *rims.to_picture(np.repeat(s[:, None], 7, 1), t))
    return float((colours.toothness(seen).max(1) > 0.5).mean()) > _TEETH_SEEN


def _round_teeth(picture: Image, rims: Rims, colours: Colours, scale: float) -> Rims:
    """Rims laid outwards to where the teeth that are seen end: what is left of a tooth on a lip
    would travel with it."""
    steps = np.linspace(0, 1, 9) * _RIM_REACH * scale
    s = np.repeat(rims.knots[:, None], len(steps), 1)
    moved = []
    for rim, way in ((rims.upper, -1), (rims.lower, 1)):
        t = rim[:, None] + way * steps
        tooth = colours.toothness(look_up(picture, *rims.to_picture(s, t))) > 0.5
        begun = np.maximum.accumulate(tooth, axis=1)
        whole = np.logical_and.accumulate(tooth | ~begun, axis=1) & begun
        whole &= begun[:, [_LATE]]  # a tooth that begins far from the rim is none
        run = np.where(whole.any(1), len(steps) - whole[:, ::-1].argmax(1), 0)
        ends = (run > 0) & (run < len(steps))  # no end in reach: none
        out = np.where(ends, run + 1, 0) * (steps[1] - steps[0])
        taper = np.clip(1 - np.square(rims.knots / rims.half_width), 0, 1)
        moved.append(rim + way * gaussian_filter1d(out * taper, 1.0))
    return replace(rims, upper=moved[0], lower=np.maximum(moved[0], moved[1]))


def _seam_shift(
    picture: Image, rims: Rims, seam: NDArray[Any], scale: float
) -> NDArray[np.float64]:
    """From the mesh's seam to the dark line between the lips, at the knots (0 at the corners)."""
    reach = np.linspace(-1, 1, 45) * _SEAM_REACH * scale
    s = np.repeat(rims.knots[:, None], len(reach), 1)
    x, y = rims.to_picture(s, seam[:, None] + reach)
    profile = look_up(picture, x, y).astype(np.float64) @ np.array([0.3, 0.59, 0.11])
    profile = gaussian_filter1d(profile, max(0.6, 0.03 * scale) / (reach[1] - reach[0]), axis=1)
    contrast = profile.std(1, keepdims=True) + 2
    cost = (profile - profile.min(1, keepdims=True)) / contrast + 0.7 * np.square(reach / reach[-1])
    bend = 2.5 * np.square((reach[:, None] - reach) / (rims.knots[1] - rims.knots[0]))
    shift = reach[cheapest_path(cost, bend)]
    taper = np.sqrt(np.clip(1 - np.square(rims.knots / rims.half_width), 0, 1))
    out: NDArray[np.float64] = gaussian_filter1d(shift, 0.7) * taper
    return out


def cheapest_path(cost: NDArray[Any], change: NDArray[Any]) -> NDArray[np.int64]:
    """One column for each line of `cost`, with the least sum of costs and of changes between
    neighbouring lines (dynamic programming)."""
    total, come_from = cost[0], []
    for line in cost[1:]:
        ways = total + change
        best = ways.argmin(1)
        come_from.append(best)
        total = line + ways[np.arange(len(best)), best]
    path = [int(total.argmin())]
    for best in reversed(come_from):
        path.append(int(best[path[-1]]))
    return np.array(path[::-1])
