"""What is a face's own about its folds: how lined its skin is, and which lines it has.

Nobody's frown is another's. Which lines a face has is drawn from its looks: a small picture of the
face, brought onto the mean face, freed of its brightness and contrast, decides by fixed random
weights. So the same face gets the same lines, at another size, darker or lighter too, and another
face gets others; a mirrored picture gets mirrored ones.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.generator.skin.creases import CREASES
from famaug.seeding import keyed_generator

Array = NDArray[np.float64]
_CELLS, _LINES = 14, 16
"""Cells of the small picture across and down."""
_REACH_X, _TOP, _BOTTOM = 5.6, 4.2, -9.8
"""Its box on the mean face, centimetres."""
_GAIN = 0.3
"""Steepness of the weights: between two people a draw turns by more than half its circle, between
two sizes of one picture by a few hundredths of it."""
_TRAITS = 5
_NARROW, _WIDE = 0.06, 0.25
"""Standard deviations, centimetres, between which lines of skin lie."""
_SMOOTH, _LINED = 0.02, 0.07
"""Size of that band in log brightness at which skin counts as smooth, and as lined: 34 of 46
generated adults of all ages lie between."""
_SHALLOWEST = 0.3
"""Depth of lines on smooth skin over that on lined skin."""
_SOFTEST = 1.5
"""Their width there over the width on lined skin."""
_LESS_HOLLOW = 0.2
"""Share of a hollow that lined skin does without: its lines take up the folding."""
_WHERE = (
    # from the midline, to, from height, to: forehead, between the brows, below the eyes
    (0.0, 3.2, 2.3, 3.9),
    (0.0, 0.8, 0.3, 2.2),
    (2.0, 4.4, -2.4, -1.2),
)


class Form(NamedTuple):
    """What a face makes of a crease.

    Attributes:
        strength: its depth over the described one; 0 where the face has no such line.
        width: its width over the described one.
        offset, bend: centimetres by which it lies to its left, all along and in its middle.
        start, end: where along the described curve it runs, 0-1.
    """

    strength: float = 1.0
    width: float = 1.0
    offset: float = 0.0
    bend: float = 0.0
    start: float = 0.0
    end: float = 1.0


EVERYBODY = Form()


class Own:
    """One face's lines.

    Args:
        light: `H W`, log of brightness.
        place: `H W 2`, centimetres on the mean face of each pixel.
        mask: bool `H W`, pixels of the face.
        scale: pixels per centimetre.

    Attributes:
        lined: 0 where skin is smooth, 1 where it is lined.
    """

    def __init__(
        self,
        light: NDArray[np.float32],
        place: NDArray[np.float32],
        mask: NDArray[np.bool_],
        scale: float,
    ) -> None:
        self.lined = _lined(light, place, mask, scale)
        looks = _small(light, place, mask)
        left, right = looks, looks[:, ::-1]
        self._sides = tuple(_draws(half) for half in (left, right))
        self._both = _draws((left + right) / np.sqrt(2))

    def of(self, number: int, side: int) -> Form:
        """A crease on one side: 0 the person's left, 1 their right."""
        return self._form(number, self._sides[side][number])

    def both(self, number: int) -> Form:
        """A crease across the midline."""
        drawn = self._both[number].copy()
        drawn[[1, 4]] = 0  # it stays in the middle
        return self._form(number, drawn)

    def _form(self, number: int, drawn: Array) -> Form:
        crease = _creases()[number]
        if not crease.fine:
            size = 1 + 0.15 * float(drawn[0])
            return Form(strength=size * (1 - _LESS_HOLLOW * self.lined * (crease.height < 0)))
        strong, aside, bent, long, ends = (float(v) for v in drawn)
        # a sine of what is spread evenly over the circle: this is spread evenly over 0-1
        rank = float(np.arcsin(np.clip(long, -1, 1)) / np.pi + 0.5)
        there = float(np.clip((crease.chance - rank) / 0.25 + 0.5, 0, 1))
        if crease.chance == 1:
            there = 1.0
        shorter = 0.12 * (1 + bent)
        return Form(
            strength=there
            * float(np.exp(0.3 * strong))
            * (_SHALLOWEST + (1 - _SHALLOWEST) * self.lined),
            width=_SOFTEST + (1 - _SOFTEST) * self.lined,
            offset=0.07 * aside,
            bend=0.07 * bent,
            start=shorter * (1 + ends) / 2,
            end=1 - shorter * (1 - ends) / 2,
        )


@cache
def _creases() -> tuple[Any, ...]:
    return tuple(crease for creases in CREASES.values() for crease in creases)


@cache
def _weights() -> Array:
    """`creases traits cells`."""
    out = [
        keyed_generator(0, "folds", au, number).standard_normal((_TRAITS, _LINES * _CELLS))
        for au, creases in CREASES.items()
        for number in range(len(creases))
    ]
    return _GAIN * np.stack(out)


def _draws(looks: Array) -> Array:
    """`creases traits`, -1 to 1: close for looks that are close, unrelated for others."""
    out: Array = np.sin(_weights() @ looks.ravel())
    return out


def _small(
    light: NDArray[np.float32], place: NDArray[np.float32], mask: NDArray[np.bool_]
) -> Array:
    """`lines cells`: the face's looks, mean 0, size 1; 0 where the picture does not show it."""
    x = (place[..., 0] / _REACH_X + 1) / 2 * _CELLS
    y = (_TOP - place[..., 1]) / (_TOP - _BOTTOM) * _LINES
    on = mask & (x >= 0) & (x < _CELLS) & (y >= 0) & (y < _LINES)
    cell = y[on].astype(np.int64) * _CELLS + x[on].astype(np.int64)
    count = np.bincount(cell, minlength=_LINES * _CELLS)
    mean = np.bincount(cell, light[on], minlength=_LINES * _CELLS) / np.maximum(count, 1)
    seen = count > 0
    if not seen.any():
        return np.zeros((_LINES, _CELLS))
    mean[seen] -= mean[seen].mean()
    mean *= np.minimum(count / np.median(count[seen]), 1)  # at the edge they are seen in part
    out: Array = mean / max(float(mean.std()), 1e-3)
    return out.reshape(_LINES, _CELLS)


def _lined(
    light: NDArray[np.float32],
    place: NDArray[np.float32],
    mask: NDArray[np.bool_],
    scale: float,
) -> float:
    """How lined the skin is, 0-1, from what lies between two blurs in log brightness."""
    narrow, wide = (cv2.GaussianBlur(light, (0, 0), max(s * scale, 0.3)) for s in (_NARROW, _WIDE))
    band = np.abs(narrow - wide)
    aside = np.abs(place[..., 0])
    sizes = []
    for x0, x1, y0, y1 in _WHERE:
        on = mask & (aside >= x0) & (aside < x1) & (place[..., 1] > y0) & (place[..., 1] < y1)
        if on.sum() > 20:
            sizes.append(1.48 * float(np.median(band[on])))  # hair and spots are left out
    if not sizes:
        return 0.0
    size = np.log(np.maximum(sizes, 1e-4)).mean()
    low, high = np.log(_SMOOTH), np.log(_LINED)
    return float(np.clip((size - low) / (high - low), 0, 1))
