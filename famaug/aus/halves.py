"""Left and right from an estimator that knows no sides: each half face mirrored into a whole one.

The paper makes "two new images with left and right part of the human face"; its code cuts at the
picture's middle. Here the mirror is the face's own midline, found from the mesh, at any tilt.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.aus.protocol import Estimator
from famaug.errors import InputError, TrackError
from famaug.faces.mesher import FaceMesher
from famaug.faces.midline import MESH_SHAPE, midline_of
from famaug.types import AUTrack, Frames, Picture

Values = NDArray[np.float64]


def side_of(shape: tuple[int, int], midline: NDArray[np.floating[Any]]) -> Values:
    """Signed distance from the midline in pixels, `H W`: above 0 on the person's left half.

    `midline` is (top, bottom) points `2 2`. The person's left is at the viewer's right.

    Raises:
        InputError: the two points are not apart.
    """
    top, bottom = _line(midline)
    down = (bottom - top) / np.linalg.norm(bottom - top)
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    distance: Values = (columns - top[0]) * down[1] - (rows - top[1]) * down[0]
    return distance


def mirror_halves(picture: Picture, midline: NDArray[np.floating[Any]]) -> tuple[Picture, Picture]:
    """(left, right): whole faces, each made of one half of `picture` and its mirror image.

    Args:
        picture: uint8 RGB `H W 3`.
        midline: (top, bottom) points `2 2`, or the mesh `478 3` they are found from.

    The kept half is bit-identical; what lies outside the picture repeats its edge.

    Raises:
        InputError: a midline of another shape, or one outside the picture.
    """
    line = _as_line(midline)
    distance = side_of(picture.shape[:2], line)
    if not (distance > 0).any() or not (distance < 0).any():
        raise InputError(
            f"the midline {line.round(1).tolist()} leaves no half of a picture of "
            f"{picture.shape[1]} x {picture.shape[0]} pixels"
        )
    mirrored = _mirrored(picture, line, distance)
    left = np.where((distance >= 0)[..., None], picture, mirrored)
    right = np.where((distance <= 0)[..., None], picture, mirrored)
    return left, right


class BothHalves:
    """Both sides from an estimator that knows none: every clip is measured twice.

    The face's midline is found in every frame; frames without a face are missing.

    Args:
        estimator: asked for a clip of left halves, and for one of right halves.
        device: where the face nets run that find the midline.
    """

    def __init__(self, estimator: Estimator, *, device: str = "cpu") -> None:
        self.inner, self.device = estimator, device
        self.name = f"{estimator.name}+mirror"
        self.version, self.licence = estimator.version, estimator.licence
        self.scale = estimator.scale

    @cached_property
    def _mesher(self) -> FaceMesher:
        return FaceMesher(device=self.device)

    def measure(self, frames: Frames, neutral: int) -> AUTrack:
        """AUs of a clip, uint8 RGB `T H W 3`.

        Raises:
            FaceError: no face in the first frame, or in a half of it.
            TrackError: the estimator gave other than T frames.
        """
        meshes = self._mesher.track(frames).mesh
        found = np.isfinite(meshes).all(axis=(1, 2))
        near = np.maximum.accumulate(np.where(found, np.arange(len(frames)), 0))
        pairs = [mirror_halves(f, meshes[i]) for f, i in zip(frames, near, strict=True)]
        tracks = [self.inner.measure(np.stack(half), neutral) for half in zip(*pairs, strict=True)]
        if any(len(t) != len(frames) for t in tracks):
            seen = [len(t) for t in tracks]
            raise TrackError(f"{self.inner.name} gave {seen} frames for halves of {len(frames)}")
        intensity = np.stack([_mean_of_sides(t.intensity) for t in tracks], axis=1)
        intensity[~found] = np.nan
        confidence = np.stack([t.confidence.mean(axis=1) for t in tracks], axis=1)
        return replace(
            tracks[0],
            intensity=intensity.astype(np.float32),
            confidence=np.where(np.isfinite(intensity), confidence, 0).astype(np.float32),
            sided=True,
        )


def _mean_of_sides(x: NDArray[np.float32]) -> Values:
    """`T 17`; a mirrored face is symmetric, so where one side is missing the other stands."""
    known = np.isfinite(x)
    total = np.where(known, x, 0).astype(np.float64).sum(axis=1)
    return np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)


def _mirrored(picture: Picture, line: Values, distance: Values) -> Picture:
    top, bottom = line
    down = (bottom - top) / np.linalg.norm(bottom - top)
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float64)
    x = columns - 2 * distance * down[1]
    y = rows + 2 * distance * down[0]
    return np.asarray(
        cv2.remap(
            picture,
            x.astype(np.float32),
            y.astype(np.float32),
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )


def _as_line(midline: NDArray[np.floating[Any]]) -> Values:
    return midline_of(midline) if midline.shape == MESH_SHAPE else _line(midline)


def _line(midline: NDArray[np.floating[Any]]) -> Values:
    line = np.asarray(midline, np.float64)
    if line.shape != (2, 2) or not np.isfinite(line).all() or np.allclose(line[0], line[1]):
        raise InputError(
            f"a midline is two points apart, 2 x 2, or a mesh of 478 x 3; got {midline.shape}"
        )
    return line
