"""From sharp to as a camera sees it: LR = (HR * k) down by 4 + n (RealSR, Ji et al. 2020)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from famaug.errors import InputError, WeightsError
from famaug.training.superres.kernels import SIDE4, STEPS, estimate_kernel, kernel_width, twice
from famaug.training.superres.noise import SIDE, noise_patches
from famaug.types import Floats, Picture
from famaug.weights.tensor_files import load_tensors, save_tensors

SCALE = 4


@dataclass(frozen=True, eq=False)
class Pools:
    """What was learnt of a target domain.

    Attributes:
        kernels: float32 `K 24 24`, sum 1 each, for a factor of four.
        noises: float32 `N 48 48 3` in grey levels; N may be 0.
    """

    kernels: Floats
    noises: Floats

    def save(self, path: Path) -> None:
        """Whole or not at all, as safetensors."""
        tensors = {
            "kernels": torch.from_numpy(self.kernels),
            "noises": torch.from_numpy(self.noises),
        }
        save_tensors(path, tensors, {"what": "superres pools/1"})

    @staticmethod
    def load(path: Path) -> Pools:
        """Raises:
        WeightsError: not such a file.
        """
        tensors, note = load_tensors(path)
        kernels, noises = tensors.get("kernels"), tensors.get("noises")
        if note.get("what") != "superres pools/1" or kernels is None or noises is None:
            raise WeightsError(f"{path}: no pools of kernels and noise")
        if kernels.shape[1:] != (SIDE4, SIDE4) or noises.shape[1:] != (SIDE, SIDE, 3):
            raise WeightsError(f"{path}: kernels {tuple(kernels.shape)}, noises {noises.shape}")
        return Pools(kernels.numpy(), noises.numpy())

    def summary(self) -> dict[str, float]:
        """How wide the kernels and how loud the noises are."""
        widths = [kernel_width(k) for k in self.kernels]
        loud = self.noises.std(axis=(1, 2, 3)) if len(self.noises) else np.zeros(1)
        return {
            "kernels": len(self.kernels),
            "kernel_width_px": float(np.median(widths)),
            "noises": len(self.noises),
            "noise_grey_levels": float(np.median(loud)),
        }


def learn_pools(
    pictures: Sequence[Picture],
    *,
    kernels: int = 16,
    steps: int = STEPS,
    seed: int = 0,
    progress: Callable[[str], None] = lambda text: None,
) -> Pools:
    """Kernels of the first pictures and noise patches of all.

    Args:
        pictures: of the target domain, uint8 RGB `H W 3`.
        kernels: how many pictures to estimate a kernel from.
        steps: of each estimation.
        seed: of the estimations.
        progress: gets a line a kernel.

    Raises:
        InputError: no pictures, or one of the first is under 128 pixels.
    """
    if not pictures or kernels < 1:
        raise InputError("at least one target picture is needed to learn a degradation from")
    found = []
    for i, picture in enumerate(pictures[:kernels]):
        found.append(twice(estimate_kernel(picture, seed=seed + i, steps=steps)))
        progress(f"kernel {i + 1}: {kernel_width(found[-1]):.2f} px wide")
    noises = np.concatenate([noise_patches(p) for p in pictures])
    return Pools(np.stack(found), noises)


def downscale(pictures: Tensor, kernels: Tensor) -> Tensor:
    """Blurred and every fourth pixel kept.

    Args:
        pictures: float `B C H W`, sides multiples of 4.
        kernels: float `B 24 24`, one a picture.

    Returns:
        `B C H/4 W/4`, aligned with the source.
    """
    batch, channels, height, width = pictures.shape
    before = SIDE4 // 2 - SCALE // 2
    padded = F.pad(pictures, (before, before, before, before), mode="reflect")
    weight = kernels.repeat_interleave(channels, 0)[:, None]
    flat = padded.reshape(1, batch * channels, *padded.shape[2:])
    out = F.conv2d(flat, weight, stride=SCALE, groups=batch * channels)
    return out.reshape(batch, channels, height // SCALE, width // SCALE)


def plain_downscale(pictures: Tensor) -> Tensor:
    """By four, bicubic with antialiasing; float `B C H W`."""
    size = (pictures.shape[2] // SCALE, pictures.shape[3] // SCALE)
    return F.interpolate(pictures, size, mode="bicubic", antialias=True, align_corners=False)


def add_noise(pictures: Tensor, noises: Tensor) -> Tensor:
    """Noise `B 48 48 3` in grey levels onto pictures `B 3 h w` in [0, 1], mirrored to their size;
    the result is rounded to grey levels as a file would be."""
    height, width = pictures.shape[2:]
    layers = noises.permute(0, 3, 1, 2) / 255
    for axis, side in ((2, height), (3, width)):
        while layers.shape[axis] < side:
            layers = torch.cat([layers, layers.flip(axis)], axis)
    return ((pictures + layers[..., :height, :width]) * 255).round().clamp(0, 255) / 255
