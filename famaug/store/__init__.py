"""KEEP: the clip cache. A folder of LMDB shards that reads as one collection of clips.

Start with `ClipCache` (reader.py) and `CacheWriter` (writer.py); the bytes of a clip are described
in record.py and codecs.py, what LMDB needs from us in envs.py, pages.py and locks.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from famaug.named import lazily

if TYPE_CHECKING:
    from famaug.store.codecs import cache_key as cache_key
    from famaug.store.decisions import Decisions as Decisions
    from famaug.store.decisions import decisions_path as decisions_path
    from famaug.store.decisions import read_decisions as read_decisions
    from famaug.store.decisions import write_decisions as write_decisions
    from famaug.store.export import export_png as export_png
    from famaug.store.export import export_webdataset as export_webdataset
    from famaug.store.listing import cache_info as cache_info
    from famaug.store.listing import list_clips as list_clips
    from famaug.store.reader import ClipCache as ClipCache
    from famaug.store.reader import StoredClip as StoredClip
    from famaug.store.verification import VerifyReport as VerifyReport
    from famaug.store.verification import seal as seal
    from famaug.store.verification import unseal as unseal
    from famaug.store.verification import verify as verify
    from famaug.store.writer import CacheWriter as CacheWriter

_LAZY = {
    "CacheWriter": "famaug.store.writer",
    "ClipCache": "famaug.store.reader",
    "Decisions": "famaug.store.decisions",
    "StoredClip": "famaug.store.reader",
    "VerifyReport": "famaug.store.verification",
    "cache_info": "famaug.store.listing",
    "cache_key": "famaug.store.codecs",
    "decisions_path": "famaug.store.decisions",
    "export_png": "famaug.store.export",
    "export_webdataset": "famaug.store.export",
    "list_clips": "famaug.store.listing",
    "read_decisions": "famaug.store.decisions",
    "seal": "famaug.store.verification",
    "unseal": "famaug.store.verification",
    "verify": "famaug.store.verification",
    "write_decisions": "famaug.store.decisions",
}

__all__ = list(_LAZY)
__getattr__ = lazily(__name__, _LAZY)
