"""Sub-pixel sampling of pictures by cubic splines.

Keys' cubic as most libraries ship it (a = -0.75) bends small shifts: 0.1 pixel reads as 0.14. The
interpolating cubic spline reproduces cubics exactly, so a tiny motion changes the picture in
proportion. At whole positions it gives the pixel back up to rounding (0.02 of 255).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import spline_filter1d
from torch import Tensor
from torch.nn import functional as F

_PAD = 2


def spline_coefficients(picture: NDArray[Any]) -> NDArray[np.float32]:
    """Coefficients of the interpolating cubic spline of `H W C`, mirrored at the border.

    Source: Unser, "Splines: a perfect fit for signal and image processing", 1999.
    """
    out: NDArray[np.float32] = np.asarray(picture, np.float32)
    for axis in (0, 1):
        if out.shape[axis] > 1:
            out = spline_filter1d(out, 3, axis=axis, output=np.float32, mode="mirror")
    return out


def as_source(coefficients: NDArray[np.float32], device: torch.device | str = "cpu") -> Tensor:
    """Coefficients `H W C` as the tensor `1 C H+4 W+4` that `sample_spline` reads."""
    wide = np.pad(coefficients, ((_PAD, _PAD), (_PAD, _PAD), (0, 0)), mode="reflect")
    return torch.from_numpy(np.ascontiguousarray(wide.transpose(2, 0, 1)))[None].to(device)


def sample_spline(source: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The picture at positions in pixels; beyond the border as at the border.

    Args:
        source: `1 C H+4 W+4`, from `as_source`, or one for each of B.
        x, y: `B h w`, pixel centres at whole numbers.

    Returns:
        `B C h w`. The sixteen taps are taken as four bilinear ones.
    """
    height, width = source.shape[-2:]
    xs, x_share = _taps(x.clamp(0, width - 2 * _PAD - 1))
    ys, y_share = _taps(y.clamp(0, height - 2 * _PAD - 1))
    # grid_sample counts from -1 to 1 over the padded picture
    columns = [(v + _PAD) * (2 / (width - 1)) - 1 for v in xs]
    lines = [(v + _PAD) * (2 / (height - 1)) - 1 for v in ys]
    source = source.expand(len(x), -1, -1, -1)
    out = source.new_zeros(())
    for line, line_share in zip(lines, y_share, strict=True):
        for column, column_share in zip(columns, x_share, strict=True):
            grid = torch.stack([column, line], -1)
            tap = F.grid_sample(source, grid, padding_mode="border", align_corners=True)
            out = out + tap * (line_share * column_share)[:, None]
    return out


def _taps(position: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Two positions whose linear samples, weighted, are the four taps of the cubic B-spline.

    Source: Sigg and Hadwiger, "Fast third-order texture filtering", GPU Gems 2, chapter 20.
    """
    base = position.floor()
    t = position - base
    first, last = (1 - t) ** 3 / 6, t**3 / 6
    low = first + (4 - 6 * t**2 + 3 * t**3) / 6
    high = 1 - low
    return (base - first / low, base + 1 + last / high), (low, high)
