"""The paper's way to two-sided expressions: render twice, join the halves at the midline."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.aus.halves import midline_of, side_of
from famaug.errors import InputError
from famaug.types import Frames


def join_halves(
    left_frames: Frames,
    right_frames: Frames,
    midline: NDArray[np.floating[Any]],
    *,
    seam: float = 8.0,
) -> Frames:
    """The person's left half of one clip and the right half of another, as one clip.

    Args:
        left_frames, right_frames: uint8 RGB `T H W 3`, rendered from the left and the right AUs.
        midline: (top, bottom) points `2 2` or a mesh `478 3`, for all frames or one a frame.
        seam: width in pixels over which the halves blend; 0 is the paper's hard cut.

    Pixels farther from the midline than half the seam are bit-identical to their source.

    Raises:
        InputError: clips or midlines of other shapes, or a negative seam.
    """
    if left_frames.shape != right_frames.shape or left_frames.ndim != 4:
        raise InputError(
            f"the halves must be clips of one shape T H W 3; got {left_frames.shape} and "
            f"{right_frames.shape}"
        )
    if not 0 <= seam < float("inf"):
        raise InputError(f"seam must be at least 0 pixels; got {seam}")
    height, width = left_frames.shape[1:3]
    weight = np.stack([_weight((height, width), m, seam) for m in _each(midline, left_frames)])
    if seam == 0:
        return np.where(weight[..., None] > 0, left_frames, right_frames)
    w = weight[..., None].astype(np.float32)
    blended = np.rint(w * left_frames + (1 - w) * right_frames)
    return blended.astype(np.uint8)


def _weight(
    shape: tuple[int, int], midline: NDArray[np.floating[Any]], seam: float
) -> NDArray[np.float64]:
    """1 on the person's left, 0 on the right, smooth over the seam; `H W`."""
    line = midline_of(midline) if midline.shape == (478, 3) else midline
    distance = side_of(shape, line)
    if seam == 0:
        return (distance > 0).astype(np.float64)
    t = np.clip(distance / seam + 0.5, 0.0, 1.0)
    smooth: NDArray[np.float64] = t * t * (3 - 2 * t)
    return smooth


def _each(midline: NDArray[np.floating[Any]], frames: Frames) -> list[NDArray[np.floating[Any]]]:
    """One midline a frame, or the one for all (its weight then broadcasts over the frames)."""
    if midline.ndim == 2:
        return [midline]
    if midline.ndim != 3 or len(midline) != len(frames):
        raise InputError(
            f"one midline for all, or one for each of {len(frames)} frames; got {midline.shape}"
        )
    return list(midline)
