"""SMIC (Li et al. 2013) and its long clips SMIC-E: labels are folders, there is no apex."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, ClassVar, Literal

from famaug.data.readers.base import MediaLayout, Published, ReleaseReader
from famaug.data.readers.rows import Row
from famaug.data.readers.tables import Cells, is_nothing, number, text
from famaug.errors import InputError
from famaug.people.persons import subject_of

CODES = {"ne": "negative", "po": "positive", "sur": "surprise"}
Camera = Literal["HS", "VIS", "NIR"]
_COUNTS = {
    "HS": Published(
        clips=164, subjects=16, emotions=(("negative", 70), ("positive", 51), ("surprise", 43))
    ),
    "VIS": Published(clips=71),
    "NIR": Published(clips=71),
}


class Smic(ReleaseReader):
    """SMIC, `clip="cropped"` (the default) or `"raw"`; apex is the middle frame.

    All three cameras filmed the same people, so all are data set "smic" to the leakage guard;
    clips of VIS and NIR are named "VIS-s11_ne_01", so that they are not those of HS.

    Args:
        camera: "HS" (100 frames a second), "VIS" or "NIR" (25). Others: see `ReleaseReader`.
    """

    name = "smic"
    title = "SMIC"
    fps = 100.0
    layouts: ClassVar[dict[str, MediaLayout]] = {}

    def __init__(
        self, root: str | os.PathLike[str], *, camera: Camera = "HS", **options: Any
    ) -> None:
        if camera not in _COUNTS:
            raise InputError(f"SMIC has the cameras {', '.join(_COUNTS)}; got {camera!r}")
        self.camera = camera
        self.layouts = {  # type: ignore[misc]  # depends on the camera
            "cropped": MediaLayout(
                places=(f"SMIC_all_cropped/{camera}", camera, "."),
                subject=r"s\d+",
                frame=r"reg_image\d+\.(bmp|jpg|png)",
                depth=4,
            ),
            "raw": MediaLayout(
                places=(f"SMIC_all_raw/{camera}", camera, "."),
                subject=r"s\d+",
                frame=r"image\d+\.(bmp|jpg|png)",
                depth=4,
            ),
        }
        self.fps = 100.0 if camera == "HS" else 25.0  # type: ignore[misc]
        self.published = _COUNTS[camera]  # type: ignore[misc]
        super().__init__(root, **options)

    def rows_of_tree(self) -> list[Row]:
        rows = []
        mark = "" if self.camera == "HS" else f"{self.camera}-"
        for folder in self.clip_folders():
            subject, _, emotion, clip = folder.split("/")
            rows.append(
                Row(subject=subject, clip=mark + clip, folder=folder, emotion=emotion.casefold())
            )
        return rows

    def clip_folders(self) -> list[str]:
        below = self.folders.below(4, self.layout.subject)
        parts = [(f, f.casefold().split("/")) for f in below]
        return [f for f, p in parts if p[1] == "micro" and p[2] in CODES.values()]


class SmicLong(ReleaseReader):
    """SMIC-E: the HS clips with some seconds before and after; up to three expressions a clip.

    The second and third expression of clip "s20_ne_01" are "long-s20_ne_01#2" and "#3"; the mark
    "long-" tells them from `Smic`'s clips of the same people. The table of 2019 has an apex, the
    first one has none (middle frame). `span="all"` gives whole long clips.
    """

    name = "smic"
    title = "SMIC-E (long clips)"
    fps = 100.0
    layouts: ClassVar[dict[str, MediaLayout]] = {
        "raw": MediaLayout(
            places=("HS_long/SMIC_HS_E", "SMIC_HS_E", "."),
            subject=r"s\d+",
            frame=r"(reg_)?image\d+\.(bmp|jpg|png)",
        )
    }
    tables = (
        r"SMIC-HS-E_annotation_2019\.(xlsx|csv)",
        r"SMIC-HS-E_annotation.*\.(xlsx|csv)",
    )
    columns = ("Subject", "Filename", "Emotion", "OnsetF", "OffsetF")
    optional = ("ApexF", "Onset2F", "Offset2F", "Apex2F", "Onset3F", "Offset3F", "Apex3F")

    def read_row(self, cells: Cells, where: str) -> Row:
        return self.read_rows_of(cells, where)[0]

    def read_rows_of(self, cells: Cells, where: str) -> list[Row]:
        subject = subject_of(self.name, cells["Subject"])
        clip = text(cells["Filename"])
        row = Row(
            subject=subject,
            clip=f"long-{clip}",
            folder=f"{subject}/{clip}",
            onset=number(cells["OnsetF"], where),
            apex=number(cells.get("ApexF"), where),
            offset=number(cells["OffsetF"], where),
            emotion=_emotion(text(cells["Emotion"]), clip),
        )
        rows = [row]
        for k in ("2", "3"):
            onset, offset = cells.get(f"Onset{k}F"), cells.get(f"Offset{k}F")
            if is_nothing(onset) or is_nothing(offset) or number(onset, where) == 0:
                continue
            apex = number(cells.get(f"Apex{k}F"), where)
            onset, offset = number(onset, where), number(offset, where)
            rows.append(replace(row, onset=onset, apex=apex, offset=offset))
        return rows


def _emotion(name: str, clip: str) -> str | None:
    """The table's own word or code; else what the clip's name says."""
    low = name.casefold()
    if low in CODES.values():
        return low
    parts = clip.casefold().split("_")
    return CODES.get(low) or next((CODES[p] for p in parts if p in CODES), name or None)
