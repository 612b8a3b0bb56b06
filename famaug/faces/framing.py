"""Framing: where brows and mouth lie in a crop, measured by the mesh and put there again."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.faces.landmarks import LEFT_BROW, OUTER_LIPS, RIGHT_BROW
from famaug.types import Floats

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Framing:
    """Middle of the brows and of the mouth, as shares of the frame's width (x) and height (y)."""

    brow_x: float
    brow_y: float
    mouth_x: float
    mouth_y: float

    @staticmethod
    def of(mesh: Floats, size: tuple[int, int]) -> Framing:
        """Of a mesh `478 3` in a frame of (height, width)."""
        h, w = size
        brow, mouth = anchors(mesh)
        return Framing(*(float(v) for v in (brow[0] / w, brow[1] / h, mouth[0] / w, mouth[1] / h)))


def anchors(mesh: Floats) -> tuple[Array, Array]:
    """(x, y) of the brows' and the mouth's middle."""
    p = np.asarray(mesh, np.float64)[:, :2]
    return p[[*LEFT_BROW, *RIGHT_BROW]].mean(0), p[list(OUTER_LIPS)].mean(0)


def matrix_of(mesh: Floats, place: Framing, size: tuple[int, int]) -> Array:
    """`2 3`: the similarity from a frame with this mesh to a frame of `size` framed so."""
    h, w = size
    brow, mouth = anchors(mesh)
    to = np.array([[place.brow_x * w, place.brow_y * h], [place.mouth_x * w, place.mouth_y * h]])
    a, b = mouth - brow, to[1] - to[0]
    # as complex numbers a similarity is one factor
    factor = complex(*b) / complex(*a)
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.concatenate([turn, (to[0] - turn @ brow)[:, None]], 1)


def reframed(
    picture: NDArray[np.uint8], mesh: Floats, place: Framing, size: tuple[int, int]
) -> tuple[NDArray[np.uint8], Floats]:
    """A picture and its mesh `478 3` resampled to a frame of (height, width) framed so; beyond the
    picture its border is repeated."""
    matrix = matrix_of(mesh, place, size)
    out = framed(picture, matrix, size, np.zeros(4, np.float32))
    return out.round().astype(np.uint8), moved_mesh(mesh, matrix)


def moved_mesh(mesh: Floats, matrix: Array) -> Floats:
    """A mesh `478 3` after a similarity `2 3`; z takes the scale."""
    moved = np.array(mesh, np.float64)
    moved[:, :2] = moved[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    moved[:, 2] *= np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    return moved.astype(np.float32)


def framed(frame: NDArray[np.uint8], matrix: Array, size: tuple[int, int], move: Floats) -> Floats:
    """A frame resampled into its framing, the head moved on top of it; float32 `H W 3`.

    Args:
        frame: uint8 `h w 3`. matrix: as `matrix_of`. size: (height, width).
        move: shift x, y (pixels of the result), turn (radians) and growth (log) about its middle.
    """
    whole = about_middle(move, size) @ np.concatenate([matrix, [[0, 0, 1]]])
    return resampled(frame, whole, size)


def resampled(
    frame: NDArray[np.uint8], whole: Array, size: tuple[int, int], bend: Floats | None = None
) -> Floats:
    """A frame through a similarity, and bent on top of it, in one resampling; float32 `H W 3`.

    Args:
        frame: uint8 `h w 3`. whole: `2 3`, from its pixels to the result's. size: (height, width).
        bend: `H W 2`, what to add (x, y, pixels of `frame`) to where each pixel comes from.
    """
    h, w = size
    shrink = 1 / np.sqrt(abs(np.linalg.det(whole[:, :2])))
    source = frame.astype(np.float32)
    if shrink > 1.2:  # averaged down first, or fine texture would alias
        source = cv2.GaussianBlur(source, (0, 0), 0.45 * float(np.sqrt(shrink**2 - 1)))
    if bend is None:
        out = cv2.warpAffine(
            source, whole, (w, h), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
    else:
        a = cv2.invertAffineTransform(whole).astype(np.float32)
        x, y = np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32)[:, None]
        at_x = (a[0, 0] * x + a[0, 2]) + a[0, 1] * y + bend[..., 0]
        at_y = (a[1, 0] * x + a[1, 2]) + a[1, 1] * y + bend[..., 1]
        out = cv2.remap(source, at_x, at_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    result: Floats = np.clip(out, 0, 255).astype(np.float32)
    return result


def about_middle(move: Floats, size: tuple[int, int]) -> Array:
    """`2 3` of a shift, turn and growth about the frame's middle."""
    dx, dy, angle, growth = (float(v) for v in move)
    c, s = np.exp(growth) * np.cos(angle), np.exp(growth) * np.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    mid = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    return np.concatenate([turn, (mid - turn @ mid + [dx, dy])[:, None]], 1)
