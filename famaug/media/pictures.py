"""Pictures of five formats, known by their content, as uint8 RGB.

The picture library knows some forty formats and takes a file for what its first bytes say,
whatever its name; one of them hands the file to another program. So the format is looked up here,
and only that format's decoder sees the file. What decoding takes is known from the header first.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from famaug.errors import MediaError
from famaug.files.limits import read_bytes, translated
from famaug.types import Picture

if TYPE_CHECKING:
    from PIL import Image

FORMATS: dict[str, tuple[bytes, ...]] = {
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "JPEG": (b"\xff\xd8\xff",),
    "BMP": (b"BM",),
    "WEBP": (b"RIFF",),
    "TIFF": (b"II*\0", b"MM\0*"),
}
"""The formats that are read, and how their files begin."""
MAX_PIXELS = 50_000_000
"""Pixels of one picture."""
MAX_BYTES = 256 << 20
"""Bytes of a picture's file."""
MAX_PIXELS_AT_ONCE = 24_000_000
"""Pixels of formats whose decoder keeps several copies: WebP, and JPEG in several scans."""
MAX_SCANS = 64
"""Of a JPEG: each scan goes over the whole picture again."""
_STRIP = 256


def read_picture(path: str | os.PathLike[str]) -> Picture:
    """A picture as uint8 RGB `H W 3`, upright by its EXIF tag; grey, palettes and CMYK become RGB,
    transparency lies on black. 16-bit is scaled down from 65535; other numbers from 1, 255, 65535
    or 2^31 - 1, the least that none of them exceeds.

    Raises:
        MediaError: missing, not a picture of the five formats (PNG, JPEG, BMP, WebP, TIFF),
            damaged, too large, or of numbers below 0 or that are none.
    """
    path = Path(path)
    return decode_picture(read_bytes(path, at_most=MAX_BYTES, error=MediaError), path)


def decode_picture(data: bytes, name: object) -> Picture:
    """`read_picture` of a file's bytes; `name` is for messages."""
    kind = picture_format(data)
    if kind is None:
        raise MediaError(
            f"{name}: not a picture ({', '.join(FORMATS)}): it begins with {data[:8]!r}"
        )
    with translated(f"{name}: not a readable picture", MediaError):
        with _opened(data, kind, name) as file:
            _check(file, data, name)
            turn = file.getexif().get(_ORIENTATION, 1)
            lying = file.size
            file.load()
            if file.size != lying or kind == "TIFF":
                turn = 1  # the library turns TIFFs itself
            picture = _pixels(file, name)
        return _upright(picture, turn)


def _opened(data: bytes, kind: str, name: object) -> Image.Image:
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(io.BytesIO(data), formats=[kind])
    except UnidentifiedImageError as error:
        raise MediaError(
            f"{name}: a {kind} that is damaged or of a kind that is not read (colours as floats, "
            "64-bit numbers, ...); save it as PNG, or as TIFF of 8 or 16 bits"
        ) from error


def quantization(path: Path) -> dict[int, list[int]]:
    """Quantization tables of a JPEG, by number; none of another picture. Raises as
    `read_picture`."""
    data = read_bytes(path, at_most=MAX_BYTES, error=MediaError)
    if picture_format(data) != "JPEG":
        return {}
    with (
        translated(f"{path}: not a readable picture", MediaError),
        _opened(data, "JPEG", path) as file,
    ):
        found: Any = getattr(file, "quantization", {})
        return {int(k): [int(v) for v in table] for k, table in found.items()}


def picture_format(data: bytes) -> str | None:
    """Which of `FORMATS` the bytes begin as."""
    for kind, starts in FORMATS.items():
        if data.startswith(starts) and (kind != "WEBP" or data[8:12] == b"WEBP"):
            return kind
    return None


def check_pixels(name: object, width: int, height: int, at_most: int = MAX_PIXELS) -> None:
    """Raises MediaError for no pixels, or more than `at_most`."""
    if width * height > at_most or width * height == 0:
        raise MediaError(f"{name}: {width} x {height} pixels; between 1 and {at_most} are read")


def _check(file: Image.Image, data: bytes, name: object) -> None:
    """What decoding would take, by the header."""
    check_pixels(name, file.width, file.height)
    if file.format == "WEBP":
        check_pixels(name, file.width, file.height, MAX_PIXELS_AT_ONCE)
    if file.format in ("JPEG", "MPO"):
        scans = data.count(b"\xff\xda")
        if scans > MAX_SCANS:
            raise MediaError(f"{name}: a JPEG of {scans} scans; up to {MAX_SCANS} are read")
        if file.info.get("progressive"):
            check_pixels(name, file.width, file.height, MAX_PIXELS_AT_ONCE)
    if file.format == "BMP" and file.info.get("compression") in (1, 2):
        raise MediaError(f"{name}: a run-length coded BMP, which is not read; save it as PNG")
    if file.format == "TIFF":
        tags: Any = getattr(file, "tag_v2", {})
        tile = int(tags.get(_TILE_WIDTH, 1)) * int(tags.get(_TILE_HEIGHT, 1))
        if tile > file.width * file.height + (1 << 20):
            raise MediaError(f"{name}: a TIFF with tiles of {tile} pixels, more than it has")


_ORIENTATION, _TILE_WIDTH, _TILE_HEIGHT = 0x0112, 322, 323


def _pixels(file: Image.Image, name: object) -> Picture:
    """By strips: a picture of 50 million pixels is not held three times."""
    out: Picture = np.empty((file.height, file.width, 3), np.uint8)
    if file.mode in ("F", "I") or file.mode.startswith("I;16"):
        scale = 1 / 257 if file.mode.startswith("I;16") else _scale(file, name)
        for top in range(0, file.height, _STRIP):
            end = min(top + _STRIP, file.height)
            grey = np.asarray(file.crop((0, top, file.width, end)), np.float64) * scale
            if not np.isfinite(grey).all():
                raise MediaError(f"{name}: holds pixels that are no numbers")
            out[top:end] = grey.round().clip(0, 255).astype(np.uint8)[..., None]
        return out
    see_through = "transparency" in file.info or "a" in file.mode.casefold().replace("lab", "")
    for top in range(0, file.height, _STRIP):
        end = min(top + _STRIP, file.height)
        strip = file.crop((0, top, file.width, end))
        out[top:end] = _on_black(strip) if see_through else np.asarray(strip.convert("RGB"))
    return out


def _on_black(strip: Image.Image) -> Picture:
    rgba = np.asarray(strip.convert("RGBA"), np.uint16)
    return ((rgba[..., :3] * rgba[..., 3:] + 127) // 255).astype(np.uint8)


def _scale(file: Image.Image, name: object) -> float:
    """From a picture's numbers to 0-255."""
    extrema: Any = file.getextrema()
    low, high = (float(v) for v in extrema)
    if not (low >= 0 and high < float("inf")):
        raise MediaError(f"{name}: pixels from {low:g} to {high:g}; a picture's are 0 or more")
    tops = (1.0, 255.0, 65535.0, 2.0**31 - 1) if file.mode == "F" else (255.0, 65535.0, 2.0**31 - 1)
    return 255 / next((top for top in tops if high <= top), high)


def _upright(picture: Picture, turn: object) -> Picture:
    """By the EXIF tag's eight values: quarter turns and mirrorings."""
    turned = {
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.swapaxes(0, 1),
        6: lambda p: p.swapaxes(0, 1)[:, ::-1],
        7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
        8: lambda p: p.swapaxes(0, 1)[::-1],
    }
    move = turned.get(turn) if isinstance(turn, int) else None
    return picture if move is None else np.ascontiguousarray(move(picture))
