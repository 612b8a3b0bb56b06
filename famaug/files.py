"""A file whole or not at all: the one writer of files that are kept.

A draft is written beside its target, synced, and renamed over it; then the folder is synced. A
kill, a full disk or a lost current leaves the old file or the new one, and no draft of an
exception. Drafts of killed processes carry the target's name, so that the next writer of the same
target clears them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PART = ".part"


def write_whole(path: Path, data: bytes | str, *, only_if_new: bool = False) -> None:
    """Writes a file, and the folders above it where there are none.

    Args:
        path: where.
        data: text is written as UTF-8.
        only_if_new: leave a file that is there already.

    Raises:
        OSError: it could not be written; what was there is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path), suffix=_PART)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(0o666 & ~_umask())  # mkstemp makes private files
        _place(draft, path, only_if_new=only_if_new)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextmanager
def whole_file(path: Path, *, suffix: str | None = None) -> Iterator[Path]:
    """A draft to be written by name (a video, an archive); it becomes `path` when the block ends
    well, and nothing otherwise. It has the suffix of `path`, or another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        dir=path.parent, prefix=_prefix(path), suffix=suffix or path.suffix
    )
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        sync_file(draft)
        draft.chmod(0o666 & ~_umask())
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A draft folder that becomes `path` when the block ends well, and is removed otherwise.

    Raises:
        OSError: `path` is there and not an empty folder, or cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=path.parent, prefix=_prefix(path), suffix=_PART))
    try:
        yield draft
        for each in draft.rglob("*"):
            (sync_folder if each.is_dir() else sync_file)(each)
        draft.chmod(0o777 & ~_umask())
        draft.rename(path)  # also over an empty folder
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    sync_folder(path.parent)


def clear_parts(path: Path) -> None:
    """Removes what killed writers of this file or folder left behind."""
    for part in path.parent.glob(f"{_escaped(_prefix(path))}*"):
        if part.is_dir() and not part.is_symlink():
            shutil.rmtree(part, ignore_errors=True)
        else:
            with suppress(OSError):
                part.unlink()


def sync_file(path: Path) -> None:
    """Waits until a file's bytes are on the disk."""
    _sync(path)


def sync_folder(folder: Path) -> None:
    """Waits until a folder's names are on the disk; some file systems cannot, and need not."""
    with suppress(OSError):
        _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _place(draft: Path, path: Path, *, only_if_new: bool) -> None:
    if not only_if_new:
        draft.replace(path)
        return
    with suppress(FileExistsError):
        os.link(draft, path)


def _prefix(path: Path) -> str:
    return f".{path.name[:100]}."


def _escaped(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _umask() -> int:
    # the only way to ask for it without setting it for other threads too
    try:
        with Path("/proc/self/status").open() as file:
            line = next(each for each in file if each.startswith("Umask:"))
        return int(line.split()[1], 8)
    except (OSError, StopIteration, ValueError):
        mask = os.umask(0o022)
        os.umask(mask)
        return mask
