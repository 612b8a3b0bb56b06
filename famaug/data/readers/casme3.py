"""CAS(ME)^3 part A (Li et al. 2022): 860 expressions, colour, 30 frames a second."""

from __future__ import annotations

from typing import ClassVar

from famaug.data.readers import corrections
from famaug.data.readers.base import MediaLayout, Published, ReleaseReader
from famaug.data.readers.rows import Row
from famaug.data.readers.tables import Cells, number, text


class CasMe3(ReleaseReader):
    """CAS(ME)^3 part A, colour frames. A video with several expressions gives "b", "b#2", "b#3";
    the letter case of its folders differs from the table's. Arguments: see `ReleaseReader`.
    """

    name = "casme3"
    title = "CAS(ME)^3 part A"
    fps = 30.0
    layouts: ClassVar[dict[str, MediaLayout]] = {
        "color": MediaLayout(
            places=("part_A", "part_A/data/part_A", "ME_A", "."),
            subject=r"spNO\.\d+",
            frame=r"\d+\.(jpg|png|bmp)",
            depth=3,
        )
    }
    tables = (
        r"cas\(me\)3_part_A_ME_label_JpgIndex_v2\.(xlsx|csv)",
        r"cas\(me\)3_part_A.*label.*\.(xlsx|csv)",
    )
    sheet = "label"
    columns = ("Subject", "Filename", "Onset", "Apex", "Offset", "AU", "emotion")
    corrections = corrections.CASME3
    counted_rows = 860
    published = Published(
        clips=860,
        subjects=94,
        emotions=(
            ("disgust", 250), ("surprise", 187), ("others", 161), ("fear", 86), ("anger", 64),
            ("sad", 57), ("happy", 55),
        ),
    )  # fmt: skip

    def read_row(self, cells: Cells, where: str) -> Row:
        subject = text(cells["Subject"])
        clip = text(cells["Filename"]).lower()
        return Row(
            subject=subject,
            clip=clip,
            folder=f"{subject}/{clip}/color",
            onset=number(cells["Onset"], where),
            apex=number(cells["Apex"], where),
            offset=number(cells["Offset"], where),
            emotion=text(cells["emotion"]).lower() or None,
            action_units=text(cells["AU"]) or None,
        )

    def clip_folders(self) -> list[str]:
        below = super().clip_folders()
        return [f for f in below if f.casefold().endswith("/color")]
