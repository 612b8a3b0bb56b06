"""Pictures as bytes and as data URIs, so that a page needs nothing but itself."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True)
class Figure:
    """An inlined picture: `src` is a data URI, sizes are in CSS pixels."""

    src: str
    width: int
    height: int
    alt: str


def data_uri(data: bytes, mime: str) -> str:
    """`data:` address of these bytes."""
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"


def webp(image: Image.Image, *, quality: int | None = 92) -> bytes:
    """WebP bytes; `quality` 0-100, or None for lossless (every pixel exactly as given)."""
    out = io.BytesIO()
    if quality is None:
        image.save(out, "WEBP", lossless=True, exact=True, quality=80, method=4)
    else:
        image.save(out, "WEBP", quality=quality, method=5)
    return out.getvalue()


def picture_figure(image: Image.Image, *, alt: str, quality: int | None = 92) -> Figure:
    """A still picture at its own size."""
    width, height = image.size
    return Figure(data_uri(webp(image, quality=quality), "image/webp"), width, height, alt)


def svg_figure(svg: str, *, width: int, height: int, alt: str) -> Figure:
    """A vector drawing shown at this size."""
    return Figure(data_uri(svg.encode(), "image/svg+xml"), width, height, alt)
