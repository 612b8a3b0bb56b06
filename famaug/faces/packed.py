"""A mesh as text, as plans keep it."""

from __future__ import annotations

import base64

import numpy as np

from famaug.types import Floats

MESH_STEP = 1 / 32
"""Pixels: a plan keeps the identity's mesh on this grid."""


def packed_mesh(mesh: Floats) -> str:
    """Fixed point, base64: eight kilobytes of text that every machine reads alike."""
    steps = np.clip(np.round(mesh / MESH_STEP), -(2**31), 2**31 - 1).astype("<i4")
    return base64.b64encode(steps.tobytes()).decode()


def unpacked_mesh(text: str) -> Floats:
    """The mesh `478 3` of `Plan.identity["mesh"]`. Raises ValueError where it is none."""
    steps = np.frombuffer(base64.b64decode(text), "<i4").reshape(-1, 3)
    mesh: Floats = (steps * MESH_STEP).astype(np.float32)
    return mesh
