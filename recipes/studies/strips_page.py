"""A page of film strips: the same expression on several people, by several generators, over time.

One HTML file that needs nothing but itself, in the style of the report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from famaug.errors import InputError
from famaug.report.lettering import PAPER, centred, picture_figure, upright
from famaug.report.page import write_page
from famaug.types import Floats, Frames

MOMENTS = ("onset", "rising", "apex", "falling", "offset")
_CELL = 176
_LABEL = 24
_HEAD = 24
_GAP = 3
_BETWEEN = 12


@dataclass(frozen=True, eq=False)
class Strips:
    """One expression.

    Attributes:
        title: its name; caption: what was asked, and what is to be seen.
        people: for each person, frames uint8 `5 H W 3` at `MOMENTS` by generator.
    """

    title: str
    caption: str
    people: Sequence[Mapping[str, Frames]]


def moments(intensity: Floats) -> list[int]:
    """Frames of a track `T 2 17`: the first, half way up, the strongest, half way down, the
    last."""
    total = np.asarray(intensity).sum((1, 2))
    apex = int(total.argmax())
    half = np.flatnonzero(total >= total[apex] / 2)
    return [0, int(half[0]), apex, int(half[-1]), len(total) - 1]


def write_strips(
    path: str | Path, *, title: str, intro: str, strips: Sequence[Strips], cell: int = _CELL
) -> Path:
    """Writes the page and returns its path; an earlier page stays until the new one is complete.

    Args:
        path: the HTML file.
        title: heading of the page.
        intro: plain text; an empty line starts a new paragraph.
        strips: a section each.
        cell: side of a frame, pixels.

    Raises:
        InputError: no strips, or not five frames.
    """
    if not strips:
        raise InputError("a page of film strips needs at least one")
    sections = [
        (s.title, s.caption, picture_figure(_sheet(s, cell), alt=f"Film strips: {s.title}"))
        for s in strips
    ]
    folder = Path(__file__).parent
    return write_page(path, "strips.html", folder=folder, title=title, intro=intro, strips=sections)


def _sheet(strips: Strips, cell: int) -> Image.Image:
    """A block for each person, a row for each generator, a column for each moment."""
    rows = sum(len(person) for person in strips.people)
    width = _LABEL + len(MOMENTS) * (cell + _GAP)
    height = _HEAD + rows * (cell + _GAP) + len(strips.people) * _BETWEEN
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    for k, name in enumerate(MOMENTS):
        centred(pen, _LABEL + k * (cell + _GAP), 4, cell, name, 14)
    y = _HEAD
    for person in strips.people:
        for generator, frames in person.items():
            if len(frames) != len(MOMENTS):
                raise InputError(
                    f"a strip has {len(MOMENTS)} frames, {', '.join(MOMENTS)}; "
                    f"{generator} has {len(frames)}"
                )
            sheet.paste(upright((generator,), cell), (2, y))
            for k, frame in enumerate(frames):
                small = Image.fromarray(frame).resize((cell, cell), Image.Resampling.LANCZOS)
                sheet.paste(small, (_LABEL + k * (cell + _GAP), y))
            y += cell + _GAP
        y += _BETWEEN
    return sheet
