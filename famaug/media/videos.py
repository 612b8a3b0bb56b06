"""Videos of four containers, known by their content, as uint8 RGB frames.

The video library takes a file for what its first bytes say, and among what it knows are lists
that name other files and addresses. So the container is looked up here and named to it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.errors import MediaError, UnevenFramesWarning
from famaug.files.limits import check_unpacked, opened, translated
from famaug.media.pictures import check_pixels
from famaug.types import Picture

MAX_PIXELS = 4096 * 4096
"""Pixels of one frame: a decoder may keep 17 of them."""
MAX_FRAMES = 50_000
"""Frames that are decoded of one video: four minutes at 200 a second."""
MAX_BYTES = 16 << 30
"""Bytes of a video's file; it is never read whole."""
ENOUGH_STEPS = 4
HALF = 0.5
SAME_RATE = 0.02
"""Relative difference of two rates that are one: containers round times to milliseconds."""
OFF_AXIS = 0.02
_UPRIGHT = (1, 0, 0, 1)
_MATRIX = 36


def container_of(start: bytes) -> str | None:
    """Name of the container whose file begins so, as the video library calls it; else None."""
    if start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "mov"
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        return "avi"
    if start[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if start[:4] == b"\x00\x00\x01\xba":
        return "mpeg"
    return "mpegvideo" if start[:4] == b"\x00\x00\x01\xb3" else None


def decode_video(
    path: Path, start: int, stop: int | None, at_most: int
) -> tuple[list[Picture], float | None]:
    """Frames (uint8 `H W 3`), upright by the video's flags, and frames per second.

    Frames are read as they come, one for one, since annotations count them so. Where they lie
    unevenly in time the rate is their mean.

    Args:
        path: .mp4, .mov, .avi, .mkv, .webm or .mpg, by content.
        start, stop: range of frames, counted from 0.
        at_most: bytes that the frames may take.

    Raises:
        MediaError: missing, none of these, damaged, too large, or turned by no quarter turns.
    Warns:
        UnevenFramesWarning: the time between frames varies by more than half of it.
    """
    with opened(path, at_most=MAX_BYTES, error=MediaError) as file:
        head, size = file.read(12), file.seek(0, 2)
    kind = container_of(head)
    if kind is None:
        raise MediaError(
            f"{path}: not a video (MP4, MOV, AVI, Matroska, WebM, MPEG): it begins with "
            f"{head[:8]!r}"
        )
    import av

    limit = {"max_pixels": str(MAX_PIXELS)}
    with (
        translated(f"{path}: not a readable video", MediaError),
        # an absolute path is never taken for an address
        av.open(str(path.absolute()), format=kind, options=limit) as container,
    ):
        if not container.streams.video:
            raise MediaError(f"{path}: holds no video")
        stream = container.streams.video[0]
        stream.codec_context.options = limit
        check_pixels(path, stream.width, stream.height, MAX_PIXELS)
        frames: list[Picture] = []
        times = _Times(stream.average_rate)
        tag = {k.casefold(): v for k, v in stream.metadata.items()}.get("rotate")
        taken = 0
        for frame in _wanted(times.of(container.decode(stream)), start, stop, path):
            check_pixels(path, frame.width, frame.height, MAX_PIXELS)
            taken += frame.width * frame.height * 3
            if taken > at_most:
                raise MediaError(
                    f"{path}: more than {len(frames)} frames of {frame.width} x {frame.height} "
                    f"({at_most >> 20} MiB decoded); read a range of frames"
                )
            check_unpacked(path, packed=size, unpacked=taken, error=MediaError)
            picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
            frames.append(_upright(picture, _turn_of(frame, tag, path)))
    return frames, times.rate(path)


class _Times:
    """Times of the frames that go by, in seconds."""

    def __init__(self, nominal: Any) -> None:
        self.nominal = float(nominal) if nominal else None
        self.seen: list[float] = []

    def of(self, decoded: Iterator[Any]) -> Iterator[Any]:
        for frame in decoded:
            if frame.time is not None:
                self.seen.append(float(frame.time))
            yield frame

    def rate(self, path: Path) -> float | None:
        """The container's rate where the frames keep it, else their own mean."""
        steps = np.diff(self.seen)
        if len(steps) < ENOUGH_STEPS or steps.sum() <= 0:
            return self.nominal
        mean = len(steps) / float(steps.sum())
        even = np.arange(len(steps) + 1) / mean
        uneven = np.abs(np.asarray(self.seen) - self.seen[0] - even).max() * mean
        if uneven > HALF:
            warnings.warn(
                f"{path}: {steps.min() * 1000:.0f} to {steps.max() * 1000:.0f} ms between frames: "
                f"they are read as they come, at their mean rate of {mean:.4g} a second; for even "
                "times convert it to a constant frame rate first",
                UnevenFramesWarning,
                stacklevel=4,
            )
        if self.nominal is None or uneven > HALF or abs(mean / self.nominal - 1) > SAME_RATE:
            return round(mean, 3)
        return self.nominal


def _turn_of(frame: Any, tag: str | None, path: Path) -> tuple[int, int, int, int]:
    """Where a frame's columns and rows go, as signs (a, b, c, d): a pixel of column p and row q
    is shown in column a p + c q and row b p + d q."""
    for side in frame.side_data or ():
        if side.type.name == "DISPLAYMATRIX" and len(bytes(side)) >= _MATRIX:
            m = np.frombuffer(bytes(side)[:_MATRIX], "<i4").reshape(3, 3)[:2, :2] / 65536
            if m.any():
                return _signs(m, path)
    if tag is None or not tag.strip():
        return _UPRIGHT
    try:
        angle = math.radians(float(tag))
    except ValueError:
        return _UPRIGHT
    cos, sin = math.cos(angle), math.sin(angle)
    return _signs(np.array([[cos, sin], [-sin, cos]]), path)


def _signs(m: NDArray[np.float64], path: Path) -> tuple[int, int, int, int]:
    scaled = m / np.abs(m).max()
    a, b, c, d = (int(v) for v in np.rint(scaled).ravel())
    if np.abs(scaled - np.rint(scaled)).max() > OFF_AXIS or abs(a * d - b * c) != 1:
        raise MediaError(
            f"{path}: its flag turns the picture by no quarter turns ({np.round(m, 3).tolist()}); "
            "turn it with a video editor first"
        )
    return a, b, c, d


def _upright(picture: Picture, turn: tuple[int, int, int, int]) -> Picture:
    if turn == _UPRIGHT:
        return picture
    a, b, c, d = turn
    turned = picture if a else picture.swapaxes(0, 1)
    columns, rows = (a, d) if a else (c, b)
    return np.ascontiguousarray(turned[:: rows or 1, :: columns or 1])


def _wanted(decoded: Iterator[Any], start: int, stop: int | None, path: Path) -> Iterator[Any]:
    for i, frame in enumerate(decoded):
        if stop is not None and i >= stop:
            return
        if i >= MAX_FRAMES:
            raise MediaError(f"{path}: more than {MAX_FRAMES} frames; cut it into clips first")
        if i >= start:
            yield frame
