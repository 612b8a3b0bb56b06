"""What lies behind the lids: the eyeball, continued under them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.faces.landmarks import LEFT_IRIS, RIGHT_IRIS
from famaug.faces.ring import smooth_step
from famaug.generator.motion.layers import Box, Image, Place, look_up
from famaug.generator.motion.opening import EYES, Rims, find_rims

_OUTWARD = (0.05, 0.03)
"""Centimetres by which the upper and the lower rim are laid outwards: a strip of skin left on the
eyeball does not show, a strip of eyeball on the lid does."""
_LASHES = (0.17, 0.1)
"""Centimetres inside the upper and the lower rim that travel with the lid: lashes and shadow."""

_WIDTH = 0.8
"""Share of the opening's width in which the eyeball is looked up; the corners are too narrow."""


def eye_rims(mesh: NDArray[Any], side: int, scale: float) -> Rims:
    """Rims of an eye (0 the person's left), laid outwards a little."""
    rims = find_rims(mesh, *EYES[side])
    out = np.sqrt(np.clip(1 - np.square(rims.knots / rims.half_width), 0, 1)) * scale
    return replace(rims, upper=rims.upper - _OUTWARD[0] * out, lower=rims.lower + _OUTWARD[1] * out)


def eyeball(
    picture: Image, box: Box, mesh: NDArray[Any], side: int, rims: Rims, place: Place, scale: float
) -> Image:
    """The eyeball over a box of the picture: the picture itself well inside the rims, continued
    round the iris' centre beyond them."""
    iris = np.asarray(mesh, np.float64)[list(LEFT_IRIS if side == 0 else RIGHT_IRIS), :2]
    cs, ct = (float(v) for v in rims.to_frame(iris[0, 0], iris[0, 1]))
    half = rims.half_width
    radius = float(np.hypot(*(iris[1:] - iris[0]).T).mean())
    band = _clear_band(place.upper, place.lower, scale)
    ds, dt, held = place.s - cs, place.t - ct, np.clip(place.t, *band) - ct
    # the same distance from the iris' centre, where it can be seen: to the left and to the right
    turned = np.sqrt(np.maximum(ds**2 + dt**2 - held**2, ds**2))
    round_iris = smooth_step((2.2 * radius - np.hypot(ds, dt)) / (0.7 * radius))
    one, other = (
        look_up(picture, *_in_view(cs + ds + (way - ds) * round_iris, place.t, rims, scale))
        for way in (turned, -turned)
    )
    share = smooth_step(ds / radius + 0.5)[..., None]
    # a glint lies on one side of the iris only
    iris_share = smooth_step((1.15 - np.hypot(ds, dt) / radius) / 0.2)[..., None]
    filled = one * share + other * (1 - share)
    filled = filled * (1 - iris_share) + np.minimum(one, other) * iris_share
    hidden = (place.t < band[0]) | (place.t > band[1]) | (np.abs(place.s) > _WIDTH * half)
    seen = picture[box.slices]
    # lashes and shadow darken; what is brighter than the filling is the eye itself (a glint)
    inside = np.minimum(
        (place.t - place.upper) / np.maximum(band[0] - place.upper, 1e-6),
        (place.lower - place.t) / np.maximum(place.lower - band[1], 1e-6),
    )
    filled = filled + np.maximum(seen - filled, 0) * smooth_step(inside)[..., None]
    return np.where(hidden[..., None], filled, seen).astype(np.float32)


def _in_view(
    s: NDArray[Any], t: NDArray[Any], rims: Rims, scale: float
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The place of the picture nearest to (s, t) where the eyeball can be seen."""
    held = np.clip(s, -_WIDTH * rims.half_width, _WIDTH * rims.half_width)
    return rims.to_picture(held, np.clip(t, *_clear_band(*rims.curves(held), scale)))


def _clear_band(
    upper: NDArray[Any], lower: NDArray[Any], scale: float
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The part of the opening that neither lashes nor lid shadow touch."""
    height = lower - upper
    return (
        upper + np.minimum(_LASHES[0] * scale, 0.35 * height),
        lower - np.minimum(_LASHES[1] * scale, 0.25 * height),
    )
