"""The cache's manifest: what makes a folder a cache, and what sealing fixes.

{"famaug_cache": 1, "created_with": "0.1.0", "sealed": null}
{"famaug_cache": 1, "created_with": "0.1.0", "sealed": {"main": {"bytes": ..., "sha256": ...,
 "records": ...}, ...}}
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from famaug import __version__
from famaug.errors import CacheCorruptError, CacheError, InputError
from famaug.files.limits import JSON_BYTES, parse_json, read_text
from famaug.files.whole import write_whole

FORMAT = 1
NAME = "manifest.json"
SHARDS = "shards"
SUFFIX = ".lmdb"
_SHARD_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class SealedShard:
    bytes: int
    sha256: str
    records: int


@dataclass(frozen=True)
class Manifest:
    """`sealed` names every shard of a sealed cache; None while the cache may grow."""

    created_with: str
    sealed: dict[str, SealedShard] | None = None

    def to_json(self) -> dict[str, Any]:
        sealed = self.sealed
        return {
            "famaug_cache": FORMAT,
            "created_with": self.created_with,
            "sealed": None if sealed is None else {n: vars(s) for n, s in sealed.items()},
        }


def check_key(key: object) -> str:
    """The key itself, when it is 64 hex digits.

    Keys never become paths, and nothing but a digest is one: a clip id with `../`, NUL or 300
    characters stops here.
    """
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        shown = repr(key) if len(repr(key)) < 80 else repr(key)[:76] + "..."
        raise InputError(
            f"a cache key is 64 hex digits (Plan.key, famaug.store.cache_key); got {shown}"
        )
    return key


def check_shard_name(name: str) -> str:
    if not isinstance(name, str) or not _SHARD_NAME.fullmatch(name):
        raise InputError(
            "a shard's name is 1 to 64 letters, digits, '_' or '-', not starting with '-'; "
            f"got {name!r}"
        )
    return name


def cache_root(root: str | os.PathLike[str]) -> Path:
    text = os.fspath(root)
    if not isinstance(text, str) or not text or "\0" in text:
        raise InputError(f"a cache is a folder; got {text!r}")
    return Path(os.path.abspath(text))  # noqa: PTH100  resolve() would follow links


def shard_path(root: Path, name: str) -> Path:
    return root / SHARDS / (name + SUFFIX)


def is_shard(path: Path) -> bool:
    """Whether a file of the shard folder is a shard that was begun."""
    if path.suffix != SUFFIX or not _SHARD_NAME.fullmatch(path.stem):
        return False
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def create(root: Path) -> None:
    """Makes `root` a cache unless it is one. Safe when several writers start at once.

    Raises:
        CacheError: the folder holds something else, or cannot be made.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        if not (root / NAME).exists():
            foreign = [p.name for p in root.iterdir() if not _ours(p.name)]
            if foreign:
                raise CacheError(
                    f"{root} is not a famaug cache and not empty (it holds {sorted(foreign)[:3]}); "
                    "name a new or empty folder"
                )
            write(root, Manifest(__version__), only_if_new=True)
        (root / SHARDS).mkdir(exist_ok=True)
    except OSError as error:
        raise CacheError(f"{root}: the cache folder cannot be made: {error}") from error


def _ours(name: str) -> bool:
    return name in {NAME, SHARDS} or name.startswith((".", "README"))


def write(root: Path, manifest: Manifest, *, only_if_new: bool = False) -> None:
    """Writes the manifest in one step: a reader sees the old one or the new one."""
    write_whole(root / NAME, json.dumps(manifest.to_json(), indent=1), only_if_new=only_if_new)


def _sealed(value: dict[str, Any]) -> SealedShard:
    shard = SealedShard(**value)
    if type(shard.bytes) is not int or type(shard.records) is not int:
        raise TypeError(f"{value} is no shard")
    return shard


def load(root: Path) -> Manifest:
    """Raises CacheError when `root` is no cache, CacheCorruptError when its manifest is damaged."""
    path = root / NAME
    if not path.exists():
        seen = "a folder without manifest.json" if root.is_dir() else "nothing there"
        seen = "a file" if root.is_file() else seen
        raise CacheError(
            f"{root} is not a famaug cache ({seen}); make one with `famaug pregenerate` or "
            "famaug.store.CacheWriter"
        )
    text = read_text(path, at_most=JSON_BYTES, error=CacheError)
    try:
        value = parse_json(text, path, error=CacheCorruptError)
        form, sealed = value["famaug_cache"], value["sealed"]
        if form != FORMAT:
            raise CacheError(f"{root}: cache format {form}; this famaug reads {FORMAT}")
        shards = None
        if sealed is not None:
            shards = {check_shard_name(n): _sealed(s) for n, s in sealed.items()}
        return Manifest(str(value["created_with"]), shards)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CacheCorruptError(f"{path} is damaged: {error!r}; restore it from a copy") from error
