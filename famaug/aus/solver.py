"""Which AU intensities explain an observed motion: regularised non-negative least squares.

The units are far from independent (AU12, 14, 15 and 20 all pull at the lip corner), so a prior is
needed. What a rigid head motion could have caused is projected out of both the observation and the
columns; further columns stand for motions that are no AU.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import nnls

from famaug.aus.basis import COLUMNS, FULL
from famaug.types import AUS

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Prior:
    """Strengths of the prior, relative to the median energy of a unit.

    Attributes:
        ridge: weight of the squared intensities.
        sparse: weight of the plain intensities, in units of the ridge.
        tie: weight of the squared left-right difference, in units of the ridge.
        adapt: growth of the ridge with the motion energy inside a unit's own support; keeps
            small motions undamped and big ones from being split over many units.
        spread: expected size of a unit's intensity against the others, by AU number.
    """

    ridge: float
    sparse: float = 0.0
    tie: float = 0.0
    adapt: float = 0.0
    nuisance: float = 4.0
    spread: dict[int, float] = field(default_factory=dict)


class Solution(NamedTuple):
    """`intensity` `17 2` (AU, side); `explained` share of the observed motion, 0-1."""

    intensity: Array
    explained: float


class UnitSolver:
    """Solves for one kind of observation.

    Args:
        columns: `R K`, motion of each row for intensity 5: 34 AU columns (AU-major, left then
            right), then nuisances, then those of `also`.
        rigid: `R P`, motions of a rigid head, to be projected out.
        weight: `R`, weight of each row.
        prior: see `Prior`.
        axes: rows that belong to one point, 2 or 3.
        also: AU columns that the last columns are other shapes of, as people differ; what is
            found of these counts towards the AU.
    """

    def __init__(
        self,
        columns: Array,
        rigid: Array,
        weight: Array,
        prior: Prior,
        *,
        axes: int,
        also: NDArray[np.integer[Any]] | None = None,
    ) -> None:
        self.weight, self.prior, self.axes = weight, prior, axes
        self.also = np.zeros(0, np.int64) if also is None else np.asarray(also, np.int64)
        self.rigid = np.linalg.qr(rigid * weight[:, None])[0]
        weighted = columns * weight[:, None]
        self.columns = weighted - self.rigid @ (self.rigid.T @ weighted)
        self.gram = self.columns.T @ self.columns
        self.energy = np.diag(self.gram).copy()
        self.whole = np.square(columns * weight.max()).sum(0)
        self.unit = float(np.median(self.energy[:COLUMNS]))
        spread = np.repeat([prior.spread.get(au, 1.0) for au in AUS], 2)
        self.ridge = np.full(columns.shape[1], prior.ridge * self.unit)
        self.ridge[:COLUMNS] /= np.square(spread)
        self.ridge[COLUMNS:] *= prior.nuisance
        self.ridge[len(self.ridge) - len(self.also) :] /= spread[self.also]
        self.ties = self._ties(columns.shape[1])
        reach = np.abs(weighted).reshape(-1, axes, columns.shape[1]).sum(1)
        self.support = np.clip(2 * reach / (reach.max(0) + 1e-12), 0, 1)  # points x columns

    def _ties(self, size: int) -> Array:
        out = np.zeros((size, size))
        for i in range(0, COLUMNS, 2):
            out[i : i + 2, i : i + 2] = [[1, -1], [-1, 1]]
        return out * self.prior.tie * self.prior.ridge * self.unit

    @property
    def observability(self) -> Array:
        """`17 2`, 0-1: the part of a unit's motion that is seen (the rest lies where there is
        no texture, or could be a turn of the head), times what the prior leaves of it."""
        energy, ridge = self.energy[:COLUMNS], self.ridge[:COLUMNS]
        seen = np.sqrt(energy / np.maximum(self.whole[:COLUMNS], 1e-12))
        out: Array = (seen * energy / (energy + ridge)).reshape(len(AUS), 2)
        return out

    def solve(self, motion: Array) -> Solution:
        """Intensities for an observed motion, `R` values in the columns' unit."""
        seen = motion * self.weight
        seen = seen - self.rigid @ (self.rigid.T @ seen)
        energy = np.square(seen).reshape(-1, self.axes).sum(1)
        growth = 1 + self.prior.adapt * (self.support.T @ energy) / self.unit
        pair = np.sqrt(np.outer(growth, growth))
        gram = self.gram + np.diag(self.ridge * growth) + self.ties * pair
        target = self.columns.T @ seen - self.prior.sparse * self.ridge
        root = cholesky(gram, lower=True)
        found, _ = nnls(root.T, solve_triangular(root, target, lower=True))
        rest = float(np.square(seen - self.columns @ found).sum())
        whole = float(np.square(seen).sum())
        explained = 1 - rest / whole if whole > 0 else 1.0
        units = found[:COLUMNS].copy()
        np.add.at(units, self.also, found[len(found) - len(self.also) :])
        return Solution(units.reshape(len(AUS), 2) * FULL, max(explained, 0.0))
