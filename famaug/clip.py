"""Pictures, videos and frame folders from disk, as uint8 RGB. Limits are checked before the
memory is taken."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from famaug.errors import MediaError
from famaug.types import Clip, ClipRef, Frames, Picture

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg")
MAX_PIXELS = 50_000_000
"""Pixels of one picture or frame."""
MAX_CLIP_BYTES = 8 << 30
"""Bytes of one decoded clip."""


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """Sorts img9 before img10: numbers are compared as numbers."""
    parts = re.split(r"(\d+)", name)
    return tuple((0, int(p)) if p.isdigit() else (1, p) for p in parts if p)


def frame_paths(folder: Path) -> list[Path]:
    """The pictures of a folder in natural order.

    Raises:
        MediaError: none, or the folder cannot be read.
    """
    try:
        found = [p for p in folder.iterdir() if p.suffix.lower() in PICTURES]
    except OSError as e:
        raise MediaError(f"{folder}: asked for a folder of frames: {e}") from e
    if not found:
        names = sorted(p.name for p in folder.iterdir())[:5]
        raise MediaError(
            f"{folder}: no pictures ({', '.join(PICTURES)}); it holds {names or 'nothing'}"
        )
    return sorted(found, key=lambda p: natural_key(p.name))


def read_picture(path: Path) -> Picture:
    """A picture as uint8 RGB `H W 3`, upright by its EXIF tag; grey and palettes become RGB,
    16-bit is scaled down, transparency lies on black.

    Raises:
        MediaError: missing, not a picture, truncated, or more than `MAX_PIXELS`.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as file:
            _check_pixels(path, file.width, file.height)
            image: Image.Image = file
            if file.mode.startswith("I;16") or file.mode == "I":
                deep = np.asarray(file, np.float64)
                image = Image.fromarray((deep / 257).round().clip(0, 255).astype(np.uint8))
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"), np.uint8).copy()
    except (
        OSError,
        UnidentifiedImageError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ) as e:
        if isinstance(e, MediaError):
            raise
        raise MediaError(f"{path}: not a readable picture: {e}") from e


def _check_pixels(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS or width * height == 0:
        raise MediaError(f"{path}: {width} x {height} pixels; between 1 and {MAX_PIXELS} are read")


def read_frames(
    path: Path, *, start: int = 0, stop: int | None = None
) -> tuple[Frames, float | None]:
    """Frames uint8 RGB `T H W 3` and frames per second of a video, a folder of frames (no fps),
    or a picture (one frame).

    Args:
        path: video file, folder or picture.
        start, stop: range of frames, counted from 0; all by default.

    Raises:
        MediaError: missing, unreadable, empty range, frames of different sizes, or too large.
    """
    if not path.exists():
        raise MediaError(f"{path}: no such file or folder")
    if path.is_dir():
        return _stack([read_picture(p) for p in frame_paths(path)[start:stop]], path), None
    if path.suffix.lower() in PICTURES:
        return read_picture(path)[None][start:stop], None
    return _read_video(path, start, stop)


def _read_video(path: Path, start: int, stop: int | None) -> tuple[Frames, float | None]:
    import av

    frames: list[Picture] = []
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise MediaError(f"{path}: holds no video")
            stream = container.streams.video[0]
            _check_pixels(path, stream.width, stream.height)
            limit = MAX_CLIP_BYTES // (stream.width * stream.height * 3)
            fps = float(stream.average_rate) if stream.average_rate else None
            for i, frame in enumerate(container.decode(stream)):
                if stop is not None and i >= stop:
                    break
                if i < start:
                    continue
                if len(frames) >= limit:
                    raise MediaError(
                        f"{path}: more than {limit} frames of {stream.width} x {stream.height} "
                        f"({MAX_CLIP_BYTES >> 30} GiB decoded); read a range of frames"
                    )
                frames.append(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
    except (av.FFmpegError, OSError) as e:
        raise MediaError(f"{path}: not a readable video: {e}") from e
    return _stack(frames, path), fps


def _stack(frames: list[Picture], path: Path) -> Frames:
    if not frames:
        raise MediaError(f"{path}: no frames in the range asked for")
    shapes = {f.shape for f in frames}
    if len(shapes) > 1:
        raise MediaError(f"{path}: frames of different sizes: {sorted(shapes)}")
    return np.stack(frames)


def load_clip(ref: ClipRef) -> Clip:
    """The pixels of a reference.

    Raises:
        MediaError: a frame or the video cannot be read.
    """
    if ref.video is not None:
        frames, _ = read_frames(Path(ref.video))
    else:
        frames = _stack([read_picture(Path(p)) for p in ref.frames], Path(ref.key))
    return Clip(ref, frames)
