"""The frontal face map: a picture of the face unrolled into the head frame.

Each pixel of the map is a point on the person's neutral face, seen straight from the front at 14
pixels a centimetre. Frames are resampled into it through head pose and known motion, so that what
remains between two maps is what the pose and the known motion do not explain.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from famaug.aus.fit import PersonBasis
from famaug.faces.landmarks import INNER_LIPS, LEFT_LIDS, RIGHT_LIDS, SKIN_POINTS
from famaug.faces.pose import FLIP, Similarity
from famaug.faces.raster import rasterize
from famaug.types import Picture

Array = NDArray[np.float64]
SIZE = 256
SCALE = 14.0
"""Pixels of the map for a centimetre."""
_CENTRE = np.array([0.0, -3.0])


class FaceMap:
    """The map of one person.

    Attributes:
        mask: bool `256 256`, where the face is.
        holes: bool `256 256`, eye and mouth openings, where no skin moves.
        gather: sparse `(256 * 256) x 468`, vertex values to map pixels.
    """

    def __init__(self, person: PersonBasis) -> None:
        points = person.neutral[:SKIN_POINTS]
        triangles = person.basis.triangles
        xy = SIZE / 2 + (points[:, :2] - _CENTRE) * SCALE * [1, -1]
        raster = rasterize(xy, points[:, 2], triangles, (SIZE, SIZE))
        self.person = person
        self.mask = raster.mask
        hole = np.array([_in_opening(t) for t in triangles.tolist()])
        self.holes = self.mask & hole[np.maximum(raster.triangle, 0)]
        on = np.flatnonzero(self.mask)
        rows = np.repeat(on, 3)
        cols = triangles[raster.triangle.ravel()[on]].ravel()
        values = raster.weights.reshape(-1, 3)[on].ravel()
        shape = (SIZE * SIZE, SKIN_POINTS)
        self.gather = csr_matrix((values, (rows, cols)), shape=shape)

    def dense(self, vertex_values: Array) -> Array:
        """Values at the vertices (`478 K` or `468 K`) to map pixels, `256 256 K`."""
        flat = np.asarray(self.gather @ vertex_values[:SKIN_POINTS], np.float64)
        return flat.reshape(SIZE, SIZE, -1)

    def unroll(self, picture: Picture, pose: Similarity, motion: Array | None = None) -> Picture:
        """A grey map (uint8 `256 256`) of a frame.

        Args:
            picture: uint8 `H W` grey.
            pose: from the head frame to the frame's mesh in head axes.
            motion: known displacement of the vertices, `478 3` centimetres.
        """
        points = self.person.neutral if motion is None else self.person.neutral + motion
        place = (pose.apply(points[:SKIN_POINTS]) * FLIP)[:, :2]
        grid = (self.gather @ place).reshape(SIZE, SIZE, 2).astype(np.float32)
        grid[~self.mask] = -1
        out = cv2.remap(
            picture,
            grid[..., 0],
            grid[..., 1],
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(out, np.uint8)


def _in_opening(triangle: list[int]) -> bool:
    corners = set(triangle)
    return any(corners <= set(rim) for rim in (INNER_LIPS, LEFT_LIDS, RIGHT_LIDS))
