"""A head that turns in depth, as a smooth motion of the pixels round its mesh."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.aus.basis import load_basis
from famaug.faces.landmarks import SKIN_POINTS
from famaug.faces.pose import FLIP
from famaug.faces.raster import nearest_inside, rasterize
from famaug.faces.ring import ring_weight
from famaug.types import Floats

Array = NDArray[np.float64]
NODES = 72
"""Nodes along the longer side of the frame."""
SMOOTHING = 0.018
"""Standard deviation of the depth's smoothing as a share of the face's extent: rounds the creases
of the mesh and the step beside the nose."""
STEPS = 2
"""Of the fixed point that inverts the motion. At 5 degrees each way, in a frame of 256 pixels, two
leave under 0.15 pixels in 99 of 100 places; more steps change little, beside the nose the nodes are
too coarse."""


def rotation(yaw: float, pitch: float) -> Array:
    """`3 3` in the head frame, whose `famaug.faces.pose.angles` are these degrees."""
    (cy, sy), (cp, sp) = ((np.cos(a), np.sin(a)) for a in np.radians([yaw, pitch]))
    aside = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    up = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    out: Array = aside @ up
    return out


def turned_mesh(mesh: NDArray[Any], yaw: float, pitch: float) -> Array:
    """A mesh `478 3` turned about the middle of its skin, which stays where it is: that the face
    moves along with the neck is the head's path."""
    points = np.asarray(mesh, np.float64)
    middle = points[:SKIN_POINTS].mean(0)
    turn = rotation(yaw, pitch) * FLIP[:, None] * FLIP
    out: Array = (points - middle) @ turn.T + middle
    return out


class HeadTurns:
    """Where the places of a frame come from when its head turns.

    The face's depth is a dense map, smooth, that of its outline beyond it. What a turn moves there
    fades to nothing at `famaug.faces.ring.RING` times the outline.

    Args:
        mesh: `478 3`, the face at rest in pixels of the frame; z in the same unit.
        size: (height, width) of the frame.
    """

    def __init__(self, mesh: Floats, size: tuple[int, int]) -> None:
        h, w = size
        points = np.asarray(mesh, np.float64)
        skin = points[:SKIN_POINTS]
        step = max(1.0, max(h, w) / NODES)
        lines, columns = max(2, round(h / step)), max(2, round(w / step))
        self.size = size
        self.per_node = np.array([w / columns, h / lines])
        # laid out as cv2.resize takes them: node 0 half a step inside the border
        self.x = ((np.arange(columns) + 0.5) * self.per_node[0] - 0.5).astype(np.float32)
        self.y = ((np.arange(lines) + 0.5) * self.per_node[1] - 0.5).astype(np.float32)
        gx, gy = np.meshgrid(self.x, self.y)
        weight = ring_weight(skin[:, :2], gx, gy)
        depth = self._depth(points, (lines, columns), float(np.ptp(skin[:, :2], axis=0).max()))
        middle = skin.mean(0)
        place = np.stack([gx - middle[0], gy - middle[1], depth - middle[2]])
        self.place = (place * weight).astype(np.float32)

    def _depth(self, points: Array, shape: tuple[int, int], extent: float) -> Array:
        on_grid = (points[:, :2] + 0.5) / self.per_node - 0.5
        triangles = load_basis().triangles
        raster = rasterize(on_grid, -points[:, 2], triangles, shape)
        if not raster.mask.any():
            return np.full(shape, points[:SKIN_POINTS, 2].mean())
        seen = raster.interpolate(points[:, 2:], triangles)[..., 0]
        filled = seen.ravel()[nearest_inside(raster.mask)].reshape(shape)
        sx, sy = np.maximum(SMOOTHING * extent / self.per_node, 0.3)
        out: Array = cv2.GaussianBlur(
            filled, (0, 0), sx, sigmaY=sy, borderType=cv2.BORDER_REPLICATE
        ).astype(np.float64)
        return out

    def depth_at(self, places: NDArray[Any]) -> Array:
        """`N`: pixels that places `N 2` (x, y) on the face lie behind its middle."""
        at = (np.asarray(places, np.float32) + 0.5) / self.per_node.astype(np.float32) - 0.5
        found = cv2.remap(
            self.place[2], at[:, :1], at[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(found[:, 0], np.float64)

    def backward(self, yaw: float, pitch: float, back: Array) -> Floats:
        """float32 `H W 2`: what to add (x, y, pixels of the frame at rest) to where each place
        would come from without the turn.

        Args:
            yaw, pitch: degrees, as `famaug.faces.pose.angles` has them.
            back: `2 3`, from pixels shown to those of the frame at rest: what moves on top.
        """
        turn = (rotation(yaw, pitch) * FLIP[:, None] * FLIP - np.eye(3)).astype(np.float32)
        px, py, pz = self.place
        # sums, not a matrix product: threads must not decide their last bits
        forward = np.stack([r[0] * px + r[1] * py + r[2] * pz for r in turn[:2]], -1)
        a = back.astype(np.float32)
        x = a[0, 0] * self.x + a[0, 1] * self.y[:, None] + a[0, 2]
        y = a[1, 0] * self.x + a[1, 1] * self.y[:, None] + a[1, 2]
        moved = np.zeros((*x.shape, 2), np.float32)
        kx, ky = (np.float32(1 / s) for s in self.per_node)
        for _ in range(1 + STEPS):
            at_x = (x + moved[..., 0] + np.float32(0.5)) * kx - np.float32(0.5)
            at_y = (y + moved[..., 1] + np.float32(0.5)) * ky - np.float32(0.5)
            moved = -cv2.remap(
                forward, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
        out: Floats = cv2.resize(moved, self.size[::-1], interpolation=cv2.INTER_LINEAR)
        return out
