"""MMEW (Ben et al. 2021): 300 expressions in folders by emotion, 90 frames a second."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from famaug.data.readers import corrections
from famaug.data.readers.base import MediaLayout, Published, ReleaseReader
from famaug.data.readers.rows import Row
from famaug.data.readers.tables import Cells, number, text


class Mmew(ReleaseReader):
    """MMEW. A clip is looked for in its emotion's folder, then in the others: tables call
    "repression" what is "others" on disk. Arguments: see `ReleaseReader`.
    """

    name = "mmew"
    title = "MMEW"
    fps = 90.0
    layouts: ClassVar[dict[str, MediaLayout]] = {
        "cropped": MediaLayout(
            places=("Micro_Expression", "MMEW_Final/Micro_Expression", "."),
            subject=r"[A-Za-z]+",
            frame=r"\d+\.(jpg|png|bmp)",
        )
    }
    tables = (r"MMEW_Micro_Exp\.(xlsx|csv)", r"MMEW.*\.(xlsx|csv)")
    columns = (
        "Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units",
        "Estimated Emotion",
    )  # fmt: skip
    corrections = corrections.MMEW
    counted_rows = 300
    published = Published(clips=300)

    def read_row(self, cells: Cells, where: str) -> Row:
        emotion = text(cells["Estimated Emotion"])
        clip = text(cells["Filename"])
        return Row(
            subject=text(cells["Subject"]),
            clip=clip,
            folder=f"{emotion}/{clip}",
            onset=number(cells["OnsetFrame"], where),
            apex=number(cells["ApexFrame"], where),
            offset=number(cells["OffsetFrame"], where),
            emotion=emotion or None,
            action_units=text(cells["Action Units"]) or None,
        )

    def find_folder(self, row: Row) -> Path | None:
        _, _, clip = row.folder.partition("/")
        paths = (row.folder, *(f"{emotion}/{clip}" for emotion in self.folders.names()))
        return next((p for p in map(self.folders.find, paths) if p is not None), None)
