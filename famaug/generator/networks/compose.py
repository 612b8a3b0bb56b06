"""From a generator's outputs to pictures.

    out = A warp(picture, F) + (1 - A) C

A keeps, C paints (GANimation, Eq. 1), F moves. Without F it is GANimation.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from famaug.generator.networks.ganimation import Outputs


def compose(picture: Tensor, outputs: Outputs) -> Tensor:
    """Pictures `B 3 H W` in [-1, 1] of outputs of the same size."""
    kept = picture if outputs.flow is None else warp(picture, outputs.flow)
    return outputs.attention * kept + (1 - outputs.attention) * outputs.colour


def warp(picture: Tensor, flow: Tensor) -> Tensor:
    """The picture `B 3 H W`, each pixel from where `flow` (`B 2 H W`, half sides) points; bilinear,
    differentiable, beyond the border as at the border."""
    _, _, height, width = flow.shape
    y, x = (
        (2 * torch.arange(n, device=flow.device, dtype=flow.dtype) + 1) / n - 1
        for n in (height, width)
    )
    grid = torch.stack([x[None, None] + flow[:, 0], y[None, :, None] + flow[:, 1]], -1)
    return F.grid_sample(picture, grid, padding_mode="border", align_corners=False)
