"""Camera, pose, and ray casting on triangles (Embree; no graphics card, no window)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray

from famaug.errors import InputError

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

_PIVOT = np.array([0.0, -0.6, -0.7])
_LOOK_AT = np.array([0.0, -0.35, 0.0])
_FAR = np.float32(1e6)


@dataclass(frozen=True)
class Pose:
    """How the head is held.

    The angles are those of `famaug.faces.pose.angles`.

    Attributes:
        yaw: degrees; positive turns the face to the person's own left (the picture's right).
        pitch: degrees; positive looks up.
        roll: degrees; positive tilts the head to the person's own right shoulder.
        shift: movement in the picture plane, decimetres: to the person's left, up.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)

    @property
    def rotation(self) -> Array:
        """float `3 3`, from the head's frame to the camera's: roll first, then pitch, then yaw."""
        a, b, c = np.deg2rad([self.yaw, self.pitch, self.roll])
        yaw = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
        pitch = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
        roll = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
        turn: Array = yaw @ pitch @ roll
        return turn

    def apply(self, points: NDArray[np.floating[Any]]) -> Array:
        """float `n 3` from the head's frame to the camera's (x right in the picture, z nearer)."""
        shift = _PIVOT - _LOOK_AT + np.array([*self.shift, 0.0])
        moved: Array = (points - _PIVOT) @ self.rotation.T + shift
        return moved


@dataclass(frozen=True)
class Camera:
    """A camera straight in front of the head.

    Attributes:
        size: side of the square picture, pixels.
        zoom: pixels a decimetre at the eyes' depth, as a share of `size`.
        distance: from the eyes, decimetres.
    """

    size: int
    zoom: float = 0.42
    distance: float = 9.0

    def __post_init__(self) -> None:
        if not (32 <= self.size <= 4096 and 0.05 <= self.zoom <= 5 and self.distance >= 3):
            raise InputError(f"camera: size 32-4096, zoom 0.05-5, distance >= 3 dm; got {self}")

    @property
    def scale(self) -> float:
        """Pixels a decimetre at the eyes' depth."""
        return self.zoom * self.size

    def project(self, points: Array) -> Array:
        """float `n 3` (camera frame) -> `n 3`: x, y in pixels, z in pixels, smaller is nearer.

        The centre of the picture's first pixel is at (0, 0).
        """
        middle = (self.size - 1) / 2
        f = self.scale * self.distance / (self.distance - points[:, 2])
        return np.stack(
            [middle + f * points[:, 0], middle - f * points[:, 1], -self.scale * points[:, 2]],
            axis=1,
        )

    def rays(self, samples: int) -> tuple[Floats, Floats]:
        """Origins and directions, float32 `n 3`: `samples` x `samples` rays a pixel, by rows."""
        side = self.size * samples
        at = (np.arange(side) + 0.5) / samples - 0.5 - (self.size - 1) / 2
        x, y = np.meshgrid(at, -at)
        f = self.scale * self.distance
        d: Floats = np.stack([x / f, y / f, np.full_like(x, -1)], axis=-1, dtype=np.float32)
        d = d.reshape(-1, 3)
        o: Floats = np.zeros_like(d)
        o[:, 2] = self.distance
        return o, d


@dataclass(frozen=True, eq=False)
class Hits:
    """Where rays first meet the surface.

    Attributes:
        triangle: int32 `n`, -1 where nothing is hit.
        weights: float32 `n 3`, barycentric weights of the triangle's corners.
        depth: float32 `n`, along the ray in units of its direction.
    """

    triangle: NDArray[np.int32]
    weights: Floats
    depth: Floats


class RayScene:
    """Triangles that rays can be cast at."""

    def __init__(self, vertices: NDArray[np.floating[Any]], triangles: NDArray[np.int32]) -> None:
        self._scene = EmbreeScene()
        TriangleMesh(self._scene, np.ascontiguousarray(vertices, np.float32), triangles)

    def first_hits(self, origins: Floats, directions: Floats) -> Hits:
        """First hit of each ray."""
        far = np.full(len(origins), _FAR, np.float32)
        got = self._scene.run(origins, directions, dists=far, output=True)
        u, v = got["u"], got["v"]
        return Hits(got["primID"], np.stack([1 - u - v, u, v], axis=1), got["tfar"])

    def blocked(self, origins: Floats, directions: Floats) -> NDArray[np.bool_]:
        """bool `n`: something lies on the ray."""
        far = np.full(len(origins), _FAR, np.float32)
        result: NDArray[np.bool_] = (
            np.asarray(self._scene.run(origins, directions, dists=far, query="OCCLUDED")) >= 0
        )
        return result
