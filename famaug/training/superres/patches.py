"""Batches for training: patches of sharp pictures and what a camera would have made of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from famaug.errors import InputError
from famaug.seeding import keyed_generator
from famaug.training.loop.objective import Batch
from famaug.training.superres.degrade import SCALE, Pools, add_noise, downscale, plain_downscale
from famaug.training.superres.kernels import SIDE4
from famaug.types import Picture


class DegradedPatches:
    """A batch source: `sharp` float `B 3 4n 4n` and `small` float `B 3 n n`, both in [0, 1].

    Args:
        pictures: sharp ones, uint8 RGB `H W 3`.
        pools: kernels and noises of the target domain.
        size: n, side of a small patch.
        plain: share of patches that are downscaled plainly, without noise.
        seed: of all drawing.

    Raises:
        InputError: a picture is smaller than a patch, or a share outside 0 to 1.
    """

    def __init__(
        self,
        pictures: Sequence[Picture],
        pools: Pools,
        *,
        size: int = 40,
        plain: float = 0.3,
        seed: int = 0,
    ) -> None:
        if not 16 <= size <= 256 or not 0 <= plain <= 1:
            raise InputError(f"size is 16 to 256 and plain 0 to 1; got {size} and {plain}")
        least = SCALE * size + 2 * SIDE4
        small = [p.shape[:2] for p in pictures if min(p.shape[:2]) < least]
        if not pictures or small:
            raise InputError(
                f"patches of {size} need pictures of at least {least} pixels; got "
                f"{len(pictures)} pictures, too small: {small[:3]}"
            )
        self.pictures, self.pools = pictures, pools
        self.size, self.plain, self.seed = size, plain, seed

    def batch(self, number: int, rows: range) -> Batch:
        """See `BatchSource`."""
        made = [self._row(number, row) for row in rows]
        return {
            "sharp": torch.cat([sharp for sharp, _ in made]),
            "small": torch.cat([small for _, small in made]),
        }

    def _row(self, number: int, row: int) -> tuple[Tensor, Tensor]:
        draw = keyed_generator(self.seed, "superres", number, row)
        picture = self.pictures[int(draw.integers(len(self.pictures)))]
        side, rim = SCALE * self.size, SIDE4
        y = int(draw.integers(picture.shape[0] - side - 2 * rim + 1))
        x = int(draw.integers(picture.shape[1] - side - 2 * rim + 1))
        whole = picture[y : y + side + 2 * rim, x : x + side + 2 * rim]
        if draw.random() < 0.5:
            whole = whole[:, ::-1]
        wide = torch.from_numpy(np.ascontiguousarray(whole)).permute(2, 0, 1)[None].float() / 255
        sharp = wide[..., rim:-rim, rim:-rim]
        inner = slice(rim // SCALE, rim // SCALE + self.size)
        if draw.random() < self.plain:
            small = (plain_downscale(wide) * 255).round().clamp(0, 255) / 255
            return sharp, small[..., inner, inner]
        kernel = self.pools.kernels[int(draw.integers(len(self.pools.kernels)))]
        small = downscale(wide, torch.from_numpy(kernel)[None])[..., inner, inner]
        if not len(self.pools.noises):
            return sharp, small
        noise = self.pools.noises[int(draw.integers(len(self.pools.noises)))]
        return sharp, add_noise(small, torch.from_numpy(noise)[None])
