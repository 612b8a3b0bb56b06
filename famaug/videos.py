"""Videos of four containers, known by their content, as uint8 RGB frames.

The video library takes a file for what its first bytes say, and among what it knows are lists
that name other files and addresses. So the container is looked up here and named to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from famaug.errors import MediaError
from famaug.limits import check_unpacked, opened, translated
from famaug.pictures import check_pixels
from famaug.types import Picture

MAX_PIXELS = 4096 * 4096
"""Pixels of one frame: a decoder may keep 17 of them."""
MAX_FRAMES = 50_000
"""Frames that are decoded of one video: four minutes at 200 a second."""
MAX_BYTES = 16 << 30
"""Bytes of a video's file; it is never read whole."""


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
    """Frames (uint8 `H W 3`) and frames per second.

    Args:
        path: .mp4, .mov, .avi, .mkv, .webm or .mpg, by content.
        start, stop: range of frames, counted from 0.
        at_most: bytes that the frames may take.

    Raises:
        MediaError: missing, none of these, damaged, or too large.
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
        rate = float(stream.average_rate) if stream.average_rate else None
        frames: list[Picture] = []
        taken = 0
        for frame in _wanted(container.decode(stream), start, stop, path):
            check_pixels(path, frame.width, frame.height, MAX_PIXELS)
            taken += frame.width * frame.height * 3
            if taken > at_most:
                raise MediaError(
                    f"{path}: more than {len(frames)} frames of {frame.width} x {frame.height} "
                    f"({at_most >> 20} MiB decoded); read a range of frames"
                )
            check_unpacked(path, packed=size, unpacked=taken, error=MediaError)
            frames.append(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
    return frames, rate


def _wanted(decoded: Iterator[Any], start: int, stop: int | None, path: Path) -> Iterator[Any]:
    for i, frame in enumerate(decoded):
        if stop is not None and i >= stop:
            return
        if i >= MAX_FRAMES:
            raise MediaError(f"{path}: more than {MAX_FRAMES} frames; cut it into clips first")
        if i >= start:
            yield frame
