"""Label tables of data set releases: xlsx or text into rows of plain values.

The header is the first row that has all the names asked for, wherever it stands and however they
are written ("Onset Frame", "onsetframe", "ONSET_FRAME").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from famaug.errors import InputError
from famaug.files.delimited import fitted, is_blank, is_text, rows_of, whole_in
from famaug.files.limits import member, opened, opened_zip, translated
from famaug.packages import need

MAX_BYTES = 16 << 20
"""Of a table's file, and of what a workbook unpacks to: the largest release has 3."""
MAX_ABOUT = 1 << 20
"""Of a workbook's styles and names: each becomes an object of a hundred times its size."""
MAX_ROWS = 200_000
MAX_COLUMNS = 1024
MAX_CELLS = 600_000
_BODY = ("xl/worksheets/", "xl/sharedStrings", "xl/theme/", "xl/pivotCache/", "xl/drawings/")
HEADER_WITHIN = 60
"""Rows among which the header is looked for."""
NOTHING = ("", "/", "-", "nan", "none")
"""What releases write for "not there"."""
_SYNONYMS = (
    ("subject", "subid", "subjectid", "subjects", "sub"),
    ("filename", "foldname", "foldername", "clipname", "clip", "file", "filenameo"),
    ("onsetframe", "onset", "onsetf"),
    ("apexframe", "apex", "apexf", "apexf1"),
    ("offsetframe", "offset", "offsetf"),
    ("actionunits", "aus", "au", "actionunit"),
    ("estimatedemotion", "emotion", "emotions"),
)

Cells = dict[str, Any]
Line = tuple[int, Sequence[Any]]
"""Row of the sheet or file, counted from 1, and its cells."""


def read_rows(
    path: Path,
    *,
    required: Sequence[str],
    optional: Sequence[str] = (),
    sheet: str | None = None,
    unread: list[str] | None = None,
) -> list[tuple[int, Cells]]:
    """The rows under the header, each with its row number; cells by column name as asked for.

    Empty rows, nameless columns and repeated headers are left out.

    Args:
        path: .xlsx, or text with any separator. Cells of text stay text.
        required: columns that must be there, compared by their letters and digits.
        optional: columns that are named so where they are there.
        sheet: name of the sheet that is looked at first; then the others in order.
        unread: gets what is wrong with rows that cannot be read, which are then left out;
            without it they are errors.

    Raises:
        InputError: unreadable, too large, a row longer or shorter than its header, a column
            twice, or of another version: the message names the columns that are missing and those
            that are there.
    """
    closest: tuple[list[str], int, list[str]] = ([*required], 1, [])
    text_file = path.suffix.lower() not in (".xlsx", ".xlsm")
    for lines in _text_pages(path, required) if text_file else _xlsx_pages(path, sheet):
        for i, (line, cells) in enumerate(lines[:HEADER_WITHIN]):
            names = ["" if c is None else str(c).strip() for c in cells]
            columns, missing = _columns(names, required, optional)
            if not missing:
                _check_twice(names, [n for n in columns if n in required], path, line)
                return [*_body(lines[i:], columns, path, text_file, unread)]
            if len(missing) < len(closest[0]):
                closest = missing, line, names
    missing, line, names = closest
    raise InputError(
        f"{path}: columns missing: {', '.join(missing)}; it has "
        f"{', '.join(n for n in names if n) or 'none of them'} (row {line}): a table of another "
        "version, or of something else; give another, or rename its columns"
    )


def plain(name: str) -> str:
    """A column's name by its letters and digits: "Onset Frame" as "onsetframe"."""
    return re.sub(r"[\W_]+", "", name.casefold())


def _columns(
    names: Sequence[str], required: Sequence[str], optional: Sequence[str]
) -> tuple[dict[str, int], list[str]]:
    """Name as asked for (or as it stands) to place; and the required ones that are missing."""
    have = {plain(n): i for i, n in reversed([*enumerate(names)]) if n}
    columns: dict[str, int] = {}
    for wanted in (*required, *optional):
        own = plain(wanted)
        spellings = [own]
        if own not in have and wanted in required:
            spellings = [s for group in _SYNONYMS if own in group for s in group]
        place = next((have[s] for s in spellings if s in have), None)
        if place is not None and place not in columns.values():
            columns[wanted] = place
    missing = [c for c in required if c not in columns]
    taken = set(columns.values())
    return columns | {names[i]: i for i in have.values() if i not in taken}, missing


