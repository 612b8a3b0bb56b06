"""What pixels alone tell of a synthetic clip: flicker, what moved outside the face, a seam at its
midline, sharpness. Everything is measured against the face at rest, in grey levels of 255.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError
from famaug.faces.landmarks import LEFT_EYE_CORNERS, OVAL, RIGHT_EYE_CORNERS
from famaug.faces.midline import midline_of
from famaug.types import Floats, Frames, Picture

GROWN = 1.15
"""Outside the face is what lies beyond its outline grown from its centre so many times: skin at
the outline's edge moves with the jaw and the cheeks."""
SEAM_REACH = 0.16
"""Half the width of the strip along the midline, as a share of the distance between the eyes."""
PIXELS = 20_000
"""Pixels of the face, evenly chosen, in which flicker is measured."""
SHORTEST = 5
"""Frames from which flicker can be told."""
_POWERS = 4
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def pixel_scores(
    frames: Frames, rest: Picture, mesh: Floats, asked: Floats | None = None
) -> dict[str, float]:
    """All scores of this module.

    Args:
        frames: uint8 `T H W 3`, framed as `rest` (the head holds still).
        rest: uint8 `H W 3`, the face at rest.
        mesh: `478 3`, its mesh in pixels.
        asked: `T 2 17`, the intensities it was rendered with, where they are known.

    Returns:
        flicker: grey levels; see `flicker`. Missing with fewer than 5 frames.
        outside: grey levels; mean absolute change outside the face, in the worst frame.
        seam: grey levels; see `seam_jump`; in the worst frame.
        sharpness: fine detail (root mean square of the Laplacian) within the face over that of
            `rest`, in the frame that has least; 1 where nothing was lost.

    Raises:
        InputError: shapes that do not fit together, or a mesh that is not finite.
    """
    _check(frames, rest, mesh)
    still = luma(rest)
    face, outside = face_masks(mesh, still.shape)
    places = np.flatnonzero(face)
    places = places[:: max(1, len(places) // PIXELS)]
    strip, detail = midline_strip(mesh), _detail(still, face)
    values, changes, jumps, details = [], [], [], []
    for now in map(luma, frames):  # never the whole clip as floats
        change = now - still
        if outside.any():
            changes.append(float(np.abs(change)[outside].mean()))
        jumps.append(seam_jump(change, strip))
        details.append(_detail(now, face))
        values.append(now.ravel()[places])
    out = {"seam": max(jumps), "sharpness": min(details) / max(detail, 1e-6)}
    if changes:
        out["outside"] = max(changes)
    if len(frames) >= SHORTEST:
        out["flicker"] = flicker(np.stack(values), asked)
    return out


def flicker(values: Floats, asked: Floats | None = None) -> float:
    """Deviation of a frame-to-frame noise that would explain what is not motion.

    Two estimates are made, both right for noise and too high for motion, and the lower one is
    taken. The first: fourth differences over time, which little is left of where the motion takes
    many frames. The second: what no polynomial of the asked curves explains.

    Args:
        values: `T P`, pixels over time, T of 5 or more.
        asked: `T 2 17`, or None for the first estimate alone.

    Returns:
        In the unit of the pixels.
    """
    fourth = np.diff(np.asarray(values, np.float64), n=4, axis=0)
    found = [float(np.sqrt(np.square(fourth).mean() / 70))]  # 1 + 16 + 36 + 16 + 1
    if asked is not None:
        found.append(_unexplained(np.asarray(values, np.float64), asked))
    return min(found)


def _unexplained(values: NDArray[np.float64], asked: Floats) -> float:
    curves = asked.reshape(len(asked), -1).astype(np.float64)
    turned, size, _ = np.linalg.svd(curves - curves[:1], full_matrices=False)
    main = turned[:, size > 0.05 * max(size[0], 1e-9)]
    main = main / np.abs(main).max(0, initial=1e-9)
    powers = [main**k for k in range(1, _POWERS + 1)]
    basis, weight = np.linalg.qr(np.concatenate([np.ones((len(asked), 1)), *powers], 1))
    # half of the frames must be left to tell noise from motion
    basis = basis[:, np.abs(np.diag(weight)) > 1e-6][:, : len(asked) // 2]
    rest = values - basis @ (basis.T @ values)
    free = (len(asked) - basis.shape[1]) * values.shape[1]
    return float(np.sqrt(np.square(rest).sum() / max(free, 1)))


def luma(picture: Picture) -> Floats:
    """float32 `H W` of uint8 `H W 3`."""
    out: Floats = (picture.astype(np.float32) * _LUMA).sum(-1)
    return out


def face_masks(mesh: Floats, shape: tuple[int, ...]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Within the face's outline, and outside it grown by `GROWN`: bool `H W` each."""
    outline = np.asarray(mesh, np.float64)[list(OVAL), :2]
    centre = (outline.min(0) + outline.max(0)) / 2
    masks = []
    for times in (1.0, GROWN):
        mask = np.zeros(shape[:2], np.uint8)
        points = np.rint(centre + (outline - centre) * times).astype(np.int32)
        cv2.fillConvexPoly(mask, cv2.convexHull(points), 1)
        masks.append(mask.astype(bool))
    return masks[0], ~masks[1]


def _detail(grey: Floats, face: NDArray[np.bool_]) -> float:
    edges = cv2.Laplacian(grey, cv2.CV_32F)[face]
    return float(np.sqrt(np.square(edges, dtype=np.float64).mean())) if edges.size else 0.0


def midline_strip(mesh: Floats) -> Floats:
    """Places `rows columns 2` along the face's midline, where renderers join halves: rows a pixel
    apart from forehead to chin; the line lies between the two middle columns."""
    p = np.asarray(mesh, np.float64)[:, :2]
    top, bottom = midline_of(mesh)
    length = float(np.hypot(*(bottom - top)))
    down = (bottom - top) / length
    eyes = p[list(LEFT_EYE_CORNERS)].mean(0) - p[list(RIGHT_EYE_CORNERS)].mean(0)
    across = np.array([down[1], -down[0]])  # to the person's left
    half = max(10, round(SEAM_REACH * float(np.hypot(*eyes))))
    rows, columns = np.arange(length), np.arange(-half, half) + 0.5
    places = top + rows[:, None, None] * down + columns[:, None] * across
    return np.asarray(places, np.float32)


def seam_jump(change: Floats, strip: Floats) -> float:
    """How much the change of a picture (`H W`) jumps at the midline, in the change's unit.

    Where halves are joined, the step from one pixel to the next is larger than both steps beside
    it, in row after row. That excess is averaged over the rows; what nine in ten places elsewhere
    in the strip stay below (moving stubble jumps everywhere) is taken off. A jump of 4 levels all
    the way down gives about 1.7, as it is spread over two pixels where the line is slanted.
    """
    values = cv2.remap(
        change, strip[..., 0], strip[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    step = np.abs(np.diff(values, axis=1))
    beside = np.maximum.reduce([step[:, :-4], step[:, 1:-3], step[:, 3:-1], step[:, 4:]])
    excess = np.clip(step[:, 2:-2] - beside, 0, None).mean(0)
    middle = len(excess) // 2  # the joint may fall a little beside the mesh's midline
    elsewhere = np.delete(excess, np.s_[middle - 4 : middle + 5])
    jump = excess[middle - 2 : middle + 3].max() - np.quantile(elsewhere, 0.9)
    return max(float(jump), 0.0)


def _check(frames: Any, rest: Any, mesh: Any) -> None:
    fits = rest.dtype == np.uint8 and rest.ndim == 3 and frames.shape[1:] == rest.shape
    if not fits or not len(frames):
        raise InputError(
            f"frames (T H W 3) and the picture at rest must have one size; got {frames.shape} "
            f"and {rest.shape}"
        )
    if mesh.shape != (478, 3) or not np.isfinite(mesh).all():
        raise InputError(f"a mesh must be finite, 478 x 3; got {mesh.shape}")
