"""Layout, file names and table of every release that a replica can be made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from famaug.testing.replica_rows import ReplicaRow

LETTERS = "ABCDE"


@dataclass(frozen=True, kw_only=True)
class ReplicaRelease:
    """How a release lies on disk.

    Attributes:
        folder: row and kind to the folder of its frames.
        frame: row, kind and number to a frame's file name.
        table: file name of the label table, or None. header: empty rows above the column names.
        sheet: name of its sheet.
        columns: of the table, blank ones included. cells: row to their values.
        fps, size: of the real release, (height, width) by kind.
    """

    folder: Callable[[ReplicaRow, str], str]
    frame: Callable[[ReplicaRow, str, int], str]
    columns: tuple[str | None, ...] = ()
    cells: Callable[[ReplicaRow], Sequence[Any]] | None = None
    table: str | None = None
    header: int = 0
    sheet: str = "Sheet1"
    fps: float = 200.0
    size: tuple[tuple[int, int], tuple[int, int]] = ((340, 280), (480, 640))
    grey: bool = False
    kinds: tuple[str, ...] = ("cropped", "raw")


def _aus(row: ReplicaRow, *, letters: bool = False, mark: str = "+") -> str:
    """The annotation as FACS coders write it: "4+L7", with letters "4B+L7A"."""
    if "units" in row.told:
        return str(row.told["units"])
    names = [f"{au}{LETTERS[min(4, int(v))] if letters else ''}" for au, v in row.units]
    return mark.join(names)


def _number(row: ReplicaRow) -> int | str:
    digits = "".join(c for c in row.subject if c.isdecimal())
    return int(digits) if digits else row.subject


def _casme2_cells(r: ReplicaRow) -> list[Any]:
    return [_number(r), r.clip, None, r.onset, r.cell("apex"), r.cell("offset"), None, _aus(r),
            r.emotion]  # fmt: skip


def _samm_cells(r: ReplicaRow) -> list[Any]:
    return [_number(r), r.clip, 1, r.onset, r.cell("apex"), r.cell("offset"),
            r.offset - r.onset + 1, "Micro - 1/2", _aus(r, letters=True, mark=" + "), r.emotion, 1,
            None]  # fmt: skip


def _samm_frame(r: ReplicaRow, kind: str, n: int) -> str:
    # padded to four digits in some clips and to five in others, of one subject too
    return f"{r.subject}_{n:0{5 if len(r.clip) % 2 else 4}d}.jpg"


def _smic_frame(r: ReplicaRow, kind: str, n: int) -> str:
    mark = "reg_" if kind == "cropped" else ""
    return f"{mark}image{559000 + n if len(r.clip) % 2 else n:06d}.bmp"


def _smic_folder(camera: str) -> Any:
    def folder(r: ReplicaRow, kind: str) -> str:
        top = "SMIC_all_cropped" if kind == "cropped" else "SMIC_all_raw"
        return f"{top}/{camera}/{r.subject}/micro/{r.emotion}/{r.clip}"

    return folder


def _long_cells(r: ReplicaRow) -> list[Any]:
    code = {"negative": "ne", "positive": "po", "surprise": "sur"}[r.emotion]
    second = [r.offset + 1, r.offset + 2] if r.clip.endswith("_03") else [None, None]
    return [_number(r), r.clip, code, r.onset, r.offset, r.apex, r.offset - r.onset, *second, None,
            None, None, r.onset - 2, r.offset + 2, r.offset - r.onset + 4]  # fmt: skip


def _smic(camera: str) -> ReplicaRelease:
    return ReplicaRelease(
        folder=_smic_folder(camera),
        frame=_smic_frame,
        fps=100.0 if camera == "HS" else 25.0,
        size=((170, 140), (480, 640)),
        grey=camera == "NIR",
    )


RELEASES: dict[str, ReplicaRelease] = {
    "casme2": ReplicaRelease(
        folder=lambda r, kind: (
            f"{'Cropped/Cropped' if kind == 'cropped' else 'CASME2_RAW_selected'}/"
            f"{r.subject}/{r.clip}"
        ),
        frame=lambda r, kind, n: f"{'reg_' if kind == 'cropped' else ''}img{n}.jpg",
        table="CASME2-coding-20140508.xlsx",
        columns=("Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None,
                 "Action Units", "Estimated Emotion"),
        cells=_casme2_cells,
    ),
    "samm": ReplicaRelease(
        folder=lambda r, kind: f"SAMM/{r.subject}/{r.clip}",
        frame=_samm_frame,
        table="SAMM_Micro_FACS_Codes_v2.xlsx",
        header=13,
        sheet="MICRO_ONLY",
        columns=("Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame",
                 "Offset Frame", "Duration", "Micro", "Action Units", "Estimated Emotion",
                 "Objective Classes", "Notes"),
        cells=_samm_cells,
        size=((400, 400), (544, 512)),
        grey=True,
        kinds=("raw",),
    ),
    "smic": _smic("HS"),
    "smic-vis": _smic("VIS"),
    "smic-nir": _smic("NIR"),
    "smic-long": ReplicaRelease(
        folder=lambda r, kind: f"HS_long/SMIC_HS_E/{r.subject}/{r.clip}",
        frame=lambda r, kind, n: f"image{n:06d}.jpg",
        table="SMIC-HS-E_annotation_2019.xlsx",
        columns=("Subject", "Filename", "Emotion", "OnsetF", "OffsetF", "ApexF", "TotalMF1",
                 "Onset2F", "Offset2F", "TotalMF2", "Onset3F", "Offset3F", "FirstF", "LastF",
                 "TotalVL"),
        cells=_long_cells,
        fps=100.0,
        kinds=("raw",),
    ),
    "casme": ReplicaRelease(
        folder=lambda r, kind: (
            f"{'Cropped' if kind == 'cropped' else 'CASME_raw_selected'}/{r.subject}/{r.clip}"
        ),
        frame=lambda r, kind, n: (
            f"{'reg_' if kind == 'cropped' else ''}{r.clip}-"
            f"{n:0{3 if _number(r) not in range(1, 5) else 1}d}.jpg"
        ),
        table="CASME_coding.xlsx",
        columns=("Subject", "Filename", None, "OnsetF", "ApexF1", "ApexF2", "OffsetF", None, "AU",
                 "Emotion"),
        cells=lambda r: [_number(r), r.clip, None, r.onset, r.apex, 0, r.offset, None, _aus(r),
                         r.emotion],
        fps=60.0,
    ),
    "casme3": ReplicaRelease(
        folder=lambda r, kind: f"part_A/{r.subject}/{r.clip}/color",
        frame=lambda r, kind, n: f"{n}.jpg",
        table="cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx",
        sheet="label",
        columns=("Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class",
                 "emotion"),
        cells=lambda r: [r.subject, r.cell("clip"), r.onset, r.apex, r.offset, _aus(r), "I",
                         r.emotion],
        fps=30.0,
        size=((360, 640), (360, 640)),
        kinds=("raw",),
    ),
    "mmew": ReplicaRelease(
        folder=lambda r, kind: f"Micro_Expression/{r.emotion}/{r.clip}",
        frame=lambda r, kind, n: f"{n}.jpg",
        table="MMEW_Micro_Exp.xlsx",
        columns=("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units",
                 "Estimated Emotion", "remarks"),
        cells=lambda r: [_number(r), r.clip, r.onset, r.apex, r.offset, _aus(r), r.emotion, None],
        fps=90.0,
        size=((231, 231), (231, 231)),
        kinds=("cropped",),
    ),
    "4dme": ReplicaRelease(
        folder=lambda r, kind: f"gray_micro/{r.subject}/{r.clip}",
        frame=lambda r, kind, n: f"Frame_{n:09d}.jpg",
        table="4DME_Labelling_Micro_release v1.xlsx",
        columns=("sub_ID", "fold_name", "Onset", "Apex", "Offset", "AUs", "Emotion", "eye blink",
                 "Positive", "Negative", "Surprise", "Repression", "Others", "Total"),
        cells=lambda r: [r.subject, r.clip, r.onset, r.apex, r.offset,
                         "+".join([*(f"AU{a}" for a in _aus(r).split("+")),
                                   *(["AU45(k)"] if r.apex % 2 else [])]),
                         r.emotion, 0, 0, 0, 0, 0, 0, 1],
        fps=60.0,
        grey=True,
        kinds=("raw",),
    ),
    "dfme": ReplicaRelease(
        folder=lambda r, kind: f"data/{r.clip}",
        frame=lambda r, kind, n: f"{n:06d}.jpg",
        table="DFME_train.xlsx",
        columns=("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Emotion",
                 "EmotionId", "Fps", "AU"),
        cells=lambda r: [_number(r), r.clip, r.onset, r.apex, r.offset, r.emotion, 1,
                         (200, 300, 500)[r.apex % 3], _aus(r)],
        fps=200.0,
        kinds=("raw",),
    ),
}  # fmt: skip
