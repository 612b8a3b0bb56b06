"""What lies behind the lips: teeth where they show, and a dark cavity."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from famaug.faces.ring import smooth_step
from famaug.generator.motion.layers import Image, Place, look_up
from famaug.generator.motion.opening import MOUTH, Rims, find_rims

_CLOSED = 0.045
"""Rims nearer than this share of the mouth's width are one seam."""
_SEAM_REACH = 0.22
"""Centimetres round the mesh's seam in which the dark line between the lips is looked for."""
_GUM = 0.35
"""Centimetres over which teeth under the upper lip give way to gum."""
_DEPTH = 0.35
"""Centimetres behind the lips over which the cavity grows dark."""


def mouth_rims(picture: Image, mesh: NDArray[Any], scale: float) -> tuple[Rims, bool]:
    """Rims of the mouth opening, and whether the lips are closed (both rims are one seam)."""
    rims = find_rims(mesh, *MOUTH)
    closed = rims.height < _CLOSED * 2 * rims.half_width
    if closed:
        seam = (rims.upper + rims.lower) / 2
        seam = seam + _seam_shift(picture, rims, seam, scale)
        return replace(rims, upper=seam, lower=seam), True
    return rims, False


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
    shift = reach[_cheapest_path(cost, bend)]
    taper = np.sqrt(np.clip(1 - np.square(rims.knots / rims.half_width), 0, 1))
    out: NDArray[np.float64] = gaussian_filter1d(shift, 0.7) * taper
    return out


def _cheapest_path(cost: NDArray[Any], change: NDArray[Any]) -> NDArray[np.int64]:
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


def inner_mouth(picture: Image, rims: Rims, place: Place, scale: float, *, closed: bool) -> Image:
    """What shows behind the lips over a box of the picture."""
    dark = _darkness(picture, rims, scale)
    if closed:
        depth = smooth_step(np.abs(place.t - place.upper) / (_DEPTH * scale))
        tongue = smooth_step(((place.t - place.lower) / scale - 0.6) / 1.2)[..., None]
        lips = _lip_colour(picture, rims, scale)
        return (dark * (1 - 0.55 * depth[..., None]) + 0.2 * lips * tongue).astype(np.float32)
    margin = np.minimum(0.06 * scale, 0.25 * (place.lower - place.upper))
    top, low = place.upper + margin, place.lower - margin
    side = 0.9 * rims.half_width
    seen = look_up(
        picture, *rims.to_picture(np.clip(place.s, -side, side), np.clip(place.t, top, low))
    )
    beyond = np.maximum((place.t - low) / 0.2, (np.abs(place.s) - side) / 0.5) / scale
    fade = smooth_step(beyond)[..., None]
    # upwards the teeth go on and then end in gum; below and to the sides they end in the dark
    gum = smooth_step((top - place.t) / (_GUM * scale))[..., None]
    lips = _lip_colour(picture, rims, scale)
    teeth = seen * (1 - gum) + 0.7 * lips * gum
    depth = smooth_step((place.t - low) / (2 * _DEPTH * scale))[..., None]
    tongue = smooth_step(((place.t - low) / scale - 0.6) / 1.2)[..., None]
    deep = dark * (0.9 - 0.45 * depth) + 0.2 * lips * tongue
    return (teeth * (1 - fade) + deep * fade).astype(np.float32)


def _lip_colour(picture: Image, rims: Rims, scale: float) -> Image:
    """Mean colour of the upper lip."""
    s = np.linspace(-0.5, 0.5, 21) * rims.half_width
    upper, _ = rims.curves(s)
    out: Image = look_up(picture, *rims.to_picture(s, upper - 0.3 * scale)).mean(0)
    return out


def _darkness(picture: Image, rims: Rims, scale: float) -> Image:
    """Colour of the dark between the lips: the darkest tenth along the middle of the opening,
    never brighter than a third of the lips' own (a little redder: light comes through them)."""
    s = np.linspace(-0.6, 0.6, 41) * rims.half_width
    upper, lower = rims.curves(s)
    middle = look_up(picture, *rims.to_picture(s, (upper + lower) / 2))
    most = _lip_colour(picture, rims, scale) * np.array([0.36, 0.28, 0.28], np.float32)
    out: Image = np.minimum(np.quantile(middle, 0.1, axis=0), most).astype(np.float32)
    return out
