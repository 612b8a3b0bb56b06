"""One writer a shard: a lock file that says who holds it, and where writing is refused."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from pathlib import Path

from famaug.errors import CacheError, CacheLockedError

NETWORK_FILE_SYSTEMS = frozenset(
    (
        *("9p", "afs", "beegfs", "ceph", "cifs", "davfs", "gfs2", "glusterfs", "gpfs", "lustre"),
        *("ncpfs", "nfs", "nfs4", "orangefs", "panfs", "smb3", "smbfs", "wekafs"),
        *("fuse.ceph", "fuse.gcsfuse", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    )
)


class WriterLock:
    """Held while a shard is written. The kernel frees it when its process ends, however it ends.

    A POSIX record lock: forked children do not inherit it, so a DataLoader worker that outlives
    its parent blocks nobody.
    """

    def __init__(self, path: Path) -> None:
        """Takes the lock, without waiting.

        Raises:
            CacheLockedError: someone holds it; the message names their pid and host.
        """
        self.path = path
        self._fd: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = _holder(self._fd)
            self.release()
            raise CacheLockedError(
                f"{path.with_suffix('')} is being written by {holder}; wait for it, stop it, or "
                "write to a shard of your own: CacheWriter(root, shard='another name')"
            ) from error
        me = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, json.dumps(me).encode(), 0)

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


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
