"""The light in a photograph of a face, as far as shading needs it."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from famaug.faces.landmarks import OUTER_LIPS, SKIN_POINTS

Array = NDArray[np.float64]
GAMMA = 2.2
"""Pixel values are light to the power of 1 / GAMMA."""
_USUAL = np.array([0.0, -0.25, -0.35])
"""Light from above and before the face, in picture axes (x right, y down, z away)."""
_TRUST = 12.0
"""Points' worth of belief in the usual light against what the picture shows."""
_MOST = 0.85
"""Bound of the directed light over the whole light that falls on a face turned towards it. It has
no least: in even light nothing has a bright side."""


class Light(NamedTuple):
    """Light on a surface of normal n is `even + directed . n` (picture axes, n towards the viewer),
    as a share of the light on a surface that faces the viewer."""

    even: float
    directed: Array

    def on(self, normals: NDArray[Any]) -> Array:
        """Light on normals `... 3`, never under a quarter."""
        out: Array = np.maximum(self.even + np.asarray(normals, np.float64) @ self.directed, 0.25)
        return out


def vertex_normals(mesh: NDArray[Any], triangles: NDArray[np.int64]) -> Array:
    """Unit normals `... N 3` towards the viewer (z away from the viewer, so n_z < 0 in front)."""
    p = np.asarray(mesh, np.float64)
    corner = p[..., triangles, :]
    face = np.cross(corner[..., 1, :] - corner[..., 0, :], corner[..., 2, :] - corner[..., 0, :])
    rows = triangles.ravel()
    ones = np.ones(len(rows))
    gather = csr_array((ones, (rows, np.repeat(np.arange(len(triangles)), 3))),
                       shape=(p.shape[-2], len(triangles)))  # fmt: skip
    flat = np.moveaxis(face, -2, 0).reshape(len(triangles), -1)
    summed = np.asarray(gather @ flat)
    out = np.moveaxis(summed.reshape(p.shape[-2], *face.shape[:-2], 3), 0, -2)
    size = np.linalg.norm(out, axis=-1, keepdims=True)
    unit: Array = out / np.maximum(size, 1e-9)
    return unit


def find_light(
    picture: NDArray[np.float32], mesh: NDArray[Any], normals: Array, scale: float
) -> Light:
    """Fits first-order light to the skin, as if it had one colour.

    Args:
        picture: `H W 3`, 0-255.
        mesh: `478 3`, pixels of the picture.
        normals: `478 3`.
        scale: pixels per centimetre.
    """
    grey = np.asarray(picture, np.float32) @ np.array([0.3, 0.59, 0.11], np.float32)
    grey = cv2.GaussianBlur(grey, (0, 0), max(0.15 * scale, 0.5))
    skin = _skin_points(normals)
    xy = np.asarray(mesh, np.float32)[skin, :2]
    h, w = grey.shape
    inside = ((xy >= 0) & (xy <= [w - 1, h - 1])).all(1)
    skin, xy = skin[inside], xy[inside]
    if len(skin) < 30:
        return Light(1 + float(_USUAL[2]), _USUAL)
    value = cv2.remap(grey, xy[None, :, 0], xy[None, :, 1], cv2.INTER_LINEAR)[0].astype(np.float64)
    light = (np.maximum(value, 1) / 255) ** GAMMA
    light /= np.median(light)
    keep = np.ones(len(light), bool)
    rows = np.concatenate([np.ones((len(light), 1)), normals[skin]], 1)
    for _ in range(3):  # beards, brows and glints are left out
        found = _solve(rows[keep], light[keep])
        off = np.abs(rows @ found - light)
        keep = off < 2.0 * np.median(off) + 0.02
    return _bounded(found)


def _solve(rows: Array, light: Array) -> Array:
    usual = np.concatenate([[1 + _USUAL[2]], _USUAL])
    ridge = _TRUST * np.diag([0.0, 1.0, 1.0, 1.0])
    out: Array = np.linalg.solve(rows.T @ rows + ridge, rows.T @ light + ridge @ usual)
    return out


def _bounded(found: Array) -> Light:
    """Scaled to 1 for a surface that faces the viewer, with a share of directed light that skin
    can show."""
    facing = max(found[0] - found[3], 1e-3)
    directed = found[1:] / facing
    directed[2] = min(directed[2], 0.0)
    directed[1] = min(directed[1], 0.15)
    size = float(np.linalg.norm(directed))
    directed = directed * (min(size, _MOST) / max(size, 1e-9))
    return Light(1 + float(directed[2]), directed)


def _skin_points(normals: Array) -> NDArray[np.int64]:
    """Points of bare skin that face the viewer."""
    bare = np.ones(len(normals), bool)
    bare[SKIN_POINTS:] = False
    bare[list(OUTER_LIPS)] = False
    return np.flatnonzero(bare & (normals[:, 2] < -0.3))
