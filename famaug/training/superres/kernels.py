"""Blur kernels estimated from pictures themselves, after KernelGAN.

Bell-Kligler, Shocher, Irani 2019: the kernel a picture was taken with is the one that, downscaling
it, keeps its small patches alike across scales. Here too a linear generator downscales crops by
two. What compares its patches with the picture's own is their mean power spectrum and not a
trained discriminator: on pictures of 256 to 512 pixels the published form needs thousands of
steps a picture, while spectra follow the true blur in 150. RealSR (Ji et al. 2020, section 3.1)
collects such kernels of a target domain.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage, signal
from torch import Tensor

from famaug.errors import InputError
from famaug.seeding import keyed_generator
from famaug.types import Floats, Picture

SIDE = 13
"""Taps of the kernel for a factor of two, each way."""
SIDE4 = 24
"""Taps of a kernel for a factor of four; its centre lies between the two middle taps."""
PATCH, CROPS, STEPS = 32, 48, 150
_CROP = 2 * PATCH + SIDE - 1
SMALLEST = 128
_LEARNING_RATE = 0.1
_FLOOR = 0.05
"""Grey levels squared: what is weaker is taken for rounding."""
_LOW, _MIDDLE, _HIGH = 0.04, 0.12, 0.5
"""Cycles a pixel: below the first nothing is compared; up to the second is contrast, not blur."""
_SMOOTH = 2.0


def estimate_kernel(picture: Picture, *, seed: int = 0, steps: int = STEPS) -> Floats:
    """The kernel by which a picture looks downscaled by two, float32 `13 13`, sum 1.

    Args:
        picture: uint8 RGB `H W 3`, sides of at least 128.
        seed: of the crops.
        steps: of the estimation; a few seconds each 150.

    Raises:
        InputError: the picture is smaller.
    """
    if min(picture.shape[:2]) < SMALLEST:
        raise InputError(
            f"a blur kernel is estimated from pictures of at least {SMALLEST} x {SMALLEST}; got "
            f"{picture.shape[1]} x {picture.shape[0]}"
        )
    grey = torch.from_numpy(picture.astype(np.float32).mean(2))[None, None]
    draw, chances = keyed_generator(seed, "kernel"), _chances(grey[0, 0].numpy())
    crops = torch.cat([_crop(grey, _CROP, chances, draw) for _ in range(CROPS)])
    places = (0, (_CROP - PATCH) // 2, _CROP - PATCH)
    own = torch.cat([crops[..., y : y + PATCH, x : x + PATCH] for y in places for x in places])
    target, rings = _spectrum(own), _Rings()
    logits = torch.from_numpy(gaussian_kernel(1.0)).clamp(min=1e-6).log().requires_grad_(True)
    optimizer = torch.optim.Adam([logits], lr=_LEARNING_RATE)
    for _ in range(steps):
        kernel = logits.flatten().softmax(0).view(SIDE, SIDE)
        made = _spectrum(F.conv2d(crops, kernel[None, None], stride=2))
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward([rings.apart(made, target) + _rules(kernel)])
        optimizer.step()
    return _tidy(logits.detach().flatten().softmax(0).view(SIDE, SIDE).numpy())


def _spectrum(patches: Tensor) -> Tensor:
    """Logarithm of the mean power spectrum of patches `B 1 32 32`."""
    line = torch.hann_window(PATCH, periodic=False)
    flat = (patches - patches.mean((2, 3), keepdim=True)) * line[:, None] * line
    power = torch.fft.rfft2(flat).abs().square().mean((0, 1))
    return torch.log(power + _FLOOR * PATCH * PATCH)


class _Rings:
    """Compares spectra, every ring of frequencies alike."""

    def __init__(self) -> None:
        down, across = torch.fft.fftfreq(PATCH)[:, None], torch.fft.rfftfreq(PATCH)
        far = torch.hypot(down, across)
        seen = (far > _LOW) & (far <= _HIGH)
        self.low = seen & (far < _MIDDLE)
        self.weight = torch.where(seen, 1 / far.clamp(min=_LOW), 0.0)
        self.weight = self.weight / self.weight.sum()

    def apart(self, made: Tensor, target: Tensor) -> Tensor:
        off = made - target
        off = off - off[self.low].mean()
        return (self.weight * off.square()).sum()


def _rules(kernel: Tensor) -> Tensor:
    """Centred and smooth."""
    place = torch.arange(SIDE, dtype=torch.float32) - SIDE // 2
    centre = (kernel.sum(1) * place).sum().square() + (kernel.sum(0) * place).sum().square()
    rough = kernel.diff(dim=0).square().sum() + kernel.diff(dim=1).square().sum()
    return centre + _SMOOTH * rough


def _chances(grey: Floats) -> NDArray[Any]:
    """How likely a crop is centred at a pixel: where there are edges."""
    steep = np.hypot(ndimage.sobel(grey, 0), ndimage.sobel(grey, 1))
    smooth = ndimage.uniform_filter(steep, PATCH // 2) + 1e-6
    chances = np.cumsum(smooth.ravel().astype(np.float64))
    out: NDArray[Any] = chances / chances[-1]
    return out


def _crop(grey: Tensor, side: int, chances: NDArray[Any], draw: np.random.Generator) -> Tensor:
    height, width = grey.shape[2:]
    at = int(np.searchsorted(chances, draw.random()))
    y = int(np.clip(at // width - side // 2, 0, height - side))
    x = int(np.clip(at % width - side // 2, 0, width - side))
    return grey[..., y : y + side, x : x + side]


def _tidy(kernel: Floats) -> Floats:
    """Without what lies far below the peak; centred, sum 1."""
    kept = np.where(kernel > 0.02 * kernel.max(), kernel, 0)
    middle = np.asarray(ndimage.center_of_mass(kept))
    shifted = ndimage.shift(kept, SIDE // 2 - middle, order=1)
    out: Floats = (shifted / shifted.sum()).astype(np.float32)
    return out


def gaussian_kernel(sigma: float) -> Floats:
    """float32 `13 13`, sum 1."""
    place = np.arange(SIDE) - SIDE // 2
    line = np.exp(-0.5 * np.square(place / sigma))
    square = np.outer(line, line)
    out: Floats = (square / square.sum()).astype(np.float32)
    return out


def twice(kernel: Floats) -> Floats:
    """The kernel for a factor of four out of one for two, float32 `24 24`: the downscaling by two
    done twice, centred between the middle taps as pixels of four times the size need it."""
    spread = np.zeros((2 * SIDE - 1, 2 * SIDE - 1), np.float64)
    spread[::2, ::2] = kernel
    whole = signal.convolve2d(spread, kernel.astype(np.float64))
    whole = np.pad(whole, SIDE4)
    middle = np.asarray(ndimage.center_of_mass(whole))
    low = np.floor(middle).astype(int) - (SIDE4 // 2 - 1)
    moved = ndimage.shift(whole, low + (SIDE4 - 1) / 2 - middle, order=1)
    part = moved[low[0] : low[0] + SIDE4, low[1] : low[1] + SIDE4]
    out: Floats = (part / part.sum()).astype(np.float32)
    return out


def kernel_width(kernel: Floats) -> float:
    """Standard deviation in pixels, averaged over both axes."""
    where = np.arange(len(kernel)) - (len(kernel) - 1) / 2
    spread = [(kernel.sum(axis) * where**2).sum() for axis in (0, 1)]
    return float(np.sqrt(np.mean(spread)))
