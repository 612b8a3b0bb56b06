"""Text on pictures, and pictures in pages as data URIs, so that a page needs nothing but itself.

The face is DejaVu Sans, which comes with matplotlib, so every machine draws alike.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure as MatplotlibFigure
from PIL import Image, ImageDraw, ImageFont

INK = (28, 32, 38)
MUTED = (99, 106, 116)
PAPER = (255, 255, 255)


@lru_cache(maxsize=32)
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans at this size in pixels."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)


def text_width(text: str, face: ImageFont.FreeTypeFont) -> int:
    """Pixels the text takes from left to right."""
    return int(face.getlength(text) + 0.999)


def fitted(text: str, width: int, size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The largest face up to `size` (at least 8 pixels) in which the text fits the width."""
    while size > 8 and text_width(text, font(size, bold=bold)) > width:
        size -= 1
    return font(size, bold=bold)


def shortened(text: str, width: int, face: ImageFont.FreeTypeFont) -> str:
    """The text, cut with an ellipsis where it is wider than `width`."""
    if text_width(text, face) <= width:
        return text
    while text and text_width(text + "…", face) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def centred(draw: ImageDraw.ImageDraw, x: int, y: int, width: int, text: str, size: int) -> None:
    """Draw muted text in the middle of `width`, its top at `y`, smaller or cut if need be."""
    face = fitted(text, width, size)
    draw.text((x + width / 2, y), shortened(text, width, face), MUTED, face, anchor="ma")


def upright(lines: tuple[str, ...], length: int) -> Image.Image:
    """Lines of text reading upwards, as tall as `length`: the label at the side of a row.

    The first line is in ink, the others are muted.
    """
    step = 16
    label = Image.new("RGB", (length, step * len(lines)), PAPER)
    draw = ImageDraw.Draw(label)
    for i, line in enumerate(lines):
        face = fitted(line, length, 12)
        text = shortened(line, length, face)
        middle = (length / 2, i * step + step / 2)
        draw.text(middle, text, MUTED if i else INK, face, anchor="mm")
    return label.transpose(Image.Transpose.ROTATE_90)


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


Drawing = tuple[str, int, int]
"""SVG text, width and height in CSS pixels."""


def drawn(figure: MatplotlibFigure) -> Drawing:
    """A figure as SVG with outlined letters, without date, creator or outside addresses: the same
    figure, the same bytes."""
    out = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with matplotlib.rc_context({"svg.hashsalt": "famaug", "svg.fonttype": "path"}):
        figure.savefig(out, format="svg", metadata=nothing, facecolor="white")
    width, height = figure.get_size_inches() * 96
    return out.getvalue(), round(width), round(height)


def svg_figure(drawing: Drawing, *, alt: str) -> Figure:
    """A vector drawing at its own size."""
    svg, width, height = drawing
    return Figure(data_uri(svg.encode(), "image/svg+xml"), width, height, alt)