def _check_twice(names: Sequence[str], used: Sequence[str], path: Path, line: int) -> None:
    stand = [plain(n) for n in names if n]
    twice = [n for n in used if stand.count(plain(n)) > 1]
    if twice:
        raise InputError(
            f"{path}, row {line}: the column {twice[0]} is there twice; delete or rename one"
        )


def _body(
    lines: Sequence[Line],
    columns: dict[str, int],
    path: Path,
    text_file: bool,
    unread: list[str] | None,
) -> Iterator[tuple[int, Cells]]:
    head = [*lines[0][1]]
    for line, cells in lines[1:]:
        if all(is_nothing(c) for c in cells) or [*cells] == head:
            continue
        try:
            row = _checked((line, [*cells]), head, columns, path) if text_file else cells
        except InputError as error:
            if unread is None:
                raise
            unread.append(str(error))
            continue
        yield line, {c: row[i] if i < len(row) else None for c, i in columns.items()}


def _checked(
    row: tuple[int, list[str]], head: list[str], columns: dict[str, int], path: Path
) -> list[str]:
    """A row of text as long as its header, its cells in the table's encoding."""
    cells = fitted(row, head, path, InputError)
    bad = [n for n, i in columns.items() if i < len(cells) and not is_text(cells[i])]
    if bad:
        raise InputError(
            f"{path}, row {row[0]}, {bad[0]}: no UTF-8 text; save the table as UTF-8 or xlsx"
        )
    return cells


def _text_pages(path: Path, required: Sequence[str]) -> Iterator[list[Line]]:
    wanted = {plain(c) for c in required}
    wanted |= {s for group in _SYNONYMS if wanted & {*group} for s in group}
    with rows_of(
        path, known=lambda c: plain(c) in wanted, at_most=MAX_BYTES, error=InputError
    ) as rows:
        yield [*_limited(rows, path)]


def _xlsx_pages(path: Path, sheet: str | None) -> Iterator[list[Line]]:
    load_workbook = need("openpyxl", f"reading {path}").load_workbook
    _check_workbook(path)
    with (
        translated(f"{path}: not a readable .xlsx table", InputError),
        opened(path, at_most=MAX_BYTES, error=InputError) as file,
    ):
        book = load_workbook(file, read_only=True, data_only=True)
        try:
            pages = sorted(
                book.worksheets, key=lambda p: p.title.casefold() != (sheet or "").casefold()
            )
            for page in pages:
                rows = enumerate(page.iter_rows(values_only=True), 1)
                yield [line for line in _limited(rows, path) if any(c is not None for c in line[1])]
        finally:
            book.close()


def _check_workbook(path: Path) -> None:
    """Sizes of what the workbook's reader unpacks and makes objects of, before it does."""
    with opened(path, at_most=MAX_BYTES, error=InputError) as file:
        if file.read(4) != b"PK\x03\x04":
            raise InputError(f"{path}: not a readable .xlsx table: it is no workbook of that kind")
    with opened_zip(path, at_most=MAX_BYTES, unpacked=MAX_BYTES, error=InputError) as archive:
        about = 0
        for name in (i.filename for i in archive.infolist()):
            size = len(member(archive, name))
            if name.endswith((".xml", ".rels")) and not name.startswith(_BODY):
                about += size
        if about > MAX_ABOUT:
            raise InputError(
                f"{path}: {about} bytes of styles and names; up to {MAX_ABOUT} are read: copy the "
                "cells into a new workbook, or save the table as CSV"
            )


def _limited(lines: Iterable[Line], path: Path) -> Iterator[Line]:
    cells = 0
    for i, line in enumerate(lines):
        cells += len(line[1])
        if i >= MAX_ROWS or cells > MAX_CELLS or len(line[1]) > MAX_COLUMNS:
            raise InputError(
                f"{path}: more than {MAX_ROWS} rows, {MAX_COLUMNS} columns or {MAX_CELLS} cells: "
                "this is no label table"
            )
        yield line


def is_nothing(cell: Any) -> bool:
    """Whether a cell is empty, or says that there is nothing."""
    return cell is None or str(cell).strip().casefold() in NOTHING or is_blank(str(cell))


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
    value = whole_in(str(cell))
    if value is None or not value.is_integer() or abs(value) >= 2**53:
        raise InputError(f"{where}: a frame number is a whole number or '/'; got {cell!r}")
    return int(value)
