"""Fits the AU basis to one person's neutral face.

A unit moves a long chin further than a short one, and closing a wide eye takes a longer lid. The
basis is scaled point by point with the local size of the person's face against the mean face; the
lid units are scaled with the person's own eye opening, and the rolling in of lips with their red.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from famaug.aus.authored import above_mouth
from famaug.aus.basis import AUBasis, head_pose, load_basis, to_head_axes
from famaug.faces.landmarks import SKIN_POINTS
from famaug.faces.pose import Similarity, fit_similarity
from famaug.types import AU_INDEX, Floats

Array = NDArray[np.float64]
_NEIGHBOURS = 24
UPPER_LID = ((385, 386, 387), (158, 159, 160))
LOWER_LID = ((380, 374, 373), (153, 145, 144))
_UPPER_RED = ((0, 37, 267), (13, 82, 312))
_LOWER_RED = ((14, 87, 317), (17, 84, 314))
"""Points on the upper and the lower edge of the red of each lip."""


@dataclass(frozen=True, eq=False)
class PersonBasis:
    """The basis of one person.

    Attributes:
        neutral: `478 3`, the person's neutral face in the head frame, centimetres.
        motion: `17 2 478 3`, displacement at intensity 5, centimetres.
        seen: as `motion`, as the mesh net sees it.
        nuisance: `16 478 3`.
        modelled: as `motion`, before units were narrowed or drawn anew.
        pose: similarity from the head frame to the neutral mesh in head axes (pixels).
        basis: the basis it was fitted from.
    """

    neutral: Array
    motion: Array
    seen: Array
    nuisance: Array
    modelled: Array
    pose: Similarity
    basis: AUBasis


def fit_person(neutral_meshes: Floats, basis: AUBasis | None = None) -> PersonBasis:
    """From one neutral mesh `478 3` in picture axes, or several of the same face (`N 478 3`).

    Several are laid on each other by their resting points and averaged; `pose` is the first's.
    """
    basis = basis or load_basis()
    meshes = np.asarray(neutral_meshes, np.float64).reshape(-1, *basis.neutral.shape)
    mean = np.mean([head_pose(m, basis).inverse.apply(to_head_axes(m)) for m in meshes], 0)
    laid = [fit_similarity(to_head_axes(m), mean, basis.rest) for m in meshes]
    mean = np.mean([s.apply(to_head_axes(m)) for s, m in zip(laid, meshes, strict=True)], 0)
    scale = _local_scale(mean, basis)
    own = _Own(scale, _eye_openings(mean, basis), _reds(mean, basis))
    motion, seen, modelled = (_fitted(m, own) for m in (basis.motion, basis.seen, basis.modelled))
    pose = fit_similarity(mean, to_head_axes(meshes[0]), basis.rest)
    return PersonBasis(mean, motion, seen, basis.nuisance * scale, modelled, pose, basis)


@cache
def _neighbours() -> NDArray[np.int64]:
    points = load_basis().neutral[:SKIN_POINTS, :2]
    distance = np.square(points[:, None] - points[None]).sum(-1)
    return np.argsort(distance, axis=1, kind="stable")[:, 1 : _NEIGHBOURS + 1]


def _local_scale(person: Array, basis: AUBasis) -> Array:
    """`478 3`: size of the person's face over the mean face round each point, by axis."""
    near = _neighbours()
    mean_offset = basis.neutral[near] - basis.neutral[:SKIN_POINTS, None]
    own_offset = person[near] - person[:SKIN_POINTS, None]
    pull = 0.1  # towards 1 where the neighbours hardly spread along an axis
    scale = ((mean_offset * own_offset).sum(1) + pull) / (np.square(mean_offset).sum(1) + pull)
    out = np.ones_like(person)
    out[:SKIN_POINTS, :2] = np.clip(scale[:, :2], 0.6, 1.6)
    return out


class _Own(NamedTuple):
    """Of a person over the mean face: `scale` `478 3`, eye openings of the sides `2`, and the red
    of the lips round each point `478`."""

    scale: Array
    openings: Array
    reds: Array


def _fitted(source: Array, own: _Own) -> Array:
    """A basis scaled to the person; AU45 closes their own eye opening, AU07 follows in part, AU23
    rolls in a share of their own lips."""
    out = source * own.scale
    for au, low, high in ((45, 0.3, 1.6), (7, 0.6, 1.3)):
        unit = AU_INDEX[au]
        out[unit] = source[unit] * np.clip(own.openings, low, high)[:, None, None]
    rolled = AU_INDEX[23]
    out[rolled, ..., 1] = source[rolled, ..., 1] * own.reds
    return out


def _reds(person: Array, basis: AUBasis) -> Array:
    """`478`: height of the red of the upper lip (above the seam) or the lower one, over the mean
    face's."""
    upper, lower = (
        float(np.clip(_height(person, edges) / _height(basis.neutral, edges), 0.25, 1.3))
        for edges in (_UPPER_RED, _LOWER_RED)
    )
    return np.where(above_mouth(basis.neutral), upper, lower)


def _height(points: Array, edges: tuple[tuple[int, ...], tuple[int, ...]]) -> float:
    top, bottom = (points[list(edge), 1] for edge in edges)
    return float((top - bottom).mean())


def _eye_openings(person: Array, basis: AUBasis) -> Array:
    """For each side, the person's eye opening over the way that AU45 closes the mean eye."""
    out = np.ones(2)
    for side, (upper, lower) in enumerate(zip(UPPER_LID, LOWER_LID, strict=True)):
        up, low = list(upper), list(lower)
        own = (person[up, 1] - person[low, 1]).mean()
        blink = basis.motion[AU_INDEX[45], side]
        out[side] = own / (blink[low, 1] - blink[up, 1]).mean()
    return out
