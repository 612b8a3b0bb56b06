"""Clips from disk and to disk, as uint8 RGB: videos, frame folders, pictures. Limits are checked
before the memory is taken; what is written is there whole or not at all."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from famaug.errors import InputError, MediaError
from famaug.files.folders import names_in, visible
from famaug.files.whole import clear_parts, whole_file, whole_folder
from famaug.media.pictures import read_picture as read_picture
from famaug.media.videos import decode_video
from famaug.types import Clip, ClipRef, Frames, Picture, Plan

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


def check_target(out: Path) -> None:
    """Refuse early what cannot be written.

    Raises:
        InputError: another suffix than .mp4, or a folder that holds something else.
    """
    if out.suffix and out.suffix.lower() != ".mp4":
        raise InputError(f"--out {out}: write a video (.mp4) or a folder (no suffix)")
    if not out.suffix and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"--out {out}: is there already and not an empty folder")


def write_clip(out: Path, frames: Frames, *, fps: float, plan: Plan | None) -> None:
    """Write frames (uint8 `T H W 3`) as `img001.png ...` and `plan.json` (where there is a
    plan), or as an MP4."""
    check_target(out)
    clear_parts(out)
    if out.suffix:
        with whole_file(out) as made:
            _video(made, frames, fps)
        return
    with whole_folder(out) as made:
        _pictures(made, frames)
        if plan is not None:
            (made / "plan.json").write_text(json.dumps(plan.to_json(), indent=1))


def _pictures(folder: Path, frames: Frames) -> None:
    from PIL import Image

    digits = max(3, len(str(len(frames))))
    for i, frame in enumerate(frames, 1):
        Image.fromarray(frame).save(folder / f"img{i:0{digits}d}.png")


def _video(path: Path, frames: Frames, fps: float) -> None:
    import av

    height, width = frames.shape[1:3]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height = width - width % 2, height - height % 2
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "14"}
        for frame in frames[:, : stream.height, : stream.width]:
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
