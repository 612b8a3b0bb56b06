"""Reading a cache: all its shards as one collection of clips."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from famaug.errors import CacheCorruptError, CacheMissError, InputError
from famaug.shown.lines import counted, in_notebooks, one_line, short
from famaug.store import envs, manifest
from famaug.store.codecs import decode_into
from famaug.store.record import Record, parse
from famaug.types import Frames, Provenance

FrameChoice = slice | Sequence[int] | None


@in_notebooks
@dataclass(frozen=True, eq=False)
class StoredClip:
    """A clip as it was put: frames uint8 `T H W 3`; provenance None when it has none."""

    key: str
    frames: Frames
    provenance: Provenance | None
    codec: str

    def __repr__(self) -> str:
        count, height, width = self.frames.shape[:3]
        of = self.provenance
        return one_line(
            self,
            f"{self.key[:8]}: {counted(count, 'frame')} of {width} x {height}",
            self.codec,
            "no provenance"
            if of is None
            else f"{short(of.plan.driver.get('name', '?'), 30)} on "
            f"{short(of.plan.identity.get('name', '?'), 30)}",
            "" if of is None or of.label is None else f"label {short(of.label, 24)}",
        )


@in_notebooks
class ClipCache:
    """The clips of a cache folder, read-only. Opens its shards when they are first needed.

    Picklable (it carries only its path), safe after fork, from several threads, and beside a
    writer. Every read is checked against its digest.

    Raises (on construction):
        CacheError: the folder is not a cache.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = manifest.cache_root(root)
        self._manifest = manifest.load(self.root)
        self._place: dict[str, str] = {}
        self._paths: dict[str, Path] = {}
        envs.keep_open(self, self.root / manifest.SHARDS)

    def __reduce__(self) -> tuple[type[ClipCache], tuple[str]]:
        return ClipCache, (str(self.root),)

    def __repr__(self) -> str:
        sealed = self._manifest.sealed
        held = (
            "open"
            if sealed is None
            else "sealed, " + counted(sum(s.records for s in sealed.values()), "clip")
        )
        return one_line(self, short(self.root), counted(len(self.shards()), "shard"), held)

    @property
    def sealed(self) -> bool:
        return self._manifest.sealed is not None

    @property
    def manifest(self) -> manifest.Manifest:
        """The manifest as it was when this reader was made."""
        return self._manifest

    def shards(self) -> list[str]:
        """Names of the shards, sorted."""
        if self._manifest.sealed is not None:
            return sorted(self._manifest.sealed)
        folder = self.root / manifest.SHARDS
        if not folder.is_dir():
            return []
        # a shard is empty between its creation and LMDB's first page
        return sorted(p.stem for p in folder.iterdir() if manifest.is_shard(p))

    def keys(self) -> list[str]:
        """Keys of all clips, sorted: the same list whatever the shards are."""
        found: dict[str, str] = {}
        for shard in self.shards():
            for raw in self.raw_keys(shard):
                found.setdefault(_text(raw, shard), shard)
        self._place.update(found)
        return sorted(found)

    def raw_keys(self, shard: str) -> list[bytes]:
        """The keys of one shard as LMDB holds them, unchecked; for `verify`."""
        with self._reading(shard) as txn:
            return [bytes(k) for k in txn.cursor().iternext(keys=True, values=False)]

    @contextmanager
    def record_in(self, shard: str, key: str) -> Iterator[Record]:
        """The record of a key in one shard; its bytes are valid inside the block only."""
        with self._reading(shard) as txn:
            value = txn.get(manifest.check_key(key).encode())
            if value is None:
                raise CacheMissError(f"shard {shard} holds no clip {key}")
            yield parse(key, value)

    def __len__(self) -> int:
        return len(self.keys())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, key: object) -> bool:
        wanted = manifest.check_key(key)
        for shard in self._order(wanted):
            with self._reading(shard) as txn:
                if txn.get(wanted.encode()) is not None:
                    self._place[wanted] = shard
                    return True
        return False

    def read(self, key: str, frames: FrameChoice = None) -> StoredClip:
        """A clip, or some of its frames (a slice, or indices in any order).

        Raises:
            CacheMissError: there is no such clip.
            CacheCorruptError: what is there is not what was put.
            InputError: the key is malformed, or a frame does not exist.
        """
        with self.record(key) as (_, record):
            picked = _pick(record, frames, key)
            count = record.layout.shape[0] if picked is None else len(picked)
            out = np.empty((count, *record.layout.shape[1:], 3), np.uint8)
            _decode(record, out, picked, key)
            return StoredClip(key, out, record.provenance(), record.layout.codec)

    def read_into(self, key: str, out: Any, frames: FrameChoice = None) -> str:
        """Decodes into `out`: a uint8 array or CPU tensor of shape `n H W 3`, of any strides.

        Returns:
            the provenance as JSON text, "" when the clip has none.

        Raises:
            InputError: `out` has another type or shape; and what `read` raises.
        """
        with self.record(key) as (_, record):
            picked = _pick(record, frames, key)
            count = record.layout.shape[0] if picked is None else len(picked)
            target = _target(out, (count, *record.layout.shape[1:], 3))
            _decode(record, target, picked, key)
            return record.provenance_json

    def provenance(self, key: str) -> Provenance | None:
        """Whom the clip shows and how it was made, without reading its pixels."""
        with self.record(key) as (_, record):
            return record.provenance()

    def shape(self, key: str) -> tuple[int, int, int]:
        """T, H, W of a clip, without reading its pixels."""
        with self.record(key) as (_, record):
            return record.layout.shape

    def close(self) -> None:
        """Closes the shards; the next read opens them again."""
        for shard in self.shards():
            envs.close(manifest.shard_path(self.root, shard))

    def _reading(self, shard: str) -> Any:
        sealed = self._manifest.sealed
        size = None if sealed is None else sealed[shard].bytes
        path = self._paths.get(shard)
        if path is None:
            path = self._paths[shard] = manifest.shard_path(self.root, shard)
        return envs.reading(path, sealed_bytes=size)

    def _order(self, key: str) -> Iterator[str]:
        """Shards to look in, the known one first."""
        known = self._place.get(key)
        if known is not None:
            yield known
        for shard in self.shards():
            if shard != known:
                yield shard

    @contextmanager
    def record(self, key: str) -> Iterator[tuple[str, Record]]:
        """Shard and record of a key; the record's bytes are valid inside the block only.

        Raises:
            CacheMissError, CacheCorruptError: as `read`.
        """
        raw, seen = manifest.check_key(key).encode(), 0
        for shard in self._order(key):
            seen += 1
            with self._reading(shard) as txn:
                value = txn.get(raw)
                if value is None:
                    continue
                self._place[key] = shard
                yield shard, parse(key, value)
                return
        raise CacheMissError(
            f"{self.root} holds no clip {key} ({seen} shards searched); generate it, or list what "
            "is there with `famaug cache ls`"
        )


