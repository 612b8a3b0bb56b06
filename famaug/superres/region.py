"""A network on a part of a picture whose rest is known from a reference.

Where a frame differs from its reference frame in one region only, each layer's input around that
region is the reference's. So the layers are run on the region alone, and instead of zeros each
convolution's border is what the reference showed there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from famaug.superres.rrdb import RRDBNet
from famaug.superres.srvgg import SRVGG


class Region(NamedTuple):
    """Pixels `top <= y < bottom`, `left <= x < right` of the input."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def area(self) -> int:
        return (self.bottom - self.top) * (self.right - self.left)

    def scaled(self, by: int) -> Region:
        return Region(*(by * edge for edge in self))

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)


class RegionalNet:
    """Runs a network of 3 x 3 convolutions on regions.

    Args:
        net: every convolution in it has kernel 3, stride 1 and padding 1; everything between them
            works on each pixel alone or enlarges by whole factors.
    """

    def __init__(self, net: nn.Module) -> None:
        self.net = net
        self.convs = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
        self._rims: dict[Region, list[Tensor]] = {}

    @staticmethod
    def fits(net: nn.Module) -> bool:
        """Whether a network is of that kind; only ours are known to be."""
        return isinstance(net, RRDBNet | SRVGG)

    def see(self, reference: Tensor, regions: Sequence[Region]) -> Tensor:
        """The whole reference `1 3 H W` through the network; keeps what lies around the regions."""
        self._rims = {region: [] for region in regions}
        height = reference.shape[2]

        def keep(module: nn.Module, inputs: tuple[Tensor]) -> None:
            (x,) = inputs
            for region, rims in self._rims.items():
                rims.append(_rim(x, region.scaled(x.shape[2] // height)))

        with _hooked(self.convs, keep):
            out: Tensor = self.net(reference)
        return out

    def run(self, parts: Tensor, region: Region) -> Tensor:
        """Frames `B 3 h w` of one region that was seen, through the network."""
        rims = iter(self._rims[region])

        def surround(module: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
            return (_with_rim(inputs[0], next(rims)),)

        with _hooked(self.convs, surround), _unpadded(self.convs):
            out: Tensor = self.net(parts)
        return out


def _rim(x: Tensor, region: Region) -> Tensor:
    """The pixels just around a region, in a row: top, bottom (with corners), left, right. Beyond
    the picture's edge they are zeros, as convolutions see them."""
    height, width = x.shape[2:]
    low, high = max(0, region.left - 1), min(width, region.right + 1)
    missing = (low - (region.left - 1), region.right + 1 - high)
    inside = slice(region.top, region.bottom)
    sides = []
    for y in (region.top - 1, region.bottom):
        row = x[..., y, low:high] if 0 <= y < height else torch.zeros_like(x[..., 0, low:high])
        sides.append(F.pad(row, missing))
    for at in (region.left - 1, region.right):
        there = 0 <= at < width
        sides.append(x[..., inside, at] if there else torch.zeros_like(x[..., inside, 0]))
    return torch.cat(sides, -1)


def _with_rim(x: Tensor, rim: Tensor) -> Tensor:
    batch, channels, height, width = x.shape
    out = torch.empty(
        (batch, channels, height + 2, width + 2),
        dtype=x.dtype,
        device=x.device,
        memory_format=torch.channels_last,
    )
    top, bottom, left, right = torch.split(rim, [width + 2, width + 2, height, height], -1)
    out[..., 1:-1, 1:-1] = x
    out[..., 0, :], out[..., -1, :] = top, bottom
    out[..., 1:-1, 0], out[..., 1:-1, -1] = left, right
    return out


@contextmanager
def _hooked(convs: Sequence[nn.Module], hook: object) -> Iterator[None]:
    handles = [c.register_forward_pre_hook(hook) for c in convs]  # type: ignore[arg-type]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _unpadded(convs: Sequence[nn.Conv2d]) -> Iterator[None]:
    for conv in convs:
        conv.padding = (0, 0)
    try:
        yield
    finally:
        for conv in convs:
            conv.padding = (1, 1)
