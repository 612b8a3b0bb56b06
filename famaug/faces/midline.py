"""Where the halves of a face meet, seen in its picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError

MIDLINE_POINTS = (10, 151, 9, 8, 168, 6, 164, 0, 17, 18, 200, 199, 152)
"""Mesh points on the face's midline: forehead, nose root, lips, chin. Not the nose's tip: it
stands out, so a turned head carries it to one side."""
MESH_SHAPE = (478, 3)


def midline_of(mesh: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The face's midline: (top, bottom) points x, y in pixels, float64 `... 2 2`.

    The line of least squared distances to the mesh's midline points. `mesh` is `... 478 3`.

    Raises:
        InputError: another shape, or points that are not finite.
    """
    points = np.asarray(mesh, np.float64)
    if points.shape[-2:] != MESH_SHAPE or not np.isfinite(points).all():
        raise InputError(f"mesh must be ... 478 3 and finite; got {points.shape}")
    middle = points[..., MIDLINE_POINTS, :2]
    centre = middle.mean(axis=-2, keepdims=True)
    spread = middle - centre
    direction = np.linalg.svd(spread, full_matrices=False)[2][..., :1, :]
    along = (spread * direction).sum(axis=-1, keepdims=True)
    ends = centre + np.concatenate(
        [along[..., :1, :] * direction, along[..., -1:, :] * direction], axis=-2
    )
    return np.asarray(ends, np.float64)
