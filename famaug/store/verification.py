"""Reading everything once: is every clip what was put?"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from famaug.errors import CacheCorruptError, CacheError, InputError
from famaug.limits import opened, translated
from famaug.store import manifest
from famaug.store.codecs import cache_key, decode_into
from famaug.store.manifest import SealedShard
from famaug.store.pages import MOST_BYTES
from famaug.store.reader import ClipCache
from famaug.store.record import frames_digest

Progress = Callable[[int, int], None]
"""Gets the clips done, and how many there are."""
_SIZE_DIFFERS = "its size or sha256 differs from the manifest"


@dataclass
class VerifyReport:
    """What `verify` found.

    Attributes:
        clips: how many clips are whole.
        bad: what is wrong, by key.
        bad_shards: what is wrong with a whole shard, by its name; its clips are not counted.
    """

    clips: int = 0
    bad: dict[str, str] = field(default_factory=dict)
    bad_shards: dict[str, str] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        return not self.bad and not self.bad_shards

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "good": self.good}

    def __str__(self) -> str:
        shards = f", {len(self.bad_shards)} shards damaged" if self.bad_shards else ""
        return f"{self.clips} clips whole, {len(self.bad)} bad{shards}"


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
                    raise CacheCorruptError(f"shards {where} and {shard} hold different frames")
                report.clips += where == shard
            except (CacheError, InputError) as error:
                report.bad[name] = str(error)
            if progress is not None:
                done += 1
                progress(done, total)
    return report


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
