"""An opening (eye or mouth) taken apart: lower skin, upper skin, and what lies behind.

    picture = upper + (1 - upper cover) x (lower + (1 - lower cover) x back)

The skin layers are what the back leaves unexplained, so the sum is the picture itself while
nothing moves, and lashes and shadows at a rim travel with it. Upper skin covers lower skin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.faces.ring import smooth_step
from famaug.generator.motion.opening import Rims

Array = NDArray[np.float64]
Image = NDArray[np.float32]


@dataclass(frozen=True)
class Box:
    """Pixels `x0..x1`, `y0..y1`, the last ones excluded."""

    x0: int
    y0: int
    x1: int
    y1: int

    def grown(self, by: int, shape: tuple[int, int]) -> Box:
        h, w = shape
        return Box(
            max(self.x0 - by, 0), max(self.y0 - by, 0), min(self.x1 + by, w), min(self.y1 + by, h)
        )

    def within(self, other: Box) -> Box:
        """The same pixels, counted from the first of another box."""
        x, y = other.x0, other.y0
        return Box(self.x0 - x, self.y0 - y, self.x1 - x, self.y1 - y)

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    @property
    def pixels(self) -> tuple[Array, Array]:
        """x and y of the pixels, both `H W`."""
        gx, gy = np.meshgrid(np.arange(self.x0, self.x1), np.arange(self.y0, self.y1))
        return gx.astype(np.float64), gy.astype(np.float64)


@dataclass(frozen=True, eq=False)
class Layers:
    """Pictures over one box: `upper` and `lower` `H W 4` (colour already weighted, cover),
    `back` `H W 3`."""

    upper: Image
    lower: Image
    back: Image


@dataclass(frozen=True, eq=False)
class Place:
    """Every pixel of a box in the frame of an opening: s, t, and t of the rims at that s."""

    s: Array
    t: Array
    upper: Array
    lower: Array

    @staticmethod
    def of(rims: Rims, box: Box) -> Place:
        s, t = rims.to_frame(*box.pixels)
        return Place(s, t, *rims.curves(s))


def look_up(picture: Image, x: NDArray[Any], y: NDArray[Any]) -> Image:
    """Linear samples of `H W` or `H W 3` at positions of any shape of one or two axes."""
    px, py = (np.atleast_2d(v).astype(np.float32) for v in (x, y))
    out: Image = cv2.remap(picture, px, py, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return out if x.ndim > 1 else out[0]


def covers(rims: Rims, place: Place, edge: float) -> tuple[Array, Array, Array]:
    """`H W` each, 0-1, while nothing moves: what the upper and the lower skin cover, and how much
    of what is seen over the back belongs to the lower skin."""
    beyond = smooth_step((np.abs(place.s) - rims.half_width) / (2 * edge) + 0.5)
    upper = smooth_step((place.upper - place.t) / edge + 0.5)
    lower = np.maximum(smooth_step((place.t - place.lower) / edge + 0.5), beyond)
    middle = (place.upper + place.lower) / 2
    own = np.maximum(smooth_step((place.t - middle) / edge + 0.5), beyond)
    return upper, lower, own


def take_apart(picture: Image, back: Image, rims: Rims, place: Place, edge: float) -> Layers:
    """Layers of a box of the picture.

    Args:
        picture, back: `H W 3`.
        rims: the opening.
        place: the box's pixels in its frame.
        edge: width of a layer's edge in pixels.
    """
    upper_cover, lower_cover, own = covers(rims, place, edge)
    ca, cb, share = (m[..., None].astype(np.float32) for m in (upper_cover, lower_cover, own))
    lower = share * (picture - (1 - cb) * back)
    upper = picture - (1 - ca) * (lower + (1 - cb) * back)
    return Layers(np.concatenate([upper, ca], -1), np.concatenate([lower, cb], -1), back)
