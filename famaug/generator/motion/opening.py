"""Eye and mouth openings: their two rims as curves in a frame of their own.

The frame of an opening has its origin at the midpoint of the corners, `s` running from the corner
on the picture's left to the other, `t` at right angles to it, downwards. Rims are functions t(s).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from famaug.faces.landmarks import INNER_LIPS, LEFT_LIDS, RIGHT_LIDS

Array = NDArray[np.float64]
_HALF = {16: 8, 20: 10}  # from the first corner to the second, along the rim first named


def rims(points: Sequence[int], *, lower_first: bool) -> tuple[list[int], list[int]]:
    """Upper and lower rim as point numbers, both from corner to corner."""
    half = _HALF[len(points)]
    one = list(points[: half + 1])
    other = [points[0], *reversed(points[half:])]
    return (other, one) if lower_first else (one, other)


EYES = (rims(LEFT_LIDS, lower_first=True), rims(RIGHT_LIDS, lower_first=True))
"""(upper, lower) rim of the left and the right eye, each from the outer to the inner corner."""
MOUTH = rims(INNER_LIPS, lower_first=False)
"""(upper, lower) rim of the mouth opening, from the right to the left corner."""


@dataclass(frozen=True, eq=False)
class Rims:
    """An opening with its rims in its own frame, pixels.

    Attributes:
        centre: `2`, origin of the frame in the picture.
        axes: `2 2`, rows are the unit vectors of s and t.
        knots: s of the rim points between the corners' s, ascending.
        upper, lower: t of the rims at the knots.
    """

    centre: Array
    axes: Array
    knots: Array
    upper: Array
    lower: Array

    @property
    def half_width(self) -> float:
        """Half the distance of the corners."""
        return float(self.knots[-1])

    @property
    def height(self) -> float:
        """Largest distance of the rims."""
        return float((self.lower - self.upper).max())

    def to_frame(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[Array, Array]:
        """Picture positions to (s, t)."""
        dx, dy = x - self.centre[0], y - self.centre[1]
        (ax, ay), (bx, by) = self.axes
        return ax * dx + ay * dy, bx * dx + by * dy

    def to_picture(self, s: NDArray[Any], t: NDArray[Any]) -> tuple[Array, Array]:
        """(s, t) to picture positions."""
        (ax, ay), (bx, by) = self.axes
        return self.centre[0] + ax * s + bx * t, self.centre[1] + ay * s + by * t

    def curves(self, s: NDArray[Any]) -> tuple[Array, Array]:
        """t of the upper and the lower rim at s; beyond the corners as at the corners."""
        one: Array = np.interp(s, self.knots, self.upper)
        return one, np.maximum(one, np.interp(s, self.knots, self.lower))


def find_rims(mesh: NDArray[Any], upper: Sequence[int], lower: Sequence[int]) -> Rims:
    """Rims of an opening from the mesh."""
    p = np.asarray(mesh, np.float64)[:, :2]
    first, second = p[upper[0]], p[upper[-1]]
    if first[0] > second[0]:
        first, second = second, first
    along = (second - first) / np.linalg.norm(second - first)
    axes = np.stack([along, [-along[1], along[0]]])
    centre = (first + second) / 2
    half = float(np.linalg.norm(second - first)) / 2
    knots = np.linspace(-half, half, 33)
    tops, bottoms = (_curve((p[list(r)] - centre) @ axes.T, knots) for r in (upper, lower))
    return Rims(centre, axes, knots, tops, np.maximum(tops, bottoms))


def _curve(points: Array, knots: Array) -> Array:
    """Smooth t(s) through rim points, evaluated at the knots."""
    order = np.argsort(points[:, 0], kind="stable")
    s, t = points[order, 0], points[order, 1]
    apart = np.concatenate([[True], np.diff(s) > 1e-3 * (s[-1] - s[0])])
    out: Array = PchipInterpolator(s[apart], t[apart])(np.clip(knots, s[0], s[apart][-1]))
    return out
