"""A MakeHuman head whose truth is known: identities, action units, landmarks.

Coordinates are decimetres in the head's own frame: x to the person's left, y up, z forward, the
origin midway between the eyeballs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from material import fetch_material
from numpy.typing import NDArray
from safetensors.numpy import load_file

from famaug.errors import InputError
from famaug.types import AUS
from head.action_units import LipSeal, unit_fields
from head.identity import Complexion, draw_complexion, draw_shape, mean_shape
from head.makehuman import MakeHumanArchive
from head.paint import Features
from head.subdivision import Subdivision

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

PARTS = ("skin", "upper teeth", "lower teeth", "tongue", "left eye", "right eye")
_HELPERS = ("body", "helper-upper-teeth", "helper-lower-teeth", "helper-tongue")
_LOWEST = -2.9
_LID_GAP = 0.006
_IRIS = 0.058
_UPPER_LID = (362, 398, 384, 385, 386, 387, 388, 466, 263)
_LOWER_LID = (362, 382, 381, 380, 374, 373, 390, 249, 263)
"""Mesh points along the rims of the left eye's lids, from the nose outwards."""


@dataclass(frozen=True, eq=False)
class Identity:
    """One synthetic person.

    Attributes:
        seed: what it was drawn with; None is the mean head.
        points: float `n 3`, control points of the neutral head.
        eyes: float `2 4`, centre and radius of the left and the right eyeball.
        complexion: colours of skin, hair and eyes.
    """

    seed: int | None
    points: Array
    eyes: Array
    complexion: Complexion


@dataclass(frozen=True, eq=False)
class Surface:
    """What is rendered: float32 `m 3` vertices in the head's frame; triangles are the head's."""

    vertices: Floats


class MakeHumanHead:
    """The head, its surface and its fields; made once, shared by every picture.

    Attributes:
        triangles: int32 `t 3` of every surface.
        part: int8 `m`, index into `PARTS` for each surface vertex.
        material: float32 `m 3`, place on the mean head; skin is painted by it.
        uv: float32 `m 2`, texture coordinates of the masks.
        features: where the painted features lie.
        fields: float32 `17 2 m 3`, displacement at intensity 5, side 0 the person's left.
    """

    def __init__(self, archive_path: Path | None = None) -> None:
        """Args: archive_path: the MakeHuman archive; fetched by name if not given."""
        self._archive = archive = MakeHumanArchive(archive_path or fetch_material("makehuman_head"))
        self._mean = mean = mean_shape(archive)
        eye_level = _eyes(archive, mean)[:, :3].mean(axis=0)
        self._seal = LipSeal(archive, mean, eye_level)
        quads, part = _head_quads(archive, mean, eye_level)
        self._kept, local = np.unique(quads, return_inverse=True)
        self._subdivision = Subdivision(local.reshape(-1, 4), len(self._kept))
        self._set_surface(part, mean - eye_level)
        fields = unit_fields(archive, mean, eye_level, self._seal)[:, :, self._kept]
        self.fields = self._smooth_fields(fields)
        self._set_landmarks()
        self.features = self._features(archive)

    def _set_surface(self, part: Ints, mean: Array) -> None:
        smooth = self._subdivision.quads
        ball, ball_triangles = _unit_sphere()
        self._ball = ball
        skin = self._subdivision.smooth(mean[self._kept])
        n, m = len(skin), len(ball)
        eyes = _eyes(self._archive, mean)
        self.material: Floats = np.concatenate([skin, *(e[:3] + e[3] * ball for e in eyes)]).astype(
            np.float32
        )
        of_vertex = np.zeros(n, np.int8)
        of_vertex[smooth.ravel()] = np.repeat(part, 16)
        self._mean_eyes = eyes
        self.part = np.concatenate([of_vertex, np.full(m, 4, np.int8), np.full(m, 5, np.int8)])
        uv = self._subdivision.linear(self._archive.uv[self._kept])
        self.uv: Floats = np.concatenate([uv, np.zeros((2 * m, 2))]).astype(np.float32)
        halves = np.concatenate([smooth[:, [0, 1, 2]], smooth[:, [0, 2, 3]]])
        self.triangles: NDArray[np.int32] = np.concatenate(
            [halves, ball_triangles + n, ball_triangles + n + m]
        ).astype(np.int32)
        self._skin_count = n

    def _smooth_fields(self, fields: Array) -> Floats:
        columns = (
            fields.reshape(2 * len(AUS), -1, 3).transpose(1, 0, 2).reshape(len(self._kept), -1)
        )
        smooth = self._subdivision.smooth(columns).reshape(self._skin_count, len(AUS), 2, 3)
        return np.ascontiguousarray(smooth.transpose(1, 2, 0, 3), np.float32)

    def _set_landmarks(self) -> None:
        table = load_file(Path(__file__).with_name("registration.safetensors"))
        corners = table["head_triangle"].astype(np.int64)
        self._landmark_corners = np.searchsorted(self._kept, corners)
        if not np.array_equal(self._kept[self._landmark_corners], corners):
            raise InputError("the landmark registration names vertices that the head has not")
        self._landmark_weights = table["head_barycentric"].astype(np.float64)

    def _features(self, archive: MakeHumanArchive) -> Features:
        points = self._on_surface(self.material)
        upper, lower = (points[np.array(line)][:, :2] for line in (_UPPER_LID, _LOWER_LID))
        return Features(
            masks={name: archive.mask(name) for name in ("lips", "inside-mouth", "ears")},
            eyes=self._mean_eyes.astype(np.float32),
            upper_lid=upper.astype(np.float32),
            lower_lid=lower.astype(np.float32),
        )

    def mean_identity(self) -> Identity:
        """The mean of the six young macro heads, with a middle complexion."""
        return self._identity(None, self._mean, draw_complexion(None))

    def identity(self, seed: int) -> Identity:
        """An unseen person: macro heads mixed, detail targets and slight asymmetry drawn."""
        change = draw_shape(self._archive, seed) - self._mean
        self._seal.apply(change)  # else some targets part the lips of a face at rest
        return self._identity(seed, self._mean + change, draw_complexion(seed))

    def _identity(self, seed: int | None, shape: Array, complexion: Complexion) -> Identity:
        eyes = _eyes(self._archive, shape)
        origin = eyes[:, :3].mean(axis=0)
        eyes[:, :3] -= origin
        return Identity(seed, shape[self._kept] - origin, eyes, complexion)

    def surface(self, identity: Identity, aus: NDArray[np.floating[Any]]) -> Surface:
        """The person's surface with these intensities (float `2 17`, 0-5, left first).

        Raises:
            InputError: wrong shape, or values outside 0-5.
        """
        intensity = check_intensity(aus)
        skin = self._subdivision.smooth(identity.points)
        weights = (intensity.T / 5).astype(np.float32)
        skin += np.tensordot(weights, self.fields, axes=([0, 1], [0, 1]))
        for eye in identity.eyes:
            _push_off_eyeball(skin, eye)
        balls = [eye[:3] + eye[3] * self._ball for eye in identity.eyes]
        return Surface(np.concatenate([skin, *balls]).astype(np.float32))

    def landmarks(self, identity: Identity, vertices: Floats) -> Array:
        """The 478 mesh points on a surface: float `478 3`, head frame, in the face mesh's order."""
        rings = []
        for eye, mean in zip(identity.eyes[::-1], self._mean_eyes[::-1], strict=True):
            front = eye[:3] + np.array([0, 0, eye[3]])
            steps = np.array([[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1]])
            steps = steps * _IRIS * eye[3] / mean[3]
            rings.append(front + np.pad(steps, ((0, 0), (0, 1))))
        return np.concatenate([self._on_surface(vertices), *rings])

    def _on_surface(self, vertices: Floats) -> Array:
        corners = vertices[self._landmark_corners].astype(np.float64)
        result: Array = (corners * self._landmark_weights[:, :, None]).sum(axis=1)
        return result


