"""What is known beforehand of a face with AUs, as planes a network reads, and the way back.

Known is the warp renderer's picture: skin that moves and folds, lids that slide over a still
eyeball, lips that part along their seam. What lies between parted lips is left to the network.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from famaug.faces.align import CropTransform
from famaug.generator.inverse import at_nodes, to_grid
from famaug.generator.networks.au_maps import au_maps, midlines
from famaug.generator.warp import Shown, WarpRenderer
from famaug.types import Floats, Picture

_RIM = 2
"""Pixels at the border of the network's picture that it never changes."""


class Known(NamedTuple):
    """The known picture as a network reads it.

    Attributes:
        picture: `B 3 S S`, [-1, 1] and a little beyond.
        inside: `B 1 S S`, 0-1, how much more of the mouth's inside is seen than at rest.
    """

    picture: Tensor
    inside: Tensor


class KnownFace:
    """Known pictures of one face, seen by a network in a square crop.

    Args:
        renderer: of the whole picture, with a plain mouth.
        crop: uint8 `S S 3`, what the network sees of the picture.
        mesh: `478 3`, in pixels of the crop.
        transform: of the crop, upright.

    Attributes:
        size: of the crop.
        small: `1 3 S S`, the crop in [-1, 1].
        midline: `1 2 2`, pixels of the crop.
        support: `1 1 S S`, 1 where any AU moves anything, falling to 0 over the ring round it.
        box: rows and columns of the picture that the renderer's box has.
    """

    def __init__(
        self, renderer: WarpRenderer, crop: Picture, mesh: Floats, transform: CropTransform
    ) -> None:
        self.renderer, self.size = renderer, len(crop)
        motion, device = renderer.motion, renderer.device
        g = motion.grid
        self.box = slice(g.y0, g.y1 + 1), slice(g.x0, g.x1 + 1)
        values = torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1))).float()
        self.small = (values[None] / 127.5 - 1).to(device)
        self.midline = midlines(mesh[None]).to(device)
        step = transform.scale
        self.pixels = step * self.size / 2
        """A half side of the crop in pixels of the picture."""
        starts = (transform.cx, g.x0, g.x1), (transform.cy, g.y0, g.y1)
        tables = [
            (_averages(c - low, step, self.size, high - low + 1),
             _cubic(c - low, step, self.size, high - low + 1))
            for c, low, high in starts
        ]  # fmt: skip
        (self._down_x, self._up_x), (self._down_y, self._up_y) = (
            (torch.from_numpy(d).to(device), torch.from_numpy(u).to(device)) for d, u in tables
        )
        at = np.stack(
            np.meshgrid(*(((np.arange(self.size) * step + c - low) / s)
                          for (c, low, _), s in zip(starts, g.step, strict=True))), -1
        )  # fmt: skip
        self.support = self._support(torch.from_numpy(at[None].astype(np.float32)).to(device))
        self._rest = torch.from_numpy(motion.box).permute(2, 0, 1)[None].float().to(device)

    def _support(self, at: Tensor) -> Tensor:
        """Of the crop's pixels, given their places among the nodes `1 S S 2`."""
        motion = self.renderer.motion
        reach = motion.field.abs().amax((0, 1))[None, None]
        grid = to_grid(at, motion.grid.lines, motion.grid.columns)
        inside = (grid.abs() <= 1).all(-1)[:, None]
        inside[..., :_RIM, :] = inside[..., -_RIM:, :] = False
        inside[..., :, :_RIM] = inside[..., :, -_RIM:] = False
        return (at_nodes(reach, grid) * 12).clamp(0, 1) * inside

    def maps(self, intensity: Tensor) -> Tensor:
        """AU maps `B 17 S/2 S/2` of intensities `B 2 17`, at half the crop's size."""
        half = self.midline.expand(len(intensity), -1, -1) / 2 - 0.25
        return au_maps(intensity, half, self.size // 2)

    def known(self, shown: Shown) -> Known:
        """What the network reads of pictures that the renderer made."""
        changed = torch.cat([(shown.colour - self._rest) / 127.5, shown.inside], 1)
        planes = self._down_y @ changed @ self._down_x.mT
        return Known(self.small + planes[:, :3], planes[:, 3:])

    def up(self, planes: Tensor) -> Tensor:
        """Planes `B C S S` over the crop at the pixels of the box, `B C h w`."""
        return self._up_y @ planes @ self._up_x.mT


def _averages(start: float, step: float, size: int, count: int) -> NDArray[np.float32]:
    """`size count`: the crop's pixels, `step` wide, as averages of the picture's; where they are
    narrower than one, linear between two. Nothing lies beyond the picture's."""
    width = max(step, 1.0)
    middle = (start + step * np.arange(size))[:, None]
    place = np.arange(count)[None]
    low = np.maximum(middle - width / 2, place - 0.5)
    high = np.minimum(middle + width / 2, place + 0.5)
    out: NDArray[np.float32] = (np.clip(high - low, 0, None) / width).astype(np.float32)
    return out


def _cubic(start: float, step: float, size: int, count: int) -> NDArray[np.float32]:
    """`count size`: the picture's pixels by cubic convolution (Catmull and Rom) from the crop's;
    beyond the crop as at its border."""
    place = np.clip((np.arange(count) - start) / step, 0, size - 1)
    d = np.abs(place[:, None] - np.arange(size)[None])
    near = (1.5 * d - 2.5) * d**2 + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    table = np.where(d <= 1, near, np.where(d < 2, far, 0.0))
    out: NDArray[np.float32] = (table / table.sum(1, keepdims=True)).astype(np.float32)
    return out
