"""A clip as a moving picture: animated WebP, at its real rate and slowed down."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from famaug.errors import InputError
from famaug.report.lettering import PAPER, centred
from famaug.types import Frames

SHORTEST_MS = 20
"""Browsers stretch frames of 10 ms and less to 100 ms; 20 ms is shown everywhere as it is."""
_SLOWED_FRAME_MS = 40
_QUALITIES = (90, 78, 62)
_HEAD = 22
_GAP = 6


@dataclass(frozen=True)
class Playback:
    """Which frames are shown and for how many ms each; durations sum to the clip's own, slowed."""

    indices: tuple[int, ...]
    durations: tuple[int, ...]


def playback(count: int, fps: float, *, slow: float = 1, shortest: float = SHORTEST_MS) -> Playback:
    """Frames and durations of `count` frames at `fps`, `slow` times slower than life.

    Frames are skipped evenly where one would be shown for less than `shortest` ms; the time the
    whole clip takes is kept.

    Raises:
        InputError: count, fps or slow not above 0.
    """
    if count < 1 or fps <= 0 or slow <= 0:
        raise InputError(f"count, fps and slow must be above 0; got {count}, {fps}, {slow}")
    each = 1000 * slow / fps
    # The small tolerance keeps 50 fps (20 ms) from skipping frames through rounding.
    step = max(1, int(np.ceil(shortest / each - 1e-6)))
    indices = list(range(0, count, step))
    ends = np.rint(np.array([*indices, count]) * each).astype(int)
    durations = np.maximum(np.diff(ends), 1)
    return Playback(tuple(indices), tuple(int(d) for d in durations))


def slow_factor(fps: float) -> int:
    """The power of two (at least 2) at which every frame is shown for 40 ms or longer."""
    factor = 2
    while 1000 * factor / fps < _SLOWED_FRAME_MS:
        factor *= 2
    return factor


def animated_webp(
    frames: Frames, durations: Sequence[int], *, quality: int | None = 90, pause_ms: int = 600
) -> bytes:
    """Bytes of an endless animated WebP.

    Args:
        frames: uint8 `T H W 3`.
        durations: ms each frame is shown, as from `playback`.
        quality: 0-100, or None for lossless.
        pause_ms: how much longer the last frame stands before the clip starts again.

    Raises:
        InputError: as many durations as frames are needed.
    """
    if len(durations) != len(frames):
        raise InputError(f"{len(frames)} frames, but {len(durations)} durations")
    pictures = [Image.fromarray(f) for f in frames]
    times = [*durations[:-1], durations[-1] + pause_ms]
    how = {"lossless": True, "exact": True} if quality is None else {"quality": quality}
    out = io.BytesIO()
    pictures[0].save(
        out,
        "WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=times,
        loop=0,
        method=4,
        **how,
    )
    return out.getvalue()


def fitting_webp(frames: Frames, durations: Sequence[int], *, budget: int) -> bytes:
    """`animated_webp` at the best of a few qualities that stays within `budget` bytes.

    Where even the lowest is too large, the lowest is returned: a clip is shown rather than not.
    """
    data = b""
    for quality in _QUALITIES:
        data = animated_webp(frames, durations, quality=quality)
        if len(data) <= budget:
            break
    return data


def side_by_side(panels: Sequence[tuple[str, Frames]]) -> Frames:
    """uint8 `T H' W' 3`: labelled clips next to each other, scaled to the last one's height.

    All panels have the same number of frames, or one frame, which then stands still.

    Raises:
        InputError: lengths that do not fit.
    """
    count = max(len(f) for _, f in panels)
    if any(len(f) not in (1, count) for _, f in panels):
        raise InputError(f"panels have {[len(f) for _, f in panels]} frames; want 1 or {count}")
    height = panels[-1][1].shape[1]
    scaled = [(label, _scaled(f, height)) for label, f in panels]
    widths = [f.shape[2] for _, f in scaled]
    total = sum(widths) + _GAP * (len(widths) - 1)
    head = Image.new("RGB", (total, _HEAD), PAPER)
    draw = ImageDraw.Draw(head)
    out = np.full((count, _HEAD + height, total, 3), PAPER, np.uint8)
    x = 0
    for (label, f), width in zip(scaled, widths, strict=True):
        centred(draw, x, 2, width, label, 13)
        out[:, _HEAD:, x : x + width] = f
        x += width + _GAP
    out[:, :_HEAD] = np.asarray(head)
    return out


def _scaled(frames: Frames, height: int) -> NDArray[np.uint8]:
    if frames.shape[1] == height:
        return frames
    width = max(1, round(frames.shape[2] * height / frames.shape[1]))
    size = (width, height)
    resized = [Image.fromarray(f).resize(size, Image.Resampling.LANCZOS) for f in frames]
    return np.stack([np.asarray(f) for f in resized])
