"""Clips that a page takes in: uploaded bytes, a path of the folder, or the sample."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from famaug.errors import MediaError
from famaug.media.clips import VIDEOS
from famaug.pipeline.inputs import Driver
from famaug.types import Clip, Frames


def clip_of(what: bytes | Path | Callable[[], Path], name: str = "") -> Driver:
    """A clip as a driver.

    Args:
        what: bytes of a video's file, a path, or what gives one.
        name: of the file that the bytes are from.

    Raises:
        MediaError: it is no video, or no folder of frames.
    """
    if callable(what):
        what = what()
    if isinstance(what, Path):
        return Driver.of(what)
    suffix = Path(name).suffix.lower()
    if suffix not in VIDEOS:
        raise MediaError(f"{name}: a video is asked for ({', '.join(VIDEOS)})")
    with tempfile.TemporaryDirectory(prefix="famaug-studio-") as folder:
        path = Path(folder) / f"clip{suffix}"
        path.write_bytes(what)
        try:
            found = Driver.of(path)
        except MediaError as error:
            raise MediaError(str(error).replace(str(path), name)) from error
    return replace(found, name=name)


def frames_of(driver: Driver) -> Frames:
    """The frames of a driver that is a clip. Raises MediaError: it is none (an AU table)."""
    if not isinstance(driver.content, Clip):
        raise MediaError(f"{driver.name} is no clip")
    return driver.content.frames
