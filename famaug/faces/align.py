"""Alignment: a square crop round a face, sub-pixel.

It is sampled with cubic splines, after averaging over areas where it shrinks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from famaug.errors import FaceError, InputError
from famaug.faces.landmarks import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS, SKIN_POINTS
from famaug.faces.sampling import as_source, sample_spline, spline_coefficients
from famaug.types import Floats, Picture

MARGIN = 1.35
"""Side of a crop over the largest extent of the face."""


@dataclass(frozen=True)
class CropTransform:
    """Pixels of a square crop to pixels of the picture: `x' = a x - b y + cx`,
    `y' = b x + a y + cy` (pixel centres at whole numbers).

    Attributes:
        a, b: cosine and sine of the crop's roll times picture pixels per crop pixel.
        cx, cy: where the crop's first pixel lies in the picture.
        size: side of the crop.
    """

    a: float
    b: float
    cx: float
    cy: float
    size: int

    @property
    def scale(self) -> float:
        """Picture pixels per crop pixel."""
        return float(np.hypot(self.a, self.b))

    def to_picture(self, points: NDArray[Any]) -> NDArray[np.float32]:
        """Points `... 2` or `... 3` of the crop in the picture; z takes the scale."""
        p = np.asarray(points, np.float64)
        x, y = p[..., 0], p[..., 1]
        moved = [self.a * x - self.b * y + self.cx, self.b * x + self.a * y + self.cy]
        return _with_depth(moved, p, self.scale)

    def to_crop(self, points: NDArray[Any]) -> NDArray[np.float32]:
        """Points `... 2` or `... 3` of the picture in the crop; z takes the scale."""
        p = np.asarray(points, np.float64)
        x, y = p[..., 0] - self.cx, p[..., 1] - self.cy
        area = self.a**2 + self.b**2
        moved = [(self.a * x + self.b * y) / area, (self.a * y - self.b * x) / area]
        return _with_depth(moved, p, 1 / self.scale)


def crop_face(
    picture: Picture, mesh: Floats, size: int, *, margin: float = MARGIN, upright: bool = False
) -> tuple[Picture, Floats, CropTransform]:
    """A square crop round a face.

    Args:
        picture: uint8 `H W 3`.
        mesh: `478 3`, pixels of the picture.
        size: side of the crop in pixels.
        margin: side of the crop over the largest extent of the face.
        upright: turn the crop so that the eyes are level.

    Returns:
        The crop (uint8 `size size 3`; beyond the picture its border is repeated), the mesh in
        pixels of the crop, and the transform from crop to picture.

    Raises:
        InputError: picture, mesh, size or margin are not as above.
        FaceError: the mesh lies outside the picture.
    """
    _check(picture, mesh, size, margin)
    transform = crop_transform(mesh, size, margin=margin, upright=upright)
    return crop_with(picture, transform), transform.to_crop(mesh), transform


def crop_transform(
    mesh: Floats, size: int, *, margin: float = MARGIN, upright: bool = False
) -> CropTransform:
    """Of `crop_face`'s crop, which follows from the mesh alone. Args: as there."""
    p = np.asarray(mesh, np.float64)[:SKIN_POINTS, :2]
    angle = 0.0
    if upright:
        eyes = p[list(LEFT_EYE_CORNERS)].mean(0) - p[list(RIGHT_EYE_CORNERS)].mean(0)
        angle = float(np.arctan2(eyes[1], eyes[0]))
    c, s = np.cos(angle), np.sin(angle)
    turned = p @ np.array([[c, -s], [s, c]])
    low, high = turned.min(0), turned.max(0)
    mid = np.array([[c, -s], [s, c]]) @ ((low + high) / 2)
    k = margin * float((high - low).max()) / size
    half = (size - 1) / 2
    a, b = k * c, k * s
    return CropTransform(
        float(a), float(b), float(mid[0] - (a - b) * half), float(mid[1] - (a + b) * half), size
    )


def crop_with(picture: Picture, transform: CropTransform) -> Picture:
    """The crop of a picture (uint8 `H W 3`) by a transform already known, e.g. of frame 0."""
    times = max(1, int(np.ceil(transform.scale - 1e-6)))  # samples per crop pixel and axis
    fine = transform.size * times
    steps = (np.arange(fine, dtype=np.float64) + 0.5) / times - 0.5
    gx, gy = np.meshgrid(steps, steps)
    at = transform.to_picture(np.stack([gx, gy], -1))
    values = _sampled(picture, at)
    if times > 1:
        n = transform.size
        values = values.reshape(n, times, n, times, 3).mean((1, 3))
    return _to_bytes(values)


def _sampled(picture: Picture, at: NDArray[np.float32]) -> NDArray[np.float32]:
    """Spline samples `h w 3` of a picture at places `h w 2`; only the part they need is read."""
    h, w = picture.shape[:2]
    low = np.clip(np.floor(at.min((0, 1))).astype(int) - 8, 0, [w - 1, h - 1])
    high = np.clip(np.ceil(at.max((0, 1))).astype(int) + 9, low + 1, [w, h])
    part = picture[low[1] : high[1], low[0] : high[0]]
    source = as_source(spline_coefficients(part))
    places = torch.from_numpy(at - low.astype(np.float32))[None]
    with torch.inference_mode():
        values = sample_spline(source, places[..., 0], places[..., 1])[0]
    out: NDArray[np.float32] = values.permute(1, 2, 0).numpy()
    return out


def _to_bytes(values: NDArray[np.float32]) -> Picture:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _with_depth(
    moved: list[NDArray[np.float64]], points: NDArray[np.float64], scale: float
) -> NDArray[np.float32]:
    depth = [points[..., 2] * scale] if points.shape[-1] == 3 else []
    return np.stack([*moved, *depth], -1).astype(np.float32)


def _check(picture: Any, mesh: Any, size: int, margin: float) -> None:
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.ndim != 3:
        seen = getattr(picture, "shape", type(picture).__name__)
        raise InputError(f"a picture must be uint8 H W 3; got {seen}")
    points = np.asarray(mesh)
    if points.shape != (478, 3) or not np.isfinite(points).all():
        raise InputError(f"a mesh must be finite, 478 x 3; got {points.shape}")
    if size < 8 or size > 8192:
        raise InputError(f"the crop's side must be 8-8192 pixels; got {size}")
    if not 0.2 <= margin <= 10:
        raise InputError(f"the margin must be 0.2-10 times the face; got {margin}")
    h, w = picture.shape[:2]
    x, y = points[:SKIN_POINTS, :2].mean(0)
    if not (0 <= x < w and 0 <= y < h):
        raise FaceError(
            f"the face's centre ({x:.0f}, {y:.0f}) lies outside the picture ({w} x {h}): "
            "is it the mesh of this picture?"
        )
