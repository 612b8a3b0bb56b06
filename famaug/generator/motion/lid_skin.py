"""What a closed eye's skin looks like in a picture, and its lash line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from famaug.faces.landmarks import LEFT_BROW, OVAL, RIGHT_BROW
from famaug.faces.ring import smooth_step
from famaug.generator.motion.layers import Box, Image, Place, look_up
from famaug.generator.motion.opening import Rims

Array = NDArray[np.float64]
_LUMA = np.array([0.3, 0.59, 0.11])
_AWAY = (0.28, 0.2, 0.15)
"""Centimetres from the upper rim, the lower rim and the corners within which no skin is clean:
lashes and the fold, lower lashes, tear duct."""
_BROW = 0.18
"""Centimetres round the brow's outline in which hairs grow."""
_SHADED = 0.72
"""A lid under the brow has at least this share of the light below the eye."""
_STRIP = 0.2
"""Centimetres above the rim that travel with it: lashes, and the lid's own edge."""
_FOLD_SHADE = 0.55
"""Centimetres over which it grows light below the fold."""
_ABOVE_FOLD, _ON_LID = (0.12, 0.35), (-0.04, 0.16)
"""Centimetres above the strip of lashes where light above the fold, and on the lid, is read."""
_UNDER_FOLD, _ON_LID_LEAST = (0.5, 1.0), 0.68
"""Least and most of it above the fold, and least on the lid, as shares of that on clean skin."""
_TINT = (0.85, 1.04, 1.08)
"""Shade on skin is red, as in `famaug.generator.skin`: powers of light by channel."""
_HUES = (0.9, 1.08)
"""Least and most that a channel above the fold may differ from the clean skin's."""
_PORES, _GRAIN = 0.05, (0.25, 0.8)
"""Centimetres of the largest grain, and from where to where below the lower rim it is taken."""
_SPREADS = (0.1, 0.25, 0.6, 1.5)
"""Centimetres over which clean skin is carried into what is not."""


@dataclass(frozen=True, eq=False)
class Lashes:
    """The lash line: its colour `1 3 1 1`, how much of what is below it hides (0-1), and its
    standard deviation in pixels."""

    colour: Tensor
    strength: float
    width: float

    def on(self, device: torch.device) -> Lashes:
        return replace(self, colour=self.colour.to(device))


def lid_skin(
    picture: Image,
    box: Box,
    mesh: NDArray[Any],
    side: int,
    rims: Rims,
    place: Place,
    scale: float,
) -> tuple[Image, NDArray[np.float32], Array]:
    """The skin of a closed eye over a box, `H W 3`: clean skin round the eye, carried into the
    opening, the lashes, the fold and the brow, in the shade under the fold. Where the fold may open
    out, `H W`, 0-1: not on the brow. The height of the strip of lashes at the knots, pixels."""
    pixels = picture[box.slices]
    from_brow = _brow_distance(mesh, side, box, pixels.shape) / scale
    above, below = (place.upper - place.t) / scale, (place.t - place.lower) / scale
    aside = (np.abs(place.s) - rims.half_width) / scale
    clean = ((above > _AWAY[0]) | (below > _AWAY[1]) | (aside > _AWAY[2])) & (from_brow > _BROW)
    clean &= _face(mesh, box, pixels.shape)
    light = pixels @ _LUMA.astype(np.float32)
    over = clean & (above > 0) & (above < 1.2) & (aside < 0)
    under = clean & (below > 0) & (below < 0.8) & (aside < 0)
    least = _SHADED * float(np.median(light[under])) if under.any() else 0.0
    if over.any():
        least = max(least, 0.85 * float(np.quantile(light[over], 0.7)))
    clean &= (light > least) | ((above < 0) & (aside < 0))
    if not clean.any():
        clean = np.ones_like(clean)
    skin = _carried(pixels, clean, scale)
    free = smooth_step((from_brow - 0.02) / 0.15).astype(np.float32)
    strip = _strip(from_brow, rims, box, scale)
    lit = _fold_shade(picture, skin, rims, box, place, strip, scale)
    return skin * lit + _grain(pixels, clean, rims, box, place, scale), free, strip


