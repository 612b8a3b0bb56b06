"""4DME (Li et al. 2022): grey frames, 60 a second."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from famaug.data.readers.base import MediaLayout, ReleaseReader
from famaug.data.readers.rows import Row
from famaug.data.readers.tables import Cells, number, text

SWAPPED = (144, 145)
"""Rows whose AUs and emotions stand in each other's place, as MEB found."""
SWAP_ROWS = 267
_DOUBTED = re.compile(r"\s*\+?\s*(AU)?[LR]?\d+\s*\(k\)", re.IGNORECASE)


class FourDme(ReleaseReader):
    """4DME, grey video of micro-expressions. AUs marked "(k)" are left out, and the AUs and
    emotions of rows 144 and 145 change places, both unless `corrections=False`.
    Arguments: see `ReleaseReader`.
    """

    name = "4dme"
    title = "4DME"
    fps = 60.0
    layouts: ClassVar[dict[str, MediaLayout]] = {
        "grey": MediaLayout(
            places=("gray_micro", "gray_micro_crop", "."),
            subject=r"(?!gray).*\d.*",
            frame=r"(frame_?)?\d+\.(jpg|png|bmp)",
        )
    }
    tables = (r"4DME_Labelling_Micro_release.*\.(xlsx|csv)", r"4DME.*\.(xlsx|csv)")
    columns = ("sub_ID", "fold_name", "Onset", "Apex", "Offset", "AUs", "Emotion")

    def read_row(self, cells: Cells, where: str) -> Row:
        subject, clip = text(cells["sub_ID"]), text(cells["fold_name"])
        return Row(
            subject=subject,
            clip=clip,
            folder=f"{subject}/{clip}",
            onset=number(cells["Onset"], where),
            apex=number(cells["Apex"], where),
            offset=number(cells["Offset"], where),
            emotion=text(cells["Emotion"]) or None,
            action_units=text(cells["AUs"]) or None,
        )

    def put_right(self, rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
        out, told = list(rows), []
        if len(rows) == SWAP_ROWS:
            a, b = (out[i] for i in SWAPPED)
            out[SWAPPED[0]] = replace(a, action_units=b.action_units, emotion=b.emotion)
            out[SWAPPED[1]] = replace(b, action_units=a.action_units, emotion=a.emotion)
            told.append("rows 144 and 145: AUs and emotions change places")
        for i, row in enumerate(out):
            if row.action_units and "(k)" in row.action_units.casefold():
                sure = _DOUBTED.sub("", row.action_units).strip("+ ") or None
                told.append(
                    f"{row.subject}/{row.clip} (row {i}): action_units {row.action_units!r} -> "
                    f"{sure!r}: AUs marked (k) are not micro-expressions'"
                )
                out[i] = replace(row, action_units=sure)
        return out, told
