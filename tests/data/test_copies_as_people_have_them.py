"""Copies of data sets as they are found on disks: other tables, odd rows, other systems' files."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openpyxl import Workbook, load_workbook  # type: ignore[import-untyped]
from PIL import Image

from famaug.data import Casme2, ClipFolder, Samm
from famaug.data.check import check_dataset
from famaug.data.readers.casme3 import CasMe3
from famaug.data.readers.mmew import Mmew
from famaug.data.readers.tables import read_rows
from famaug.errors import InputError, LeftOutWarning, MediaError
from famaug.files.folders import files_below, is_hidden
from famaug.recognition.inputs import InputSpec
from famaug.recognition.samples import real_samples

Replica = Callable[..., Path]
CASME2 = ("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units",
          "Estimated Emotion")  # fmt: skip


def frames(folder: Path, numbers: Sequence[int], name: str = "reg_img{}.jpg") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for n in numbers:
        pixels = np.full((16, 16, 3), (n * 9) % 255, np.uint8)
        pixels[n % 12 : n % 12 + 4, 4:9] = 255
        Image.fromarray(pixels).save(folder / name.format(n))


def casme2(root: Path, rows: Sequence[Sequence[Any]], header: Sequence[Any] = CASME2) -> Path:
    book = Workbook()
    book.active.append(list(header))
    for row in rows:
        book.active.append(list(row))
    root.mkdir(exist_ok=True)
    book.save(root / "CASME2-coding-20190701.xlsx")
    return root


def clip(root: Path, subject: int, name: str, numbers: Sequence[int]) -> None:
    frames(root / "Cropped" / "Cropped" / f"sub{subject:02d}" / name, numbers)


# -- corrections ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("onset", "apex", "offset", "last", "read"),
    [
        (21, 40, 60, 70, 60),  # another version, right as it is
        (21, 40, 91, 95, 91),
        (21, 60, 191, 95, 91),  # wrong, and the folder bears the correction out
        (21, 60, 191, 80, None),  # wrong, but so would the correction be
        (95, 110, 191, 120, None),  # it would lie before the onset
    ],
)
def test_a_correction_needs_a_wrong_cell_and_a_folder_that_bears_it_out(
    tmp_path: Path, onset: int, apex: int, offset: int, last: int, read: int | None
) -> None:
    casme2(tmp_path / "r", [(7, "EP06_01", onset, apex, offset, "4", "others")])
    clip(tmp_path / "r", 7, "EP06_01", range(onset - 2, last + 1))
    data = Casme2(tmp_path / "r")
    assert len(data.findings.corrected) == (offset == 191 and read == 91)
    assert len(data.findings.not_corrected) == (read is None)
    if read is not None:
        assert Path(data.refs[0].frames[data.refs[0].offset or 0]).stem == f"reg_img{read}"
        assert not data.findings.missing_frames


def test_corrections_by_row_leave_right_rows_alone(replica: Replica) -> None:
    """MMEW's sixteen rows: a table that has them right has nothing to correct."""
    data = Mmew(replica("mmew", size=(16, 16)))
    assert data.findings.corrected == []
    assert data.findings.not_corrected == []


# -- tables ---------------------------------------------------------------------------------------


def as_lines(root: Path) -> tuple[Path, list[list[str]]]:
    (path,) = root.glob("*.xlsx")
    rows = load_workbook(path).active.iter_rows(values_only=True)
    return path, [["" if c is None else str(c) for c in row] for row in rows]


@pytest.mark.parametrize("above", [0, 1, 5, 20])
@pytest.mark.parametrize("kind", ["xlsx", "comma", "semicolon", "utf-16"])
def test_the_header_is_where_the_names_are(
    replica: Replica, tmp_path: Path, above: int, kind: str
) -> None:
    root = tmp_path / "r"
    shutil.copytree(replica("samm", clips=5), root)
    path, lines = as_lines(root)
    lines = [[f"note {i}"] for i in range(above)] + lines[13:]
    if kind == "xlsx":
        book = Workbook()
        book.active.title = "something else"
        book.active.append(["nothing", "of", "interest"])
        page = book.create_sheet("Sheet2")
        for line in lines:
            page.append(line)
        book.save(path)
    else:
        path.unlink()
        mark = "," if kind == "comma" else ";"
        coding = "utf-16" if kind == "utf-16" else "utf-8-sig"
        with path.with_suffix(".csv").open("w", newline="", encoding=coding) as file:
            csv.writer(file, delimiter=mark).writerows(lines)
    assert [r.key for r in Samm(root).refs] == [r.key for r in Samm(replica("samm", clips=5)).refs]


