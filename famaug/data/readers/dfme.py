"""DFME (Zhao et al. 2023): 200, 300 or 500 frames a second, told for each clip."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from famaug.data.readers.base import MediaLayout, Published, ReleaseReader
from famaug.data.readers.rows import Row
from famaug.data.readers.tables import Cells, number, text
from famaug.errors import InputError


class Dfme(ReleaseReader):
    """DFME. Clips are folders named as in the table, at the root or one or two levels below.

    The training set is looked for first; `table=` takes the table of a test set. Arguments: see
    `ReleaseReader`.
    """

    name = "dfme"
    title = "DFME"
    fps = None
    layouts: ClassVar[dict[str, MediaLayout]] = {
        "frames": MediaLayout(
            places=("data", "DFME", "."), subject=r".+", frame=r".*\d+\.(jpg|png|bmp)"
        )
    }
    tables = (r".*train.*\.(csv|xlsx)", r".*DFME.*\.(csv|xlsx)")
    columns = ("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Emotion")
    optional = ("Fps", "AU")
    published = Published(clips=1856)

    def read_row(self, cells: Cells, where: str) -> Row:
        rate = text(cells.get("Fps"))
        try:
            fps = float(rate) if rate else None
        except ValueError as error:
            raise InputError(f"{where}: Fps must be a number; got {rate!r}") from error
        return Row(
            subject=text(cells["Subject"]),
            clip=text(cells["Filename"]),
            folder=text(cells["Filename"]),
            onset=number(cells["OnsetFrame"], where),
            apex=number(cells["ApexFrame"], where),
            offset=number(cells["OffsetFrame"], where),
            emotion=text(cells["Emotion"]) or None,
            action_units=text(cells.get("AU")) or None,
            fps=fps,
        )

    def find_folder(self, row: Row) -> Path | None:
        for path in (row.clip, f"{row.subject}/{row.clip}"):
            found = self.folders.find(path)
            if found is not None:
                return found
        for name in self.folders.names():
            for path in (f"{name}/{row.clip}", f"{name}/{row.subject}/{row.clip}"):
                found = self.folders.find(path)
                if found is not None:
                    return found
        return None

    def clip_folders(self) -> list[str]:
        # folders that directly hold frames, at any of the three depths
        found = []
        for depth in (1, 2, 3):
            found += [f for f in self.folders.below(depth, self.layout.subject)
                      if self.folders.holds_frames(f, self.layout.frame)]  # fmt: skip
        return found
