"""The creases laid on the mean face, and the shade they make there on one face and in its light.

Where each crease lies is worked out once; a face's own lines (`famaug.generator.skin.own`) then
cost an exponential or two for each place near them.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from famaug.faces.ring import smooth_step
from famaug.generator.skin.creases import CREASES, Crease
from famaug.generator.skin.own import EVERYBODY, Form, Own
from famaug.types import AU_INDEX, AUS

Array = NDArray[np.float64]
Maps = NDArray[np.float32]
SCALE = 20.0
"""Pixels of the map for a centimetre."""
LEFT, TOP = -7.0, 5.6
WIDTH, HEIGHT = 280, 342
COARSE = 2
"""Pixels of that map for one of those on which a face's folds are drawn."""
_MIDLINE = 0.5
"""Centimetres on either side over which one side's folds give way to the other's."""
_STEEP, _SLOPING = 0.8, 1.3
"""Widths of a line's outer and inner flank, over its width: no fold is a groove alike on both."""
_HANGS = 2.2
"""How far out the skin that hangs over a fold is highest, in widths."""
_SHADE, _SHADE_SPREAD = 4.5, 1.25
"""Light a furrow loses per centimetre of depth, since it sees less of the room, and how much wider
than the furrow that shade is: skin lets light through."""
_CONVEX = 1.2
"""Light a bulge gains per centimetre of height."""
_STEEPEST = 0.6
"""Bound of what a slope gains or loses in the directed light."""


class Side(NamedTuple):
    """The light as one sees it from the head: what a surface gains that leans to x (the person's
    left) and y (up)."""

    x: float
    y: float


class _Trace(NamedTuple):
    """Where a crease lies on the map. `across` and `along` are of the nearest place on its curve.

    Attributes:
        unit: row of the AU.
        crease: which.
        number: its place among all creases.
        rows, columns: the part of the map.
        across: `n m`, centimetres, positive to the left of the way it runs.
        along: `n m`, 0-1.
        offset: `2 n m`, centimetres from the nearest place of the curve.
        squared: `n m`, the square of that distance.
        normal: `2 n m`, unit vector to the left of the way it runs.
    """

    unit: int
    crease: Crease
    number: int
    rows: slice
    columns: slice
    across: NDArray[np.float32]
    along: NDArray[np.float32]
    offset: NDArray[np.float32]
    squared: NDArray[np.float32]
    normal: NDArray[np.float32]

    @property
    def shared(self) -> bool:
        """One curve for both sides."""
        x = [point[0] for point in self.crease.points]
        return min(x) < 0 < max(x) or not any(x)


@cache
def relief() -> Maps:
    """`17 HEIGHT WIDTH`, centimetres of height at intensity 5 when both sides act, of the folds as
    they are described, nobody's own; the left side alone has the left half (`side_share`)."""
    drawn = _empty()
    for trace in _traces():
        height = _height(trace, EVERYBODY, 0.0)[0]
        for view in _places(drawn[trace.unit], trace):
            view += height
    x, y = np.meshgrid(np.arange(WIDTH) / COARSE, np.arange(HEIGHT) / COARSE)
    at = x.astype(np.float32), y.astype(np.float32)
    border = cv2.BORDER_REPLICATE
    return np.stack([cv2.remap(h, *at, cv2.INTER_LINEAR, borderMode=border) for h in drawn])


def shade(own: Own, light: Side, finest: float) -> Maps:
    """Log of light at intensity 5 when both sides act: the map's every second place, `17 h w`.

    Args:
        own: the face's own lines.
        light: directed light in the picture.
        finest: no fold is drawn finer than this standard deviation, centimetres.
    """
    out = _empty()
    for trace in _traces():
        for side, view in enumerate(_places(out[trace.unit], trace)):
            form = own.both(trace.number) if trace.shared else own.of(trace.number, side)
            if form.strength > 0.02:
                seen = Side(-light.x, light.y) if side else light
                view += _lit(trace, form, seen, finest)
    return out


def side_share(x: NDArray[np.floating]) -> Array:
    """Share of the left side at x centimetres from the midline: 0 on the right, 1 on the left."""
    return smooth_step(x / (2 * _MIDLINE) + 0.5)


