"""Reading everything once: is every clip what was put? And sealing what is: a finished cache, whose
files are fixed and can be copied anywhere."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from famaug.errors import (
    CacheCorruptError,
    CacheError,
    CacheFullError,
    CacheLockedError,
    InputError,
)
from famaug.files.limits import opened, translated
from famaug.shown.lines import one_line
from famaug.store import envs, manifest
from famaug.store.codecs import cache_key, decode_into
from famaug.store.locks import CacheLock, WriterLock
from famaug.store.manifest import Manifest, SealedShard
from famaug.store.pages import MOST_BYTES
from famaug.store.reader import ClipCache
from famaug.store.record import frames_digest
from famaug.types import Frames

Progress = Callable[[int, int], None]
"""Gets the clips done, and how many there are."""
ROUNDING = 2
"""Grey levels: as far as two engines or processors may be apart that computed one plan."""
_SIZE_DIFFERS = "its size or sha256 differs from the manifest"


@dataclass
class VerifyReport:
    """What `verify` found.

    Attributes:
        clips: how many clips are whole.
        rounded: clips that a second shard holds a few grey levels apart (`ROUNDING`), as another
            engine or processor computed them; those of the first shard by name are read.
        bad: what is wrong, by key.
        bad_shards: what is wrong with a whole shard, by its name; its clips are not counted.
    """

    clips: int = 0
    rounded: int = 0
    bad: dict[str, str] = field(default_factory=dict)
    bad_shards: dict[str, str] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        return not self.bad and not self.bad_shards

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "good": self.good}

    def __repr__(self) -> str:
        return one_line(self, str(self))

    def __str__(self) -> str:
        shards = f", {len(self.bad_shards)} shards damaged" if self.bad_shards else ""
        twice = f" ({self.rounded} rounded otherwise in another shard)" if self.rounded else ""
        return f"{self.clips} clips whole{twice}, {len(self.bad)} bad{shards}"


def verify(
    root: str | os.PathLike[str] | ClipCache, *, progress: Progress | None = None
) -> VerifyReport:
    """Reads every clip of a cache and names each that is not what was put.

    Args:
        root: the cache.
        progress: is told the clips read so far, and how many there are.

    Raises:
        CacheError: the folder is not a cache.
    """
    cache = root if isinstance(root, ClipCache) else ClipCache(root)
    report, sources = VerifyReport(), dict[str, tuple[str, str]]()
    done, total = 0, 0 if progress is None else _count(cache)
    for shard in cache.shards():
        try:
            with translated(f"shard {shard}", CacheCorruptError):
                keys = _shard_keys(cache, shard)
        except CacheError as error:
            report.bad_shards[shard] = str(error)
            continue
        for raw in keys:
            name = raw.decode("ascii", "backslashreplace")
            try:
                with translated(f"clip {name}: a forged or damaged record", CacheCorruptError):
                    source = _check_clip(cache, shard, name)
                other, where = sources.setdefault(name, (source, shard))
                if other != source:
                    _check_rounding(cache, name, where, shard)
                    report.rounded += 1
                report.clips += where == shard
            except (CacheError, InputError) as error:
                report.bad[name] = str(error)
            if progress is not None:
                done += 1
                progress(done, total)
    return report


def _check_rounding(cache: ClipCache, key: str, *shards: str) -> None:
    """Raises CacheCorruptError where two shards hold more than roundings of one clip."""
    one, other = (_frames(cache, shard, key).astype(np.int16) for shard in shards)
    if one.shape != other.shape or np.abs(one - other).max() > ROUNDING:
        raise CacheCorruptError(f"shards {' and '.join(shards)} hold different frames")


def _frames(cache: ClipCache, shard: str, key: str) -> Frames:
    with cache.record_in(shard, key) as record:
        frames = np.empty((*record.layout.shape, 3), np.uint8)
        decode_into(record.layout, record.payload, frames)
    return frames


def _count(cache: ClipCache) -> int:
    """Clips in all shards that can be opened."""
    count = 0
    for shard in cache.shards():
        with suppress(CacheError):
            count += len(cache.raw_keys(shard))
    return count


def _shard_keys(cache: ClipCache, shard: str) -> list[bytes]:
    sealed = cache.manifest.sealed
    keys = cache.raw_keys(shard)
    if sealed is not None:
        found = describe(manifest.shard_path(cache.root, shard), len(keys))
        if found != sealed[shard]:
            raise CacheCorruptError(f"{_SIZE_DIFFERS}: {sealed[shard]} sealed, {found} found")
    return keys


def describe(path: Path, records: int) -> SealedShard:
    """Size and sha256 of a shard's file."""
    with opened(path, at_most=MOST_BYTES, error=CacheCorruptError) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return SealedShard(path.stat().st_size, digest, records)


def _check_clip(cache: ClipCache, shard: str, key: str) -> str:
    """Reads one clip whole; returns the digest of the frames as they were put."""
    with cache.record_in(shard, key) as record:
        record.check_payload()
        layout = record.layout
        frames = np.empty((*layout.shape, 3), np.uint8)
        decode_into(layout, record.payload, frames)
        if layout.codec != "jpeg" and frames_digest(frames) != record.source:
            raise CacheCorruptError(f"clip {key}: decodes to other frames than were put")
        provenance = record.provenance()
        if provenance is not None:
            codec: Any = layout.codec
            wanted = cache_key(provenance.plan, codec=codec, quality=layout.quality)
            if wanted != key:
                raise CacheCorruptError(f"clip {key}: its plan belongs under {wanted}")
        return record.source


# -- SEALING --------------------------------------------------------------------------------------


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
