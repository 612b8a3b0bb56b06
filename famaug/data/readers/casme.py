"""CASME (Yan et al. 2013): 60 frames a second."""

from __future__ import annotations

from typing import ClassVar

from famaug.data.readers import corrections
from famaug.data.readers.base import MediaLayout, Published, ReleaseReader
from famaug.data.readers.rows import Row
from famaug.data.readers.tables import Cells, number, text
from famaug.people.persons import subject_of


class Casme(ReleaseReader):
    """CASME, `clip="cropped"` (the default) or `"raw"`. The first of its two apexes is taken.
    Arguments: see `ReleaseReader`.
    """

    name = "casme"
    title = "CASME"
    fps = 60.0
    layouts: ClassVar[dict[str, MediaLayout]] = {
        "cropped": MediaLayout(
            places=("Cropped", "Cropped/Cropped", "."),
            subject=r"sub\d+",
            frame=r"reg_.*-\d+\.(jpg|png|bmp)",
        ),
        "raw": MediaLayout(
            places=("CASME_raw_selected", "CASME_RAW_selected", "Section A", "."),
            subject=r"sub\d+",
            frame=r"(?!reg_).*-\d+\.(jpg|png|bmp)",
        ),
    }
    tables = (r"casme\.(xlsx|csv)", r"CASME[-_ ]?coding.*\.(xlsx|csv)", r"CASME\b.*\.(xlsx|csv)")
    columns = ("Subject", "Filename", "OnsetF", "ApexF1", "OffsetF", "AU", "Emotion")
    corrections = corrections.CASME
    counted_rows = 189
    published = Published(clips=189)

    def read_row(self, cells: Cells, where: str) -> Row:
        subject = subject_of(self.name, cells["Subject"])
        clip = text(cells["Filename"])
        return Row(
            subject=subject,
            clip=clip,
            folder=f"{subject}/{clip}",
            onset=number(cells["OnsetF"], where),
            apex=number(cells["ApexF1"], where),
            offset=number(cells["OffsetF"], where),
            emotion=text(cells["Emotion"]) or None,
            action_units=text(cells["AU"]) or None,
        )
