"""GANimation's losses with the weights that take effect.

Source: Pumarola et al., ECCV 2018, section 5, and the authors' public training code, which differs
from the paper where noted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from famaug.errors import InputError

Reduction = Literal["sum", "mean"]


@dataclass(frozen=True, kw_only=True)
class GanimationLossWeights:
    """Weights of the terms; the defaults are those of the authors' code.

    Attributes:
        adversarial: of the Wasserstein terms.
        penalty: of the gradient penalty.
        units: of the mean squared error of AUs / 5. The code says 4000 and divides by its batch
            of 25: 160 is what takes effect, and what the re-implementations use.
        cycle: of the L1 error of the way there and back; with 0 the way back is not taken.
        attention: of the mean of A, in both directions.
        smoothness: of the total variation of A, in both directions.
        smoothness_reduction: "sum" over the batch and all pixels, as coded: at 25 pictures of 128
            pixels 1e-5 times the sum is 4.06 times the mean. It grows with the batch and the size;
            "mean" does not. The paper says 1e-4.
        sequence: of the sequence critic's term for the generator.
        known: of the distance to the picture that is to come out, where it is known (rendered
            faces), and
        motion: of the squared distance in pixels of the motion head's displacement to the known
            one.
            Both are famaug's own; 0 is as published.
    """

    adversarial: float = 1.0
    penalty: float = 10.0
    units: float = 160.0
    cycle: float = 10.0
    attention: float = 0.1
    smoothness: float = 1e-5
    smoothness_reduction: Reduction = "sum"
    sequence: float = 1.0
    known: float = 0.0
    motion: float = 0.0

    def __post_init__(self) -> None:
        negative = [k for k, v in self.__dict__.items() if isinstance(v, int | float) and v < 0]
        if negative:
            raise InputError(f"weights are at least 0; {', '.join(negative)} are not")
        if self.smoothness_reduction not in ("sum", "mean"):
            raise InputError(
                f"smoothness_reduction is 'sum' or 'mean'; got {self.smoothness_reduction!r}"
            )


def wasserstein(real: Tensor, fake: Tensor) -> Tensor:
    """What a critic minimises: mean realness of the fake less that of the real."""
    return fake.mean() - real.mean()


def gradient_penalty(critic: nn.Module, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """E (|grad D(mix real + (1 - mix) fake)| - 1)^2 over whole samples.

    The gradient is that of the sum over all patches (Gulrajani et al. 2017, as GANimation codes
    it). Computed in float32: the gradient of a gradient loses too much in less.

    Args:
        critic: gives realness, alone or first of several.
        real, fake: `B ...`.
        mix: `B`, in 0-1.
    """
    with torch.autocast(real.device.type, enabled=False):
        share = mix.float().view(-1, *[1] * (real.ndim - 1))
        between = (share * real.float() + (1 - share) * fake.detach().float()).requires_grad_(True)
        found = critic(between)
        realness = found[0] if isinstance(found, tuple) else found
        (slope,) = torch.autograd.grad(realness.sum(), between, create_graph=True)
        penalty: Tensor = (slope.flatten(1).norm(dim=1) - 1).square().mean()
        return penalty


def units_error(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error of AUs / 5."""
    return F.mse_loss(predicted.float(), wanted)


def cycle_error(back: Tensor, picture: Tensor) -> Tensor:
    """Mean absolute difference."""
    return F.l1_loss(back, picture)


def known_error(picture: Tensor, true: Tensor, is_known: Tensor) -> Tensor:
    """Mean absolute difference of pictures `B 3 H W` and of their slopes, over the rows of which
    the true picture is known (`B`, 0 or 1). Slopes are what small motions change."""
    difference = picture - true
    across = difference[..., :, 1:] - difference[..., :, :-1]
    down = difference[..., 1:, :] - difference[..., :-1, :]
    rows = sum(d.abs().flatten(1).mean(1) for d in (difference, across, down))
    return (is_known * rows).sum() / is_known.sum().clamp(min=1)


def motion_error(flow: Tensor, motion: Tensor, from_rest: Tensor) -> Tensor:
    """Mean squared difference in pixels of displacements `B 2 S S` (half sides), averaged over
    cells of two pixels, from known ones `B 2 S/2 S/2`, over rows shown at rest (`B`, 0 or 1).

    Squared, as most places of most pictures lie still: the absolute difference begins by learning
    that nothing moves."""
    pixels = (F.avg_pool2d(flow, 2) - motion) * (flow.shape[-1] / 2)
    rows = pixels.square().flatten(1).mean(1)
    return (from_rest * rows).sum() / from_rest.sum().clamp(min=1)


def total_variation(attention: Tensor, reduction: Reduction) -> Tensor:
    """Absolute differences of neighbours in `B 1 H W`: summed over everything, or the mean across
    plus the mean down."""
    across = (attention[..., :, 1:] - attention[..., :, :-1]).abs()
    down = (attention[..., 1:, :] - attention[..., :-1, :]).abs()
    if reduction == "sum":
        return across.sum() + down.sum()
    return across.mean() + down.mean()
