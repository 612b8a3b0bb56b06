"""Pictures and clips sharpened: tiles within a memory budget, batches, and reuse over time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
from torch import nn

from famaug.errors import InputError
from famaug.media.clips import MAX_CLIP_BYTES
from famaug.shown.lines import one_line, short
from famaug.superres.engines import PictureNet
from famaug.superres.models import DEFAULT, load_model
from famaug.superres.regions import Region, changed_regions, tiles
from famaug.types import Frames, Picture

Temporal = Literal["full", "reuse"]
Precision = Literal["fp32", "bf16"]
MEMORY = 1 << 30
OVERLAP = 32
"""Pixels around a tile that a network sees with it, at most."""
METHOD = 2
"""Of reuse; another one gives other digests."""
Progress = Callable[[int, int], None]


class Upscaler:
    """Sharpens pictures and clips.

    Args:
        model: a name (`famaug.superres.models.MODELS`) or a weights file.
        temporal: "full" computes every frame; "reuse" computes the reference frame, and of the
            others what differs from it.
        tolerance: with "reuse": grey levels of difference that count as unchanged. With 0 still
            frames are the reference's pixels bit for bit, and cameras' noise is a change; 1 or 2
            take it for none.
        follow: with "reuse": pixels of the source to which a change is followed; by default the
            network's own choice, and one more with a tolerance. From the network's `reach` on the
            result is that of "full", but for rounding.
        precision: "fp32", or "bf16": faster where the processor knows it, and up to some grey
            levels off.
        fast: on a CPU, compute our networks by OpenVINO where it is installed; False: by PyTorch.
        memory: bytes that a network may take for its layers, roughly.
        device: where it runs.

    Attributes:
        computed: share of the last clip's pixels that went through the network; 1 without reuse.
        engine: what computes, in words; no part of the digest.

    Raises:
        InputError: a setting that does not exist.
        FetchError, WeightsError: the weights cannot be had or used.
    """

    def __init__(
        self,
        model: str | Path = DEFAULT,
        *,
        temporal: Temporal = "full",
        tolerance: int = 0,
        follow: int | None = None,
        precision: Precision = "fp32",
        fast: bool = True,
        memory: int = MEMORY,
        device: str = "cpu",
    ) -> None:
        if temporal not in ("full", "reuse") or precision not in ("fp32", "bf16"):
            raise InputError(
                "temporal is 'full' or 'reuse' and precision 'fp32' or 'bf16'; got "
                f"{temporal!r} and {precision!r}"
            )
        if not 0 <= tolerance <= 255 or (follow is not None and follow < 0) or memory < 1:
            raise InputError(
                "tolerance is 0 to 255 grey levels, follow and memory are not negative; got "
                f"{tolerance}, {follow} and {memory}"
            )
        net: Any = load_model(model, device=device)
        self.name, self.scale, self.reach = str(model), int(net.scale), int(net.reach)
        # what a tolerance takes for still may lie at the edge of what moves a lot
        self.follow = int(net.follow) + (tolerance > 0) if follow is None else follow
        self.margin = min(self.reach, max(int(net.margin), self.follow))
        self.temporal, self.tolerance, self.precision = temporal, tolerance, precision
        self.digest = self._digest(net)
        half = precision == "bf16"
        self.pixels = memory // (int(net.bytes_per_pixel) // (2 if half else 1))
        self._engine = PictureNet(net, half=half, device=torch.device(device), fast=fast)
        self.engine = self._engine.name
        self.computed = 1.0

    def __repr__(self) -> str:
        how = self.temporal if self.precision == "fp32" else f"{self.temporal}, {self.precision}"
        return one_line(self, f"{short(self.name)} x{self.scale}", how, self.engine)

    def _digest(self, net: nn.Module) -> str:
        """16 hex digits of weights and settings. Not of what computes: between engines and devices
        pixels differ by rounding alone."""
        settings = (METHOD, self.precision, self.temporal, self.tolerance, self.follow)
        hasher = hashlib.sha256(repr(settings).encode())
        for name, value in net.state_dict().items():
            hasher.update(name.encode())
            hasher.update(value.float().cpu().contiguous().numpy().tobytes())
        return hasher.hexdigest()[:16]

    def picture(self, picture: Picture, *, size: tuple[int, int] | None = None) -> Picture:
        """A picture uint8 RGB `H W 3` sharpened; see `frames`."""
        _check(picture[None] if isinstance(picture, np.ndarray) else picture)
        return np.asarray(self.frames(picture[None], size=size)[0], np.uint8)

    def frames(
        self,
        frames: Frames,
        *,
        size: tuple[int, int] | None = None,
        reference: int = 0,
        progress: Progress = lambda done, total: None,
    ) -> Frames:
        """A clip sharpened.

        Args:
            frames: uint8 RGB `T H W 3`.
            size: height and width of the result; None keeps `scale` times the source's.
            reference: number of the frame that the others are compared with under "reuse".
            progress: gets what is done and how much there is, in frames of tiles.

        Returns:
            uint8 RGB `T H' W' 3`.

        Raises:
            InputError: another layout, a result of more than 8 GiB, or a memory budget too small.
        """
        _check(frames)
        if not 0 <= reference < len(frames):
            raise InputError(f"reference {reference} is not within the clip's {len(frames)} frames")
        out = np.empty(self._shape(frames), np.uint8)
        whole = Region(0, frames.shape[1], 0, frames.shape[2])
        if self.temporal == "full" or len(frames) == 1:
            self._compute(frames, whole, out, min(self.reach, OVERLAP), progress)
            self.computed = 1.0
        else:
            self.computed = self._reuse(frames, whole, reference, out, progress)
        return out if size is None or size == out.shape[1:3] else _resized(out, size)

    def _reuse(
        self, frames: Frames, whole: Region, reference: int, out: Frames, progress: Progress
    ) -> float:
        """Fills `out`; returns the share of pixels that went through the network."""
        base = frames[reference]
        computed = self._compute(base[None], whole, out[:1], min(self.reach, OVERLAP))
        out[1:] = out[:1]
        for i, frame in enumerate(frames):
            if i and np.array_equal(frame, frames[i - 1]):
                out[i] = out[i - 1]
            else:
                for region in changed_regions(
                    frame, base, tolerance=self.tolerance, follow=self.follow
                ):
                    computed += self._compute(frame[None], region, out[i : i + 1], self.margin)
            progress(i + 1, len(frames))
        return computed / (whole.area * len(frames))

    def _compute(
        self,
        frames: Frames,
        region: Region,
        out: Frames,
        overlap: int,
        progress: Progress = lambda done, total: None,
    ) -> int:
        """Fills a region of `out`; returns how many pixels went through the network."""
        parts = list(tiles(region, frames.shape[1:3], most=self.pixels, overlap=overlap))
        largest = max(tile.seen.area for tile in parts)
        step = max(1, min(self._engine.batch, self.pixels // largest))
        for number, tile in enumerate(parts):
            (y, x), (to_y, to_x) = tile.seen.slices, tile.kept.scaled(self.scale).slices
            from_y, from_x = tile.kept.within(tile.seen).scaled(self.scale).slices
            for start in range(0, len(frames), step):
                some = slice(start, min(start + step, len(frames)))
                out[some, to_y, to_x] = self._engine(frames[some, y, x])[:, from_y, from_x]
                progress(number * len(frames) + some.stop, len(parts) * len(frames))
        return sum(tile.seen.area for tile in parts) * len(frames)

    def _shape(self, frames: Frames) -> tuple[int, int, int, int]:
        """Of the result; refused here before memory is taken."""
        count, height, width = frames.shape[:3]
        shape = (count, height * self.scale, width * self.scale, 3)
        gigabytes = np.prod(shape, dtype=np.float64) / 2**30
        if gigabytes > MAX_CLIP_BYTES / 2**30:
            raise InputError(
                f"{count} frames of {width} x {height} would become {gigabytes:.1f} GiB; up to "
                f"{MAX_CLIP_BYTES >> 30} are made at once: give fewer frames, or cut the face out"
            )
        return shape


def _check(frames: Frames) -> None:
    if not isinstance(frames, np.ndarray) or frames.dtype != np.uint8 or frames.ndim != 4:
        raise InputError(
            "frames are uint8 RGB T H W 3, a picture uint8 RGB H W 3; got "
            f"{getattr(frames, 'dtype', type(frames).__name__)} {getattr(frames, 'shape', '')}. "
            "famaug.media.clips.read_picture turns grey, RGBA and 16-bit files into that"
        )
    if frames.shape[3] != 3 or 0 in frames.shape:
        raise InputError(f"frames are T H W 3, all at least 1; got {frames.shape}")


def _resized(frames: Frames, size: tuple[int, int]) -> Frames:
    height, width = size
    if height < 1 or width < 1 or len(frames) * height * width * 3 > MAX_CLIP_BYTES:
        raise InputError(f"size is height and width, at least 1 each and within 8 GiB; got {size}")
    smaller = height * width < frames.shape[1] * frames.shape[2]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.stack([cv2.resize(f, (width, height), interpolation=how) for f in frames])
