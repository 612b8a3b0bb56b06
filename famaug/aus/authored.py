"""Units whose modelled motion is not what FACS describes, drawn anew from a few points each.

The modelled face units come from posed heads: a raised cheek there goes up with the corner of the
mouth, a tightened mouth thins in its middle alone, a pushed-up lip leaves the corners where they
are, a raised lip leaves the cheek behind. Here the way of some points of the mesh is written down,
after what the FACS manual (Ekman, Friesen and Hager, 2002) says moves, and the rest of the
skin follows by radial interpolation that fades away from those points: tissue slides over a short
way and is anchored beyond it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from famaug.faces.landmarks import INNER_LIPS, LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS
from famaug.faces.ring import smooth_step
from famaug.types import AU_INDEX

Array = NDArray[np.float64]
_SMOOTHING = 0.02
_MIDDLE = 0.8
"""Centimetres from the midline over which one side's share of a motion fades out."""


class Drawn(NamedTuple):
    """One unit.

    Attributes:
        ways: where a point of the person's left, or of the midline, goes at intensity 5:
            millimetres away from the midline (below 0: towards it) and up.
        reach: centimetres over which the skin round a point goes with it.
        within: where skin goes with it: "all", "above eyes", "below eyes", "above mouth".
    """

    ways: Mapping[int, tuple[float, float]]
    reach: float
    within: str = "all"


