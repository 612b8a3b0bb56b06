"""AUs from dense optical flow in the frontal face map, seeded by the landmarks.

Landmarks give pose and a first guess; the frame is unrolled with both, and DIS flow against the
clip's neutral map gives what is left. Guess and rest together are explained by the AU basis.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.aus.basis import COLUMNS, FULL, to_head_axes
from famaug.aus.face_map import SCALE, FaceMap
from famaug.aus.fit import PersonBasis
from famaug.aus.solver import Prior, UnitSolver
from famaug.faces.pose import fit_similarity
from famaug.types import Floats, Picture

Array = NDArray[np.float64]
PRIOR = Prior(
    ridge=0.015, sparse=0.2, tie=3.0, adapt=5.0, spread={6: 1.4, 10: 0.6, 14: 0.75, 15: 0.45}
)
STRIDE = 4
_LARGEST_SEED = 6.0
_EVEN = 5.0
"""Pixels of the face map over which brightness is evened; its samples have 14 to the centimetre."""


class FlowReading(NamedTuple):
    """`intensity` `17 2`; `explained` share of the motion, 0-1; `agreement` share of the face
    that still looks like the neutral map once the motion is taken out, 0-1."""

    intensity: Array
    explained: float
    agreement: float


class FlowSolver:
    """Flow solver for one person and one neutral frame.

    Args:
        person: the fitted basis.
        neutral: uint8 `H W`, the grey neutral frame that `person.pose` belongs to.
    """

    def __init__(self, person: PersonBasis, neutral: Picture, prior: Prior = PRIOR) -> None:
        self.person = person
        self.map = FaceMap(person)
        self.reference = self.map.unroll(neutral, person.pose)
        self.even = _evened(self.reference)
        self.coarse, self.fine = _dis_flow(finest=1, patch=6), _dis_flow(finest=0, patch=4)
        self.sel = self._samples()
        self.texture = self._texture()
        self.solver = self._solver(prior)
        self.at_samples = self.map.gather[np.flatnonzero(self.sel.ravel())]

    def _samples(self) -> NDArray[np.bool_]:
        near_hole = cv2.dilate(self.map.holes.astype(np.uint8), np.ones((3, 3), np.uint8))
        skin = (self.map.mask & (near_hole == 0)).astype(np.uint8)
        inner = cv2.erode(skin, np.ones((5, 5), np.uint8)).astype(bool)
        grid = np.zeros_like(inner)
        grid[::STRIDE, ::STRIDE] = True
        return np.asarray(inner & grid, np.bool_)

    def _texture(self) -> Array:
        """Weight of each sample: flow is only as good as the texture below it."""
        smooth = cv2.GaussianBlur(self.reference, (0, 0), 1.0).astype(np.float32)
        strength = cv2.cornerMinEigenVal(smooth, 9, 3)[self.sel].astype(np.float64)
        scale = max(float(np.percentile(strength, 75)), 1e-12)
        return np.asarray(np.sqrt(np.clip(strength / scale, 0.03, 1)), np.float64)

    def _solver(self, prior: Prior) -> UnitSolver:
        person = self.person
        units, others = (m.reshape(COLUMNS, -1, 3) for m in (person.motion, person.modelled))
        also = np.flatnonzero((units != others).any((1, 2)))
        fields = [*units, *person.nuisance, *others[also]]
        columns = np.stack([self.map.dense(f[:, :2])[self.sel].ravel() for f in fields], 1)
        place = self.map.dense(person.neutral)[self.sel]
        weight = np.sqrt(np.repeat(self.texture, 2)) * STRIDE / SCALE
        return UnitSolver(columns, _rigid(place), weight, prior, axes=2, also=also)

    def read(self, mesh: Floats, frame: Picture, seed: Array) -> FlowReading:
        """Intensities of one frame: a coarse flow betters the guess, a fine one finishes.

        Args:
            mesh: `478 3` in picture axes.
            frame: uint8 `H W` grey.
            seed: `17 2`, a first guess, as from `PointSolver`.
        """
        person = self.person
        pose = fit_similarity(person.neutral, to_head_axes(mesh), person.basis.rest)
        guess = seed
        for method in (self.coarse, self.fine):
            share = np.clip(guess, 0, _LARGEST_SEED) / FULL
            known = np.tensordot(share, person.motion, ([0, 1], [0, 1]))
            current = self.map.unroll(frame, pose, known)
            rest = method.calc(self.even, _evened(current), None)
            smooth = cv2.blur(rest, (5, 5))[self.sel] * [1, -1] / SCALE
            moved = self.at_samples @ known[:468, :2] + smooth
            solution = self.solver.solve(moved.ravel())
            guess = solution.intensity
        return FlowReading(guess, solution.explained, self._agreement(current, rest))

    def _agreement(self, current: Picture, flow: NDArray[np.float32]) -> float:
        """Share of textured samples whose patch, flow taken out, correlates with the neutral's."""
        height, width = current.shape
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        back = cv2.remap(current, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)
        a, b = self.reference.astype(np.float32), back.astype(np.float32)
        size = (13, 13)
        ma, mb = cv2.blur(a, size), cv2.blur(b, size)
        cov = cv2.blur(a * b, size) - ma * mb
        va, vb = cv2.blur(a * a, size) - ma * ma, cv2.blur(b * b, size) - mb * mb
        textured = self.sel & (va > 9)
        if not textured.any():
            return 0.0
        like = cov[textured] / np.sqrt(np.maximum(va * vb, 1e-6)[textured])
        return float((like > 0.5).mean())


def _evened(picture: Picture) -> Picture:
    """Every place as bright and as full of contrast as every other, `H W` grey: folds shade skin
    that does not move, and flow takes a shade that comes and goes for motion."""
    grey = picture.astype(np.float32)
    mean = cv2.GaussianBlur(grey, (0, 0), _EVEN)
    detail = (grey - mean) / (mean + 10)
    spread = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), _EVEN))
    out: Picture = np.clip(128 + 90 * detail / (spread + 0.1), 0, 255).astype(np.uint8)
    return out


def _dis_flow(*, finest: int, patch: int) -> cv2.DISOpticalFlow:
    """DIS flow down to halved (1) or single pixels (0). OpenCV's presets stop at halved pixels,
    where the small units of lids and lips drown: on rendered faces of known AUs that costs .03
    of r over all AUs and .08 of left minus right."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow.setFinestScale(finest)
    flow.setPatchSize(patch)
    flow.setPatchStride(patch // 2)
    flow.setGradientDescentIterations(12)
    flow.setVariationalRefinementIterations(2)
    flow.setVariationalRefinementAlpha(10.0)
    return flow


def _rigid(points: Array) -> Array:
    """`2N 6`: shifts, roll, growth, and the parallax of a small yaw and pitch."""
    x, y = points[:, 0], points[:, 1]
    z = points[:, 2] - points[:, 2].mean()
    nil, one = np.zeros_like(x), np.ones_like(x)
    fields = [(one, nil), (nil, one), (-y, x), (x, y), (z, nil), (nil, z)]
    return np.stack([np.stack(f, 1).ravel() for f in fields], 1)
