"""Label tables of data set releases: xlsx or CSV into rows of plain values."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from famaug.errors import InputError
from famaug.packages import need

MAX_BYTES = 64 << 20
MAX_ROWS = 200_000
NOTHING = ("", "/", "-", "nan", "none")
"""What releases write for "not there"."""

Cells = dict[str, Any]


def read_rows(
    path: Path, *, required: Sequence[str], sheet: str | None = None, header: int = 0
) -> list[Cells]:
    """The rows under the header, by column name. Empty rows and nameless columns are left out.

    Args:
        path: .xlsx or .csv. Cells of a CSV stay text.
        required: columns that must be there, compared without case and outer spaces.
        sheet: name of the sheet; the first one where there is no such sheet.
        header: row of the column names, counted from 0.

    Raises:
        InputError: unreadable, too large, or of another version: the message names the columns
            that are missing and those that are there.
    """
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path}: {path.stat().st_size} bytes; a label table has {MAX_BYTES}")
    lines = _csv_lines(path) if path.suffix.lower() == ".csv" else _xlsx_lines(path, sheet)
    if len(lines) <= header:
        raise InputError(f"{path}: {len(lines)} rows; the column names are in row {header + 1}")
    names = ["" if c is None else str(c).strip() for c in lines[header]]
    have = {n.casefold(): i for i, n in reversed([*enumerate(names)]) if n}
    missing = [c for c in required if c.casefold() not in have]
    if missing:
        raise InputError(
            f"{path}: a label table of another version: columns missing: {', '.join(missing)}; "
            f"it has {', '.join(n for n in names if n) or 'none'} (row {header + 1}); pass table= "
            "with the table of the release, or rename its columns"
        )
    asked = {c.casefold(): c for c in required}
    columns = {asked.get(low, names[i]): i for low, i in have.items()}
    body = [line for line in lines[header + 1 :] if any(not is_nothing(c) for c in line)]
    return [{c: line[i] if i < len(line) else None for c, i in columns.items()} for line in body]


def _xlsx_lines(path: Path, sheet: str | None) -> list[tuple[Any, ...]]:
    load_workbook = need("openpyxl", f"reading {path}").load_workbook
    from openpyxl.utils.exceptions import InvalidFileException  # type: ignore[import-untyped]

    try:
        book = load_workbook(path, read_only=True, data_only=True)
        try:
            page = book[sheet] if sheet in book.sheetnames else book.worksheets[0]
            return list(_limited(page.iter_rows(values_only=True), path))
        finally:
            book.close()
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise InputError(f"{path}: not a readable .xlsx table: {error}") from error


def _csv_lines(path: Path) -> list[tuple[Any, ...]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return list(_limited((tuple(line) for line in csv.reader(file)), path))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a readable CSV: {error}") from error


def _limited(lines: Iterable[tuple[Any, ...]], path: Path) -> Iterable[tuple[Any, ...]]:
    for i, line in enumerate(lines):
        if i >= MAX_ROWS:
            raise InputError(f"{path}: more than {MAX_ROWS} rows: this is no label table")
        yield line


def is_nothing(cell: Any) -> bool:
    """Whether a cell is empty, or says that there is nothing."""
    return cell is None or str(cell).strip().casefold() in NOTHING


def text(cell: Any) -> str:
    """A name, as text: 1, 1.0 and "1" are "1"; "EP01_2" and "006_1_2" stay what they are."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip()


def number(cell: Any, where: str) -> int | None:
    """A frame number; None for "/" and other ways to say nothing.

    Raises:
        InputError: something else than a whole number.
    """
    if is_nothing(cell):
        return None
    try:
        value = float(str(cell).strip())
    except ValueError:
        value = float("nan")
    if not value.is_integer():
        raise InputError(f"{where}: a frame number is a whole number or '/'; got {cell!r}")
    return int(value)


def padded(cell: Any, width: int, prefix: str = "") -> str:
    """A subject as its folder spells it: 1 as "sub01"; text that is no number is kept."""
    name = text(cell)
    return f"{prefix}{int(name):0{width}d}" if name.isdecimal() else name
