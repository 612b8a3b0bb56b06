"""Paints the head: skin, lips, brows, hair, eyes, teeth, mouth cavity.

Colours hang on material coordinates (the place on the mean head), so that the paint moves with
the skin, to any fraction of a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from famaug.seeding import keyed_generator
from head.identity import Complexion

Floats = NDArray[np.float32]

_OCTAVES = ((32, 1.1), (32, 0.45), (64, 0.36), (64, 0.16))
_GUMS = np.array([0.30, 0.085, 0.075], np.float32)
_TOOTH = np.array([0.72, 0.66, 0.54], np.float32)
_TONGUE = np.array([0.42, 0.14, 0.12], np.float32)
_SCLERA = np.array([0.78, 0.74, 0.70], np.float32)


@dataclass(frozen=True, eq=False)
class Samples:
    """Points to paint: int8 `n` part, float32 `n 3` material place, float32 `n 2` texture place."""

    part: NDArray[np.int8]
    place: Floats
    uv: Floats


@dataclass(frozen=True, eq=False)
class Features:
    """Where things lie on the mean head.

    Attributes:
        masks: float32 `h w`, 0-1, by name: "lips", "inside-mouth", "ears".
        eyes: float32 `2 4`, centre and radius of the left and right eyeball.
        upper_lid, lower_lid: float32 `n 2`, x and y along the left eye's lid rims.
    """

    masks: dict[str, Floats]
    eyes: Floats
    upper_lid: Floats
    lower_lid: Floats


def paint(samples: Samples, complexion: Complexion, features: Features) -> tuple[Floats, Floats]:
    """Colour (linear RGB float32 `n 3`) and gloss (float32 `n`, 0-1)."""
    colour = np.empty((len(samples.part), 3), np.float32)
    gloss = np.empty(len(samples.part), np.float32)
    skin = samples.part == 0
    colour[skin], gloss[skin] = _skin(samples.place[skin], samples.uv[skin], complexion, features)
    for part, base, shine in ((1, _TOOTH, 0.5), (2, _TOOTH, 0.5), (3, _TONGUE, 0.3)):
        colour[samples.part == part] = base
        gloss[samples.part == part] = shine
    teeth = (samples.part == 1) | (samples.part == 2)
    colour[teeth] *= _tooth_gaps(samples.place[teeth])[:, None]
    for part, eye in ((4, features.eyes[0]), (5, features.eyes[1])):
        chosen = samples.part == part
        colour[chosen] = _eye(samples.place[chosen], eye, complexion)
        gloss[chosen] = 1
    return colour, gloss


def _skin(place: Floats, uv: Floats, c: Complexion, features: Features) -> tuple[Floats, Floats]:
    x, y, z = np.abs(place[:, 0]), place[:, 1], place[:, 2]
    noise = _noise(c.texture, place)
    masks = features.masks
    lips = _look_up(masks["lips"], uv)
    inside = _look_up(masks["inside-mouth"], uv)
    ears = _look_up(masks["ears"], uv)
    colour = np.tile(np.array(c.skin, np.float32), (len(place), 1))
    blush = 0.9 * _blob(x, y, 0.42, -0.38, 0.24) + 0.8 * _blob(x, y, 0.0, -0.38, 0.12)
    blush = (blush + 0.7 * ears) * (z > -1.3)
    colour *= np.exp(-0.16 * blush[:, None] * np.array([0.0, 1.0, 0.8], np.float32))
    shade = 0.5 * _blob(x, y, 0.3, -0.14, 0.11)
    colour *= np.exp(-0.12 * shade[:, None] * np.array([0.8, 1.0, 0.9], np.float32))
    colour *= _beard(x, y, z, c.beard)[:, None]
    mottled = c.mottling * (
        0.045 * noise[0] + 0.03 * noise[1] + 0.045 * noise[2] + 0.055 * noise[3]
    )
    redness = 0.045 * c.mottling * noise[1]
    colour *= np.exp(mottled)[:, None]
    colour[:, 1:] *= np.exp(-redness)[:, None]
    lip_colour = np.array(c.lips, np.float32) * np.exp(0.06 * noise[2] + 0.07 * noise[3])[:, None]
    colour += (0.85 * lips)[:, None] * (lip_colour - colour)
    brow, scalp = _brow(place, c, noise), _scalp(x, y, z, noise) * (1 - ears)
    for cover, tint in ((brow, c.brow), (scalp, c.hair)):
        strands = np.array(tint, np.float32) * np.exp(0.25 * noise[3])[:, None]
        colour += cover[:, None] * (strands - colour)
    lashes = _lashes(x, y, z, features)
    colour *= (1 - 0.85 * lashes)[:, None]
    colour += inside[:, None] * (_GUMS - colour)
    cloth = _step(-y - 0.25 * np.clip(-z, 0, 1), 1.72, 1.75)
    colour += cloth[:, None] * (
        np.array(c.cloth, np.float32) * np.exp(0.15 * noise[2])[:, None] - colour
    )
    gloss = (0.32 + 0.25 * lips + 0.2 * inside) * (1 - brow) * (1 - scalp) * (1 - cloth)
    return colour, gloss.astype(np.float32)


def _brow(place: Floats, c: Complexion, noise: list[Floats]) -> Floats:
    """Two arched bands of slanting hairs that thin out towards edges and ends; 0-1."""
    x, y, z = np.abs(place[:, 0]), place[:, 1], place[:, 2]
    middle = np.interp(x, [0.08, 0.2, 0.42, 0.58], [0.140, 0.160, 0.200, 0.155])
    half = c.brow_thickness * np.interp(x, [0.08, 0.15, 0.40, 0.60], [0.026, 0.042, 0.034, 0.010])
    off = np.abs(y - middle + 0.004 * noise[3]) / half
    slant = np.interp(x, [0.08, 0.25, 0.6], [1.4, 0.7, 0.15])
    across, along = x * np.sin(slant) - y * np.cos(slant), x * np.cos(slant) + y * np.sin(slant)
    hairs = _grid_value(c.texture, 2, across / 0.014, along / 0.09)
    density = (1 - _step(off, 0.25, 1.3)) * _step(x, 0.07, 0.2) * (1 - _step(x, 0.44, 0.62))
    return (0.95 * _step(density + 0.16 * hairs, 0.08, 0.75) * (density > 0) * (z > -0.4)).astype(
        np.float32
    )


def _lashes(x: Floats, y: Floats, z: Floats, features: Features) -> Floats:
    """Dark rims of the lids, stronger above; 0-1."""
    total = np.zeros(len(x), np.float32)
    for line, width, strength in (
        (features.upper_lid, 0.016, 1.0),
        (features.lower_lid, 0.009, 0.5),
    ):
        off = np.abs(y - np.interp(x, line[:, 0], line[:, 1]))
        inside = (x > line[0, 0]) & (x < line[-1, 0] + 0.01) & (z > -0.1)
        total = np.maximum(total, strength * (1 - _step(off, 0.3 * width, width)) * inside)
    return total


def _scalp(x: Floats, y: Floats, z: Floats, noise: list[Floats]) -> Floats:
    """Short hair behind a hairline that drops from the forehead over the temples to the nape."""
    line = np.interp(
        z, [-1.6, -1.05, -0.75, -0.55, -0.3, 0.1], [-0.55, -0.45, -0.15, 0.25, 0.62, 0.74]
    )
    edge = y - line + 0.02 * noise[1] + 0.02 * noise[3]
    return np.asarray(0.93 * _step(edge, -0.03, 0.07), np.float32)


def _beard(x: Floats, y: Floats, z: Floats, strength: float) -> Floats:
    """Darkening of chin, jaw and upper lip."""
    low = _step(-y, 0.52, 0.66) * (1 - _step(-y, 1.15, 1.3)) * (z > -0.8)
    cheek = _step(-y - 0.55 * np.clip(x - 0.25, 0, 1), 0.42, 0.6)
    return np.asarray(1 - 0.5 * strength * low * cheek, np.float32)


def _eye(place: Floats, eye: Floats, c: Complexion) -> Floats:
    """Sclera, iris with a dark limbus and spokes, pupil. The mean head looks straight ahead."""
    local = (place - eye[:3]) / eye[3]
    front = local[:, 2] > 0
    r = np.where(front, np.hypot(local[:, 0], local[:, 1]), 2.0) * eye[3]
    turn = np.arctan2(local[:, 1], local[:, 0])
    spokes = 1 + 0.22 * np.sin(23 * turn + 3 * np.sin(5 * turn)) * _step(r, 0.022, 0.04)
    ring = 1 - 0.65 * _step(r, 0.046, 0.058)
    iris = np.array(c.iris, np.float32) * (spokes * ring)[:, None]
    white = _SCLERA * np.exp(-0.25 * _step(np.abs(local[:, 0]), 0.5, 0.95))[:, None]
    colour = white + (1 - _step(r, 0.055, 0.061))[:, None] * (iris - white)
    colour *= _step(r, 0.018, 0.024)[:, None] * 0.98 + 0.02
    return np.asarray(colour, np.float32)


def _tooth_gaps(place: Floats) -> Floats:
    """Fine dark lines between teeth along the arch."""
    along = np.arctan2(place[:, 0], place[:, 2] + 0.12) * 0.36
    width = 0.078
    off = np.abs((along / width + 0.5) % 1 - 0.5) * width
    off = width / 2 - off
    return np.asarray(0.45 + 0.55 * _step(off, 0.001, 0.007), np.float32)


def _blob(x: Floats, y: Floats, cx: float, cy: float, width: float) -> Floats:
    return np.asarray(np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * width**2)), np.float32)


def _step(x: NDArray[np.floating[Any]], low: float, high: float) -> Floats:
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _look_up(mask: Floats, uv: Floats) -> Floats:
    """Bilinear value of a mask at texture places (v from the bottom)."""
    h, w = mask.shape
    at = np.stack([(1 - uv[:, 1]) * h - 0.5, uv[:, 0] * w - 0.5])
    return np.asarray(map_coordinates(mask, at, order=1, mode="nearest"), np.float32)


@lru_cache(maxsize=8)
def _noise_grids(seed: int) -> tuple[Floats, ...]:
    draw = keyed_generator(seed, "makehuman", "texture")
    grids = []
    for n, _ in _OCTAVES:
        grid = gaussian_filter(draw.normal(size=(n, n, n)), 0.6, mode="wrap")
        grids.append((grid / grid.std()).astype(np.float32))
    return tuple(grids)


def _grid_value(seed: int, octave: int, u: Floats, v: Floats) -> Floats:
    """Smooth noise in two coordinates, one cell a unit."""
    grid = _noise_grids(seed)[octave][0]
    at = np.stack([u % len(grid), v % len(grid)])
    return np.asarray(map_coordinates(grid, at, order=1, mode="grid-wrap"), np.float32)


def _noise(seed: int, place: Floats) -> list[Floats]:
    """Four octaves of smooth noise in space, each about normal; periods are `_OCTAVES` cells.

    The second number of an octave is its cell in tenths of a decimetre.
    """
    values = []
    for grid, (n, cell) in zip(_noise_grids(seed), _OCTAVES, strict=True):
        at = ((place / (0.1 * cell)) % n).T
        values.append(np.asarray(map_coordinates(grid, at, order=1, mode="grid-wrap"), np.float32))
    return values
