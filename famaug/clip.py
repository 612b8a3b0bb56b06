"""Clips from disk, as uint8 RGB: videos, frame folders, pictures. Limits are checked before the
memory is taken."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from famaug.errors import MediaError
from famaug.folders import names_in, visible
from famaug.pictures import read_picture as read_picture
from famaug.types import Clip, ClipRef, Frames, Picture
from famaug.videos import decode_video

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg")
MAX_CLIP_BYTES = 8 << 30
"""Bytes of one decoded clip."""


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """Sorts img9 before img10: numbers are compared as numbers."""
    parts = re.split(r"(\d+)", name)
    return tuple((0, int(p)) if p.isdigit() else (1, p) for p in parts if p)


def frame_paths(folder: str | os.PathLike[str]) -> list[Path]:
    """The pictures of a folder in natural order.

    Raises:
        MediaError: none, or the folder cannot be read.
    """
    try:
        inside = visible(Path(folder))
    except OSError as e:
        raise MediaError(f"{folder}: asked for a folder of frames: {e}") from e
    found = [p for p in inside if p.suffix.lower() in PICTURES]
    if not found:
        names = [p.name for p in inside[:5]]
        raise MediaError(
            f"{folder}: no pictures ({', '.join(PICTURES)}); it holds {names or 'nothing'}"
        )
    return sorted(found, key=lambda p: natural_key(p.name))


def holds_pictures(folder: Path) -> bool:
    """Whether a folder itself holds a picture, hidden files aside."""
    return any(Path(name).suffix.lower() in PICTURES for name in names_in(folder))


def read_frames(
    path: str | os.PathLike[str], *, start: int = 0, stop: int | None = None
) -> tuple[Frames, float | None]:
    """Frames uint8 RGB `T H W 3` and frames per second of a video, a folder of frames (no fps),
    or a picture (one frame).

    Args:
        path: video file, folder or picture.
        start, stop: range of frames, counted from 0; all by default.

    Raises:
        MediaError: missing, unreadable, empty range, frames of different sizes, or too large.
    """
    path = Path(path)
    if not path.exists():
        raise MediaError(f"{path}: no such file or folder")
    if path.is_dir():
        return _read_pictures(frame_paths(path)[start:stop], path), None
    if path.suffix.lower() in PICTURES:
        return read_picture(path)[None][start:stop], None
    frames, fps = decode_video(path, start, stop, MAX_CLIP_BYTES)
    return _stack(frames, path), fps


def _read_pictures(paths: Sequence[Path], name: Path) -> Frames:
    frames: list[Picture] = []
    taken = 0
    for path in paths:
        frames.append(read_picture(path))
        taken += frames[-1].size
        if taken > MAX_CLIP_BYTES:
            raise MediaError(
                f"{name}: {len(paths)} frames; {len(frames)} of them take {taken >> 20} MiB, more "
                "than is read at once: give a range of frames"
            )
    return _stack(frames, name)


def _stack(frames: list[Picture], path: Path) -> Frames:
    """The list is emptied on the way: a clip is not held twice."""
    if not frames:
        raise MediaError(f"{path}: no frames in the range asked for")
    shapes = {f.shape for f in frames}
    if len(shapes) > 1:
        raise MediaError(f"{path}: frames of different sizes: {sorted(shapes)}")
    out: Frames = np.empty((len(frames), *frames[0].shape), np.uint8)
    for i in reversed(range(len(out))):
        out[i] = frames.pop()
    return out


def load_clip(ref: ClipRef) -> Clip:
    """The pixels of a reference.

    Raises:
        MediaError: a frame or the video cannot be read.
    """
    if ref.video is not None:
        frames, _ = read_frames(Path(ref.video))
    else:
        frames = _read_pictures([Path(p) for p in ref.frames], Path(ref.key))
    return Clip(ref, frames)
