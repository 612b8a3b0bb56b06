"""How far the motion of a unit reaches over the skin.

The basis comes from modelled faces, in which a unit moves everything round it smoothly: a smile
everything down to the chin, a frown the whole forehead. In the flow pictures of real
micro-expressions what moves is narrow: the corner of the mouth and the cheek above it, the brow's
own line. These factors and additions were set by eye beside the class means of such pictures
(docs/does_it_help.md says of whom, and what it gave). Units that were modelled otherwise than FACS
describes are drawn anew (`famaug.aus.authored`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from famaug.aus.authored import drawn_anew
from famaug.aus.lips_and_jaw import parted
from famaug.types import AU_INDEX

Array = NDArray[np.float64]
VERSION = "narrowed/3"
"""Part of what a basis is known by: other numbers here are another basis."""
_CORNERS = (291, 61)
"""Points at the corners of the mouth: of the person's left, and right."""
_BROW_LINE = 2.2
"""Height in the head frame, centimetres, above which the forehead begins."""
_FOREHEAD = 2.5
_BELOW_SMILE, _BESIDE_SMILE = 1.5, 2.0
_MOUND, _MOUND_SIZE, _MOUND_MOTION = (3.9, -3.9), (1.3, 1.5), (0.56, 0.385)
"""The cheek over a smile: its middle (to the side, y), size, and motion, in centimetres."""
_FROWNED_MOUTH = 2.5


def narrowed(motion: Array, seen: Array, neutral: Array) -> tuple[Array, Array]:
    """Motions as they are and as the mesh net sees them, both `17 2 478 3`, narrowed.

    AU01, 02, 04 and 09 fade out up the forehead, AU15 round the corners of the mouth, AU12 below
    and beside them, where it pushes the cheek out; AU04, 06, 09, 10, 14, 17 and 23 are drawn anew;
    AU25 parts the lips alone.
    The net is taken to see the same share of what was changed as of the unit itself.

    Args:
        motion, seen: centimetres at intensity 5 in the head frame.
        neutral: `478 3`, the mean neutral face.
    """
    out = parted(motion, neutral)
    for side in (0, 1):
        own = _reach(neutral, side)
        for au in (1, 2, 4, 9):
            out[AU_INDEX[au], side] *= own.below_forehead
        out[AU_INDEX[15], side] *= own.at_corner
        out[AU_INDEX[12], side] *= own.over_corner
        out[AU_INDEX[12], side] += own.mound
    out = drawn_anew(out, neutral)
    size = np.square(motion).sum((2, 3), keepdims=True)
    share = np.clip((seen * motion).sum((2, 3), keepdims=True) / np.maximum(size, 1e-12), 0, 1)
    return out, seen + share * (out - motion)


class _Reach(NamedTuple):
    """Of one side: factors `478 1`, and motions `478 3` at intensity 5."""

    below_forehead: Array
    at_corner: Array
    over_corner: Array
    mound: Array


def _reach(points: Array, side: int) -> _Reach:
    sign = 1.0 if side == 0 else -1.0
    aside, y = points[:, 0] * sign, points[:, 1]
    corner = points[_CORNERS[side], :2] * [sign, 1]
    far = np.hypot(aside - corner[0], y - corner[1])
    below = _fading(corner[1] - y, _BELOW_SMILE)
    beside = _fading(aside - corner[0] - 0.3, _BESIDE_SMILE)
    return _Reach(
        below_forehead=_fading(y - _BROW_LINE, _FOREHEAD)[:, None],
        at_corner=_fading(far - 0.3, _FROWNED_MOUTH)[:, None],
        over_corner=(below * beside)[:, None],
        mound=_moved(_bump(aside, y, _MOUND, _MOUND_SIZE), *_MOUND_MOTION, sign=sign),
    )


def _fading(distance: Array, reach: float) -> Array:
    """1 up to 0, then falling as a bell."""
    out: Array = np.exp(-np.square(np.maximum(distance, 0) / reach))
    return out


def _bump(aside: Array, y: Array, middle: tuple[float, float], size: tuple[float, float]) -> Array:
    out: Array = np.exp(
        -np.square((aside - middle[0]) / size[0]) - np.square((y - middle[1]) / size[1])
    ) * (aside > 0)
    return out


def _moved(weight: Array, out: float, up: float, *, sign: float) -> Array:
    """`478 3`: each point by its weight to its own side and up."""
    found: Array = weight[:, None] * np.array([out * sign, up, 0.0])
    return found
