"""KEEP: the clip cache. A folder of LMDB shards that reads as one collection of clips.

Start with `ClipCache` (reader.py) and `CacheWriter` (writer.py); the bytes of a clip are described
in record.py and codecs.py, what LMDB needs from us in envs.py, pages.py and locks.py.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from famaug.store.codecs import cache_key as cache_key
    from famaug.store.reader import ClipCache as ClipCache
    from famaug.store.reader import StoredClip as StoredClip
    from famaug.store.writer import CacheWriter as CacheWriter

_LAZY = {
    "CacheWriter": "famaug.store.writer",
    "ClipCache": "famaug.store.reader",
    "StoredClip": "famaug.store.reader",
    "cache_key": "famaug.store.codecs",
}

__all__ = list(_LAZY)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'famaug.store' has no attribute {name!r}")
