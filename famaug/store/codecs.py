"""How the frames of a clip become bytes and come back.

`delta`  lossless, the default. Frame 0 is kept whole. The frame that differs most from it (the
         apex) is kept as its difference to frame 0, every other frame as its difference to the
         one before, and of that only the rows in which anything ever moves; what stands still
         within them packs to almost nothing. Onset and apex are two chunks: they come back
         without the rest.
`raw`    lossless, no work at either end.
`jpeg`   lossy, only when asked for; such a clip has another key (see `cache_key`).

Differences are uint8 and wrap around, so decoding is one addition in place. A chunk is packed
with LZ4 (it decodes at the speed of memory), with zstd where LZ4 finds nothing to save but an
entropy coder does (sensor noise), or stored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Literal, get_args

import lz4.block  # type: ignore[import-untyped]
import numpy as np
import zstandard
from numpy.typing import NDArray

from famaug.errors import CacheCorruptError, InputError
from famaug.files.limits import check_unpacked, translated
from famaug.seeding import digest
from famaug.types import Frames, Plan

Codec = Literal["delta", "raw", "jpeg"]
CODECS: tuple[str, ...] = get_args(Codec)
Buffer = bytes | memoryview

LZ4_LEVEL = 6  # above it the bytes fall by 3 %, the time to write triples
ZSTD_LEVEL = 1
LZ4_ENOUGH = 0.6  # packed / unpacked size from which zstd is tried too
STORED, LZ4, ZSTD = "s", "l", "z"
MAX_BYTES = 1 << 31  # of one decoded clip: a damaged or hostile header cannot ask for more


@dataclass(frozen=True)
class Layout:
    """What is needed to decode a payload. JSON-able; stands in the record's header.

    Attributes:
        codec: name of the codec.
        shape: T, H, W.
        lengths: bytes of each frame's chunk in the payload, in frame order.
        packing: one letter a chunk: s stored, l LZ4, z zstd.
        rows: first row that ever moves, and the one after the last (delta).
        apex: the frame kept as difference to frame 0 although it is not frame 1 (delta).
        quality: JPEG quality, or None.
    """

    codec: str
    shape: tuple[int, int, int]
    lengths: tuple[int, ...]
    packing: str
    rows: tuple[int, int] = (0, 0)
    apex: int = 0
    quality: int | None = None
    _offsets: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        t, h, w = self.shape
        top, end = self.rows
        good = (
            self.codec in CODECS
            and min(t, h, w) > 0
            and t * h * w * 3 <= MAX_BYTES
            and len(self.lengths) == len(self.packing) == t
            and min(self.lengths) >= 0
            and set(self.packing) <= {STORED, LZ4, ZSTD}
            and 0 <= top <= end <= h
            and 0 <= self.apex < t
        )
        if not good:
            raise CacheCorruptError(f"a record's layout makes no sense: {self}")
        object.__setattr__(self, "_offsets", (0, *accumulate(self.lengths)))

    @property
    def payload_bytes(self) -> int:
        return self._offsets[-1]

    def check_size(self, packed: int) -> None:
        """Refuses a record that would unpack to far more than its own size.

        Raises:
            CacheCorruptError: it would.
        """
        taken = 3 * math.prod(self.shape)
        check_unpacked("a record", packed=packed, unpacked=taken, error=CacheCorruptError)

    def chunk(self, payload: Buffer, t: int) -> memoryview:
        return memoryview(payload)[self._offsets[t] : self._offsets[t + 1]]

    def parent(self, t: int) -> int:
        """The frame that frame t > 0 is a difference to; always an earlier one."""
        return 0 if t == self.apex else t - 1

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = {
            "codec": self.codec,
            "shape": self.shape,
            "lengths": self.lengths,
            "packing": self.packing,
        }
        if self.codec == "delta":
            value |= {"rows": self.rows, "apex": self.apex}
        if self.quality is not None:
            value["quality"] = self.quality
        return value

    @staticmethod
    def from_json(value: dict[str, Any]) -> Layout:
        """Raises CacheCorruptError when the value is not a layout."""
        with translated("a record's layout cannot be read", CacheCorruptError):
            fields = dict(value)
            for name in {"shape", "lengths", "rows"} & fields.keys():
                fields[name] = tuple(map(int, fields[name]))
            return Layout(**fields)


def check_codec(codec: str, quality: int | None) -> None:
    """Raises InputError for an unknown codec, or a quality that does not go with it."""
    if codec not in CODECS:
        raise InputError(f"codec {codec!r} is unknown; known: {', '.join(CODECS)}")
    if codec == "jpeg" and (quality is None or not 1 <= quality <= 100):
        raise InputError(f"codec 'jpeg' needs quality=1..100; got {quality}")
    if codec != "jpeg" and quality is not None:
        raise InputError(f"codec {codec!r} is lossless and takes no quality; got {quality}")


def cache_key(plan: Plan, *, codec: Codec = "delta", quality: int | None = None) -> str:
    """The key a clip of this plan is cached under, 64 hex digits.

    The lossless codecs hand out the same pixels and share `plan.key`; a JPEG clip shows other
    pixels, so its codec and quality are part of its key.
    """
    check_codec(codec, quality)
    if codec == "jpeg":
        return digest(["clip/1", plan.key, codec, quality])
    return plan.key


def encode(frames: Frames, *, codec: str, quality: int | None = None) -> tuple[Layout, bytes]:
    """Frames uint8 `T H W 3` to a layout and its payload."""
    t, h, w = frames.shape[:3]
    if codec == "delta":
        return _encode_delta(frames)
    if codec == "jpeg":
        chunks = [_to_jpeg(f, quality or 0) for f in frames]
    else:
        chunks = [np.ascontiguousarray(f).tobytes() for f in frames]
    lengths = tuple(map(len, chunks))
    return Layout(codec, (t, h, w), lengths, STORED * t, quality=quality), b"".join(chunks)


def decode_into(
    layout: Layout, payload: Buffer, out: Frames, indices: Sequence[int] | None = None
) -> None:
    """Decodes frames (all, or those of `indices` in their order) into `out`, uint8 `n H W 3`.

    Raises:
        CacheCorruptError: a chunk does not hold what the layout says.
    """
    if len(payload) != layout.payload_bytes:
        raise CacheCorruptError(
            f"the payload has {len(payload)} bytes, its layout says {layout.payload_bytes}"
        )
    if layout.codec == "delta":
        _decode_delta(layout, payload, out, indices)
        return
    whole = out[0].shape
    for place, t in enumerate(range(layout.shape[0]) if indices is None else indices):
        chunk = layout.chunk(payload, t)
        out[place] = _from_jpeg(chunk, whole) if layout.codec == "jpeg" else _array(chunk, whole)


def _encode_delta(frames: Frames) -> tuple[Layout, bytes]:
    t, h, w = frames.shape[:3]
    top, end = rows = _moving_rows(frames)
    moving = frames[:, top:end]
    apex = _farthest(moving)
    tree = Layout("delta", (t, h, w), (0,) * t, STORED * t, rows, apex)
    steps = (moving[i] - moving[tree.parent(i)] for i in range(1, t))
    parts = [_pack(np.ascontiguousarray(frames[0])), *map(_pack, steps)]
    lengths = tuple(len(chunk) for _, chunk in parts)
    packing = "".join(how for how, _ in parts)
    payload = b"".join(chunk for _, chunk in parts)
    return Layout("delta", (t, h, w), lengths, packing, rows, apex), payload


def _moving_rows(frames: Frames) -> tuple[int, int]:
    """The rows (first, one after the last) around every pixel that ever differs from frame 0."""
    moved = np.zeros(frames.shape[1], bool)
    for frame in frames[1:]:
        moved |= (frame != frames[0]).any(axis=(1, 2))
    rows = np.flatnonzero(moved)
    return (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)


def _farthest(frames: Frames) -> int:
    """Index of the frame that differs most from frame 0 (the apex), 0 when none does."""
    if frames.size == 0:
        return 0
    first = frames[0].astype(np.int16)
    return int(np.argmax([np.abs(f - first).sum(dtype=np.int64) for f in frames]))


def _pack(values: NDArray[np.uint8]) -> tuple[str, bytes]:
    plain = values.tobytes()
    if not plain:
        return STORED, b""
    packed = lz4.block.compress(
        plain, mode="high_compression", compression=LZ4_LEVEL, store_size=False
    )
    if len(packed) <= LZ4_ENOUGH * len(plain):
        return LZ4, packed
    dense = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=False).compress(plain)
    if len(dense) < 0.85 * min(len(packed), len(plain)):
        return ZSTD, dense
    return (LZ4, packed) if len(packed) < 0.9 * len(plain) else (STORED, plain)


def _unpack(layout: Layout, payload: Buffer, t: int, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    chunk, how, size = layout.chunk(payload, t), layout.packing[t], math.prod(shape)
    if size == 0 or how == STORED:
        return _array(chunk, shape)
    try:
        if how == LZ4:
            plain = lz4.block.decompress(chunk, uncompressed_size=size)
        else:
            if zstandard.frame_content_size(chunk) != size:
                raise CacheCorruptError(f"chunk {t} says another size than its layout ({size})")
            plain = zstandard.ZstdDecompressor().decompress(chunk, max_output_size=size)
    except (lz4.block.LZ4BlockError, zstandard.ZstdError) as error:
        raise CacheCorruptError(f"chunk {t} cannot be unpacked: {error}") from error
    return _array(plain, shape)


def _array(chunk: Buffer, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    values: NDArray[np.uint8] = np.frombuffer(chunk, np.uint8)
    if values.size != math.prod(shape):
        raise CacheCorruptError(f"a chunk holds {values.size} bytes, not {math.prod(shape)}")
    return values.reshape(shape)


def _decode_delta(
    layout: Layout, payload: Buffer, out: Frames, indices: Sequence[int] | None
) -> None:
    t, h, w = layout.shape
    top, end = layout.rows
    first = _unpack(layout, payload, 0, (h, w, 3))
    shape = (end - top, w, 3)
    if indices is None:
        # in place: each frame is built from one already in `out`
        out[0] = first
        for i in range(1, t):
            frame, parent = out[i], out[layout.parent(i)]
            frame[:top], frame[end:] = first[:top], first[end:]
            np.add(parent[top:end], _unpack(layout, payload, i, shape), out=frame[top:end])
        return
    moving = {0: first[top:end]}
    for i in _ancestry(layout, indices):
        moving[i] = moving[layout.parent(i)] + _unpack(layout, payload, i, shape)
    for place, i in enumerate(indices):
        out[place] = first
        if i:
            out[place, top:end] = moving[i]


def _ancestry(layout: Layout, indices: Sequence[int]) -> list[int]:
    """The frames that must be decoded for these, parents first, without frame 0."""
    needed: set[int] = set()
    for i in indices:
        while i and i not in needed:
            needed.add(i)
            i = layout.parent(i)
    return sorted(needed)


def _to_jpeg(frame: Frames, quality: int) -> bytes:
    import cv2

    # 4:4:4: colour carries as much of a micro-expression as brightness does
    options = [
        cv2.IMWRITE_JPEG_QUALITY, quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]  # fmt: skip
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(frame[..., ::-1]), options)
    if not done:
        raise InputError(f"OpenCV could not write a frame of shape {frame.shape} as JPEG")
    return bytes(data)


def _from_jpeg(chunk: memoryview, shape: tuple[int, ...]) -> Frames:
    import cv2

    if _jpeg_shape(chunk) != shape:
        raise CacheCorruptError(f"a JPEG chunk is not a picture of shape {shape}")
    picture = cv2.imdecode(np.frombuffer(chunk, np.uint8), cv2.IMREAD_COLOR)
    if picture is None or picture.shape != shape:
        raise CacheCorruptError(f"a JPEG chunk is not a picture of shape {shape}")
    return np.asarray(picture[..., ::-1], np.uint8)


def _jpeg_shape(chunk: memoryview) -> tuple[int, ...] | None:
    """H, W, 3 by the header of a baseline JPEG in colour, as `_to_jpeg` writes it; None for any
    other, whose decoder might take more memory or time than its frame needs."""
    at = 2
    if bytes(chunk[:at]) != b"\xff\xd8":
        return None
    while at + 9 < len(chunk):
        if chunk[at] != 0xFF or chunk[at + 1] in (0, 0xFF, 0xD8, 0xDA):
            return None
        if chunk[at + 1] == 0xC0:
            height, width = (int.from_bytes(chunk[i : i + 2], "big") for i in (at + 5, at + 7))
            return (height, width, 3) if chunk[at + 9] == 3 else None
        at += 2 + int.from_bytes(chunk[at + 2 : at + 4], "big")
    return None
