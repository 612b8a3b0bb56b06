"""The open LMDB environments of this process: one a file, for all caches, readers and threads.

LMDB allows a file to be open once in a process, by whatever path it is reached, must not be used
(nor closed) after a fork, and must not be resized while a transaction is open. This table keeps
those rules: it counts who is inside an environment, gives exclusive turns to whoever reopens or
grows it, and closes everything before a fork: parent and child open again what they need.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lmdb

from famaug.errors import CacheCorruptError, CacheError, CacheLockedError
from famaug.store.locks import WriterLock
from famaug.store.pages import check_pages, read_metas

READERS = 1024
FIRST_MAP = 1 << 28
_CORRUPT = (
    lmdb.CorruptedError,
    lmdb.PageNotFoundError,
    lmdb.InvalidError,
    lmdb.VersionMismatchError,
    lmdb.PanicError,
    lmdb.BadTxnError,
)


@dataclass
class _Open:
    """An environment; None while it is closed around a fork although its writer lives on."""

    env: Any
    writable: bool
    identity: tuple[int, int]
    users: int = 0
    known_bytes: int = 0


@dataclass
class _Table:
    pid: int
    changed: threading.Condition = field(default_factory=threading.Condition)
    opened: dict[str, _Open] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)  # being opened, closed or grown by one thread


_folders: Counter[str] = Counter()  # how many caches of this process are alive, by shard folder
_left: deque[str] = deque()  # folders whose caches went away, to be looked at by the next reader
_table = _Table(os.getpid())
_FORK_PATIENCE = 5.0  # seconds that a fork waits for other threads to finish reading


def _here() -> _Table:
    global _table
    if _table.pid != os.getpid():
        _table = _Table(os.getpid())
    return _table


def _before_fork() -> None:
    table = _here()
    table.changed.acquire()  # until `_after_fork`, so that no thread opens anything in between
    table.changed.wait_for(
        lambda: not table.busy and not any(s.users for s in table.opened.values()), _FORK_PATIENCE
    )
    for name, slot in list(table.opened.items()):
        if not slot.users and slot.env is not None:
            slot.env.close()
            slot.env = None
            if not slot.writable:
                del table.opened[name]


def _after_fork() -> None:
    _here().changed.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_here)


def keep_open(owner: object, folder: Path) -> None:
    """Shards of `folder` stay open while `owner` lives (and are closed some time after)."""
    _folders[str(folder)] += 1
    # a finalizer runs anywhere, so it only leaves a note
    weakref.finalize(owner, _left.append, str(folder)).atexit = False


def _close_left(table: _Table) -> None:
    while _left:
        folder = _left.popleft()
        _folders[folder] -= 1
        if _folders[folder] > 0:
            continue
        del _folders[folder]
        for name, slot in list(table.opened.items()):
            unused = not slot.users and not slot.writable and name not in table.busy
            if unused and os.path.dirname(name) == folder:  # noqa: PTH120  plain text
                _drop(slot)


@contextmanager
def reading(path: Path, *, sealed_bytes: int | None = None) -> Iterator[Any]:
    """A read transaction with zero-copy values, on a file that is long enough to be read.

    Args:
        path: the shard's file.
        sealed_bytes: its exact size when it is sealed; it is then read without a lock.

    Raises:
        CacheCorruptError: the file is damaged.
        CacheError: it cannot be opened.
    """
    for _ in range(8):
        slot = _enter(path, sealed_bytes)
        try:
            try:
                txn = slot.env.begin(buffers=True)
            except lmdb.MapResizedError:
                txn = None  # another process has grown the file
            if txn is not None:
                with txn:
                    _check_size(path, slot)
                    yield txn
                return
        except lmdb.Error as error:
            raise _translate(path, error) from error
        finally:
            _leave(slot)
        with _alone(path) as slot_alone:
            if slot_alone is not None and slot_alone.env is not None:
                slot_alone.env.set_mapsize(0)
    raise CacheError(f"{path}: its writer grows it faster than it can be opened; try again")


@contextmanager
def writing(path: Path) -> Iterator[Any]:
    """A write transaction of an environment opened by `open_writer`; commits at the end.

    LMDB's own errors pass through: the writer knows what to do about each.
    """
    slot = _enter(path, None)
    try:
        with slot.env.begin(write=True, buffers=True) as txn:
            yield txn
    finally:
        _leave(slot)


def open_writer(path: Path, *, map_bytes: int = FIRST_MAP) -> WriterLock:
    """Opens (or creates) a shard for writing by this process; readers here share it.

    Returns:
        the lock that keeps other processes out, to be released after `close_writer`.

    Raises:
        CacheLockedError: this process or another one writes it already.
        CacheCorruptError: the file is damaged.
    """
    with _alone(path) as slot:
        if slot is not None and slot.writable:
            raise CacheLockedError(
                f"{path} is being written by this process ({os.getpid()}); close that writer "
                "first, or give this one a shard of its own"
            )
        lock = WriterLock(path.with_name(path.name + ".writer"))
        try:
            if slot is not None:
                _drop(slot)
            new = _open(path, writable=True, map_bytes=map_bytes)
        except BaseException:
            lock.release()
            raise
        table = _here()
        with table.changed:
            table.opened[str(path)] = new
        return lock


def _name(path: Path) -> str:
    """The name under which a file is open here: links and other paths lead to the same file."""
    name, opened = str(path), _here().opened
    if name not in opened:
        identity = _look(name)[0]
        for other, slot in list(opened.items()):
            if identity == slot.identity != (0, 0):
                return other
    return name


def close_writer(path: Path) -> None:
    with _alone(path) as slot:
        if slot is not None and slot.writable:
            _drop(slot)


def is_written_here(path: Path) -> bool:
    slot = _here().opened.get(_name(path))
    return slot is not None and slot.writable


def grow(path: Path, *, at_least: int) -> None:
    """Doubles the map until `at_least` more bytes fit."""
    with _alone(path) as slot:
        if slot is not None and slot.env is not None:
            size = 2 * slot.env.info()["map_size"]
            while size < slot.known_bytes + 2 * at_least:
                size *= 2
            slot.env.set_mapsize(size)


def close(path: Path) -> None:
    """Closes a shard opened for reading; the next read opens it again."""
    if _name(path) not in _here().opened or is_written_here(path):
        return
    with _alone(path) as slot:
        if slot is not None and not slot.writable:
            _drop(slot)


def _enter(path: Path, sealed_bytes: int | None) -> _Open:
    table = _here()
    with table.changed:
        _close_left(table)
        while (name := _name(path)) in table.busy:
            table.changed.wait()
        slot = table.opened.get(name)
        if slot is not None and not slot.users and _look(name)[0] != slot.identity:
            # the file was replaced under this name
            _drop(slot)
            name, slot = str(path), None
        if slot is None or slot.env is None:
            writable = slot is not None
            slot = _open(Path(name), writable=writable, sealed_bytes=sealed_bytes)
            table.opened[name] = slot
        _check_size(name, slot)
        slot.users += 1
        return slot


def _leave(slot: _Open) -> None:
    table = _here()
    with table.changed:
        slot.users -= 1
        table.changed.notify_all()


def _drop(slot: _Open) -> None:
    """Closes an environment that nobody is inside; the next use opens the file anew."""
    opened = _here().opened
    for name in [n for n, other in opened.items() if other is slot]:
        del opened[name]
    if slot.env is not None:
        slot.env.close()


@contextmanager
def _alone(path: Path) -> Iterator[_Open | None]:
    """Waits until nobody is inside the environment and keeps everybody out."""
    table = _here()
    with table.changed:
        while (name := _name(path)) in table.busy or (
            name in table.opened and table.opened[name].users
        ):
            table.changed.wait()
        names = {name, str(path)}
        table.busy |= names
    try:
        yield table.opened.get(name)
    finally:
        with table.changed:
            table.busy -= names
            table.changed.notify_all()


def _open(
    path: Path,
    *,
    writable: bool,
    sealed_bytes: int | None = None,
    map_bytes: int = FIRST_MAP,
) -> _Open:
    _, size = _look(path)
    if size:
        read_metas(path)
    elif not writable:
        raise CacheCorruptError(f"{path}: the file is empty or missing")
    if sealed_bytes is not None and size != sealed_bytes:
        raise CacheCorruptError(
            f"{path}: {size} bytes, sealed with {sealed_bytes}; restore it from a copy"
        )
    try:
        env = lmdb.open(
            str(path),
            subdir=False,
            readonly=not writable,
            lock=sealed_bytes is None,
            max_readers=READERS,
            max_spare_txns=4,
            map_size=max(map_bytes, 2 * size) if writable else 0,
            meminit=False,
        )
        try:
            if size:
                _check_open(path, env, for_writing=writable)
        except BaseException:
            env.close()
            raise
    except lmdb.Error as error:
        raise _translate(path, error) from error
    return _Open(env, writable, _look(path)[0], known_bytes=size)


def _check_open(path: Path, env: Any, *, for_writing: bool) -> None:
    """Checks the pages of the newest commit."""
    for _ in range(100):
        with env.begin() as txn:
            number = txn.id()
            for meta in read_metas(path):
                if meta.transaction == number:
                    check_pages(path, meta, for_writing=for_writing)
                    return
        # a live writer has committed twice in between: take its newer commit
    raise CacheCorruptError(f"{path}: its start does not name the commit that LMDB reads")


def _check_size(path: str | Path, slot: _Open) -> None:
    """An LMDB file never shrinks; one that did would end in SIGBUS. What was known is read before
    the file is looked at: another thread may learn of a larger size in between."""
    known = slot.known_bytes
    size = _look(path)[1]
    if size < known:
        raise CacheCorruptError(
            f"{path}: truncated: {size} bytes, there were {known}; restore it from a "
            "copy or delete it and generate again"
        )
    slot.known_bytes = max(slot.known_bytes, size)


def _look(path: str | Path) -> tuple[tuple[int, int], int]:
    """Which file it is (device, inode) and its size; zeros where there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116  twice in every read, and Path.stat is slow
    except FileNotFoundError:
        return (0, 0), 0
    return (status.st_dev, status.st_ino), status.st_size


def _translate(path: Path, error: Any) -> CacheError:
    if isinstance(error, _CORRUPT):
        return CacheCorruptError(f"{path}: LMDB finds it damaged ({error}); restore it from a copy")
    if isinstance(error, lmdb.ReadersFullError):
        return CacheError(f"{path}: more than {READERS} readers at once; use fewer processes")
    return CacheError(f"{path}: LMDB says: {error}")
