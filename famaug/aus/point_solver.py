"""AUs from mesh landmarks alone: fast, and the seed of the flow estimator.

The mesh net is blind to AU06 and AU09 (measured gain .05 and .15) and puts the mouth's motion on
both sides whichever moved; `NOT_OBSERVABLE` says so.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from famaug.aus.basis import COLUMNS, to_head_axes
from famaug.aus.fit import PersonBasis
from famaug.aus.solver import Prior, Solution, UnitSolver
from famaug.faces.landmarks import OVAL
from famaug.faces.pose import fit_similarity
from famaug.types import Floats

Array = NDArray[np.float64]

NOT_OBSERVABLE = (6, 9)
"""AUs that landmarks cannot see at all."""
ONE_SIDED_UNKNOWN = (10, 17, 23, 25, 26)
"""AUs whose left-right difference landmarks cannot see: the mouth's sides are a shape prior."""
PRIOR = Prior(
    ridge=2e-3,
    tie=0.5,
    spread={14: 0.4, 20: 0.4, 15: 0.5, 10: 0.6, 23: 0.5, 17: 0.7, 9: 0.7},
)
_DEPTH_WEIGHT = 0.15
_OVAL_WEIGHT = 0.3


class PointSolver:
    """Landmark solver for one person.

    Args:
        person: the fitted basis; its `seen` motions are used.
    """

    def __init__(self, person: PersonBasis, prior: Prior = PRIOR) -> None:
        self.person = person
        weight = np.ones(len(person.neutral))
        weight[list(OVAL)] = _OVAL_WEIGHT
        weight[468:] *= 0.7
        rows = np.sqrt(np.stack([weight, weight, weight * _DEPTH_WEIGHT], 1))
        units = person.seen.reshape(COLUMNS, -1).T
        nuisance = person.nuisance.reshape(len(person.nuisance), -1).T
        columns = np.concatenate([units, nuisance], 1)
        self.solver = UnitSolver(columns, _rigid(person.neutral), rows.ravel(), prior, axes=3)

    def solve(self, mesh: Floats) -> Solution:
        """Intensities of one mesh `478 3` in picture axes."""
        person = self.person
        points = to_head_axes(mesh)
        laid = fit_similarity(points, person.neutral, person.basis.rest).apply(points)
        return self.solver.solve((laid - person.neutral).ravel())


def _rigid(points: Array) -> Array:
    """`3N 7`: shifts, turns and growth of a set of points."""
    shifts = [np.broadcast_to(axis, points.shape) for axis in np.eye(3)]
    turns = [np.cross(axis, points) for axis in np.eye(3)]
    return np.stack([m.ravel() for m in (*shifts, *turns, points)], 1)
