"""Sealing: the cache is finished, its files are fixed and can be copied anywhere."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

from famaug.errors import CacheCorruptError, CacheError, CacheLockedError
from famaug.store import envs, manifest
from famaug.store.locks import WriterLock
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
        CacheError: there are no clips.
    """
    cache = ClipCache(root)
    if cache.manifest.sealed is not None:
        return cache.manifest.sealed
    with ExitStack() as held:
        paths = {name: manifest.shard_path(cache.root, name) for name in cache.shards()}
        for path in paths.values():
            held.callback(_take(path).release)
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
