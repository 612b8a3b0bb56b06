"""Sealing: the cache is finished, its files are fixed and can be copied anywhere."""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack, suppress
from pathlib import Path

from famaug.errors import CacheCorruptError, CacheError, CacheFullError, CacheLockedError
from famaug.store import envs, manifest
from famaug.store.locks import CacheLock, WriterLock
from famaug.store.manifest import Manifest, SealedShard
from famaug.store.reader import ClipCache
from famaug.store.verification import Progress, describe, verify


def seal(
    root: str | os.PathLike[str], *, progress: Progress | None = None
) -> dict[str, SealedShard]:
    """Verifies a cache, fixes size, sha256 and record count of each shard in its manifest, and
    makes the shards read-only. Sealing a sealed cache does nothing.

    A sealed cache is read without locks, so from read-only and network file systems too.

    Returns:
        what was fixed, by shard.

    Raises:
        CacheLockedError: a shard is being written.
        CacheCorruptError: a clip is damaged; nothing is sealed.
        CacheFullError: there is no room for the manifest.
        CacheError: there are no clips, or the folder cannot be written.
    """
    cache = ClipCache(root)
    if cache.manifest.sealed is not None:
        return cache.manifest.sealed
    try:
        with ExitStack() as held:
            return _seal(cache, held, progress)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        kind = CacheFullError if full else CacheError
        raise kind(
            f"{cache.root} cannot be sealed: {error}; it is as it was: free some space, or make "
            "the folder writable, and seal it again"
        ) from error


def unseal(root: str | os.PathLike[str]) -> int:
    """Opens a sealed cache for more clips; opening an open one does nothing.

    Nobody may read it meanwhile: a sealed cache is read without locks.

    Returns:
        how many shards can be written again.

    Raises:
        CacheError: the folder is no cache, or cannot be written.
    """
    where = manifest.cache_root(root)
    found = manifest.load(where)
    if found.sealed is None:
        return 0
    lock = CacheLock(where / manifest.SHARDS, alone=True)
    try:
        for name in found.sealed:
            manifest.shard_path(where, name).chmod(0o644)
        manifest.write(where, Manifest(found.created_with))
    except OSError as error:
        raise CacheError(
            f"{where} cannot be opened again: {error}; make the folder writable"
        ) from error
    finally:
        lock.release()
    return len(found.sealed)


def _seal(cache: ClipCache, held: ExitStack, progress: Progress | None) -> dict[str, SealedShard]:
    paths = {name: manifest.shard_path(cache.root, name) for name in cache.shards()}
    for path in paths.values():
        held.callback(_take(path).release)
    # and nobody starts a shard of their own from here on
    held.callback(CacheLock(cache.root / manifest.SHARDS, alone=True).release)
    if manifest.load(cache.root).sealed is not None:
        raise CacheError(f"{cache.root} was sealed by another process just now")
    if set(cache.shards()) != set(paths):
        raise CacheLockedError(f"{cache.root} was added to just now; seal it again")
    report = verify(cache, progress=progress)
    if not report.good:
        bad = {**report.bad_shards, **report.bad}
        key, why = next(iter(bad.items()))
        raise CacheCorruptError(
            f"{cache.root}: {len(bad)} shards or clips are damaged, so it is not sealed; the "
            f"first, {key}: {why}; `famaug cache verify` names them all"
        )
    if not report.clips:
        raise CacheError(f"{cache.root} holds no clips; generate some before sealing it")
    counts = {name: len(cache.raw_keys(name)) for name in paths}
    cache.close()
    sealed = {name: describe(path, counts[name]) for name, path in paths.items()}
    manifest.write(cache.root, Manifest(cache.manifest.created_with, sealed))
    with suppress(OSError):  # sealed it is; this only keeps people from changing it by mistake
        for path in paths.values():
            path.chmod(0o444)
            for helper in (".writer", "-lock"):
                path.with_name(path.name + helper).unlink(missing_ok=True)
    return sealed


def _take(path: Path) -> WriterLock:
    if envs.is_written_here(path):
        raise CacheLockedError(
            f"{path} is being written by this process ({os.getpid()}); close its writer first"
        )
    return WriterLock(path.with_name(path.name + ".writer"))
