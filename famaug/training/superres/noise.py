"""Noise patches collected from real pictures (RealSR, Ji et al. 2020, section 3.2).

Where a picture is smooth, what is left after its smooth part is taken away is the camera's noise.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from famaug.types import Floats, Picture

SIDE = 48
LOUDEST = 12.0
"""Standard deviation in grey levels above which a patch is taken for texture."""
SMOOTHEST = 0.25
"""Below it a patch is a clipped or painted area: no noise to learn from."""


def noise_patches(picture: Picture, *, most: int = 16) -> Floats:
    """Noise of the smoothest parts, float32 `N 48 48 3` in grey levels, mean 0; N may be 0.

    Args:
        picture: uint8 RGB `H W 3`.
        most: patches of one picture, the quietest first.
    """
    found: list[tuple[float, Floats]] = []
    height, width = picture.shape[:2]
    for y in range(0, height - SIDE + 1, SIDE // 2):
        for x in range(0, width - SIDE + 1, SIDE // 2):
            patch = picture[y : y + SIDE, x : x + SIDE].astype(np.float32)
            noise = _noise(patch)
            if noise is not None:
                found.append((float(noise.std()), noise))
    found.sort(key=lambda item: item[0])
    kept = [noise for _, noise in found[:most]]
    return np.stack(kept) if kept else np.zeros((0, SIDE, SIDE, 3), np.float32)


def _noise(patch: Floats) -> Floats | None:
    """The patch without its smooth part, or None where it shows more than noise."""
    if patch.max() >= 254 or patch.min() <= 1:
        return None
    smooth = ndimage.gaussian_filter(patch, (4, 4, 0))
    noise: Floats = patch - smooth
    if not SMOOTHEST <= noise.std() <= LOUDEST:
        return None
    # noise is everywhere alike; an edge or a hair stands out in one part
    parts = noise.reshape(4, SIDE // 4, 4, SIDE // 4, 3).std(axis=(1, 3, 4))
    if parts.max() > 2 * parts.min() or smooth.std(axis=(0, 1)).max() > 4 * LOUDEST:
        return None
    out: Floats = (noise - noise.mean(axis=(0, 1))).astype(np.float32)
    return out
