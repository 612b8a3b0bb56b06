"""AU intensities as planes over the picture: left ones on the person's left half, right ones on
the right, with a smooth ramp at the face's midline."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from famaug.errors import InputError
from famaug.faces.midline import midline_of
from famaug.types import AUS, Floats

SCALE = 5.0
"""Intensities are given to networks divided by it, as GANimation does."""
RAMP = 0.15
"""Width of the ramp over the midline, in sides of the picture."""


def midlines(meshes: Floats) -> Tensor:
    """Midlines float32 `B 2 2` ((top, bottom), x and y in pixels) of meshes `B 478 3`.

    Raises:
        InputError: another shape, or points that are not finite.
    """
    return torch.from_numpy(np.asarray(midline_of(meshes), np.float32))


def au_maps(
    intensity: Tensor, midline: Tensor, size: int | tuple[int, int], *, ramp: float = RAMP
) -> Tensor:
    """Planes of intensities.

    Args:
        intensity: `B 2 17` (left, right), 0-5.
        midline: `B 2 2`, (top, bottom) points x, y in pixels of the picture.
        size: of the picture, side or (height, width).
        ramp: width over which the sides mix, in sides of the picture; 0 is a hard edge.

    Returns:
        `B 17 H W`, intensity / 5. Where both sides are equal it is the broadcast vector exactly,
        so that weights trained without sides behave as published.

    Raises:
        InputError: other shapes, or a midline whose points are not apart.
    """
    _check(intensity)
    share = left_share(midline, size, ramp=ramp)
    scaled = intensity[:, :, :, None, None] / SCALE
    maps: Tensor = scaled[:, 1] + share * (scaled[:, 0] - scaled[:, 1])
    return maps


def left_share(midline: Tensor, size: int | tuple[int, int], *, ramp: float) -> Tensor:
    """How much each pixel belongs to the person's left: 1 to 0 over the ramp; `B 1 H W`.

    The person's left lies at the viewer's right, at larger x.
    """
    if ramp < 0:
        raise InputError(f"the ramp is at least 0 sides of the picture; got {ramp}")
    height, width = (size, size) if isinstance(size, int) else size
    distance = side_distance(midline, (height, width))
    if ramp == 0:
        return (distance > 0).to(distance.dtype)
    t: Tensor = (distance / (ramp * max(height, width)) + 0.5).clamp(0, 1)
    return t * t * (3 - 2 * t)


def side_distance(midline: Tensor, shape: tuple[int, int]) -> Tensor:
    """Signed distance from the midline in pixels, `B 1 H W`; above 0 on the person's left."""
    if midline.ndim != 3 or midline.shape[1:] != (2, 2):
        raise InputError(f"midlines must be B 2 2; got {tuple(midline.shape)}")
    top = midline[:, 0]
    along = midline[:, 1] - top
    length = along.norm(dim=1, keepdim=True)
    if not bool((length > 0).all()):
        raise InputError("a midline's two points must be apart; look at the mesh it comes from")
    down = (along / length)[:, :, None, None]
    rows = torch.arange(shape[0], device=midline.device, dtype=midline.dtype)[:, None]
    columns = torch.arange(shape[1], device=midline.device, dtype=midline.dtype)[None]
    x, y = columns - top[:, 0, None, None], rows - top[:, 1, None, None]
    distance: Tensor = x * down[:, 1] - y * down[:, 0]
    return distance[:, None]


def mirrored(intensity: Floats, midline: Floats, width: int) -> tuple[Floats, Floats]:
    """Intensities `... 2 17` and midlines `... 2 2` of the mirrored picture of that width."""
    flipped = np.array(midline)
    flipped[..., 0] = width - 1 - flipped[..., 0]
    return np.ascontiguousarray(intensity[..., ::-1, :]), flipped


def _check(intensity: Tensor) -> None:
    if intensity.ndim != 3 or intensity.shape[1:] != (2, len(AUS)):
        raise InputError(
            f"intensities must be B 2 {len(AUS)} (left, right); got {tuple(intensity.shape)}"
        )
