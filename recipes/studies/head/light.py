"""Light on the head: soft sky with ambient occlusion, and one large soft key light."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.seeding import keyed_generator
from head.rays import RayScene

Floats = NDArray[np.float32]

_SKY_RAYS = 40
_KEY_RAYS = 12
_KEY_SPREAD = 0.22
_LIFT = 2e-3


@dataclass(frozen=True)
class Light:
    """Where the key light stands and how strong key and sky are (linear, 1 is full white).

    Attributes:
        side: degrees; positive stands at the picture's right.
        height: degrees above the horizon.
    """

    side: float = -25.0
    height: float = 30.0
    key: float = 0.75
    sky: float = 0.5

    @property
    def direction(self) -> Floats:
        """Unit vector towards the key light, camera frame."""
        a, b = np.deg2rad([self.side, self.height])
        return np.array([np.sin(a) * np.cos(b), np.sin(b), np.cos(a) * np.cos(b)], np.float32)


def draw_light(seed: int) -> Light:
    """An indoor light of this seed."""
    draw = keyed_generator(seed, "makehuman", "light")
    return Light(
        side=draw.uniform(-55, 55),
        height=draw.uniform(10, 50),
        key=draw.uniform(0.5, 0.85),
        sky=draw.uniform(0.4, 0.6),
    )


def vertex_normals(vertices: NDArray[np.floating[Any]], triangles: NDArray[np.int32]) -> Floats:
    """float32 `m 3`: area-weighted unit normals."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    total = np.stack(
        [
            np.bincount(triangles.ravel(), np.repeat(face[:, k], 3), minlength=len(vertices))
            for k in range(3)
        ],
        axis=1,
    )
    unit: Floats = (total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-12)).astype(
        np.float32
    )
    return unit


def vertex_light(
    scene: RayScene, vertices: Floats, normals: Floats, light: Light
) -> tuple[Floats, Floats]:
    """Openness to the sky and share of the key light seen, float32 `m` each, 0-1."""
    start = vertices + _LIFT * normals
    sky = _seen(scene, start, _hemisphere(normals))
    cone = light.direction + _KEY_SPREAD * _spiral(_KEY_RAYS)
    cone /= np.linalg.norm(cone, axis=1, keepdims=True)
    key = _seen(scene, start, np.broadcast_to(cone, (len(start), *cone.shape)))
    return sky, key


def _seen(scene: RayScene, start: Floats, directions: Floats) -> Floats:
    n, k = directions.shape[:2]
    origins = np.repeat(start, k, axis=0)
    flat = np.ascontiguousarray(directions.reshape(-1, 3), np.float32)
    blocked = scene.blocked(origins, flat).reshape(n, k)
    return np.asarray(1 - blocked.mean(axis=1), np.float32)


def _hemisphere(normals: Floats) -> Floats:
    """float32 `m k 3`: the same cosine-weighted directions about every normal."""
    helper = np.where(np.abs(normals[:, :1]) < 0.9, [[1, 0, 0]], [[0, 1, 0]])
    t = np.cross(helper, normals)
    t /= np.linalg.norm(t, axis=1, keepdims=True) + 1e-12
    frame = np.stack([t, np.cross(normals, t), normals], axis=1).astype(np.float32)
    result: Floats = _cosine_directions() @ frame
    return result


@lru_cache(maxsize=1)
def _cosine_directions() -> Floats:
    i = np.arange(_SKY_RAYS) + 0.5
    r, a = np.sqrt(i / _SKY_RAYS), i * np.pi * (3 - np.sqrt(5))
    return np.stack([r * np.cos(a), r * np.sin(a), np.sqrt(1 - r * r)], axis=1).astype(np.float32)


@lru_cache(maxsize=4)
def _spiral(count: int) -> Floats:
    """float32 `count 3`: points spread evenly over a sphere."""
    i = np.arange(count) + 0.5
    z = 1 - 2 * i / count
    a = i * np.pi * (3 - np.sqrt(5))
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(a), r * np.sin(a), z], axis=1).astype(np.float32)
