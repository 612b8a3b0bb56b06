"""Teeth and gums as they lie behind the lips, drawn in the head's own pose.

Two arches of teeth in the head frame, widths and heights of adults (Wheeler's Dental Anatomy), seen
through the pose of the face. Drawn are surfaces without the mouth's own shade: what light reaches
them is another matter (`famaug.generator.motion.inside`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.faces.ring import smooth_step
from famaug.generator.motion.mouth_colours import Colours

Array = NDArray[np.float64]
Image = NDArray[np.float32]


class Arch(NamedTuple):
    """One arch of teeth, centimetres; the lists go from the midline outwards.

    Attributes:
        width, depth: half axes of the ellipse that it follows, seen from above.
        behind: how far its front lies behind the inner rim of the lips.
        widths: of the teeth.
        edges: biting edge of each, from that of the first towards the gum.
        heights: of the crowns.
        points: how much lower the middle of the biting edge lies than its ends.
        up: whether the gum lies above.
    """

    width: float
    depth: float
    behind: float
    widths: tuple[float, ...]
    edges: tuple[float, ...]
    heights: tuple[float, ...]
    points: tuple[float, ...]
    up: bool


UPPER = Arch(
    2.9, 4.2, 0.45,
    (0.86, 0.66, 0.76, 0.70, 0.68, 1.0),
    (0.0, 0.07, 0.0, 0.09, 0.15, 0.22),
    (1.0, 0.85, 0.98, 0.82, 0.76, 0.7),
    (0.05, 0.06, 0.14, 0.12, 0.1, 0.05),
    up=True,
)  # fmt: skip
LOWER = Arch(
    2.7, 4.0, 0.65,
    (0.54, 0.60, 0.68, 0.70, 0.70, 1.1),
    (0.0, 0.0, -0.04, 0.04, 0.08, 0.1),
    (0.85, 0.88, 0.98, 0.82, 0.78, 0.7),
    (0.02, 0.02, 0.1, 0.1, 0.06, 0.04),
    up=False,
)  # fmt: skip
_SLIT, _SLIT_DARK = 0.035, 0.26
"""Centimetres across the dark line between two teeth, and how dark it is."""
_SOFT = 0.06
"""Centimetres over which a tooth's edge runs out: enamel has no sharp outline in shade."""
_PAPILLA = 0.16
"""Centimetres by which the gum comes down between two teeth."""
_DEEP = 2.0
"""Centimetres along the line of sight over which teeth farther back lose two thirds of light."""


@dataclass(frozen=True, eq=False)
class View:
    """Where pixels look into the mouth: `right`, `up` `H W`, centimetres in the picture's axes from
    the middle of the seam of the lips, and the rotation `3 3` from the head frame."""

    right: Array
    up: Array
    rotation: Array


def draw_arch(arch: Arch, view: View, edge: float, colours: Colours, pixel: float) -> Image:
    """`H W 4`: colour weighted by cover, and cover, of teeth and gum in full light.

    Args:
        edge: how far the edge of the first teeth lies above the seam, centimetres.
        pixel: size of a pixel in centimetres.
    """
    tooth, neck, gum = colours.tooth, colours.neck, colours.gum
    along, height, depth, facing = _on_arch(arch, view, edge)
    toward_gum = height if arch.up else -height
    ends = np.cumsum((0.0, *arch.widths))
    number = np.clip(np.searchsorted(ends, along, side="right") - 1, 0, len(arch.widths) - 1)
    start, width, first, crown, point = (
        np.asarray(v)[number]
        for v in (ends[:-1], arch.widths, arch.edges, arch.heights, arch.points)
    )
    aside = np.clip((along - start) / width, 0, 1) * 2 - 1
    soft = max(_SOFT, 0.8 * pixel)
    bite = first + point * np.square(aside) + 0.05 * np.abs(aside) ** 6
    gum_line = first + crown - _PAPILLA * np.square(aside)
    inside = ends[-1] - along
    cover = smooth_step((toward_gum - bite) / soft + 0.5) * smooth_step(inside / 0.2)
    pink = smooth_step((toward_gum - gum_line) / max(0.08, pixel) + 0.5)
    share = np.clip((toward_gum - bite) / crown, 0, 1)
    light = (0.55 + 0.45 * np.clip(facing - 0.12 * np.square(aside), 0, 1)) * np.exp(depth / _DEEP)
    thin = 0.9 + 0.1 * smooth_step((toward_gum - bite) / 0.18)
    reach = max(_SLIT, 0.7 * pixel)
    apart = (1 - np.abs(aside)) * width / 2
    slit = _SLIT_DARK * (_SLIT / reach) * np.exp(-np.square(apart / reach))
    yellow = np.clip(0.9 * share + 0.7 * (number == 2), 0, 1)[..., None]
    enamel = (tooth + yellow * (neck - tooth)) * (light * thin * (1 - slit))[..., None]
    flesh = gum * (light * 0.85)[..., None]
    colour = enamel + (flesh - enamel) * pink[..., None]
    out = np.concatenate([colour * cover[..., None], cover[..., None]], -1)
    return np.ascontiguousarray(out, np.float32)


