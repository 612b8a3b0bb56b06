"""Film strips: chosen frames side by side, enlarged details, and the difference to the onset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from famaug.errors import InputError
from famaug.report.difference import difference_picture, diverging_map, fitting_gain
from famaug.report.lettering import INK, MUTED, PAPER, centred, font, text_width, upright
from famaug.report.values import Box
from famaug.types import Frames

GAP = 6
MARGIN = 40
HEAD = 42
_LEGEND = 46
_NARROWEST = 160  # a column must hold its caption


@dataclass(frozen=True)
class StripRow:
    """A row of a sheet: its label, first line in ink, and its pictures, all of one size."""

    label: tuple[str, ...]
    cells: list[Image.Image]


def choose_frames(onset: int, apex: int, offset: int, *, between: int = 1) -> tuple[int, ...]:
    """Onset, apex, offset and `between` evenly spaced frames in each of the two gaps.

    Each frame comes once, so a short clip gives fewer.
    """
    rise = np.linspace(onset, apex, between + 2)
    fall = np.linspace(apex, offset, between + 2)
    return tuple(sorted({int(i) for i in np.rint(np.concatenate([rise, fall]))}))


def same_moment(index: int, count: int, other: int) -> int:
    """Position in a clip of `other` frames at the moment of `index` in one of `count`."""
    return round(index * (other - 1) / (count - 1)) if count > 1 else 0


def film_strip(
    frames: Frames,
    chosen: Sequence[int],
    *,
    onset: int,
    apex: int,
    offset: int,
    fps: float | None,
    driver: Frames | None = None,
    boxes: Mapping[str, Box] | None = None,
    label: str = "synthetic",
) -> Image.Image:
    """RGB picture: a column for each chosen frame, with frame number and time since the onset.

    Rows from top to bottom: the driver at the same moments (if given), the frames at full
    resolution (clips narrower than 160 pixels enlarged by a whole factor), and each box enlarged
    to the width of the column.

    Args:
        frames: uint8 `T H W 3`; driver: uint8 `T' H' W' 3` over the same time.
        fps: frames per second; None tells no times.
        boxes: name -> (x0, y0, x1, y1) in pixels of `frames`.
        label: beside the row of the frames.

    Raises:
        InputError: no frame chosen, or one that the clip does not have.
    """
    _check(frames, chosen)
    width = _column(frames.shape[2])
    rows = []
    if driver is not None:
        moments = [same_moment(i, len(frames), len(driver)) for i in chosen]
        rows.append(StripRow(("driver",), [_resized(driver[i], width) for i in moments]))
    rows.append(StripRow((label,), [_resized(frames[i], width) for i in chosen]))
    for name, (x0, y0, x1, y1) in (boxes or {}).items():
        cells = [_resized(frames[i, y0:y1, x0:x1], width) for i in chosen]
        rows.append(StripRow((name, f"{width / (x1 - x0):.1f}×"), cells))
    return compose(rows, _heads(chosen, onset, apex, offset, fps))


def difference_strip(
    frames: Frames,
    chosen: Sequence[int],
    *,
    onset: int,
    apex: int,
    offset: int,
    fps: float | None,
    gain: int | None = None,
) -> Image.Image:
    """RGB picture: signed, amplified difference of each chosen frame to the onset frame.

    One gain for the whole row, printed below it with the colour bar; None picks the power of two
    that fits. Save it lossless: neutral grey stands for "bit-identical".

    Raises:
        InputError: as `film_strip`, or a gain below 1.
    """
    _check(frames, [*chosen, onset])
    reference = frames[onset]
    gain = gain if gain is not None else fitting_gain(frames[list(chosen)], reference)
    factor = _column(frames.shape[2]) // frames.shape[2] or 1
    cells = []
    for i in chosen:
        picture = difference_picture(frames[i], reference, gain=gain)
        # Whole-number repetition, so that every colour stays one of the map.
        cells.append(Image.fromarray(picture.repeat(factor, 0).repeat(factor, 1)))
    strip = compose(
        [StripRow((f"difference ×{gain}", "to the onset"), cells)],
        _heads(chosen, onset, apex, offset, fps),
        below=_LEGEND,
    )
    _legend(strip, gain)
    return strip


def _check(frames: Frames, chosen: Sequence[int]) -> None:
    if not chosen or min(chosen) < 0 or max(chosen) >= len(frames):
        raise InputError(
            f"a strip needs frames between 0 and {len(frames) - 1}; asked for {list(chosen)}"
        )


def _column(width: int) -> int:
    """Width of a column: the clip's, or its smallest multiple that holds a caption."""
    return width * -(-_NARROWEST // width)


def _resized(picture: Frames, width: int) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(picture))
    if image.width == width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _heads(
    chosen: Sequence[int], onset: int, apex: int, offset: int, fps: float | None
) -> list[tuple[str, str]]:
    names: dict[int, list[str]] = {}
    for name, i in (("onset", onset), ("apex", apex), ("offset", offset)):
        names.setdefault(i, []).append(name)
    times = ["" if not fps else f" · {(i - onset) / fps * 1000:+.0f} ms" for i in chosen]
    return [
        (", ".join(names.get(i, [])), f"frame {i}{time}")
        for i, time in zip(chosen, times, strict=True)
    ]


def compose(rows: list[StripRow], heads: list[tuple[str, str]], *, below: int = 0) -> Image.Image:
    """Rows under column heads; all cells of the picture have one width, of a row one height."""
    width = rows[0].cells[0].width
    heights = [row.cells[0].height for row in rows]
    size = (
        MARGIN + len(heads) * (width + GAP) - GAP,
        HEAD + sum(heights) + GAP * (len(rows) - 1) + below,
    )
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    for k, (name, moment) in enumerate(heads):
        x = MARGIN + k * (width + GAP)
        draw.text((x + width / 2, 3), name, INK, font(14, bold=True), anchor="ma")
        centred(draw, x, 22, width, moment, 12)
    y = HEAD
    for row, height in zip(rows, heights, strict=True):
        label = upright(row.label, height)
        sheet.paste(label, (MARGIN - 5 - label.width, y))
        for k, cell in enumerate(row.cells):
            sheet.paste(cell, (MARGIN + k * (width + GAP), y))
        y += height + GAP
    return sheet


def _legend(strip: Image.Image, gain: int) -> None:
    """Colour bar at the bottom left: what the colours of the difference mean."""
    draw = ImageDraw.Draw(strip)
    face = font(12)
    y = strip.height - _LEGEND + 12
    x = MARGIN
    reach = f"{255 / gain:.0f}"
    draw.text((x, y + 6), f"darker −{reach}", MUTED, face, anchor="lm")
    x += text_width(f"darker −{reach}", face) + 8
    bar = diverging_map()[np.linspace(0, 510, 121).astype(int)]
    strip.paste(Image.fromarray(np.repeat(bar[None], 12, 0)), (x, y))
    draw.text((x + 60, y + 16), "unchanged", MUTED, font(11), anchor="ma")
    draw.text((x + 129, y + 6), f"+{reach} brighter (grey levels of 255)", MUTED, face, "lm")