def _decode(record: Record, out: Frames, picked: Sequence[int] | None, key: str) -> None:
    try:
        record.check_payload()
        decode_into(record.layout, record.payload, out, picked)
    except CacheCorruptError as error:
        raise CacheCorruptError(
            f"clip {key}: {error}; find all such clips with `famaug cache verify` and generate "
            "them again"
        ) from error


def _pick(record: Record, frames: FrameChoice, key: str) -> list[int] | None:
    if frames is None:
        return None
    count = record.layout.shape[0]
    if isinstance(frames, slice):
        return list(range(*frames.indices(count)))
    picked = [int(i) for i in frames]
    if any(not -count <= i < count for i in picked):
        raise InputError(f"clip {key} has {count} frames; asked for {picked}")
    return [i % count for i in picked]


def _target(out: Any, shape: tuple[int, ...]) -> Frames:
    if not hasattr(out, "__array__") or tuple(out.shape) != shape:
        raise InputError(
            f"`out` must be a uint8 array or CPU tensor of shape {shape}; got "
            f"{type(out).__name__} {tuple(getattr(out, 'shape', ()))}"
        )
    try:
        target = np.asarray(out)
    except TypeError as error:
        raise InputError(f"`out` must lie in CPU memory: {error}") from error
    if target.dtype != np.uint8 or not target.flags.writeable:
        raise InputError(f"`out` must be writable uint8; got {target.dtype}")
    return target


def _text(raw: Any, shard: str) -> str:
    try:
        return manifest.check_key(bytes(raw).decode())
    except (InputError, UnicodeDecodeError) as error:
        raise CacheCorruptError(f"shard {shard} holds a key that is none: {error}") from error
