"""SAMM (Davison et al. 2018): 159 expressions of 29 people, grey, 200 frames a second."""

from __future__ import annotations

from typing import ClassVar

from famaug.data.readers import corrections
from famaug.data.readers.base import MediaLayout, Published, ReleaseReader
from famaug.data.readers.rows import Row
from famaug.data.readers.tables import Cells, number, text
from famaug.people.persons import subject_of


class Samm(ReleaseReader):
    """SAMM. The table's header is row 14 of its sheet MICRO_ONLY, or wherever it stands; frames are
    padded to four or five digits, so they are matched as numbers. Arguments: see `ReleaseReader`.
    """

    name = "samm"
    title = "SAMM"
    fps = 200.0
    layouts: ClassVar[dict[str, MediaLayout]] = {
        "raw": MediaLayout(
            places=("SAMM", "SAMM/SAMM", "SAMM_CROP", "."),
            subject=r"\d{3}",
            frame=r".*_\d+\.(jpg|png|bmp)",
        )
    }
    tables = (r"SAMM_Micro_FACS_Codes_v2\.(xlsx|csv)", r"SAMM.*FACS.*\.(xlsx|csv)")
    sheet = "MICRO_ONLY"
    columns = (
        "Subject", "Filename", "Onset Frame", "Apex Frame", "Offset Frame", "Action Units",
        "Estimated Emotion",
    )  # fmt: skip
    corrections = corrections.SAMM
    counted_rows = 159
    published = Published(
        clips=159,
        subjects=29,
        emotions=(
            ("anger", 57), ("other", 26), ("happiness", 26), ("surprise", 15), ("contempt", 12),
            ("disgust", 9), ("fear", 8), ("sadness", 6),
        ),
    )  # fmt: skip

    def read_row(self, cells: Cells, where: str) -> Row:
        subject = subject_of(self.name, cells["Subject"])
        clip = text(cells["Filename"])
        return Row(
            subject=subject,
            clip=clip,
            folder=f"{subject}/{clip}",
            onset=number(cells["Onset Frame"], where),
            apex=number(cells["Apex Frame"], where),
            offset=number(cells["Offset Frame"], where),
            emotion=text(cells["Estimated Emotion"]) or None,
            action_units=text(cells["Action Units"]) or None,
        )