def _on_arch(arch: Arch, view: View, edge: float) -> tuple[Array, Array, Array, Array]:
    """For each pixel the place of the arch it sees: way along it from the midline and height above
    the edge of the first teeth (centimetres), depth against the front (0 and below), and how
    squarely it is seen."""
    r = view.rotation
    x = np.linspace(-arch.width, arch.width, 401)[1:-1]
    bend = np.sqrt(1 - np.square(x / arch.width))
    z = arch.depth * (bend - 1)
    slope = -arch.depth * x / (arch.width**2 * bend)
    way = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(z)))])
    way -= way[len(x) // 2]
    across = r[0, 0] * x + r[0, 2] * (z - arch.behind)
    seen = np.flatnonzero(np.gradient(across) > 0.02 * (x[1] - x[0]))  # not turned away
    xs, zs, across = x[seen], z[seen], across[seen]
    height = view.up - edge
    for _ in range(3):
        at = np.interp(view.right - r[0, 1] * (height + edge), across, np.arange(len(xs)))
        px, pz = _between(xs, at), _between(zs, at)
        height = (view.up - r[1, 0] * px - r[1, 2] * (pz - arch.behind)) / r[1, 1] - edge
    tilt = _between(slope[seen], at)
    facing = (r[2, 2] - r[2, 0] * tilt) / np.hypot(1, tilt)
    return np.abs(_between(way[seen], at)), height, pz, facing


def _between(values: Array, at: Array) -> Array:
    out: Array = np.interp(at, np.arange(len(values)), values)
    return out


def blurred(layer: Image, sigma: float) -> Image:
    """A layer no sharper than a Gaussian of `sigma` pixels."""
    if sigma < 0.3:
        return layer
    out: Image = cv2.GaussianBlur(layer, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return out


def sharpness(picture: NDArray[Any], finest: float = 0.55, coarsest: float = 6.0) -> float:
    """How blurred a picture's sharpest edges are: standard deviation in pixels.

    A step blurred by s has its largest slope over its largest change of slope at 0.607 s.

    Args:
        picture: `H W 3`.
        finest, coarsest: what is given at least and at most.
    """
    grey = np.asarray(picture, np.float32) @ np.array([0.3, 0.59, 0.11], np.float32)
    if min(grey.shape) < 5:
        return finest
    gx, gy = grey[:, 2:] - grey[:, :-2], grey[2:] - grey[:-2]
    xx = grey[:, 2:] - 2 * grey[:, 1:-1] + grey[:, :-2]
    yy = grey[2:] - 2 * grey[1:-1] + grey[:-2]
    slope = np.quantile(np.abs(np.concatenate([gx.ravel(), gy.ravel()])), 0.99) / 2
    change = np.quantile(np.abs(np.concatenate([xx.ravel(), yy.ravel()])), 0.99)
    return float(np.clip(0.607 * slope / max(float(change), 1e-3), finest, coarsest))
