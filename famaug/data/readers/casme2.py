"""CASME II (Yan et al. 2014): 255 expressions of 26 people, 200 frames a second."""

from __future__ import annotations

from typing import ClassVar

from famaug.data.readers import corrections
from famaug.data.readers.base import MediaLayout, Published, ReleaseReader
from famaug.data.readers.rows import Row
from famaug.data.readers.tables import Cells, number, text
from famaug.people.persons import subject_of


class Casme2(ReleaseReader):
    """CASME II, `clip="cropped"` (aligned crops, the default) or `"raw"` (640 x 480).

    Rows without an apex ("/") get the estimate of public loaders, or, where the table is not the
    known one, the middle frame (`findings.middle_apex`). Arguments: see `ReleaseReader`.
    """

    name = "casme2"
    title = "CASME II"
    fps = 200.0
    layouts: ClassVar[dict[str, MediaLayout]] = {
        "cropped": MediaLayout(
            places=("Cropped/Cropped", "Cropped-updated/Cropped", "Cropped", "Cropped-updated",
                    "Cropped_original", "."),
            subject=r"sub\d+",
            frame=r"reg_img\d+\.(jpg|png|bmp)",
        ),
        "raw": MediaLayout(
            places=("CASME2_RAW_selected", "CASME2_RAW_selected/CASME2_RAW_selected",
                    "CASME2-RAW", "."),
            subject=r"sub\d+",
            frame=r"img\d+\.(jpg|png|bmp)",
        ),
    }  # fmt: skip
    tables = (
        r"CASME2-coding-20140508\.(xlsx|csv)",
        r"CASME2-coding-20190701\.(xlsx|csv)",
        r"CASME2-coding.*\.(xlsx|csv)",
    )
    columns = (
        "Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units",
        "Estimated Emotion",
    )  # fmt: skip
    corrections = corrections.CASME2
    published = Published(
        clips=255,
        subjects=26,
        emotions=(
            ("others", 99), ("disgust", 63), ("happiness", 32), ("repression", 27),
            ("surprise", 25), ("sadness", 7), ("fear", 2),
        ),
    )  # fmt: skip

    def read_row(self, cells: Cells, where: str) -> Row:
        subject = subject_of(self.name, cells["Subject"])
        clip = text(cells["Filename"])
        return Row(
            subject=subject,
            clip=clip,
            folder=f"{subject}/{clip}",
            onset=number(cells["OnsetFrame"], where),
            apex=number(cells["ApexFrame"], where),
            offset=number(cells["OffsetFrame"], where),
            emotion=text(cells["Estimated Emotion"]) or None,
            action_units=text(cells["Action Units"]) or None,
        )
