"""Whose picture, video or table a loose file is: a frame of a data set is its person's wherever it
lies."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from famaug.data.following import parts_of
from famaug.errors import MediaError
from famaug.media.clips import PICTURES
from famaug.media.pictures import read_picture
from famaug.people.persons import person_of_path
from famaug.pipeline.inputs import pixels_digest
from famaug.types import ClipRef, Picture

UPWARDS = 6
"""Folders above a frame that are looked at."""
SAMPLE = 256
"""Bytes from the middle of a file that tell most files of one size apart."""


class Whose:
    """Says of a file whose it is, "dataset/subject", or "".

    It is known by where it lies (in a folder that holds frames of one person only, or where its
    path says it, see `person_of_path` of `famaug.people`), by being a copy of a frame, byte for
    byte, or by having the very pixels of a clip's onset frame (a picture saved in another
    format). What was cropped, scaled or compressed anew is not known again.

    Args:
        refs: the clips whose people are known.
    """

    def __init__(self, refs: Iterable[ClipRef]) -> None:
        self._refs = [r for r in refs if r.person]
        self._files: dict[str, str] = {}
        folders: dict[str, dict[str, str]] = {}
        for ref in self._refs:
            who = ref.person
            for path in (ref.video,) if ref.video else ref.frames:
                self._files[path] = who
                folder, name = os.path.split(path)
                folders.setdefault(folder, {})[name] = who
        self._mixed: dict[str, str] = {}  # files of folders that hold several people's
        below: dict[str, set[str]] = {}
        for folder, files in folders.items():
            real = os.path.realpath(folder)
            below.setdefault(real, set()).update(files.values())
            if len(below[real]) > 1:
                self._mixed |= {os.path.join(real, n): who for n, who in files.items()}  # noqa: PTH118
        self._folders = _above(below)
        self._by_size: dict[int, list[str]] | None = None
        self._onsets: dict[str, str] | None = None

    def __call__(self, path: str | os.PathLike[str]) -> str:
        real = Path(os.path.realpath(path))
        found = self._of_folder(real) or person_of_path(path) or self._copied(real)
        return found or self._shown(_pixels(str(real), *_stamp(real)))

    def of_picture(self, picture: Picture) -> str:
        """Of pixels alone: whose onset frame they are."""
        return self._shown(pixels_digest(picture))

    def _of_folder(self, real: Path) -> str:
        if str(real) in self._mixed:
            return self._mixed[str(real)]
        for folder in (real, *real.parents):
            people = self._folders.get(str(folder))
            if people is not None:
                return next(iter(people)) if len(people) == 1 else ""
        return ""

    def _copied(self, real: Path) -> str:
        """By the bytes."""
        if self._by_size is None:
            self._by_size = {}
            for path in self._files:
                self._by_size.setdefault(_stamp(path)[0], []).append(path)
        size = _stamp(real)[0]
        alike = self._by_size.get(size, []) if size > 0 else []
        if not alike:
            return ""
        sample = _sample(str(real), size)
        for path in alike:
            if _sample(path, size) == sample and filecmp.cmp(path, real, shallow=False):
                return self._files[path]
        return ""

    def _shown(self, digest: str) -> str:
        """By the pixels of onset frames."""
        if not digest:
            return ""
        if self._onsets is None:
            self._onsets = {}
            for ref in self._refs:
                if ref.frames:
                    onset = ref.frames[min(ref.onset or 0, len(ref.frames) - 1)]
                    self._onsets[_pixels(onset, *_stamp(onset))] = ref.person
        return self._onsets.get(digest, "")


def refs_below(dataset: Any) -> list[ClipRef]:
    """References of everything that a dataset wraps, of held-out people too, each once."""
    found: dict[ClipRef, None] = {}
    for part in parts_of(dataset):
        refs = getattr(part, "refs", None)
        if isinstance(refs, list | tuple):
            found |= dict.fromkeys(r for r in refs if isinstance(r, ClipRef))
    return list(found)


def _above(folders: dict[str, set[str]]) -> dict[str, frozenset[str]]:
    """People by folder, for the folders of clips and those above them, up to the first that all
    share: what lies below it belongs to a person only if it is that person's folder."""
    top = os.path.commonpath(folders) if len(folders) > 1 else ""
    found: dict[str, set[str]] = {}
    for folder, people in folders.items():
        found.setdefault(folder, set()).update(people)
        for above in list(Path(folder).parents)[:UPWARDS]:
            if not top or len(str(above)) <= len(top):
                break
            found.setdefault(str(above), set()).update(people)
    return {f: frozenset(people) for f, people in found.items()}


def _stamp(path: str | os.PathLike[str]) -> tuple[int, int]:
    try:
        stat = os.stat(path)  # noqa: PTH116  once a frame of a data set
    except OSError:
        return -1, 0
    return stat.st_size, stat.st_mtime_ns


def _sample(path: str, size: int) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  once a frame
            file.seek(max(0, size // 2 - SAMPLE // 2))
            return file.read(SAMPLE)
    except OSError:
        return b""


@lru_cache(maxsize=1 << 16)
def _pixels(path: str, size: int, changed: int) -> str:
    """Digest of a picture, "" where there is none."""
    if size <= 0 or not path.lower().endswith(PICTURES):
        return ""
    try:
        return pixels_digest(read_picture(Path(path)))
    except MediaError:
        return ""