def _brow_distance(
    mesh: NDArray[Any], side: int, box: Box, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Pixels from the brow, 0 on it."""
    brow = np.zeros(shape[:2], np.uint8)
    ring = np.asarray(mesh, np.float64)[list((LEFT_BROW, RIGHT_BROW)[side]), :2]
    hull = cv2.convexHull((ring - [box.x0, box.y0]).astype(np.float32))
    cv2.fillPoly(brow, [np.round(hull * 16).astype(np.int32)], 1, shift=4)
    out: NDArray[np.float32] = cv2.distanceTransform(1 - brow, cv2.DIST_L2, 5)
    return out


def _face(mesh: NDArray[Any], box: Box, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where the face is, a little within its outline."""
    face = np.zeros(shape[:2], np.uint8)
    ring = np.asarray(mesh, np.float64)[list(OVAL), :2] - [box.x0, box.y0]
    middle = ring.mean(0)
    inner = np.round((middle + 0.97 * (ring - middle)) * 16).astype(np.int32)
    cv2.fillPoly(face, [inner], 1, shift=4)
    return np.asarray(face > 0)


def _strip(from_brow: NDArray[np.float32], rims: Rims, box: Box, scale: float) -> Array:
    """Height of the strip of lashes at the knots: half the way to a brow that lies close."""
    x, y = rims.to_picture(rims.knots, rims.upper)
    room = look_up(from_brow, x - box.x0, y - box.y0) - _BROW
    high = gaussian_filter1d(np.clip(0.5 * room, 0.08, _STRIP), 2.0) * scale
    taper = np.sqrt(np.clip(1 - np.square(rims.knots / rims.half_width), 0, 1))
    out: Array = np.maximum(high * np.minimum(1.5 * taper, 1), 0.7)
    return out


def _fold_shade(
    picture: Image, skin: Image, rims: Rims, box: Box, place: Place, strip: Array, scale: float
) -> Image:
    """What the clean skin's colours are multiplied by on a lid, `H W 3`: light and hue as now above
    the fold, light as on the lid's own skin below it, and growing from there."""
    light, hue = [], np.ones((len(rims.knots), 3))
    for low, high in (_ON_LID, _ABOVE_FOLD):
        reach = np.linspace(low, high, 10) * scale
        s = np.repeat(rims.knots[:, None], len(reach), 1)
        x, y = rims.to_picture(s, (rims.upper - strip)[:, None] - reach)
        ratio = look_up(picture, x, y) / np.maximum(look_up(skin, x - box.x0, y - box.y0), 1)
        light.append(gaussian_filter1d(np.quantile(ratio @ _LUMA, 0.7, axis=1), 3.0))
        bright = np.maximum(ratio @ _LUMA, 0.05)[..., None]
        hue = np.median(ratio / bright, 1)
    above = np.clip(light[1], *_UNDER_FOLD)
    lid = np.maximum(np.clip(light[0], _ON_LID_LEAST, 1), 0.94 * above)
    above, lid = (np.interp(place.s, rims.knots, v) for v in (above, lid))
    down = (place.t - place.upper + np.interp(place.s, rims.knots, strip)) / scale
    lit = above + (lid - above) * smooth_step(down / 0.4 + 0.7)
    lit = lit + 0.5 * (1 - lit) * smooth_step(down / _FOLD_SHADE)
    # in the dark, hue is noise and what hair is there
    sure = smooth_step((light[1] - 0.4) / 0.4)[:, None]
    hue = gaussian_filter1d(1 + sure * (np.clip(hue, *_HUES) - 1), 6.0, axis=0)
    tint = np.stack([np.interp(place.s, rims.knots, c) for c in hue.T], -1)
    kept = 1 - 0.6 * smooth_step(down / _FOLD_SHADE)[..., None]
    red = np.ones(3) if np.ptp(picture, axis=2).max() == 0 else np.array(_TINT)
    out: Image = (lit[..., None] ** red * (1 + (tint - 1) * kept)).astype(np.float32)
    return out


def _grain(
    pixels: Image, clean: NDArray[np.bool_], rims: Rims, box: Box, place: Place, scale: float
) -> Image:
    """Pores and noise of the skin below the eye, mirrored up and down over the box."""
    low, high = _GRAIN
    smooth = cv2.GaussianBlur(pixels, (0, 0), max(_PORES * scale, 0.8))
    sure = cv2.erode(clean.astype(np.uint8), np.ones((3, 3), np.uint8))[..., None]
    fine = (pixels - smooth) * sure
    spread = max(float(np.abs(fine[sure[..., 0] > 0]).mean()), 0.5) if sure.any() else 0.5
    fine = 0.7 * np.clip(fine, -2.5 * spread, 2.5 * spread)
    span = (high - low) * scale
    wave = np.abs((place.t - place.lower - low * scale) % (2 * span) - span)
    x, y = rims.to_picture(place.s, place.lower + high * scale - wave)
    out: Image = look_up(fine.astype(np.float32), x - box.x0, y - box.y0)
    return out


def _carried(pixels: Image, clean: NDArray[np.bool_], scale: float) -> Image:
    """Clean skin, smoothed, carried over the rest from near and then from far."""
    out, sure = np.zeros_like(pixels), np.zeros((*clean.shape, 1), np.float32)
    for spread in _SPREADS:
        sigma = max(spread * scale, 0.6)
        mass = cv2.GaussianBlur(clean.astype(np.float32), (0, 0), sigma)[..., None]
        colour = cv2.GaussianBlur(pixels * clean[..., None], (0, 0), sigma)
        colour = colour / np.maximum(mass, 1e-6)
        share = (1 - sure) * smooth_step(mass / 0.3).astype(np.float32)
        out, sure = out + share * colour, sure + share
    mean = pixels[clean].mean(0)
    out = out + (1 - sure) * np.where(mass > 1e-4, colour, mean)
    smooth: Image = cv2.GaussianBlur(out, (0, 0), max(0.08 * scale, 0.5)).astype(np.float32)
    return smooth


def find_lashes(picture: Image, skin: Image, rims: Rims, box: Box, scale: float) -> Lashes:
    """The lash line of the upper rim, against the skin that would be there.

    Args:
        picture: `H W 3`.
        skin: of a closed eye, over the box.
        rims: the eye's.
        box: part of the picture.
        scale: pixels per centimetre.
    """
    reach = np.linspace(-0.12, 0.3, 43)
    s = np.linspace(-0.7, 0.7, 29) * rims.half_width
    upper, _ = rims.curves(s)
    x, y = rims.to_picture(np.repeat(s[:, None], len(reach), 1), upper[:, None] - reach * scale)
    seen = look_up(picture, x, y)
    bare = look_up(skin, x - box.x0, y - box.y0)
    light, full = seen @ _LUMA, np.maximum(bare @ _LUMA, 1)
    ratio = light / full
    at = ratio[:, reach < 0.12].argmin(1)
    rows = np.arange(len(s))
    darkest = ratio[rows, at]
    half = (1 + darkest[:, None]) / 2
    over = np.arange(len(reach)) > at[:, None]
    up = np.where((ratio > half) & over, reach, reach[-1]).min(1) - reach[at]
    width = float(np.clip(np.median(up) / 2, 0.028, 0.05)) * scale
    colour = np.median(seen[rows, at], 0)
    # never brighter than a line can be seen
    most = 0.5 * np.median(bare[rows, at], 0)
    colour = np.minimum(colour, most).astype(np.float32)
    strength = float(np.clip(1.2 * (1 - np.median(darkest)), 0.45, 0.9))
    return Lashes(torch.from_numpy(colour).view(1, 3, 1, 1), strength, max(width, 0.6))
