"""What the folder that was named on the command line holds: caches, faces, clips of drivers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from famaug import samples
from famaug.errors import MediaError
from famaug.files.folders import visible
from famaug.media.clips import PICTURES, VIDEOS, holds_pictures
from famaug.store import manifest

MOST = 500
"""Faces and clips that are offered from a folder."""


@dataclass(frozen=True)
class Library:
    """What pages offer, by name.

    Attributes:
        caches: folders of clips.
        faces: pictures; those that ship with famaug are always there.
        clips: videos and folders of frames.
        real: real clips to be rated beside the synthetic ones.
    """

    caches: dict[str, Path] = field(default_factory=dict)
    faces: dict[str, Path] = field(default_factory=dict)
    clips: dict[str, Path] = field(default_factory=dict)
    real: dict[str, Path] = field(default_factory=dict)


def find(path: Path | None, real: Path | None = None) -> Library:
    """What lies there.

    Args:
        path: a cache; or a folder of caches, of pictures of faces, of videos; or None.
        real: folder of real clips (videos, or folders of frames).

    Raises:
        MediaError: no such folder, or no clip in `real`.
    """
    shipped = {f"{name} (sample)": at for name, at in samples.faces().items()}
    clips = {} if real is None else _clips(_inside(real), most=None)  # raters see a sample of all
    if real is not None and not clips:
        raise MediaError(f"{real} holds no clip: videos or folders of frames are asked for")
    if path is None:
        return Library(faces=shipped, real=clips)
    inside = _inside(path)
    if _is_cache(path):
        return Library({path.absolute().name: path}, shipped, {}, clips)
    return Library(
        _caches(path, inside),
        shipped | _named(inside, lambda p: p.is_file() and p.suffix.lower() in PICTURES),
        _clips(inside),
        clips,
    )


def _caches(path: Path, inside: Iterable[Path]) -> dict[str, Path]:
    """Those in the folder, and in its folders: `famaug pregenerate` writes to cache/NAME."""
    found = _named(inside, _is_cache)
    for folder in inside:
        if folder.is_dir() and folder not in found.values():
            deeper = _named(_inside(folder), _is_cache)
            found |= {f"{folder.relative_to(path)}/{name}": at for name, at in deeper.items()}
    return found


def _is_cache(path: Path) -> bool:
    """A damaged one too: its page says what is wrong."""
    return (path / manifest.NAME).exists() and (path / manifest.SHARDS).exists()


def _clips(inside: Iterable[Path], most: int | None = MOST) -> dict[str, Path]:
    def is_clip(path: Path) -> bool:
        if path.is_dir():
            return not _is_cache(path) and holds_pictures(path)
        return path.suffix.lower() in VIDEOS

    return _named(inside, is_clip, most)


def _named(
    inside: Iterable[Path], fits: Callable[[Path], bool], most: int | None = MOST
) -> dict[str, Path]:
    return dict([(p.name, p) for p in inside if fits(p)][:most])


def _inside(folder: Path) -> list[Path]:
    try:
        return visible(folder)
    except OSError as error:
        raise MediaError(f"{folder}: a folder was asked for: {error.strerror or error}") from error
