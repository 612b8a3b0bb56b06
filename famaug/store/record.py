"""One clip as the bytes of one LMDB value.

    0   4   magic "FMC1"
    4   4   length of the header, u32 little endian
    8   8   length of the whole record, u64
    16  16  xxh3-128 over key, the two lengths, header and provenance
    32  ..  header: JSON (version, layout, length of the provenance, digests of payload and source)
    ..  ..  provenance: JSON, or nothing
    ..  ..  payload: the encoded frames

The digest covers the key, so a record that sits under another key is found out, and the lengths,
so that nothing is touched beyond the record. The payload has its own digest: who a clip shows can
be read without touching its pixels. xxh3 finds damage; it is no defence against forgery.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import xxhash

from famaug.errors import CacheCorruptError, InputError
from famaug.files.limits import parse_json, translated
from famaug.store.codecs import Buffer, Layout, encode
from famaug.types import Frames, Provenance

MAGIC = b"FMC1"
VERSION = 1
_LENGTHS = struct.Struct("<IQ")
_PREFIX = 32


@dataclass(frozen=True)
class Record:
    """A parsed record. `payload` is a view into the value, valid as long as the value is.

    Attributes:
        layout: how to decode the payload.
        source: digest (hex) of the frames as they were put.
        provenance_json: provenance as JSON text, "" when the clip has none.
        payload: the encoded frames, not yet checked against their digest.
        payload_digest: hex.
    """

    layout: Layout
    source: str
    provenance_json: str
    payload: memoryview
    payload_digest: str

    def check_payload(self) -> None:
        if xxhash.xxh3_128_hexdigest(self.payload) != self.payload_digest:
            raise CacheCorruptError("the frames differ from their digest")

    def provenance(self) -> Provenance | None:
        if not self.provenance_json:
            return None
        value = parse_json(self.provenance_json, "the provenance", error=CacheCorruptError)
        try:
            return Provenance.from_json(value)
        except InputError as error:
            raise CacheCorruptError(f"the provenance cannot be read: {error}") from error


def frames_digest(frames: Frames) -> str:
    """xxh3-128 (hex) of frames and their shape."""
    hasher = xxhash.xxh3_128(repr(frames.shape).encode())
    hasher.update(np.ascontiguousarray(frames).data)
    return hasher.hexdigest()


def build(
    key: str,
    frames: Frames,
    provenance: Provenance | None,
    *,
    codec: str,
    quality: int | None = None,
) -> bytes:
    """The record's bytes."""
    layout, payload = encode(frames, codec=codec, quality=quality)
    text = b"" if provenance is None else _json(provenance.to_json())
    header = _json(
        {
            "version": VERSION,
            "layout": layout.to_json(),
            "provenance": len(text),
            "payload": xxhash.xxh3_128_hexdigest(payload),
            "source": frames_digest(frames),
        }
    )
    total = _PREFIX + len(header) + len(text) + len(payload)
    lengths = _LENGTHS.pack(len(header), total)
    mark = _head_digest(key, lengths, header, text)
    return b"".join((MAGIC, lengths, mark, header, text, payload))


def parse(key: str, value: Buffer) -> Record:
    """Checks and splits a value read under `key`; touches no byte of the payload.

    Raises:
        CacheCorruptError: it is not the record that was written under this key.
    """
    view = memoryview(value)
    if len(view) < _PREFIX or view[:4] != MAGIC:
        raise CacheCorruptError(f"clip {key}: no record starts here")
    header_length, total = _LENGTHS.unpack(view[4:16])
    if total != len(view) or _PREFIX + header_length > total:
        raise CacheCorruptError(f"clip {key}: the record says {total} bytes, it has {len(view)}")
    end = _PREFIX + header_length
    with translated(f"clip {key}: the header is not readable", CacheCorruptError):
        header: dict[str, Any] = parse_json(bytes(view[_PREFIX:end]), "it", error=CacheCorruptError)
        text_length = int(header["provenance"])
        payload_digest, source = str(header["payload"]), str(header["source"])
        layout_json, version = header["layout"], header["version"]
    if not 0 <= text_length <= total - end:
        raise CacheCorruptError(f"clip {key}: the provenance would end outside the record")
    text = bytes(view[end : end + text_length])
    if _head_digest(key, bytes(view[4:16]), bytes(view[_PREFIX:end]), text) != view[16:_PREFIX]:
        raise CacheCorruptError(f"clip {key}: header or provenance differ from their digest")
    if version != VERSION:
        raise CacheCorruptError(
            f"clip {key}: record version {version}; this famaug reads {VERSION}: update famaug"
        )
    layout = Layout.from_json(layout_json)
    layout.check_size(total)
    payload = view[end + text_length :]
    with translated(f"clip {key}: the provenance is no text", CacheCorruptError):
        return Record(layout, source, text.decode(), payload, payload_digest)


def _head_digest(key: str, lengths: bytes, header: bytes, text: bytes) -> bytes:
    hasher = xxhash.xxh3_128(key.encode())
    for part in (lengths, header, text):
        hasher.update(part)
    return hasher.digest()


def _json(value: Any) -> bytes:
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return text.encode()
