"""One writer a shard: a lock file that says who holds it, and where writing is refused."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
import weakref
from pathlib import Path

from famaug.errors import CacheError, CacheLockedError

NETWORK_FILE_SYSTEMS = frozenset(
    (
        *("9p", "afs", "beegfs", "ceph", "cifs", "davfs", "gfs2", "glusterfs", "gpfs", "lustre"),
        *("ncpfs", "nfs", "nfs4", "orangefs", "panfs", "smb3", "smbfs", "wekafs"),
        *("fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    )
)


class _Lock:
    """An flock, which belongs to one opening of a file: nothing else that this process opens or
    closes frees it, and another name of the same file does not get round it. The kernel frees it
    when its process ends, however it ends; forked children close their share of it, so that a
    DataLoader worker that outlives its parent blocks nobody."""

    def __init__(self, handle: int, kind: int) -> None:
        """Takes the lock, without waiting. Raises OSError where it cannot."""
        self._handle: int | None = handle
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except OSError:
            self.release()
            raise
        _held.add(self)

    def release(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


_held: weakref.WeakSet[_Lock] = weakref.WeakSet()


def _in_child() -> None:
    for lock in list(_held):
        lock.release()


os.register_at_fork(after_in_child=_in_child)


class WriterLock(_Lock):
    """Held while a shard is written. Its file says who holds it."""

    def __init__(self, path: Path) -> None:
        """Takes the lock, without waiting.

        Raises:
            CacheLockedError: someone holds it; the message names their pid and host.
        """
        self.path = path
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            who = _holder(handle)
            try:
                super().__init__(handle, fcntl.LOCK_EX)
            except OSError as error:
                raise CacheLockedError(
                    f"{path.with_suffix('')} is being written by {who}; wait for it, stop it, or "
                    "write to a shard of your own: CacheWriter(root, shard='another name')"
                ) from error
            if _is_at(handle, path):
                break
            self.release()  # it was removed in between: the lock of a file that nobody finds
        me = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps(me).encode(), 0)
        except OSError:
            pass  # a full disk: the lock holds without saying whose it is


class CacheLock(_Lock):
    """Held, by many at once, while a cache is added to; or by one alone, while it is sealed."""

    def __init__(self, shards: Path, *, alone: bool) -> None:
        """Takes the lock of a cache's shard folder, without waiting.

        Raises:
            CacheError: the cache is being sealed (or, for `alone`, added to); the folder is gone.
        """
        try:
            handle = os.open(shards, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            super().__init__(handle, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        except BlockingIOError as error:
            if alone:
                raise CacheLockedError(
                    f"{shards.parent} is being written; end its writers before sealing it"
                ) from error
            raise CacheError(
                f"{shards.parent} is being sealed by another process, so nothing can be added; "
                "write to a new folder"
            ) from error
        except OSError as error:
            # some network file systems lock no folders; there sealing is up to the people
            if file_system(shards) not in NETWORK_FILE_SYSTEMS:
                raise CacheError(f"{shards}: cannot be locked: {error}") from error


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _holder(fd: int) -> str:
    try:
        who = json.loads(os.pread(fd, 4096, 0))
        return f"process {int(who['pid'])} on host {who['host']}"
    except (ValueError, KeyError, TypeError):
        return "another process (its lock file does not say which)"


def refuse_network(folder: Path, mounts: str | None = None) -> None:
    """Raises CacheError when `folder` lies on a network file system: LMDB cannot write there.

    Args:
        folder: an existing folder.
        mounts: text in the form of /proc/self/mountinfo; None reads the machine's own.
    """
    kind = file_system(folder, mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        raise CacheError(
            f"{folder} lies on a network file system ({kind}), where LMDB cannot be written "
            "safely; write the cache to a local disk, seal it, and copy the folder there: sealed "
            "caches can be read from anywhere"
        )


def file_system(folder: Path, mounts: str | None = None) -> str:
    """Kind of the file system a folder lies on ("ext4", "nfs4"), "" where it cannot be told."""
    if mounts is None:
        table = Path("/proc/self/mountinfo")
        if not table.exists():
            return ""
        mounts = table.read_text()
    target = folder.resolve()
    best: tuple[int, str] = (-1, "")
    for line in mounts.splitlines():
        left, dash, right = line.partition(" - ")
        fields = left.split()
        if not dash or len(fields) < 5 or not right:
            continue
        point = Path(fields[4].replace("\\040", " ").replace("\\011", "\t"))
        # of two mounts at one point the later hides the earlier
        if target.is_relative_to(point) and len(point.parts) >= best[0]:
            best = (len(point.parts), right.split()[0])
    return best[1]
