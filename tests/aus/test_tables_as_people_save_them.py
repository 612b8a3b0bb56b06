"""AU tables after a spreadsheet, another system or another program had them: read right, or refused
with the row. Never shifted."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from famaug.aus.columns import VALUE_COLUMNS, known_name
from famaug.aus.openface import read_openface
from famaug.aus.read import read_aus
from famaug.aus.table import COLUMNS, read_table
from famaug.errors import TableWarning, TrackError
from famaug.types import AU_INDEX, AU_NAMES

HEAD = ["frame", "face_id", "timestamp", "confidence", "success", *VALUE_COLUMNS]
ROWS = 9


def peaks(rows: int = ROWS) -> np.ndarray:
    """Every AU has values of its own, so that any shift of columns shows."""
    rise = np.sin(np.linspace(0, np.pi, rows))[:, None]
    return (rise * np.linspace(0.4, 3.6, 17)).round(2)


def grid(rows: int = ROWS) -> list[list[str]]:
    x = peaks(rows)
    lines = [[str(i + 1), "0", f"{i / 60:.3f}", "0.95", "1", *(f"{v:.2f}" for v in x[i])]
             for i in range(rows)]  # fmt: skip
    return [list(HEAD), *lines]


def written(path: Path, lines: list[list[str]], sep: str = ",", end: str = "\n") -> Path:
    path.write_bytes((end.join(sep.join(row) for row in lines) + end).encode())
    return path


def same(path: Path, rows: int = ROWS) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        track = read_openface(path).track
    return track.fps == pytest.approx(60, abs=0.3) and np.allclose(
        track.intensity, peaks(rows)[:, None]
    )


@pytest.mark.parametrize("sep", [",", ", ", ";", "; ", "\t", "|", " ", "   "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_separators_and_line_endings(tmp_path: Path, sep: str, end: str) -> None:
    assert same(written(tmp_path / "a.csv", grid(), sep, end))


@pytest.mark.parametrize("sep", [";", "\t", "|"])
def test_decimal_commas(tmp_path: Path, sep: str) -> None:
    lines = [[c.replace(".", ",") for c in row] for row in grid()]
    assert same(written(tmp_path / "a.csv", lines, sep))


def test_quoted_cells_with_decimal_commas_between_commas(tmp_path: Path) -> None:
    lines = [[f'"{c.replace(".", ",")}"' for c in row] for row in grid()]
    assert same(written(tmp_path / "a.csv", lines, ","))


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"]
)
def test_encodings(tmp_path: Path, encoding: str) -> None:
    lines = [[*row, "Gesicht ganz schön gedreht" if i else "Bemerkung"]
             for i, row in enumerate(grid())]  # fmt: skip
    text = "\r\n".join("\t".join(row) for row in lines)
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    assert same(tmp_path / "a.csv")


def test_excels_first_line_names_the_separator(tmp_path: Path) -> None:
    text = "sep=|\r\n" + "\r\n".join("|".join(row) for row in grid())
    (tmp_path / "a.csv").write_text(text)
    assert same(tmp_path / "a.csv")


def test_rows_may_end_in_separators_more_than_the_header(tmp_path: Path) -> None:
    lines = [row if i == 0 else [*row, *[""] * (i % 3)] for i, row in enumerate(grid())]
    assert same(written(tmp_path / "a.csv", lines))
    lines = [[*row, "", ""] for row in grid()]
    assert same(written(tmp_path / "b.csv", lines, ";"))


def test_rows_of_separators_at_the_end_are_none(tmp_path: Path) -> None:
    assert same(written(tmp_path / "a.csv", [*grid(), [""] * len(HEAD), [""] * len(HEAD)]))


@pytest.mark.parametrize(
    "change",
    [
        lambda row: [*row, "0.3"],  # a cell too many
        lambda row: [*row[:8], "", *row[8:]],  # a separator too many in its middle
        lambda row: row[:-1],  # a cell too few
        lambda row: row[:3],  # killed while writing
        lambda row: row[:1],
        lambda row: [*row[:8], *row[8].replace(".", ",").split(","), *row[9:]],  # a decimal comma
    ],
)
def test_a_row_of_another_length_is_refused_with_its_number(tmp_path: Path, change: object) -> None:
    lines = grid()
    lines[5] = change(lines[5])  # type: ignore[operator]
    with pytest.raises(TrackError, match=r"row 6: \d+ cells, the header has 22"):
        read_openface(written(tmp_path / "a.csv", lines))


def test_row_names_without_a_header_do_not_shift_columns(tmp_path: Path) -> None:
    """As R writes a table: each row begins with its name, the header does not."""
    lines = [row if i == 0 else [f'"{i}"', *row] for i, row in enumerate(grid())]
    with pytest.raises(TrackError, match="row 2: 23 cells"):
        read_openface(written(tmp_path / "a.csv", lines))


NANS = ("", " ", "nan", "NaN", "-nan", "NAN", "nan(ind)", "-nan(ind)", "nan(snan)", "1.#QNAN",
        "-1.#IND", "-1.#IND00", "1,#QNAN0", "#N/A", "N/A", "NA", "#NV".replace("V", "UM!"), "null",
        "None", "-", "--", "#DIV/0!", "?")  # fmt: skip


@pytest.mark.parametrize("cell", NANS)
def test_every_spelling_of_nan_is_an_empty_cell(tmp_path: Path, cell: str) -> None:
    lines = grid()
    lines[4][5 + AU_INDEX[9]] = cell
    track = read_openface(written(tmp_path / "a.csv", lines, ";")).track
    missing = np.isnan(track.intensity[:, 0])
    assert missing.sum() == 1
    assert missing[3, AU_INDEX[9]]


@pytest.mark.parametrize("cell", ["x", "1_0", "1.#INF", "inf", "0.1.2", "1,234,5", "5.2"])
def test_what_is_no_number_is_told_with_its_row(tmp_path: Path, cell: str) -> None:
    lines = grid()
    lines[4][5 + AU_INDEX[9]] = cell
    with pytest.raises(TrackError, match=r"row 5, AU09_r: .* is no number from 0 to 5"):
        read_openface(written(tmp_path / "a.csv", lines, ";"))


def test_cells_of_failed_rows_do_not_matter(tmp_path: Path) -> None:
    lines = grid()
    lines[3] = [*lines[3][:3], "-nan(ind)", "0", *["1.#INF"] * 17]
    lines[6] = [*lines[6][:3], "0.03", "1", *["99"] * 17]  # OpenFace doubts it itself
    lines[7] = [*lines[7][:4], "", *["rubbish"] * 17]
    track = read_openface(written(tmp_path / "a.csv", lines)).track
    assert np.flatnonzero(track.missing).tolist() == [2, 5, 6]
    assert len(track) == ROWS


@pytest.mark.parametrize("cell", ["1,000", "1,234", "1'000"])
def test_a_frame_number_with_thousands_marked_is_no_decimal(tmp_path: Path, cell: str) -> None:
    lines = grid()
    lines[9][0] = cell
    with pytest.raises(TrackError, match="row 10: frame must be a whole number"):
        read_openface(written(tmp_path / "a.csv", lines, ";"))


def test_many_odd_cells_of_failed_rows_hide_none_of_a_good_one(tmp_path: Path) -> None:
    lines = grid(1250)
    for row in lines[1:1200]:
        row[4:] = ["0", *["rubbish"] * 17]
    lines[1240][5 + AU_INDEX[9]] = "rubbish"
    with pytest.raises(TrackError, match="row 1241, AU09_r"):
        read_openface(written(tmp_path / "a.csv", lines))


def test_lines_above_the_names_and_words_for_success(tmp_path: Path) -> None:
    lines = grid()
    for row in lines[1:]:
        row[4] = "True"
    lines[4] = [*lines[4][:1], "-1", *lines[4][2:4], "False", *["?"] * 17]
    path = written(tmp_path / "a.csv", [["# made by a program"], ["on Tuesday", "2"], *lines])
    track = read_openface(path).track
    assert np.flatnonzero(track.missing).tolist() == [3]
    assert np.allclose(track.intensity[4:, 0], peaks()[4:])


def test_a_second_face_that_never_succeeded_is_none(tmp_path: Path) -> None:
    lines = grid()
    lines += [[row[0], "1", row[2], "0.02", "0", *["nan"] * 17] for row in grid()[3:6]]
    track = read_openface(written(tmp_path / "a.csv", lines)).track
    assert np.allclose(track.intensity, peaks()[:, None])


@pytest.mark.parametrize("gone", [("AU07", "AU23", "AU45"), ("AU45",), tuple(AU_NAMES[:9])])
def test_units_without_a_column_are_missing(tmp_path: Path, gone: tuple[str, ...]) -> None:
    keep = [i for i, name in enumerate(HEAD) if not name.startswith(gone)]
    path = written(tmp_path / "a.csv", [[row[i] for i in keep] for row in grid()])
    with pytest.warns(TableWarning, match=f"has no {gone[0]}_r"):
        track = read_openface(path).track
    absent = [name in gone for name in AU_NAMES]
    assert np.array_equal(np.isnan(track.intensity[0, 0]), absent)
    assert np.allclose(track.intensity[:, 0][:, ~np.array(absent)],
                       peaks()[:, ~np.array(absent)])  # fmt: skip


def test_presences_alone_are_no_intensities(tmp_path: Path) -> None:
    lines = [[c.replace("_r", "_c") for c in row] for row in grid()]
    with pytest.raises(TrackError, match=r"presences \(_c\) only"):
        read_openface(written(tmp_path / "a.csv", lines))


@pytest.mark.parametrize(
    ("clock", "fps"),
    [
        (lambda i: i / 25, 25), (lambda i: i / 200, 200), (lambda i: i / 500, 500),
        (lambda i: 7 + i / 29.97, 29.97), (lambda i: i / 1000, None), (lambda i: i * 40, None),
        (lambda i: i, None), (lambda i: -i / 30, None), (lambda i: 0.0, None),
        (lambda i: [0.1, 0.0][i % 2] + i / 100, None),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::famaug.errors.TableWarning")
def test_only_a_cameras_clock_is_a_rate(tmp_path: Path, clock: object, fps: float | None) -> None:
    lines = grid(50)
    for i, row in enumerate(lines[1:]):
        row[2] = f"{clock(i):.4f}"  # type: ignore[operator]
    read = read_openface(written(tmp_path / "a.csv", lines)).track.fps
    assert read == (None if fps is None else pytest.approx(fps, abs=0.02))
    assert read_openface(tmp_path / "a.csv", fps=90).track.fps == 90


def test_a_clock_of_no_camera_is_told(tmp_path: Path) -> None:
    lines = grid()
    for i, row in enumerate(lines[1:]):
        row[2] = f"{i / 2000:.4f}"
    with pytest.warns(TableWarning, match="2000 frames a second"):
        read_openface(written(tmp_path / "a.csv", lines))


def picture_tables(folder: Path, names: list[str]) -> Path:
    for name, row in zip(names, peaks(len(names)), strict=True):
        cells = ["0", "0.9", *(f"{v:.2f}" for v in row)]
        written(folder / name, [["face", "confidence", *VALUE_COLUMNS], cells], ", ")
    return folder


def test_the_number_in_a_pictures_name_is_its_frame(tmp_path: Path) -> None:
    numbers = [7, 8, 11, 12, 20]
    picture_tables(tmp_path, [f"sub3_EP2_{n:04d}_of_99.csv" for n in numbers])
    (tmp_path / "._sub3_EP2_0009_of_99.csv").write_bytes(b"\0\5\x16\7")
    written(tmp_path / "sub3_EP2_0010_of_99.csv", [["face", "confidence", *VALUE_COLUMNS]])
    track = read_openface(tmp_path).track
    assert (np.flatnonzero(~track.missing) + 7).tolist() == numbers
    assert np.allclose(track.intensity[[0, 1, 4, 5, 13], 0], peaks(5))


@pytest.mark.parametrize(
    "names", [["a_1.csv", "b_2.csv"], ["c1_1.csv", "c1_2.csv", "c2_1.csv"], ["x.csv", "y.csv"]]
)
def test_names_that_tell_no_frames_are_refused(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(TrackError, match="number in a name is the frame"):
        read_openface(picture_tables(tmp_path, names))


def test_a_bad_cell_in_a_folder_is_told_with_its_file(tmp_path: Path) -> None:
    picture_tables(tmp_path, ["p1.csv", "p2.csv", "p3.csv"])
    text = (tmp_path / "p2.csv").read_text()
    (tmp_path / "p2.csv").write_text(text.replace("0.9,", "0.9, huge, ", 1).replace(
        ", 0.40", "", 1))  # fmt: skip
    with pytest.raises(TrackError, match=r"p2\.csv, row 2"):
        read_openface(tmp_path)


def test_columns_by_any_spelling_and_order(tmp_path: Path) -> None:
    lines = grid()
    lines[0] = ["FRAME", " Face ID", "Timestamp", "Confidence", "SUCCESS",
                *(f"au{int(n[2:4])}_R" for n in VALUE_COLUMNS)]  # fmt: skip
    assert same(written(tmp_path / "a.csv", [[*row[::-1]] for row in lines]))
    assert known_name("Au 5 r") == "AU05_r"
    assert known_name("pose_Rx") is None


def test_a_column_twice_is_refused(tmp_path: Path) -> None:
    lines = [[*row, row[-1]] for row in grid()]
    with pytest.raises(TrackError, match="column AU45_r is there twice"):
        read_openface(written(tmp_path / "a.csv", lines))


def test_the_header_again_in_a_joined_table(tmp_path: Path) -> None:
    lines = grid()
    path = written(tmp_path / "a.csv", [*lines[:5], lines[0], *lines[5:]])
    with pytest.warns(TableWarning, match="header stands there 1 times more"):
        track = read_openface(path).track
    assert np.allclose(track.intensity, peaks()[:, None])


def test_famaugs_own_table_from_a_spreadsheet(tmp_path: Path) -> None:
    rows = [[str(f), side, *[f"{1.25 + s:.2f}".replace(".", ",")] * 17, *["0,5"] * 17]
            for f in range(4) for s, side in enumerate(("left", "right"))]  # fmt: skip
    path = tmp_path / "a.csv"
    path.write_bytes("\r\n".join(";".join(r) for r in [COLUMNS, *rows]).encode("utf-16"))
    track, _ = read_aus(path)
    assert np.allclose(track.intensity[:, 0], 1.25)
    assert np.allclose(track.intensity[:, 1], 2.25)
    assert np.allclose(track.confidence, 0.5)
    written(path, [COLUMNS, *rows[:5], rows[5][:-2], *rows[6:]], ";")
    with pytest.raises(TrackError, match="row 7: 34 cells, the header has 36"):
        read_table(path)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "txt", "CSV"])
def test_a_table_drives_whatever_its_suffix(tmp_path: Path, suffix: str) -> None:
    from famaug.pipeline.inputs import Driver

    path = written(tmp_path / f"clip.{suffix}", grid(), "\t")
    track = Driver.of(path).content
    assert np.allclose(track.intensity, peaks()[:, None])  # type: ignore[union-attr]
