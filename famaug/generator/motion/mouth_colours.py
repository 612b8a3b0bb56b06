"""Colours that the inside of a mouth may have in a picture: white balance and brightness are the
picture's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.faces.landmarks import SKIN_POINTS
from famaug.faces.ring import smooth_step
from famaug.generator.motion.layers import Image, look_up
from famaug.generator.motion.opening import EYES, Rims

Array = NDArray[np.float64]
LUMA = np.array([0.3, 0.59, 0.11])
_SHADE = np.array([0.3, 0.0, -0.04])
"""The light in a mouth has been through lips and is redder than that before it."""
_GREY = 2.0
"""Grey levels between the channels of a face's skin up to which a picture counts as grey."""
_IVORY = np.array([1.04, 1.0, 0.94])
"""Teeth against a white of the same brightness."""
_YELLOW = np.array([1.0, 0.98, 0.95])
_OVER_SKIN = (0.75, 1.25)
"""Brightness of teeth over that of the face's bright skin, at least and at most: they are brighter
than dark skin, but in no light of their own."""
_OVER_WHITE = 1.2
"""Brightness of teeth over that of the white of the eyes, which lies in the lids' shade."""


@dataclass(frozen=True, eq=False)
class Colours:
    """Each `3`, 0-255, in the picture's full light.

    Attributes:
        lips: mean of both lips.
        white: hue of a white of brightness 1.
        tooth, neck: of front teeth, and of canines and of the part of a crown at the gum.
        gum, tongue, deep: of these, and of the cavity.
        tint: what shade in the mouth adds to its light in red, green and blue.
    """

    lips: Array
    white: Array
    tooth: Array
    neck: Array
    gum: Array
    tongue: Array
    deep: Array
    tint: Array

    def toothness(self, seen: NDArray[Any]) -> Array:
        """How much colours `... 3` look like teeth and not like lips or dark, 0-1."""
        values = np.asarray(seen, np.float64)
        brightness = values @ LUMA / max(float(self.lips @ LUMA), 1.0)
        lips, white = (_redness(c) for c in (self.lips, self.white * 128))
        if lips - white < 0.08:  # a grey picture: brightness alone
            return smooth_step((brightness - 1.1) / 0.3)
        pale = (lips - _redness(values)) / (lips - white)
        return smooth_step((pale - 0.3) / 0.35) * smooth_step((brightness - 0.5) / 0.25)


def _redness(colour: NDArray[Any]) -> Array:
    out: Array = np.log((colour[..., 0] + 8.0) / (colour[..., 1] + 8.0))
    return out


def find_colours(picture: Image, mesh: NDArray[Any], rims: Rims, scale: float) -> Colours:
    """Of a face picture `H W 3` and its mesh `478 3`; `rims` of the mouth."""
    lips = _lips(picture, rims, scale)
    face = _at(picture, mesh[:SKIN_POINTS])
    skin = float(np.quantile(face @ LUMA, 0.85))
    white = _white(picture, mesh)
    bright = float(white @ LUMA)
    hue = np.clip(white / max(bright, 1.0), 0.7, 1.35) ** 0.7
    hue /= float(hue @ LUMA)
    size = np.clip(_OVER_WHITE * bright, _OVER_SKIN[0] * skin, _OVER_SKIN[1] * skin)
    brightest = float(np.quantile(picture @ LUMA.astype(np.float32), 0.99))
    size = min(float(size), brightest)
    tooth = _tinted(hue * _IVORY, size)
    flesh = 0.5 * lips + 0.5 * _tinted(hue * [1.25, 0.9, 0.88], float(lips @ LUMA))
    gum = np.minimum(flesh * [1.05, 0.88, 0.9], size)
    deep = 0.5 * flesh * [1.0, 0.8, 0.78]
    found = (lips, hue, tooth, tooth * _YELLOW, gum, flesh, deep)
    if float(np.median(np.ptp(face, axis=1))) > _GREY:
        return Colours(*found, _SHADE)
    lips, hue, tooth, neck, gum, tongue, deep = (np.repeat(c @ LUMA, 3) for c in found)
    return Colours(lips, hue, tooth, neck, gum, tongue, deep, np.zeros(3))


def _tinted(hue: NDArray[Any], brightness: float) -> Array:
    tint = np.asarray(hue, np.float64)
    out: Array = tint / float(tint @ LUMA) * brightness
    return np.minimum(out, 250.0)


def _lips(picture: Image, rims: Rims, scale: float) -> Array:
    s = np.linspace(-0.5, 0.5, 21) * rims.half_width
    upper, lower = rims.curves(s)
    rows = [
        look_up(picture, *rims.to_picture(s, t)) for t in (upper - 0.3 * scale, lower + 0.4 * scale)
    ]
    out: Array = np.concatenate(rows).mean(0).astype(np.float64)
    return out


def _at(picture: Image, points: NDArray[Any]) -> Array:
    h, w = picture.shape[:2]
    xy = np.asarray(points, np.float64)[:, :2]
    inside = ((xy >= 0) & (xy <= [w - 1, h - 1])).all(1)
    return look_up(picture, *xy[inside].T).astype(np.float64)


def _white(picture: Image, mesh: NDArray[Any]) -> Array:
    """The white of the eyes: the bright and pale part of what the lids leave open, glints left
    out."""
    share = np.linspace(0.35, 0.8, 7)[:, None, None]
    seen = []
    for upper, lower in EYES:
        above, below = (np.asarray(mesh, np.float64)[rim[1:-1], :2] for rim in (upper, lower))
        # twice as many places as points
        above, below = (np.concatenate([p, (p[1:] + p[:-1]) / 2]) for p in (above, below))
        at = above + share * (below - above)
        seen.append(look_up(picture, at[..., 0], at[..., 1]).reshape(-1, 3))
    values = np.concatenate(seen).astype(np.float64)
    brightness = values @ LUMA
    low, high = np.quantile(brightness, [0.7, 0.95])
    out: Array = values[(brightness >= low) & (brightness <= high)].mean(0)
    return out
