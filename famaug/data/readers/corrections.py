"""Rows of published label tables that are known to be wrong: what they say here, and why.

The rows and values are those that public loaders (MEB above all) settled on, each in one version
of a table; other versions have it right, or count their rows otherwise. So a correction is made
only where the cell still holds what is wrong about it (a number that is no frame of the folder, an
apex outside its expression, nothing, an "or") and the folder holds the frame that it names.
`corrections=False` of a reader leaves the table as published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Column = Literal["onset", "apex", "offset", "action_units"]
Value = int | str

NO_APEX = "the table has no apex ('/'); estimated from optical flow"
BEYOND = "the apex lies outside the clip; estimated from optical flow"
FOLDER = "the published number is not in the image folder"
EITHER = "the annotation says 'or'; settled by optical flow"


@dataclass(frozen=True, kw_only=True)
class Correction:
    """One wrong cell.

    Attributes:
        column, value: what it should say.
        why: shown in the report.
        row: row under the header, counted from 0 (as pandas counts), or None.
        clip: "subject/clip" it must belong to, or None where only the row is known.
        nth_missing: (k, n): the k-th of the n rows whose cell is empty.
    """

    column: Column
    value: Value
    why: str
    row: int | None = None
    clip: str | None = None
    nth_missing: tuple[int, int] | None = None


def _many(
    column: Column,
    rows: Sequence[int],
    values: Sequence[Value],
    why: str,
) -> tuple[Correction, ...]:
    return tuple(
        Correction(row=r, column=column, value=v, why=why)
        for r, v in zip(rows, values, strict=True)
    )


CASME2_APEXES = (
    279, 68, 77, 81, 166, 100, 78, 187, 89, 80, 88, 134, 231, 53, 329, 111, 91, 103, 98, 153, 98,
)  # fmt: skip
CASME2 = (
    Correction(clip="sub07/EP06_01", column="offset", value=91, why=FOLDER),
    # told by their order: versions of the table with 255 and 256 rows count differently
    *(
        Correction(nth_missing=(k, len(CASME2_APEXES)), column="apex", value=v, why=NO_APEX)
        for k, v in enumerate(CASME2_APEXES)
    ),
)
SAMM = (
    Correction(clip="013/013_1_9", column="offset", value=5739, why=FOLDER),
    Correction(clip="028/028_4_1", column="apex", value=1105, why=BEYOND),
    Correction(clip="032/032_3_1", column="apex", value=4945, why=BEYOND),
    Correction(clip="032/032_3_2", column="apex", value=5130, why=BEYOND),
    *_many(
        "action_units",
        (15, 18, 41, 64, 154),
        ("R12 + R15", "R12 + R15", "L14", "R14", "R14A"),
        EITHER,
    ),
)
CASME = (
    *_many("onset", (40, 42, 43), (100, 101, 57), FOLDER),
    *_many("apex", (40, 42, 43), (120, 110, 65), "the middle of the corrected range"),
    *_many("offset", (40, 42, 43, 54, 140), (149, 119, 74, 40, 142), FOLDER),
)
CASME3 = (
    *_many("apex", (128, 750), (123, 1), FOLDER),
    *_many("onset", (749, 750), (2647, 1), FOLDER),
    *_many("offset", (708, 796, 798), (34, 1845, 2403), FOLDER),
)
MMEW_ROWS = (33, 35, 36, 37, 38, 39, 40, 41, 42, 142, 143, 145, 146, 148, 154, 156)
MMEW = (
    *_many(
        "apex",
        MMEW_ROWS,
        (40, 15, 46, 20, 25, 20, 23, 28, 32, 56, 32, 27, 22, 29, 31, 38),
        BEYOND,
    ),
    *_many(
        "offset",
        MMEW_ROWS,
        (75, 54, 59, 98, 80, 93, 58, 61, 68, 88, 80, 85, 61, 108, 72, 106),
        FOLDER,
    ),
)
"""Each reader names its table and the number of rows that its row numbers were counted in."""
