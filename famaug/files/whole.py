"""A file whole or not at all: the one writer of files that are kept.

A draft is written beside its target, synced, and renamed over it; then the folder is synced. A
kill, a full disk or a lost current leaves the old file or the new one, and no draft of an
exception. Drafts of killed processes carry the target's name, so that the next writer of the same
target clears them.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from famaug.errors import FamaugError, OutputError

_PART = ".part"


def write_whole(path: Path, data: bytes | str, *, only_if_new: bool = False) -> None:
    """Writes a file, and the folders above it where there are none.

    Args:
        path: where.
        data: text is written as UTF-8.
        only_if_new: leave a file that is there already.

    Raises:
        OutputError: it could not be written; what was there is untouched.
    """
    with _told(path):
        _write(path, data.encode() if isinstance(data, str) else data, only_if_new)


def _write(path: Path, data: bytes, only_if_new: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path), suffix=_PART)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
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
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        ending = _PART + (path.suffix if suffix is None else suffix)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path), suffix=ending)
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
        OutputError: `path` is there and not an empty folder, or cannot be written.
    """
    with _told(path):
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


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except FamaugError:
        raise
    except OSError as error:
        told = OutputError(
            f"{path} cannot be written: {error.strerror or error}; free some space, or name a "
            "place that can be written"
        )
        told.errno = error.errno
        raise told from error


def clear_parts(path: Path) -> None:
    """Removes what killed writers of this file or folder left behind."""
    drafts = re.compile(re.escape(_prefix(path)) + r"[a-z0-9_]{8}\.part(\.\w+)?")
    try:
        found = [p for p in path.parent.iterdir() if drafts.fullmatch(p.name)]
    except OSError:
        return
    for part in found:
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