DRAWN: Mapping[int, tuple[Drawn, ...]] = {
    # Brows together and down, the inner end most; the skin over the lid is crowded.
    4: (
        Drawn(
            {
                336: (-4.8, -5.6), 285: (-4.5, -5.6), 296: (-3.8, -5.7), 295: (-3.6, -5.7),
                334: (-2.6, -5.0), 282: (-2.4, -5.0), 293: (-1.5, -3.6), 283: (-1.4, -3.6),
                300: (-0.5, -1.8), 276: (-0.5, -1.8), 9: (0, -5.0), 8: (0, -4.4), 168: (0, -2.0),
                6: (0, -0.6), 10: (0, 0), 151: (0, -1.2), 299: (-0.6, -1.2), 337: (-0.8, -1.2),
                442: (-1.7, -3.8), 258: (-0.8, -2.4), 443: (-1.0, -3.2), 257: (-0.5, -2.2),
                444: (-0.5, -1.8), 286: (-1.6, -2.2), 413: (-0.8, -1.0), 385: (0, -0.7),
                387: (0, -0.6), 384: (0, -0.5), 414: (0, -0.3),
            },
            1.0,
            "above eyes",
        ),
    ),
    # The cheek rises towards the lower lid, which is pushed up; the skin beside the eye closes in.
    6: (
        Drawn(
            {
                390: (-0.3, 1.5), 373: (-0.2, 1.8), 374: (-0.1, 1.7), 380: (0, 1.2), 381: (0, 0.7),
                382: (0, 0.3), 253: (-0.1, 2.2), 254: (-0.2, 2.3), 450: (0, 3.2),
                449: (-0.2, 3.6), 451: (0, 1.8), 348: (0.2, 5.2), 347: (0.6, 6.2), 346: (0.8, 5.0),
                330: (1.0, 5.6), 280: (2.2, 5.2), 329: (0.1, 2.2), 345: (-0.4, 1.8),
                266: (0.4, 2.6), 425: (1.5, 2.8), 352: (1.1, 2.0), 437: (0, 0.2), 358: (0.1, 0.3),
                426: (0.1, 0.4), 427: (0.2, 0.6),
            },
            1.0,
            "below eyes",
        ),
        Drawn(
            {
                359: (-0.3, 0), 446: (-0.8, 0.4), 467: (-0.6, -0.4), 342: (-1.2, -0.5),
                265: (-1.8, 0.8), 353: (-1.8, -0.6), 340: (-1.2, 1.4), 372: (-1.6, 0.6),
                383: (-1.4, -0.5), 261: (-0.6, 1.4), 276: (-0.6, -1.0), 445: (-0.5, -1.0),
                260: (-0.2, -0.5), 346: (0, 0), 264: (-0.8, 0.3),
            },
            0.7,
        ),
    ),
    # Sides of the nose and its wings are drawn up, the brows' heads down: the root folds.
    9: (
        Drawn(
            {
                358: (0.6, 4.4), 279: (0.6, 4.4), 429: (0.2, 4.4), 420: (0, 4.2), 437: (-0.2, 3.6),
                355: (0, 3.8), 277: (0, 3.2), 343: (0, 2.0), 357: (0, 1.0), 399: (-0.2, 2.0),
                4: (0, 1.2), 2: (0, 1.4), 5: (0, 1.0), 195: (0, 0.8), 329: (0, 2.4), 349: (0, 1.8),
                371: (0.2, 3.4), 423: (0.3, 2.6), 266: (0.1, 1.4), 426: (0.2, 1.2), 0: (0, 0.9),
                267: (0, 1.1), 391: (0.1, 1.5), 269: (0, 0.8), 270: (0, 0.4), 13: (0, 0.3),
                311: (0, 0.3), 291: (0, 0), 17: (0, 0), 451: (0, 0.8), 341: (0, 0.3), 381: (0, 0.2),
                374: (0, 0.2), 362: (0, 0),
            },
            0.9,
            "below eyes",
        ),
        Drawn(
            {
                336: (-1.6, -2.6), 285: (-1.6, -2.6), 296: (-1.0, -1.8), 295: (-1.0, -1.8),
                334: (-0.4, -0.8), 9: (0, -2.6), 8: (0, -2.4), 168: (0, -1.2), 6: (0, 0),
                151: (0, -0.6), 442: (-0.4, -1.0), 286: (-0.4, -1.0), 413: (-0.2, -0.2),
                385: (0, 0),
            },
            0.9,
            "above eyes",
        ),
    ),
    # The upper lip is drawn up, the middle of each half most; fold, cheek and wing go with it.
    10: (
        Drawn(
            {
                0: (0, 3.6), 267: (0.2, 4.4), 269: (0.4, 5.4), 270: (0.6, 5.0), 409: (0.6, 3.0),
                13: (0, 4.4), 312: (0.2, 4.8), 311: (0.3, 5.4), 310: (0.3, 4.8), 415: (0.4, 3.4),
                308: (0.3, 1.6), 291: (0.2, 1.0), 164: (0, 2.0), 391: (0.6, 4.2), 322: (0.8, 4.4),
                426: (0.7, 3.8), 436: (0.5, 2.6), 423: (0.6, 3.0), 425: (0.3, 2.0), 266: (0.2, 1.6),
                358: (0.7, 1.9), 429: (0.2, 1.1), 437: (0, 0.4), 2: (0, 0.5), 4: (0, 0),
                280: (0, 0.8), 287: (0.2, 0.8), 432: (0, 0.4), 427: (0.1, 0.8), 329: (0, 0.4),
            },
            0.8,
            "above mouth",
        ),
    ),
    # The corner is drawn in and tightened, and the skin beside and below it comes towards it.
    14: (
        Drawn(
            {
                291: (-4.2, 0.8), 306: (-3.7, 0.7), 409: (-3.5, -0.4), 375: (-3.4, 2.0),
                270: (-2.0, -0.1), 321: (-1.9, 1.2), 310: (-1.4, 0.3), 269: (-0.8, 0),
                405: (-0.6, 0.4),
                311: (-0.6, 0.2), 287: (-4.2, 0.7), 410: (-3.0, -0.8), 273: (-3.3, 2.0),
                432: (-2.4, 0.6), 436: (-1.2, -0.6), 422: (-1.6, 1.2), 424: (-1.2, 1.4),
                426: (-0.3, -0.1), 434: (-0.6, 0.1), 418: (-0.4, 0.7), 13: (0, 0), 0: (0, 0),
                17: (0, 0), 430: (-0.4, 0.4),
            },
            0.8,
        ),
    ),
    # The chin's boss goes up and pushes the lower lip; the mouth line arches, corners a bit down.
    17: (
        Drawn(
            {
                17: (0, 5.8), 14: (0, 4.6), 317: (0, 4.0), 402: (0, 3.0), 318: (0, 1.8),
                0: (0, 3.6), 267: (0, 3.0), 269: (0, 1.8), 2: (0, 0.3), 164: (0, 1.8),
                314: (0, 5.0), 405: (0, 3.6), 321: (0.1, 1.0), 375: (0.2, -0.4), 291: (0.2, -1.6),
                308: (0.2, -1.0), 409: (0.1, -0.8), 270: (0, 0.4), 287: (0.1, -1.4),
                432: (0, -0.6), 436: (0, -0.4), 424: (0, 0.2), 418: (-0.2, 2.2), 406: (0, 3.6),
                18: (0, 6.5), 200: (0, 7.2), 421: (-0.2, 6.0), 199: (0, 6.0), 428: (-0.3, 4.6),
                262: (-0.2, 1.4), 175: (0, 3.2), 396: (0, 2.2), 152: (0, 1.0), 369: (0, 0.4),
                335: (0, 1.6), 431: (0, 0),
            },
            0.8,
        ),
    ),
    # The red of both lips is rolled in over its whole width, and the mouth draws together.
    23: (
        Drawn(
            {
                0: (0, -4.0), 267: (-0.1, -4.5), 269: (-0.3, -3.5), 270: (-0.8, -1.9),
                409: (-1.2, -0.7), 291: (-1.4, 0), 13: (0, 0), 312: (-0.2, 0), 311: (-0.4, 0),
                310: (-0.7, 0), 415: (-1.0, 0), 308: (-1.2, 0), 17: (0, 5.2), 314: (-0.1, 4.8),
                405: (-0.4, 4.1), 321: (-0.8, 2.5), 375: (-1.2, 1.2), 2: (0, -0.3), 164: (0, -1.8),
                391: (-0.3, -1.6), 18: (0, 3.3), 200: (0, 0.8), 313: (-0.1, 2.9), 406: (-0.5, 2.4),
                418: (-0.3, 0.6), 424: (-0.5, 0.4), 322: (-0.8, -1.1), 426: (-0.1, -0.2),
                287: (-1.2, 0), 432: (-0.4, 0),
            },
            0.55,
        ),
    ),
}  # fmt: skip
"""By AU. FACS says of: AU04 that it "lowers the eyebrow and pulls the eyebrows closer together";
AU06, draws skin towards the eye from temple and cheek; AU09, pulls the skin along the sides
of the nose upwards; AU10, raises the upper lip, its middle less than its halves; AU14, tightens
the corners; AU17, pushes chin boss and lower lip up; AU23, tightens the lips, whose red narrows."""


