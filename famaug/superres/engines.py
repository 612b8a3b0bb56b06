"""Clips that fit into memory, through a network: by PyTorch anywhere, or compiled on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from famaug.files.limits import check_finite
from famaug.superres.changes import changed_regions, changed_tiles
from famaug.superres.region import Region, RegionalNet
from famaug.superres.winograd import AT_ONCE, TILE, NativeNet
from famaug.types import Frames

BATCH = 8
"""Frames at once on a GPU. On processors one by one is faster (measured: by a sixth)."""


Done = Callable[[int], None]
"""Gets how many frames were done since the last call."""


def _ignored(count: int) -> None:
    pass


class Reuse(NamedTuple):
    """Which frame is the reference, and what counts as a change; see `Upscaler`."""

    reference: int
    tolerance: int
    follow: int


class Engine(Protocol):
    """What an Upscaler computes with.

    Attributes:
        name: decides, with weights and settings, the pixels.
    """

    name: str

    def bytes_per_pixel(self, *, reuse: bool) -> int:
        """Of memory that a pixel of the input takes, roughly."""

    def whole(self, frames: Frames, *, most: int, done: Done = _ignored) -> Frames:
        """Every frame of `T H W 3`; at most so many pixels at once."""

    def reused(self, frames: Frames, how: Reuse, *, done: Done = _ignored) -> tuple[Frames, int]:
        """The reference frame, and of the others what differs from it; and how many pixels were
        computed."""


def choose_engine(
    net: nn.Module, *, half: bool, reuse: bool, device: torch.device, native: bool
) -> Engine:
    """The compiled way where it can be had, else PyTorch."""
    if native and device.type == "cpu" and NativeNet.fits(net, half=half, reuse=reuse):
        return NativeEngine(NativeNet(net, half=half))
    return TorchEngine(net, half=half, device=device)


class NativeEngine:
    """By `famaug.superres.winograd`."""

    def __init__(self, net: NativeNet) -> None:
        self.net = net
        self.name = "winograd-bf16" if net.half else "winograd"
        self._one = Lock()  # the network's planes serve a clip at a time

    def bytes_per_pixel(self, *, reuse: bool) -> int:
        return self.net.bytes_per_pixel(reuse=reuse)

    def whole(self, frames: Frames, *, most: int, done: Done = _ignored) -> Frames:
        with self._one:
            made = []
            for frame in frames:
                made.append(self.net.picture(frame))
                done(1)
        return np.stack(made)

    def reused(self, frames: Frames, how: Reuse, *, done: Done = _ignored) -> tuple[Frames, int]:
        base, computed = frames[how.reference], frames[0, :, :, 0].size
        with self._one:
            out = np.repeat(self.net.see(base)[None], len(frames), 0)
            for start in range(0, len(frames), AT_ONCE):
                part = range(start, min(start + AT_ONCE, len(frames)))
                tiles = {
                    i: changed_tiles(
                        frames[i], base, tolerance=how.tolerance, follow=how.follow, side=TILE
                    )
                    for i in part
                    if i == 0 or not np.array_equal(frames[i], frames[i - 1])
                }
                moved = [i for i, found in tiles.items() if found.any()]
                if moved:
                    self.net.changed(
                        [frames[i] for i in moved],
                        [tiles[i] for i in moved],
                        [out[i] for i in moved],
                    )
                    computed += TILE**2 * sum(int(tiles[i].sum()) for i in moved)
                for i in part:
                    if i not in tiles:
                        out[i] = out[i - 1]
                done(len(part))
        return out, computed


class TorchEngine:
    """By PyTorch."""

    def __init__(self, net: nn.Module, *, half: bool, device: torch.device) -> None:
        self.device, self.dtype = device, torch.bfloat16 if half else torch.float32
        self.name = f"torch {self.dtype}"
        # frames are `B H W 3` in memory, which is what channels-last means
        self.net = net.to(self.dtype).to(memory_format=torch.channels_last)

    def bytes_per_pixel(self, *, reuse: bool) -> int:
        net: Any = self.net
        return int(net.bytes_per_pixel) // (2 if self.dtype == torch.bfloat16 else 1)

    def whole(self, frames: Frames, *, most: int, done: Done = _ignored) -> Frames:
        batch = 1 if self.device.type == "cpu" else BATCH
        step = max(1, min(batch, most // (frames.shape[1] * frames.shape[2])))
        with torch.inference_mode():
            made = []
            for i in range(0, len(frames), step):
                part = frames[i : i + step]
                made.append(_picture(self.net(self._tensor(part))))
                done(len(part))
        return np.concatenate(made)

    def reused(self, frames: Frames, how: Reuse, *, done: Done = _ignored) -> tuple[Frames, int]:
        base, computed = frames[how.reference], frames[0, :, :, 0].size
        whole = Region(0, base.shape[0], 0, base.shape[1])
        plans = [
            changed_regions(f, base, tolerance=how.tolerance, follow=how.follow) for f in frames
        ]
        if not RegionalNet.fits(self.net):
            plans = [[whole] if regions else [] for regions in plans]
        parts = {r for regions in plans for r in regions} - {whole}
        regional = RegionalNet(self.net)
        with torch.inference_mode():
            still = _picture(regional.see(self._tensor(base[None]), sorted(parts)))[0]
            out = np.repeat(still[None], len(frames), 0)
            for number, regions in enumerate(plans):
                for region in regions:
                    y, x = region.slices
                    part = self._tensor(frames[number : number + 1, y, x])
                    made = self.net(part) if region == whole else regional.run(part, region)
                    to_y, to_x = region.scaled(self.scale).slices
                    out[number, to_y, to_x] = _picture(made)[0]
                    computed += region.area
                done(1)
        return out, computed

    @property
    def scale(self) -> int:
        net: Any = self.net
        return int(net.scale)

    def _tensor(self, frames: Frames) -> Tensor:
        pixels = torch.from_numpy(np.ascontiguousarray(frames)).to(self.device)
        return (pixels.permute(0, 3, 1, 2).float() / 255).to(self.dtype)


def _picture(made: Tensor) -> Frames:
    """`B 3 H W` as uint8 `B H W 3`."""
    check_finite(made)
    grey = (made.float() * 255).round_().clamp_(0, 255).to(torch.uint8)
    return np.ascontiguousarray(grey.permute(0, 2, 3, 1).cpu().numpy())
