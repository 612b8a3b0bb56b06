"""The creases drawn as height maps over the mean face."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from famaug.faces.ring import smooth_step
from famaug.generator.skin.creases import CREASES, Crease
from famaug.types import AU_INDEX, AUS

Array = NDArray[np.float64]
SCALE = 20.0
"""Pixels of the map for a centimetre."""
LEFT, TOP = -7.0, 5.6
WIDTH, HEIGHT = 280, 342
_MIDLINE = 0.5
"""Centimetres on either side over which one side's folds give way to the other's."""
_SHOULDER = 0.2
"""Height of the skin pushed up on both sides of a furrow over the furrow's depth."""


@cache
def relief() -> NDArray[np.float32]:
    """`17 HEIGHT WIDTH`, centimetres of height at intensity 5 when both sides act; the left side
    alone has the left half (`side_share`)."""
    out = np.zeros((len(AUS), HEIGHT, WIDTH), np.float32)
    for au, creases in CREASES.items():
        for crease in creases:
            _draw(out[AU_INDEX[au]], crease)
    return out


def side_share(x: NDArray[np.floating]) -> Array:
    """Share of the left side at x centimetres from the midline: 0 on the right, 1 on the left."""
    return smooth_step(x / (2 * _MIDLINE) + 0.5)


def to_map(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """Places `... 2` on the mean face (centimetres) in pixels of the map."""
    x = (points[..., 0] - LEFT) * SCALE
    y = (TOP - points[..., 1]) * SCALE
    return np.stack([x, y], -1).astype(np.float32)


def _draw(height: NDArray[np.float32], crease: Crease) -> None:
    """Adds a crease and its mirror image, in place."""
    line, along = _curve(crease)
    reach = (10 if crease.overhang else 4.5) * crease.width
    x = LEFT + np.arange(WIDTH) / SCALE
    y = TOP - np.arange(HEIGHT) / SCALE
    columns = np.flatnonzero(
        (np.abs(x) > line[:, 0].min() - reach) & (np.abs(x) < line[:, 0].max() + reach)
    )
    rows = np.flatnonzero((y > line[:, 1].min() - reach) & (y < line[:, 1].max() + reach))
    gx, gy = np.meshgrid(np.abs(x[columns]), y[rows])  # |x|: both sides alike, level at the midline
    apart = np.stack([gx.ravel(), gy.ravel()], -1)[:, None] - line[None]
    squared = np.square(apart).sum(-1)
    nearest = squared.argmin(1)
    distance = np.sqrt(squared[np.arange(len(squared)), nearest]) / crease.width
    values = along[nearest] * _profile(distance, crease)
    if crease.overhang:
        offset = apart[np.arange(len(apart)), nearest] / crease.width
        values += along[nearest] * crease.overhang * _hanging(offset, _tangents(line)[nearest])
    values *= crease.height / 10
    height[np.ix_(rows, columns)] += values.reshape(gx.shape).astype(np.float32)


def _profile(distance: Array, crease: Crease) -> Array:
    """Cross-section over the distance in widths; a furrow pushes skin up beside it."""
    core: Array = np.exp(-np.square(distance) / 2)
    if crease.height > 0:
        return core
    return core - _SHOULDER * np.exp(-np.square((distance - 2.4) / 1.1) / 2)


def _hanging(offset: Array, tangent: Array) -> Array:
    """Skin that hangs over a furrow: steep towards it, level away from it. It lies to the left of
    the way the curve runs: away from the midline where it runs down, above where it runs outwards.

    Args:
        offset: `N 2`, from the nearest point of the curve, in widths.
        tangent: `N 2`, unit vectors along the curve there.
    """
    across = tangent[:, 0] * offset[:, 1] - tangent[:, 1] * offset[:, 0]
    beyond = (tangent * offset).sum(1)  # past an end of the curve
    slope = np.where(across > 2.6, 2.2, 1.0)
    out: Array = -np.exp(-np.square((across - 2.6) / slope) / 2 - np.square(beyond / 2) / 2)
    return out


def _tangents(line: Array) -> Array:
    step = np.gradient(line, axis=0)
    out: Array = step / np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-9)
    return out


def _curve(crease: Crease) -> tuple[Array, Array]:
    """Points along the crease, and its depth there over its full depth: it runs out at its ends,
    except where it crosses the midline."""
    points = np.array(crease.points, np.float64)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    t = np.linspace(0, length[-1], max(2, int(length[-1] / 0.03)))
    line = np.stack([PchipInterpolator(length, points[:, k])(t) for k in (0, 1)], -1)
    if crease.height > 0 or length[-1] < 2 * crease.width:
        return line, np.ones(len(t))
    fade = max(0.3 * length[-1], crease.width)
    start = np.ones(len(t)) if points[0, 0] == 0 else smooth_step(0.15 + t / fade)
    return line, start * smooth_step(0.15 + (length[-1] - t) / fade)