def check_intensity(aus: NDArray[np.floating[Any]]) -> Array:
    """float64 `2 17` with values 0-5, or InputError."""
    intensity = np.asarray(aus, np.float64)
    if intensity.shape != (2, len(AUS)):
        raise InputError(f"aus must be 2 x {len(AUS)} (left, right); got {intensity.shape}")
    if not (np.isfinite(intensity).all() and intensity.min() >= 0 and intensity.max() <= 5):
        raise InputError(
            f"aus must be 0-5; got {np.nanmin(intensity):g} to {np.nanmax(intensity):g}"
        )
    return intensity


def _head_quads(archive: MakeHumanArchive, mean: Array, eye_level: Array) -> tuple[Ints, Ints]:
    quads, part = [], []
    for k, name in enumerate(_HELPERS):
        faces = archive.quads[name]
        keep = (mean[faces][:, :, 1] > eye_level[1] + _LOWEST).all(axis=1)
        quads.append(faces[keep])
        part.append(np.full(int(keep.sum()), k))
    return np.concatenate(quads), np.concatenate(part)


def _eyes(archive: MakeHumanArchive, points: Array) -> Array:
    """float `2 4`: centre and radius of the left and right eyeball."""
    balls = []
    for name in ("helper-l-eye", "helper-r-eye"):
        p = points[np.unique(archive.quads[name])]
        low, high = p.min(axis=0), p.max(axis=0)
        balls.append([*((low + high) / 2), (high - low)[:2].mean() / 2])
    return np.array(balls)


def _push_off_eyeball(skin: Array, eye: Array) -> None:
    """Lids slide over the eyeball and do not cut through it."""
    offset = skin - eye[:3]
    reach = eye[3] + _LID_GAP
    distance = np.linalg.norm(offset, axis=1)
    inside = (distance < reach) & (offset[:, 2] > 0)
    skin[inside] = eye[:3] + offset[inside] * (reach / distance[inside])[:, None]


@lru_cache(maxsize=1)
def _unit_sphere() -> tuple[Array, Ints]:
    """Latitude-longitude sphere whose pole looks forward: vertices `m 3`, triangles `t 3`."""
    rings, steps = 24, 48
    polar = np.pi * np.arange(1, rings) / rings
    turn = 2 * np.pi * np.arange(steps) / steps
    ring = np.stack(np.broadcast_arrays(np.cos(turn), np.sin(turn)), axis=-1)
    body = np.concatenate(
        [np.column_stack([np.sin(a) * ring, np.full(steps, np.cos(a))]) for a in polar]
    )
    vertices = np.concatenate([[[0, 0, 1]], body, [[0, 0, -1]]])
    i = np.arange(steps)
    j = (i + 1) % steps
    triangles = [np.stack([np.zeros_like(i), 1 + i, 1 + j], axis=1)]
    for k in range(rings - 2):
        a, b = 1 + k * steps, 1 + (k + 1) * steps
        triangles.append(np.stack([a + i, b + i, b + j], axis=1))
        triangles.append(np.stack([a + i, b + j, a + j], axis=1))
    last = len(vertices) - 1
    base = 1 + (rings - 2) * steps
    triangles.append(np.stack([base + i, np.full_like(i, last), base + j], axis=1))
    return vertices, np.concatenate(triangles)
