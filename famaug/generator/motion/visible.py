"""How a person's mesh moves in a picture: the fitted basis, made fit to be looked at.

The fitted basis is scaled point by point with the local size of the face. Five things in it would
show in a picture and are put right here: a jaw that drops too far, lips whose scale was taken
across an open mouth, an upper lip that rises alone, lids that stop short of closing, and brows
drawn down by a blink.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.aus.basis import load_basis
from famaug.aus.fit import PersonBasis
from famaug.aus.lips_and_jaw import soften_drop
from famaug.faces.landmarks import OUTER_LIPS, SKIN_POINTS
from famaug.generator.motion.opening import EYES, MOUTH
from famaug.types import AU_INDEX

Array = NDArray[np.float64]
_OVERLAP = 0.18
"""Centimetres by which the upper lid passes the lower one at AU45 = 5."""
_SINK = 0.12
"""Share of the opening by which the upper lid comes down at AU07 = 5."""
_FOLLOW = 0.35
"""Share of AU45's motion that the skin above the lid makes: new skin comes out of the fold."""
_SEAL = 0.35
"""Share of the upper lip's way that the lower one goes with it at AU10."""
_LOWER_LIP, _UPPER_LIP = 17, 0
_BROW = ((282, 295, 283), (52, 65, 53))
_PARTING = tuple(AU_INDEX[au] for au in (10, 25, 26))
_LIP_MOTION = tuple(AU_INDEX[au] for au in AU_INDEX if au not in (45, 7, 23))


def visible_motion(person: PersonBasis) -> Array:
    """`17 2 478 3`, centimetres at intensity 5 in the head frame."""
    motion = person.motion.copy()
    _even_lips(motion, person)
    soften_drop(motion[AU_INDEX[26]], person.basis.neutral)
    _seal_raised_lip(motion[AU_INDEX[10]])
    for side in (0, 1):
        _close_lids(motion[AU_INDEX[45], side], person.neutral, side)
        _sink_lid(motion[AU_INDEX[7], side], person.neutral, side)
    return motion


@cache
def _lips() -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]:
    """For the lower and the upper lip: its points, and skin points beside it."""
    points = load_basis().neutral[:SKIN_POINTS, :2]
    outline = points[list(OUTER_LIPS)].astype(np.float32)
    inside = np.array(
        [cv2.pointPolygonTest(outline, (float(x), float(y)), True) > -0.02 for x, y in points]
    )
    middle = points[[61, 291], 1].mean()
    out = []
    for edge, below in ((_LOWER_LIP, True), (_UPPER_LIP, False)):
        part = inside & ((points[:, 1] < middle) == below)
        beyond = (points[:, 1] < points[edge, 1]) == below
        near = np.linalg.norm(points - points[edge], axis=1) < 1.6
        out.append((np.flatnonzero(part), np.flatnonzero(near & beyond & ~inside)))
    return tuple(out)


def _even_lips(motion: Array, person: PersonBasis) -> None:
    """Gives each lip the vertical scale of the skin beside it. Measured over neighbours on both
    sides of the opening, its own would be that of the opening. Units in which the lips move as
    one get one scale for both, or a smile would part them."""
    basis = person.basis
    weight = np.square(basis.nuisance[..., 1]).sum(0)
    scale = (basis.nuisance[..., 1] * person.nuisance[..., 1]).sum(0) / np.maximum(weight, 1e-12)
    own = [float(np.median(scale[skin][weight[skin] > 1e-6])) for _, skin in _lips()]
    both = float(np.mean(own))
    for (lip, _), apart in zip(_lips(), own, strict=True):
        for unit in _LIP_MOTION:
            size = apart if unit in _PARTING else both
            motion[unit][:, lip, 1] = basis.motion[unit][:, lip, 1] * size


@cache
def _followers() -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Points of the lower lip, the point of the upper rim above each, and how far it follows."""
    points = load_basis().neutral[:, :2]
    upper, lower = (np.array(rim) for rim in MOUTH)
    lip, _ = _lips()[0]
    above = upper[np.abs(points[lip, None, 0] - points[None, upper, 0]).argmin(1)]
    rim = lower[np.abs(points[lip, None, 0] - points[None, lower, 0]).argmin(1)]
    depth = np.maximum(points[rim, 1] - points[lip, 1], 0)
    return lip, above, _SEAL * np.exp(-np.square(depth / 0.45))


def _seal_raised_lip(raised: Array) -> None:
    """Lets the lower lip follow a raised upper lip most of the way, `2 478 3` in place: closed lips
    stay together until the raise is strong."""
    lip, above, share = _followers()
    raised[:, lip] += share[:, None] * (raised[:, above] - raised[:, lip])


def _sink_lid(tight: Array, neutral: Array, side: int) -> None:
    """Lets the upper lid come down a little as AU07 raises the lower one (FACS)."""
    rim = np.array(EYES[side][0])[1:-1]
    tight[rim, 1] -= _SINK * np.maximum(_gap(neutral, side)[1:-1], 0)


def _gap(neutral: Array, side: int) -> Array:
    """Height of an eye's opening under each point of its upper rim, centimetres."""
    upper, lower = (np.array(r) for r in EYES[side])
    order = np.argsort(neutral[lower, 0])
    floor = np.interp(neutral[upper, 0], neutral[lower, 0][order], neutral[lower, 1][order])
    gap: Array = neutral[upper, 1] - floor
    return gap


def _close_lids(blink: Array, neutral: Array, side: int) -> None:
    """Makes the upper rim reach just beyond the lower one; spares a brow that lies close."""
    upper = np.array(EYES[side][0])
    gap = _gap(neutral, side)
    taper = np.sqrt(np.clip(gap / max(float(gap.max()), 1e-6), 0, 1))
    asked = gap + _OVERLAP * taper
    had = -blink[upper, 1]
    rim = upper[1:-1]
    mean = load_basis().neutral
    brow = list(_BROW[side])
    room = (neutral[brow, 1].mean() - neutral[upper[3:-3], 1].mean()) / (
        mean[brow, 1].mean() - mean[upper[3:-3], 1].mean()
    )
    share = float(np.clip(asked[1:-1].sum() / max(float(had[1:-1].sum()), 1e-6), 0.5, 1.6))
    others = np.setdiff1d(np.arange(len(blink)), upper)
    blink[others] *= min(share, 1.2) * float(np.clip(1.6 * room - 0.6, 0.2, 1))
    above = others[neutral[others, 1] > neutral[upper, 1].mean()]
    blink[above] *= _FOLLOW
    blink[rim, 1] = -np.maximum(asked[1:-1], 0)
