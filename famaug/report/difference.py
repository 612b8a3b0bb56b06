"""Signed difference to a reference frame, in colours that do not lie.

The map runs from blue (darker) over a light grey (unchanged) to red (brighter) in straight lines
through OKLab (Ottosson 2020), so that equal steps look equal and both sides weigh the same; blue
against red stays readable with the common colour-vision deficiencies. Neutral grey means that a
pixel is bit-identical to the reference: the smallest change already stands off from it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError
from famaug.types import Frames, Picture

_NEUTRAL = (0.945, 0.0, 0.0)
_DARKER = (0.42, 0.140, 258.0)  # lightness, chroma, hue in degrees
_BRIGHTER = (0.42, 0.150, 29.0)
_FIRST_STEP = 0.06  # how far from neutral the smallest change is drawn


def _oklch_to_srgb(lch: NDArray[np.float64]) -> NDArray[np.uint8]:
    """uint8 `N 3` of `N 3` (lightness, a, b) in OKLab."""
    l_, m_, s_ = (
        lch @ np.array([[1.0, 1.0, 1.0], [0.3963377774, -0.1055613458, -0.0894841775],
                        [0.2158037573, -0.0638541728, -1.2914855480]])
    ).T ** 3  # fmt: skip
    linear = np.stack(
        [
            4.0767416621 * l_ - 3.3077115913 * m_ + 0.2309699292 * s_,
            -1.2684380046 * l_ + 2.6097574011 * m_ - 0.3413193965 * s_,
            -0.0041960863 * l_ - 0.7034186147 * m_ + 1.7076147010 * s_,
        ],
        axis=1,
    ).clip(0, 1)
    coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(coded * 255), np.uint8)


@lru_cache(maxsize=1)
def diverging_map() -> NDArray[np.uint8]:
    """uint8 `511 3`: colour of the amplified differences -255 ... 255; entry 255 is neutral."""
    steps = np.linspace(0, 1, 256)[:, None]
    steps[1:] = _FIRST_STEP + (1 - _FIRST_STEP) * steps[1:]
    sides = []
    for lightness, chroma, hue in (_DARKER, _BRIGHTER):
        angle = np.deg2rad(hue)
        end = np.array([lightness, chroma * np.cos(angle), chroma * np.sin(angle)])
        sides.append(_oklch_to_srgb(np.array(_NEUTRAL) * (1 - steps) + end * steps))
    table = np.concatenate([sides[0][:0:-1], sides[1]])
    table.flags.writeable = False
    return table


def signed_difference(frame: Picture, reference: Picture) -> NDArray[np.int16]:
    """int16 `H W`, -255 ... 255: the signed change of the colour channel that changed most.

    Unlike a change of luminance it is zero only where all three channels are equal.

    Raises:
        InputError: the two pictures differ in size.
    """
    if frame.shape != reference.shape:
        raise InputError(f"cannot compare pictures of {frame.shape} and {reference.shape}")
    change = frame.astype(np.int16) - reference.astype(np.int16)
    strongest = np.abs(change).argmax(axis=-1)[..., None]
    return np.take_along_axis(change, strongest, axis=-1)[..., 0]


def difference_picture(frame: Picture, reference: Picture, *, gain: int) -> Picture:
    """uint8 `H W 3`: the signed difference times `gain` in the diverging map.

    Raises:
        InputError: gain below 1, or pictures of different sizes.
    """
    if gain < 1:
        raise InputError(f"gain must be a whole number of at least 1; got {gain}")
    amplified = (signed_difference(frame, reference).astype(np.int32) * gain).clip(-255, 255)
    return np.asarray(diverging_map()[amplified + 255], np.uint8)


def fitting_gain(frames: Frames, reference: Picture) -> int:
    """The power of two, 1 ... 32, that brings 95 % of the changed pixels within the map."""
    change = np.abs(np.stack([signed_difference(f, reference) for f in frames]))
    changed = change[change > 0]
    if not len(changed):
        return 1
    room = 255 / np.percentile(changed, 95)
    return int(2 ** np.clip(np.floor(np.log2(room)), 0, 5))


def still_share(frames: Frames) -> float:
    """Share (0-1) of pixels that are bit-identical in every frame of the clip."""
    still: NDArray[np.bool_] = (frames == frames[:1]).all(axis=(0, 3))
    return float(still.mean())
