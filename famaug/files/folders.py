"""What lies in a folder of data, without what systems leave there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_LEFT_BY_SYSTEMS = frozenset(
    ("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "icon\r", "@eadir", "$recycle.bin",
     "lost+found", "system volume information")
)  # fmt: skip


def is_hidden(name: str) -> bool:
    """Whether a file or folder is none of the data: ".x", macOS' "._x" and "__MACOSX", Windows'
    "Thumbs.db" and "desktop.ini", an office program's "~$x"."""
    return name.startswith((".", "~$")) or name.casefold() in _LEFT_BY_SYSTEMS


def names_in(folder: str | os.PathLike[str]) -> list[str]:
    """Names of all visible entries, sorted. Raises OSError."""
    with os.scandir(folder) as entries:
        return sorted(e.name for e in entries if not is_hidden(e.name))


def visible(folder: Path) -> list[Path]:
    """All visible entries, sorted by name. Raises OSError."""
    return [folder / name for name in names_in(folder)]


def folders_in(folder: str | os.PathLike[str]) -> list[str]:
    """Names of the visible folders, and of links to folders, sorted. Raises OSError."""
    with os.scandir(folder) as entries:
        return sorted(e.name for e in entries if not is_hidden(e.name) and _is_folder(e))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def files_below(folder: Path) -> Iterator[Path]:
    """Visible files in a folder and all below it, sorted; links are followed, each folder is
    entered once. A folder that cannot be read counts as empty."""
    yield from _below(folder, set())


def _below(folder: Path, entered: set[tuple[int, int]]) -> Iterator[Path]:
    try:
        at = folder.stat()
        if (at.st_dev, at.st_ino) in entered:
            return
        with os.scandir(folder) as entries:
            inside = sorted((e.name, _is_folder(e)) for e in entries if not is_hidden(e.name))
    except OSError:
        return
    entered.add((at.st_dev, at.st_ino))
    yield from (folder / name for name, is_folder in inside if not is_folder)
    for name, is_folder in inside:
        if is_folder:
            yield from _below(folder / name, entered)
