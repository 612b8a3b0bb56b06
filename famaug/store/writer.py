"""Writing a cache: one writer a shard, one transaction a clip."""

from __future__ import annotations

import errno
import logging
import os
import resource
import shutil
from pathlib import Path
from types import TracebackType

import lmdb
import numpy as np

from famaug.errors import (
    CacheCorruptError,
    CacheError,
    CacheFullError,
    InputError,
)
from famaug.shown.lines import one_line, short
from famaug.store import envs, manifest
from famaug.store.codecs import Codec, cache_key, check_codec
from famaug.store.locks import CacheLock, WriterLock, refuse_network
from famaug.store.reader import ClipCache
from famaug.store.record import build, frames_digest, parse
from famaug.types import Frames, Provenance

log = logging.getLogger(__name__)


class CacheWriter:
    """Writes clips to one shard of a cache; makes the cache if there is none.

    Several processes write the same cache at once, each to a shard of its own name. A clip is
    acknowledged when `put` returns: from then on it survives a killed process.

    Args:
        root: folder of the cache; new, empty, or a cache.
        shard: name of this writer's shard.
        codec: "delta" (lossless), "raw", or "jpeg".
        quality: of JPEG, 1-100; no other codec takes one.
        map_bytes: first size of LMDB's map; it grows by itself.

    Raises:
        CacheLockedError: another process writes this shard; the message names pid and host.
        CacheError: the folder is something else, sealed, or on a network file system.
        CacheCorruptError: the shard is damaged.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        shard: str = "main",
        codec: Codec = "delta",
        quality: int | None = None,
        map_bytes: int = envs.FIRST_MAP,
    ) -> None:
        check_codec(codec, quality)
        self.root = manifest.cache_root(root)
        self.path = manifest.shard_path(self.root, manifest.check_shard_name(shard))
        self.codec: Codec = codec
        self.quality = quality
        manifest.create(self.root)
        refuse_network(self.path.parent)
        self._lock: WriterLock | None = None
        self._adding = adding(self.root)
        self._pid = os.getpid()
        try:
            self._lock = envs.open_writer(self.path, map_bytes=map_bytes)
        except BaseException:
            self._adding.release()
            raise
        self._others = ClipCache(self.root)
        log.debug("writing %s, codec %s", self.path, codec)

    def __repr__(self) -> str:
        how = self.codec if self.quality is None else f"{self.codec} {self.quality}"
        closed = "closed" if self._lock is None else ""
        return one_line(self, short(self.root), f"shard {self.path.stem}", how, closed)

    def __enter__(self) -> CacheWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __contains__(self, key: object) -> bool:
        """Whether any shard of the cache holds the clip."""
        return key in self._others

    def close(self) -> None:
        """Frees the shard; a second call does nothing."""
        if self._lock is not None and self._pid == os.getpid():
            envs.close_writer(self.path)
            self._lock.release()
            self._adding.release()
        self._lock = None

    def put(
        self,
        key: str,
        frames: Frames,
        provenance: Provenance | None,
        *,
        replace: bool = False,
    ) -> bool:
        """Stores a clip; when this returns it is on the disk.

        Args:
            key: `cache_key(provenance.plan)`; any 64 hex digits for a clip without provenance.
            frames: uint8 `T H W 3`.
            provenance: what the clip carries for ever. A clip without is kept out of training.
            replace: overwrite what this shard holds under the key.

        Returns:
            True when it was written, False when the same clip was there already. A damaged clip
            of that key counts as not there.

        Raises:
            InputError: frames are no frames, or the key does not belong to the plan.
            CacheError: another clip is there under that key.
            CacheFullError: no room; earlier clips stay readable.
        """
        self._check_usable()
        self._check(key, frames, provenance)
        if not replace and self._is_there(key, frames):
            return False
        value = build(key, frames, provenance, codec=self.codec, quality=self.quality)
        self._commit(key.encode(), value)
        return True

    def _check_usable(self) -> None:
        if self._lock is None or self._pid != os.getpid():
            raise CacheError(
                f"this writer of {self.path} is closed, or was opened by another process; open "
                "one in this process"
            )

    def _check(self, key: str, frames: Frames, provenance: Provenance | None) -> None:
        manifest.check_key(key)
        array = isinstance(frames, np.ndarray)
        if not array or frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3:
            seen = f"{frames.dtype} {frames.shape}" if array else type(frames).__name__
            raise InputError(f"clip {key}: frames must be a uint8 array T H W 3; got {seen}")
        if 0 in frames.shape:
            raise InputError(f"clip {key}: frames are empty: {frames.shape}")
        if provenance is not None:
            wanted = cache_key(provenance.plan, codec=self.codec, quality=self.quality)
            if key != wanted:
                raise InputError(
                    f"clip {key}: its plan belongs under {wanted}; use famaug.store.cache_key"
                    f"(plan, codec={self.codec!r}, quality={self.quality})"
                )

    def _is_there(self, key: str, frames: Frames) -> bool:
        sources = []
        for shard in self._others.shards():
            with envs.reading(manifest.shard_path(self.root, shard)) as txn:
                value = txn.get(key.encode())
                if value is None:
                    continue
                try:
                    record = parse(key, value)
                    record.check_payload()
                    sources.append((record.source, shard))
                except CacheCorruptError:
                    continue
        if not sources:
            return False
        mine = frames_digest(frames)
        for source, shard in sources:
            if source != mine:
                raise CacheError(
                    f"clip {key}: shard {shard} holds other frames under this key; a key must "
                    "name one clip: give the renderer a new version, or put with replace=True"
                )
        return True

    def _commit(self, key: bytes, value: bytes) -> None:
        for _ in range(64):
            try:
                with envs.writing(self.path) as txn:
                    txn.put(key, value)
                return
            except lmdb.MapFullError:
                envs.grow(self.path, at_least=len(value))
            except lmdb.Error as error:
                raise self._write_error(error, len(value)) from error
        raise CacheError(f"{self.path}: the map did not grow enough for {len(value)} bytes")

    def _write_error(self, error: lmdb.Error, size: int) -> CacheError:
        code = getattr(error, "code", None)
        reason = _full(self.path, size)
        if reason or code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return CacheFullError(
                f"{self.path}: no room for a clip of {size} bytes "
                f"({reason or os.strerror(code or errno.ENOSPC)}); every clip put before is "
                "readable: free some space and run the same command again, it goes on from here"
            )
        return CacheError(
            f"{self.path}: writing failed: {error} (LMDB says so for a failing disk, and for a "
            "quota that ran out); every clip put before is readable"
        )


def adding(root: Path) -> CacheLock:
    """The right to add to a cache: while it is held nobody seals.

    Raises:
        CacheError: the cache is sealed, or being sealed.
    """
    lock = CacheLock(root / manifest.SHARDS, alone=False)
    try:
        if manifest.load(root).sealed is not None:
            raise CacheError(f"{root} is sealed and cannot grow; write to a new folder")
    except BaseException:
        lock.release()
        raise
    return lock


def _full(path: Path, size: int) -> str:
    """Why `size` more bytes do not fit, as far as it can be told; LMDB only says I/O error."""
    need = size + (1 << 16)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if limit != resource.RLIM_INFINITY and path.stat().st_size + need > limit:
        return f"the process may write files of {limit} bytes at most"
    free = shutil.disk_usage(path.parent).free
    return f"{free} bytes free on the disk" if free < need else ""
