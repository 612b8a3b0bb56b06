"""The AU basis: how the 478 mesh points move for each AU and side, and how to fit it to a face.

Derived from CC0 MakeHuman data (base mesh and face units), registered to the mesh points; AU12 is
re-authored, since the raw smile unit lifts the whole lower lip; then units are narrowed to where
real micro-expressions move (`famaug.aus.reach`). Units are centimetres in the head
frame (`famaug.faces.pose`) at intensity 5, the unit's full excursion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.aus.reach import VERSION, narrowed
from famaug.faces.pose import FLIP, Similarity, fit_similarity
from famaug.seeding import digest
from famaug.types import AUS
from famaug.weights.load import load_safetensors
from famaug.weights.shipped import SHIPPED, shipped_path

Array = NDArray[np.float64]
FULL = 5.0
"""The intensity at which the basis is given."""
COLUMNS = len(AUS) * 2


@dataclass(frozen=True, eq=False)
class AUBasis:
    """The basis arrays, float64.

    Attributes:
        neutral: `478 3`, mean neutral face.
        motion: `17 2 478 3`, displacement at intensity 5; side 0 is the person's left (x > 0).
        seen: as `motion`, but as the mesh net sees it (it is blind to some units).
        nuisance: `16 478 3`, motions that are no AU: jaw and mouth sideways, pucker, gaze, ...
        modelled: as `motion`, before units were narrowed or drawn anew: how others show them.
        triangles: `898 3`; `mirror`: `468`, the point on the other side.
    """

    neutral: Array
    motion: Array
    seen: Array
    nuisance: Array
    modelled: Array
    triangles: NDArray[np.int64]
    mirror: NDArray[np.int64]

    @property
    def rest(self) -> Array:
        """`478`: weight of each point for head pose, high where no AU moves it."""
        move = np.sqrt(np.square(self.motion.sum(1)).sum((0, 2)))
        weight: Array = 1 / (1 + np.square(move / 0.25))
        weight[468:] = 0
        return weight


BASIS = digest([SHIPPED["au_basis"].sha256, VERSION])
"""What keys of clips and measurements say of the basis."""


@cache
def modelled_basis() -> AUBasis:
    """The basis as it was modelled, before it is narrowed to where real expressions move."""
    t = {k: v.numpy() for k, v in load_safetensors(shipped_path("au_basis")).items()}
    f = {k: t[k].astype(np.float64) for k in ("neutral", "motion", "seen", "nuisance")}
    f["modelled"] = f["motion"]
    return AUBasis(
        **f, triangles=t["triangles"].astype(np.int64), mirror=t["mirror"].astype(np.int64)
    )


@cache
def load_basis() -> AUBasis:
    """The basis that ships with famaug, for rendering and measuring."""
    basis = modelled_basis()
    motion, seen = narrowed(basis.motion, basis.seen, basis.neutral)
    return replace(basis, motion=motion, seen=seen)


def to_head_axes(mesh: NDArray[Any]) -> Array:
    """A mesh in picture axes (`... 478 3`) with y up and z towards the viewer."""
    out: Array = np.asarray(mesh, np.float64) * FLIP
    return out


def head_pose(mesh: NDArray[Any], basis: AUBasis | None = None) -> Similarity:
    """Similarity from the basis' head frame (centimetres) to a mesh in head axes (pixels)."""
    basis = basis or load_basis()
    return fit_similarity(basis.neutral, to_head_axes(mesh), basis.rest)
