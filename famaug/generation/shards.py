"""Where a worker's clips go: a shard of its own in the cache, or, where the cache lies on a network
file system, small shards that are written on a local disk and copied there when they are full."""

from __future__ import annotations

import errno
import hashlib
import shutil
import tempfile
import uuid
from pathlib import Path

from famaug.errors import CacheError, CacheFullError, CacheLockedError
from famaug.files.whole import whole_file
from famaug.generation.generation import Generation
from famaug.store import manifest
from famaug.store.locks import NETWORK_FILE_SYSTEMS, file_system
from famaug.store.writer import CacheWriter, adding
from famaug.types import Frames, Provenance

SHARDS_TRIED = 1000


def on_network(out: Path) -> bool:
    """Whether a cache would lie on a file system that LMDB cannot write to."""
    folder = out.absolute()
    while not folder.exists():
        folder = folder.parent
    return file_system(folder) in NETWORK_FILE_SYSTEMS


class OwnShard:
    """A shard of the cache itself, open for as long as the worker lives.

    Args:
        settings: of the generation.
        host: put into the shard's name, where several machines write; "" on one machine.
    """

    def __init__(self, settings: Generation, host: str = "") -> None:
        self._settings = settings
        self._prefix = f"{_short(host)}-" if host else ""
        self._writer: CacheWriter | None = None

    def put(self, key: str, frames: Frames, provenance: Provenance) -> None:
        """Raises CacheError when it cannot be written."""
        if self._writer is None:
            self._writer = self._open()
        self._writer.put(key, frames, provenance)

    def finish(self) -> None:
        """Everything put is in the cache when this returns; here it was before."""

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _open(self) -> CacheWriter:
        """The first shard that nobody writes: w00, w01, ..."""
        s = self._settings
        for number in range(SHARDS_TRIED):
            try:
                name = f"{self._prefix}w{number:02d}"
                return CacheWriter(s.out, shard=name, codec=s.codec, quality=s.quality)
            except CacheLockedError:
                continue
        raise CacheError(f"{s.out}: {SHARDS_TRIED} shards are being written at once")


class CopiedShard:
    """A shard on a local disk until `finish` copies it into the cache, whole or not at all."""

    def __init__(self, settings: Generation) -> None:
        self._settings = settings
        self._writer: CacheWriter | None = None

    def put(self, key: str, frames: Frames, provenance: Provenance) -> None:
        """Raises CacheError when it cannot be written."""
        if self._writer is None:
            s, folder = self._settings, tempfile.mkdtemp(prefix="famaug-")
            name = f"p{uuid.uuid4().hex[:16]}"
            root = Path(folder) / "cache"
            self._writer = CacheWriter(root, shard=name, codec=s.codec, quality=s.quality)
        self._writer.put(key, frames, provenance)

    def finish(self) -> None:
        """Copies what was put into the cache.

        Raises:
            CacheFullError, CacheError: it cannot be copied; it counts as not made.
        """
        if self._writer is None:
            return
        path = self._writer.path
        self._writer.close()
        root = manifest.cache_root(self._settings.out)
        try:
            manifest.create(root)
            lock = adding(root)
            try:
                with whole_file(manifest.shard_path(root, path.stem), suffix="") as draft:
                    shutil.copyfile(path, draft)
            finally:
                lock.release()
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            kind = CacheFullError if full else CacheError
            raise kind(f"{self._settings.out}: a shard cannot be copied there: {error}") from error
        finally:
            self.close()

    def close(self) -> None:
        """What was not finished is given up."""
        if self._writer is not None:
            self._writer.close()
            shutil.rmtree(self._writer.root.parent, ignore_errors=True)
            self._writer = None


def _short(host: str) -> str:
    return hashlib.sha256(host.encode()).hexdigest()[:8]
