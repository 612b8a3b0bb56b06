"""What a cache holds, as plain data: the content of `famaug cache info` and `famaug cache ls`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

from famaug.store import manifest
from famaug.store.reader import ClipCache


def list_clips(root: str | os.PathLike[str] | ClipCache) -> Iterator[dict[str, Any]]:
    """One dict a clip, in key order, without reading pixels: key, shard, frames, height, width,
    codec, bytes, driver, identity, engine, label ("" or None where there is no provenance).

    Raises:
        CacheError: the folder is not a cache, or a header is damaged.
    """
    cache = root if isinstance(root, ClipCache) else ClipCache(root)
    for key in cache.keys():  # noqa: SIM118  a ClipCache is no dict
        yield _row(cache, key)


def _row(cache: ClipCache, key: str) -> dict[str, Any]:
    with cache.record(key) as (shard, record):
        provenance, layout = record.provenance(), record.layout
    return {
        "key": key,
        "shard": shard,
        "frames": layout.shape[0],
        "height": layout.shape[1],
        "width": layout.shape[2],
        "codec": layout.codec,
        "bytes": layout.payload_bytes,
        "driver": "" if provenance is None else provenance.driver_subject,
        "identity": "" if provenance is None else provenance.identity_subject,
        "engine": "" if provenance is None else provenance.engine,
        "label": None if provenance is None else provenance.label,
        "provenance": provenance is not None,
    }


def cache_info(root: str | os.PathLike[str] | ClipCache) -> dict[str, Any]:
    """A cache in numbers.

    Returns:
        root, sealed, created_with, shards, clips, without_provenance, bytes_on_disk,
        bytes_decoded, and counts by codec, size ("16x224x224"), label, driver, identity and
        engine ("" where the clips do not say).

    Raises:
        CacheError: as `list_clips`.
    """
    cache = root if isinstance(root, ClipCache) else ClipCache(root)
    counted = ("codecs", "sizes", "labels", "drivers", "identities", "engines")
    counts: dict[str, Counter[str]] = {name: Counter() for name in counted}
    clips = decoded = untold = 0
    for row in list_clips(cache):
        shape = (row["frames"], row["height"], row["width"])
        clips += 1
        decoded += 3 * shape[0] * shape[1] * shape[2]
        untold += not row["provenance"]
        counts["codecs"][row["codec"]] += 1
        counts["sizes"]["x".join(map(str, shape))] += 1
        if row["provenance"]:
            counts["labels"][str(row["label"])] += 1
            counts["drivers"][row["driver"]] += 1
            counts["identities"][row["identity"]] += 1
            counts["engines"][row["engine"]] += 1
    shards = cache.shards()
    return {
        "root": str(cache.root),
        "sealed": cache.sealed,
        "created_with": cache.manifest.created_with,
        "shards": len(shards),
        "clips": clips,
        "without_provenance": untold,
        "bytes_on_disk": sum(manifest.shard_path(cache.root, s).stat().st_size for s in shards),
        "bytes_decoded": decoded,
        **{name: dict(sorted(count.items())) for name, count in counts.items()},
    }