def drawn_anew(motion: Array, neutral: Array) -> Array:
    """Motions `17 2 478 3` with the units of `DRAWN` in place of the modelled ones, which keep
    their depth.

    Args:
        motion: centimetres at intensity 5 in the head frame.
        neutral: `478 3`, the mean neutral face.
    """
    out = motion.copy()
    for au, parts in DRAWN.items():
        both = sum((_followed(part, neutral) for part in parts), np.zeros((len(neutral), 2)))
        for side in (0, 1):
            out[AU_INDEX[au], side, :, :2] = both * _share(neutral, side)[:, None]
    return out


def _followed(drawn: Drawn, neutral: Array) -> Array:
    """`478 2`, centimetres: how every point follows the drawn ones of both sides."""
    points = neutral[:, :2]
    ids = list(drawn.ways)
    ways = np.array([drawn.ways[i] for i in ids]) / 10
    aside = points[ids, 0] > 0.05
    at = np.concatenate([points[ids], points[ids][aside] * [-1, 1]])
    wanted = np.concatenate([ways, ways[aside] * [-1, 1]])
    follow = RBFInterpolator(
        at, wanted, kernel="gaussian", epsilon=1 / drawn.reach, smoothing=_SMOOTHING, degree=-1
    )
    found: Array = follow(points) * _within(drawn.within, neutral)[:, None]
    return found


def _within(where: str, neutral: Array) -> Array:
    """`478`: 1 where skin goes along, 0 elsewhere."""
    if where == "all":
        return np.ones(len(neutral))
    above = above_mouth(neutral) if where == "above mouth" else _above_eyes(neutral)
    return (~above if where == "below eyes" else above).astype(np.float64)


def _above_eyes(neutral: Array) -> NDArray[np.bool_]:
    """Above the line through the corners of the eye of the same side; corners are above."""
    x, y = neutral[:, 0], neutral[:, 1]
    line = np.zeros(len(neutral))
    for corners, here in ((LEFT_EYE_CORNERS, x >= 0), (RIGHT_EYE_CORNERS, x < 0)):
        (x0, y0), (x1, y1) = neutral[list(corners), :2]
        along = np.clip((x - x0) / (x1 - x0), 0, 1)
        line = np.where(here, y0 + along * (y1 - y0), line)
    return np.asarray(y > line - 0.05, np.bool_)


def above_mouth(neutral: Array) -> NDArray[np.bool_]:
    """Above the seam of the lips; beyond its corners, everything goes along."""
    half = len(INNER_LIPS) // 2
    upper = neutral[list(INNER_LIPS[: half + 1])]
    lower = neutral[[INNER_LIPS[0], *reversed(INNER_LIPS[half:])]]
    x, seam = (upper[:, 0] + lower[:, 0]) / 2, (upper[:, 1] + lower[:, 1]) / 2
    beyond = (neutral[:, 0] < x.min()) | (neutral[:, 0] > x.max())
    return np.asarray(beyond | (neutral[:, 1] >= np.interp(neutral[:, 0], x, seam)), np.bool_)


def _share(neutral: Array, side: int) -> Array:
    """`478`: one side's share of a motion of both; the two make 1."""
    sign = 1.0 if side == 0 else -1.0
    return smooth_step((sign * neutral[:, 0] / _MIDDLE + 1) / 2)