def to_map(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """Places `... 2` on the mean face (centimetres) in pixels of the map."""
    x = (points[..., 0] - LEFT) * SCALE
    y = (TOP - points[..., 1]) * SCALE
    return np.stack([x, y], -1).astype(np.float32)


def _empty() -> Maps:
    return np.zeros((len(AUS), -(-HEIGHT // COARSE), -(-WIDTH // COARSE)), np.float32)


def _places(height: NDArray[np.float32], trace: _Trace) -> list[NDArray[np.float32]]:
    """Views of a map where a crease lies on the left, and, unless it is one for both, the right."""
    left = height[trace.rows, trace.columns]
    if trace.shared:
        return [left]
    return [left, height[trace.rows, 1:][:, ::-1][:, trace.columns.start - 1 :][:, : left.shape[1]]]


def _lit(trace: _Trace, form: Form, light: Side, finest: float) -> NDArray[np.float32]:
    """Log of light that one crease makes."""
    height, slope = _height(trace, form, finest)
    gain = -(light.x * slope[0] + light.y * slope[1])
    gain = _STEEPEST * np.tanh(gain / _STEEPEST)
    if trace.crease.height > 0:
        out: NDArray[np.float32] = gain + _CONVEX * height
        return out
    wide = form._replace(width=form.width * _SHADE_SPREAD)
    depth = np.minimum(_height(trace, wide, finest)[0], 0)
    deep: NDArray[np.float32] = gain + _SHADE * depth
    return deep


def _height(
    trace: _Trace, form: Form, finest: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Centimetres of height, and its slope `2 n m` to x and y."""
    crease = trace.crease
    width = np.float32(crease.width * form.width)
    blurred = np.float32(np.hypot(width, finest))
    size = np.float32(crease.height / 10 * form.strength * (width / blurred))
    if not crease.fine:
        height = size * np.exp(trace.squared / (-2 * blurred**2))
        return height, trace.offset * (height / -(blurred**2))
    depth = _taper(trace.along, crease.deepest, form)
    bent = form.bend * np.sin(np.pi * trace.along)
    local = blurred * (0.55 + 0.45 * depth)  # a line thins towards its ends
    s = (trace.across - np.float32(form.offset) - bent) / local
    flank = np.where(s > 0, np.float32(_STEEP), np.float32(_SLOPING))
    core = depth * np.exp(-np.square(s / flank) / 2)
    height = size * core
    slope = -height * s / np.square(flank)
    if crease.overhang:
        beyond = s - np.float32(_HANGS)
        spread = np.where(beyond > 0, np.float32(2.0), np.float32(0.9))
        hang = (-crease.overhang * size * depth) * np.exp(-np.square(beyond / spread) / 2)
        height = height + hang
        slope = slope - hang * beyond / np.square(spread)
    return height, (slope / local) * trace.normal


def _taper(along: NDArray[np.float32], deepest: float, form: Form) -> NDArray[np.float32]:
    """Depth along a line over its greatest: it runs out softly at both ends."""
    t = np.clip((along - form.start) / max(form.end - form.start, 0.2), 0, 1)
    rise = np.minimum(t / deepest, (1 - t) / (1 - deepest))
    out: NDArray[np.float32] = np.power(rise * rise * (3 - 2 * rise), 0.7).astype(np.float32)
    return out


@cache
def _traces() -> tuple[_Trace, ...]:
    every = [(AU_INDEX[au], crease) for au, creases in CREASES.items() for crease in creases]
    return tuple(_trace(unit, crease, number) for number, (unit, crease) in enumerate(every))


def _trace(unit: int, crease: Crease, number: int) -> _Trace:
    curve, along = _curve(crease)
    reach = (9 if crease.overhang else 6) * crease.width
    x = LEFT + np.arange(0, WIDTH, COARSE) / SCALE
    y = TOP - np.arange(0, HEIGHT, COARSE) / SCALE
    columns = np.flatnonzero((x > curve[:, 0].min() - reach) & (x < curve[:, 0].max() + reach))
    columns = columns[columns > 0]  # the first column has no mirror image
    rows = np.flatnonzero((y > curve[:, 1].min() - reach) & (y < curve[:, 1].max() + reach))
    gx, gy = np.meshgrid(x[columns], y[rows])
    apart = np.stack([gx.ravel(), gy.ravel()], -1)[:, None] - curve[None]
    squared = np.square(apart).sum(-1)
    nearest = squared.argmin(1)
    offset = apart[np.arange(len(apart)), nearest]
    tangent = _tangents(curve)[nearest]
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], -1)
    shape = gx.shape
    return _Trace(
        unit,
        crease,
        number,
        slice(int(rows[0]), int(rows[-1]) + 1),
        slice(int(columns[0]), int(columns[-1]) + 1),
        (offset * normal).sum(1).reshape(shape).astype(np.float32),
        along[nearest].reshape(shape).astype(np.float32),
        offset.T.reshape(2, *shape).astype(np.float32),
        squared.min(1).reshape(shape).astype(np.float32),
        normal.T.reshape(2, *shape).astype(np.float32),
    )


def _tangents(curve: Array) -> Array:
    step = np.gradient(curve, axis=0)
    out: Array = step / np.maximum(np.linalg.norm(step, axis=1, keepdims=True), 1e-9)
    return out


def _curve(crease: Crease) -> tuple[Array, Array]:
    """Points along the crease, and how far along they are, 0-1."""
    points = np.array(crease.points, np.float64)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    t = np.linspace(0, length[-1], max(2, int(length[-1] / 0.04)))
    curve = np.stack([PchipInterpolator(length, points[:, k])(t) for k in (0, 1)], -1)
    return curve, t / length[-1]
