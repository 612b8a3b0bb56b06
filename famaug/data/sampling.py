"""Clips of unequal length and size made equal, so that a plain DataLoader can stack them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import torch
from torch.utils.data import default_collate

from famaug.errors import InputError

Order = Literal["same", "THWC", "TCHW", "CTHW"]
ORDERS: tuple[Order, ...] = ("same", "THWC", "TCHW", "CTHW")


@dataclass(frozen=True)
class ClipSampler:
    """See `sample_clip`."""

    frames: int
    size: tuple[int, int] | None
    layout: Order
    scaled: bool

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        """A clip uint8 `T H W 3` or `T 3 H W` as asked for."""
        return self.at(frames, self.positions(len(frames)))

    def positions(self, length: int, *, apex: int | None = None) -> list[int]:
        """Which frames of `length` are taken: spread evenly from the first to the last; the one
        nearest to the apex, where that is known, is the apex itself."""
        at = np.linspace(0, length - 1, self.frames).round().astype(int)
        if apex is not None and 0 <= apex < length and apex not in at:
            at[int(np.abs(at - apex).argmin())] = apex
        return [int(i) for i in at]

    def at(self, frames: torch.Tensor, positions: Sequence[int]) -> torch.Tensor:
        """The frames at these positions, resized, in the layout asked for."""
        first = _last_axis_is_colour(frames)
        picked = frames[torch.as_tensor(positions)]
        pictures = (picked if first else picked.permute(0, 2, 3, 1)).numpy()
        if self.size is not None:
            pictures = np.stack([_resized(p, self.size) for p in pictures])
        clip = torch.from_numpy(np.ascontiguousarray(pictures))
        order = {"same": "THWC" if first else "TCHW"}.get(self.layout, self.layout)
        clip = {
            "THWC": clip,
            "TCHW": clip.permute(0, 3, 1, 2),
            "CTHW": clip.permute(3, 0, 1, 2),
        }[order].contiguous()
        return clip.float() / 255 if self.scaled else clip


def sample_clip(
    frames: int = 16,
    size: int | tuple[int, int] | None = 112,
    *,
    layout: Order = "same",
    scaled: bool = False,
) -> ClipSampler:
    """A transform that gives every clip the same length and size, for `transform=`.

    Args:
        frames: how many; spread evenly over the clip, the apex always among them (in
            `MicroExpressionSynth`, which knows it). Shorter clips repeat frames.
        size: side in pixels, or (height, width); averaged over areas where it shrinks. Faces are
            stretched where the clip has other proportions, as usual in this field. None keeps the
            size.
        layout: "same" as the input; "CTHW" is what 3-D convolutions want.
        scaled: float32 in [0, 1] instead of uint8.

    Raises:
        InputError: a number or a layout that makes no sense.
    """
    sides = (size, size) if isinstance(size, int) else size
    if frames < 1 or (sides is not None and (len(sides) != 2 or min(sides) < 1)):
        raise InputError(f"frames and size must be at least 1; got {frames} and {size}")
    if layout not in ORDERS:
        raise InputError(f"layout must be one of {', '.join(ORDERS)}; got {layout!r}")
    return ClipSampler(frames, sides, layout, scaled)


def pad_clips(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A collate_fn for clips of one size and unequal lengths: `frames` (and `track`) are filled up
    with zeros at the end, `length` is each clip's own.

    Returns:
        the batch as `default_collate` gives it, with `frames` `B T ...` and `length` int64 `B`.

    Raises:
        InputError: the clips differ in more than their length.
    """
    shapes = {tuple(s["frames"].shape[1:]) for s in samples}
    if len(shapes) > 1:
        raise InputError(
            f"clips of different sizes cannot be padded to one batch: {sorted(shapes)}; resize "
            "them with transform=sample_clip(frames, size)"
        )
    longest = max(len(s["frames"]) for s in samples)
    padded = [
        {**s, "length": len(s["frames"])}
        | {k: _padded(s[k], longest) for k in ("frames", "track") if k in s}
        for s in samples
    ]
    batch: dict[str, Any] = default_collate(padded)
    return batch


def _padded(values: torch.Tensor, length: int) -> torch.Tensor:
    out = values.new_zeros((length, *values.shape[1:]))
    out[: len(values)] = values
    return out


def _last_axis_is_colour(frames: torch.Tensor) -> bool:
    shape = tuple(frames.shape)
    if frames.dtype != torch.uint8 or len(shape) != 4 or 3 not in (shape[1], shape[3]):
        raise InputError(
            f"a clip is uint8 T H W 3 or T 3 H W; got {frames.dtype} {shape}: sample_clip comes "
            "first, before transforms that change the type or the axes"
        )
    return shape[3] == 3


def _resized(picture: np.ndarray[Any, np.dtype[np.uint8]], size: tuple[int, int]) -> Any:
    height, width = size
    shrinks = picture.shape[0] >= height and picture.shape[1] >= width
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(picture, (width, height), interpolation=way)