@pytest.mark.parametrize(
    "header",
    [
        ("subject", "FILENAME", "onset frame", "Apex_Frame", "OFFSETFRAME", "action units",
         "estimated emotion"),
        ("Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Emotion"),
        (" Subject ", "File name", "OnsetF", "ApexF", "OffsetF", "AUs", "Estimated  Emotion"),
    ],
)  # fmt: skip
def test_names_of_columns_in_any_spelling(tmp_path: Path, header: Sequence[str]) -> None:
    header = ["Unnamed: 0", *header[:2], "Unnamed: 2", *header[2:]]
    casme2(tmp_path / "r", [(0, 3, "EP02_01", None, 5, 8, 11, "L4", "disgust")], header)
    clip(tmp_path / "r", 3, "EP02_01", range(4, 13))
    (ref,) = Casme2(tmp_path / "r").refs
    assert (ref.key, ref.onset, ref.apex, ref.offset) == ("casme2/sub03/EP02_01", 0, 3, 6)
    assert (ref.action_units, ref.emotion) == ("L4", "disgust")


def test_rows_of_text_tables_are_never_shifted(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    head = "Subject,Filename,Onset,Notes\n"
    path.write_text(head + "1,a,5,x,,\n\n2,b,7,y\n" + head + '3,c,9,"one, two"\n,,,\n')
    rows = read_rows(path, required=("Subject", "Filename", "Onset"))
    assert [(line, r["Subject"], r["Onset"]) for line, r in rows] == [
        (2, "1", "5"), (4, "2", "7"), (6, "3", "9")
    ]  # fmt: skip
    for row, told in (("2,b,7,y,z", "row 3: 5 cells"), ("2,7,y", "row 3: 3 cells")):
        path.write_text(f"{head}1,a,5,x\n{row}\n")
        with pytest.raises(InputError, match=told):
            read_rows(path, required=("Subject", "Filename", "Onset"))
    path.write_text("Subject,Filename,Subject,Onset\n1,a,2,5\n")
    with pytest.raises(InputError, match="column Subject is there twice"):
        read_rows(path, required=("Subject", "Filename", "Onset"))
    path.write_bytes("Subject,Filename,Onset\n1,fröhlich,5\n".encode("latin-1"))
    with pytest.raises(InputError, match="row 2, Filename: no UTF-8"):
        read_rows(path, required=("Subject", "Filename", "Onset"))


def test_thousands_are_no_decimals(tmp_path: Path) -> None:
    clip(tmp_path, 3, "EP02_01", range(999, 1013))
    (tmp_path / "CASME2-coding-20140508.csv").write_text(
        ";".join(CASME2) + '\n3;EP02_01;1000;1004,0;"1.010,0";4;disgust\n'
        "3;EP02_01;1,000;1,004;1,010;4;disgust\n3;EP02_01;1000;1004;1010;4;disgust\n"
    )
    data = Casme2(tmp_path)
    assert [(r.onset, r.apex, r.offset) for r in data.refs] == [(0, 4, 10)]
    assert len(data.findings.unread) == 2


def test_a_row_of_another_length_does_not_stop_a_data_set(tmp_path: Path) -> None:
    clip(tmp_path, 3, "EP02_01", range(9, 22))
    lines = ["3,EP02_01,10,14,20,4,disgust", "3,EP02_01,10,14,20,4,5,disgust", "Total,1"]
    text = ",".join(CASME2) + "\n" + "\n".join(lines) + "\n"
    (tmp_path / "CASME2-coding-20140508.csv").write_text(text)
    data = Casme2(tmp_path)
    assert len(data) == 1
    assert [u.partition(", row ")[2][:9] for u in data.findings.unread] == [
        "3: 8 cell",
        "4: 2 cell",
    ]
    text = ",".join(CASME2) + "\n" + lines[1] + "\n"
    (tmp_path / "CASME2-coding-20140508.csv").write_text(text)
    with pytest.raises(InputError, match=r"no row can be read: .*row 2: 8 cells"):
        Casme2(tmp_path)


# -- odd positions --------------------------------------------------------------------------------


def odd_clips(root: Path) -> Path:
    rows = [
        (1, "EP01_01", 3, 6, 9, "12", "happiness"),
        (1, "EP01_02", 3, 3, 9, "4", "disgust"),  # apex on the onset
        (2, "EP01_03", 3, 40, 9, "4", "disgust"),  # apex outside
        (2, "EP01_04", 9, 6, 3, "4", "disgust"),  # onset and offset swapped
        (3, "EP01_05", 3, 6, 0, "1+2", "surprise"),  # offset 0
        (3, "EP01_06", 3, 3, 3, "1+2", "surprise"),  # all three are one frame, the last
        (4, "EP01_07", 9, "?", 3, "1+2", "surprise"),  # nobody knew, and swapped
        (4, "EP01_08", 3, "six", 9, "1+2", "surprise"),
        (5, "EP01_09", 30, 36, 39, "1+2", "surprise"),  # another clip's numbers
    ]
    casme2(root, rows)
    for subject, name, *_ in rows:
        clip(root, int(subject), str(name), range(1, 4 if name == "EP01_06" else 12))
    return root


def test_odd_positions_never_stop_a_data_set(tmp_path: Path) -> None:
    data = Casme2(odd_clips(tmp_path / "r"), label="three")
    by_name = {r.clip: r for r in data.refs}
    assert set(by_name) == {f"EP01_0{i}" for i in range(1, 8)}
    assert [by_name[f"EP01_0{i}"].apex for i in range(1, 6)] == [3, None, None, 3, 3]
    for swapped in (by_name["EP01_04"], by_name["EP01_07"]):
        assert (swapped.onset, swapped.apex, swapped.offset, len(swapped.frames)) == (0, 3, 6, 7)
    assert by_name["EP01_05"].offset == len(by_name["EP01_05"].frames) - 1 == 8
    spec = InputSpec(kind="pair", size=12)
    with pytest.warns(LeftOutWarning, match=r"1 of 7 clips are left out: .*EP01_06: one frame"):
        samples = real_samples(data, spec, classes=data.classes)
    assert len(samples) == 6
    assert len(samples.left_out) == 1
    report = check_dataset(Casme2(tmp_path / "r"))
    assert {k: len(v) for k, v in report.details.items() if v} == {
        "empty clips": 1, "clips of one frame": 1, "rows that cannot be read": 1,
        "rows that contradict themselves": 5, "apexes on the onset or outside": 3,
        "clips with missing frames": 1, "folders without row": 1,
    }  # fmt: skip
    assert any("3 clips have their apex on the onset or outside" in n for n in report.notes)
    with pytest.raises(MediaError, match="six"):
        Casme2(tmp_path / "r", missing="stop")


def test_all_clips_odd_is_an_error(tmp_path: Path) -> None:
    frames(tmp_path / "s1" / "a", [1])
    with pytest.raises(InputError, match="no clip can be used"):
        real_samples(ClipFolder(tmp_path), InputSpec(kind="pair", size=12), classes=["x"],
                     label_of={None: "x"})  # fmt: skip


# -- other systems' files, and links --------------------------------------------------------------


def litter(root: Path) -> int:
    """What macOS, Windows and a network store leave in every folder; how many files."""
    made = 0
    for folder in [root, *(p for p in root.rglob("*") if p.is_dir())]:
        for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
            (folder / name).write_bytes(b"\0\1nothing of yours")
            made += 1
        for path in [p for p in folder.iterdir() if p.is_file() and not is_hidden(p.name)]:
            path.with_name(f"._{path.name}").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
            made += 1
        (folder / "@eaDir").mkdir()
        (folder / "@eaDir" / "reg_img5.jpg").write_bytes(b"no picture")
    (root / "__MACOSX" / "Cropped" / "Cropped" / "sub01").mkdir(parents=True)
    return made


@pytest.mark.parametrize("name", ["casme2", "samm", "casme3", "dfme", "smic", "4dme"])
def test_hidden_files_are_no_frames(replica: Replica, tmp_path: Path, name: str) -> None:
    from famaug.data.readers import open_dataset

    clean = replica(name, clips=4)
    root = tmp_path / "r"
    shutil.copytree(clean, root)
    litter(root)
    data, before = open_dataset(name, root), open_dataset(name, clean)
    assert [[Path(p).name for p in r.frames] for r in data.refs] == [
        [Path(p).name for p in r.frames] for r in before.refs
    ]
    assert data[0][0].frames.shape == before[0][0].frames.shape
    report = check_dataset(data, images=True)
    assert report.details["unreadable images"] == []
    assert report.details["folders without row"] == []
    assert len(report.details["hidden files"]) >= 4 * 4
    assert any("macOS" in n for n in report.notes)


def test_hidden_files_in_a_folder_of_clips(tmp_path: Path) -> None:
    frames(tmp_path / "s1" / "smile", range(1, 6))
    frames(tmp_path / "s2" / "frown", range(1, 4))
    litter(tmp_path)
    data = ClipFolder(tmp_path)
    assert [(r.subject, r.clip, len(r.frames)) for r in data.refs] == [
        ("s1", "smile", 5), ("s2", "frown", 3)
    ]  # fmt: skip
    assert len(data[0][0].frames) == 5


def test_folders_that_are_links_are_read(replica: Replica, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(replica("casme3", clips=6), elsewhere)
    root = tmp_path / "r"
    root.mkdir()
    shutil.copy(next(elsewhere.glob("*.xlsx")), root)
    for person in (elsewhere / "part_A").iterdir():
        (root / "part_A" / person.name).mkdir(parents=True)
        for video in person.iterdir():
            (root / "part_A" / person.name / video.name).symlink_to(video, True)
    data = CasMe3(root)
    assert len(data) == 6
    assert data[0][0].frames.ndim == 4
    (root / "part_A" / "loop").symlink_to(root, True)
    report = check_dataset(CasMe3(root))
    assert len(report.details["links"]) >= 2
    (tmp_path / "r2").mkdir()
    for entry in elsewhere.iterdir():
        (tmp_path / "r2" / entry.name).symlink_to(entry)
    assert len(CasMe3(tmp_path / "r2")) == 6


def test_links_that_lead_nowhere_are_told(tmp_path: Path) -> None:
    casme2(tmp_path / "r", [(1, "EP01_01", 3, 6, 9, "12", "happiness")])
    clip(tmp_path / "r", 1, "EP01_01", range(1, 12))
    Path(tmp_path / "r/Cropped/Cropped/sub01/EP01_01/reg_img5.jpg").unlink()
    Path(tmp_path / "r/Cropped/Cropped/sub01/EP01_01/reg_img5.jpg").symlink_to(tmp_path / "gone")
    report = check_dataset(Casme2(tmp_path / "r"))
    assert report.details["links that lead nowhere"] == [
        "Cropped/Cropped/sub01/EP01_01/reg_img5.jpg"
    ]
    assert any("lead nowhere" in p for p in report.problems)


def test_loops_of_links_end(tmp_path: Path) -> None:
    frames(tmp_path / "a" / "b", [1, 2])
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path, True)
    (tmp_path / "a" / "again").symlink_to(tmp_path / "a" / "b", True)
    (tmp_path / "a" / "itself").symlink_to(tmp_path / "a" / "itself")
    found = [p.name for p in files_below(tmp_path)]
    assert sorted(found) == ["itself", "reg_img1.jpg", "reg_img2.jpg"]
    assert os.path.islink(tmp_path / "a" / "itself")  # noqa: PTH114


def test_other_versions_of_the_table_are_told(tmp_path: Path) -> None:
    root = casme2(tmp_path / "r", [(1, "EP01_01", 3, 6, 9, "12", "happiness")])
    clip(root, 1, "EP01_01", range(1, 12))
    shutil.copy(root / "CASME2-coding-20190701.xlsx", root / "CASME2-coding-20140508.xlsx")
    shutil.copy(root / "CASME2-coding-20190701.xlsx", root / "CASME2-coding-updated.xlsx")
    report = check_dataset(Casme2(root))
    assert (report.table or "").endswith("20140508.xlsx")
    assert report.details["other tables of this data set"] == [
        "CASME2-coding-20190701.xlsx", "CASME2-coding-updated.xlsx"
    ]  # fmt: skip
    assert any("20140508.xlsx is read" in n for n in report.notes)


def test_annotations_are_told(tmp_path: Path) -> None:
    codes = ("4+AD38", "24+AD38", "a smile")
    rows = [(1, f"EP01_0{i}", 3, 6, 9, code, "disgust") for i, code in enumerate(codes, 1)]
    root = casme2(tmp_path / "r", rows)
    for _, name, *_ in rows:
        clip(root, 1, str(name), range(1, 12))
    report = check_dataset(Casme2(root))
    assert report.details["annotations that cannot be read"] == ["sub01/EP01_03 (a smile)"]
    assert any("AD38 (2 clips), 24 (1 clips)" in n for n in report.notes)
