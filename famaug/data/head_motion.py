"""How a head moves and how the light changes within a real clip, by the texture of its skin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.faces.framing import about_middle
from famaug.faces.landmarks import SKIN_POINTS
from famaug.look.applying import face_height
from famaug.look.turning import HeadTurns
from famaug.types import Floats, Frames

Rows = NDArray[np.float64]
POINTS = 200
ENOUGH = 12
"""Points of texture below which nothing can be said."""
KEPT = 0.6
"""Share of the points that the motion is taken from: those that fit it best. The rest move by
themselves (the expression) or were lost."""
EARLIEST = 0.25
"""Share of a clip's time before which a slow change is too small to tell its width."""
AT_REST = 0.9
"""Share from which on the expression is over: before, brows and mouth pass for half a degree."""
QUANTILE, NORMAL = 0.8, 1.2816
"""Of a normal variable's size, and what that is in standard deviations: few clips measured wrongly
do not count."""
SOFT = 0.03
"""Blur before light is compared, as a share of the distance from brows to mouth: places need not
match to the pixel."""


class HeadMotion(NamedTuple):
    """Of each frame against the first.

    Attributes:
        path: `T 4`: shift x, y (shares of the distance from brows to mouth), turn in the picture
            (radians), growth (logarithm), about the frame's middle.
        turn: `T 2`: yaw and pitch in degrees, as `famaug.faces.pose.angles` has them.
    """

    path: Rows
    turn: Rows


def head_motion(frames: Frames, mesh: Floats) -> HeadMotion:
    """A head's motion since the first frame, in the picture and in depth.

    Points on the skin are followed by their texture; the mesh says how deep each lies. A turn moves
    near points against far ones, a shift all alike, so both come out of one fit. The mesh of each
    frame would tell turns too, but only to about a degree.

    Args:
        frames: uint8 `T H W 3`.
        mesh: `478 3`, of the first frame, in its pixels.
    """
    grey = [np.asarray(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), np.uint8) for f in frames]
    h, w = grey[0].shape
    found = HeadMotion(np.zeros((len(frames), 4)), np.zeros((len(frames), 2)))
    points = cv2.goodFeaturesToTrack(
        grey[0], POINTS, 0.01, max(4, h // 40), mask=_inside(mesh, (h, w))
    )
    if points is None or len(points) < ENOUGH:
        return found
    scale = max(face_height(mesh), 1.0)
    deep = HeadTurns(mesh, (h, w)).depth_at(points[:, 0])
    start = points[:, 0].astype(np.float64) - [(w - 1) / 2, (h - 1) / 2]
    for i in range(1, len(frames)):
        moved, ok, _ = cv2.calcOpticalFlowPyrLK(grey[0], grey[i], points, None, winSize=(21, 21))
        good = ok[:, 0] == 1
        end = moved[:, 0].astype(np.float64) - [(w - 1) / 2, (h - 1) / 2]
        shift, found.turn[i] = _moved(start[good], deep[good], end[good])
        found.path[i] = shift / [scale, scale, 1, 1]
    return found


def _inside(mesh: Floats, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """255 on the face."""
    mask = np.zeros(shape, np.uint8)
    hull = cv2.convexHull(mesh[:SKIN_POINTS, :2].astype(np.float32)).astype(np.int32)
    cv2.fillConvexPoly(mask, hull, 255)
    return mask


def _moved(a: Rows, deep: Rows, b: Rows) -> tuple[Rows, Rows]:
    """(shift x, y, turn, growth) and (yaw, pitch) from points `a`, so deep, to `b`; the worst of
    them left out twice. To first order in the angles."""
    if len(a) < ENOUGH:
        return np.zeros(4), np.zeros(2)
    one, none = np.ones(len(a)), np.zeros(len(a))
    x, y = a.T
    # of each point two equations in (a, b, shift x, shift y, yaw, pitch)
    along = np.stack([x, -y, one, none, -deep, none], 1)
    down = np.stack([y, x, none, one, none, deep], 1)
    keep = np.ones(len(a), bool)
    found = np.zeros(6)
    for _ in range(3):
        rows = np.concatenate([along[keep], down[keep]])
        found = np.linalg.lstsq(rows, np.concatenate([b[keep, 0], b[keep, 1]]), rcond=None)[0]
        error = np.hypot(along @ found - b[:, 0], down @ found - b[:, 1])
        keep = error <= np.quantile(error, KEPT)
    factor = complex(found[0], found[1])
    growth = float(np.log(max(abs(factor), 1e-6)))
    return (
        np.array([found[2], found[3], np.angle(factor), growth]),
        np.degrees(found[4:]),
    )


def light_change(frames: Frames, mesh: Floats, path: Rows) -> Rows:
    """`T 2`: gain and offset (grey levels) of the light on the face against the first frame, the
    head's motion taken out.

    Args:
        frames: uint8 `T H W 3`. mesh: `478 3` of the first. path: of `head_motion`.
    """
    h, w = frames.shape[1:3]
    scale = face_height(mesh)
    blur = max(1.0, SOFT * scale)
    inner = cv2.erode(_inside(mesh, (h, w)), np.ones((3, 3), np.uint8), iterations=int(2 * blur))
    out = np.tile([1.0, 0.0], (len(frames), 1))
    first = _soft(frames[0], blur)
    # neither black nor burnt out
    inside = (inner > 0) & (first > 8) & (first < 247)
    if inside.sum() < 100:
        return out
    for i in range(1, len(frames)):
        back = about_middle((path[i] * [scale, scale, 1, 1]).astype(np.float32), (h, w))
        seen = cv2.warpAffine(
            _soft(frames[i], blur), back, (w, h),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        out[i] = _line(first[inside].astype(np.float64), seen[inside].astype(np.float64))
    return out


def _soft(frame: NDArray[np.uint8], blur: float) -> Floats:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    out: Floats = cv2.GaussianBlur(grey, (0, 0), blur)
    return out


def _line(a: Rows, b: Rows) -> Rows:
    """(slope, level) of the line through most points: what moves by itself does not count."""
    keep = np.ones(len(a), bool)
    slope, level = 1.0, 0.0
    for _ in range(4):
        x, y = a[keep], b[keep]
        middle = x.mean()
        slope = float(((x - middle) * y).sum() / max(((x - middle) ** 2).sum(), 1e-9))
        level = float(y.mean() - slope * middle)
        error = np.abs(slope * a + level - b)
        keep = error <= np.quantile(error, 0.7)
    return np.array([slope, level])


def width_of(
    curves: Sequence[tuple[tuple[float, ...], ...]], columns: int, *, since: float = EARLIEST
) -> tuple[float, ...]:
    """Standard deviation by the last frame of slow changes since the first, robust: what they are
    at each time, over the square root of that share of the clip, by a quantile of its size.

    Args:
        curves: one a clip, `N columns` at even times.
        columns: of them.
        since: share of a clip's time from which on they count.
    """
    sizes: list[NDArray[Any]] = []
    for curve in curves:
        values = np.asarray(curve, np.float64).reshape(-1, columns)
        if len(values) > 1:
            t = np.arange(len(values)) / (len(values) - 1)
            late = t >= since
            sizes.append(np.abs(values[late]) / np.sqrt(t[late])[:, None])
    if not sizes:
        return (0.0,) * columns
    wide = np.quantile(np.concatenate(sizes), QUANTILE, axis=0) / NORMAL
    return tuple(float(v) for v in wide)
