"""The columns of an AU table, by names that every program spells a little otherwise."""

from __future__ import annotations

import itertools
import re
import warnings
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from famaug.errors import TableWarning, TrackError
from famaug.files.delimited import Row, columns_in, fitted, number_in, rows_of, whole_in
from famaug.types import AU_NAMES

VALUE_COLUMNS = [f"{name}_r" for name in AU_NAMES]
MODULATED = "modulated"

MAX_BYTES = 256 * 2**20
"""A table above it is refused unread: half an hour at 200 fps is 0.2 GB."""
MAX_FRAMES = 400_000
HEADER_WITHIN = 60
"""Rows among which the names of the columns are looked for."""
MAX_ROWS = 2 * MAX_FRAMES
MOST_ODD = 1000
ROW = "row"
"""Name of the column that `load` adds."""
COUNTED = ("frame", "face", "face_id")
TEXT_COLUMNS = ("side", "picture", "file", "image", "name")
NUMBER_COLUMNS = ("frame", "face", "face_id", "timestamp", "confidence", "success", MODULATED)
OTHER_COLUMNS = (*NUMBER_COLUMNS, *TEXT_COLUMNS)
_UNIT_NAME = re.compile(r"au_?0*(\d{1,2})_?(r|c|conf)")


def load(path: Path) -> pd.DataFrame:
    """The columns of an AU table that famaug knows, by its own names for them; others are skipped.

    Any separator, decimal point or comma, byte order mark or line ending; names in any letter
    case. Columns of numbers are float64, NaN where a cell is blank in any spelling, or text where
    a cell is no number. `row` is the line of the file that a row stands in.

    Raises:
        TrackError: no such file, above the size limit, empty, no table, or a row with more or
            fewer cells than the header.
    Warns:
        TableWarning: the header stands in the table again.
    """
    if not path.exists():
        raise TrackError(f"cannot read the AU table {path}: there is no such file")
    try:
        with rows_of(path, known=_is_known, at_most=MAX_BYTES, error=TrackError) as rows:
            table, header = _columns(rows, path)
    except OSError as error:
        raise TrackError(f"cannot read the AU table {path}: {error}") from error
    table.attrs["header"] = header
    if table.empty:
        raise TrackError(f"cannot use the AU table {path}: it holds no rows")
    return table


def known_name(name: str) -> str | None:
    """famaug's name of a column, from any spelling ("au1_R", " Face ID"); None for others."""
    low = re.sub(r"[\s_]+", "_", name.strip().strip("\"'").casefold())
    unit = _UNIT_NAME.fullmatch(low)
    if unit:
        return f"AU{int(unit[1]):02d}_{unit[2]}"
    return low if low in OTHER_COLUMNS else None


class _Column:
    """Cells of one column: text, or numbers with what is no number beside them."""

    def __init__(self, name: str, place: int) -> None:
        self.name, self.place = name, place
        self.text: list[str] | None = [] if name in TEXT_COLUMNS else None
        self.numbers = array("d")
        self.odd: dict[int, str] = {}

    def add(self, cell: str) -> None:
        if self.text is not None:
            self.text.append(cell.strip())
            return
        try:
            value: float | None = float(cell) if "_" not in cell else None
        except ValueError:
            value = (whole_in if self.name in COUNTED else number_in)(cell)
        if value is None and self.name == "success":
            value = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}.get(cell.strip().casefold())
        if value is None and len(self.odd) < MOST_ODD:
            self.odd[len(self.numbers)] = cell.strip()
            value = np.nan
        # more of them are no empty cells either: no column may hold an infinity
        self.numbers.append(np.inf if value is None else value)

    def series(self, length: int) -> pd.Series[Any]:
        if self.text is not None:
            return pd.Series(self.text[:length], dtype=object)
        numbers = pd.Series(np.frombuffer(self.numbers, np.float64)[:length])
        if not self.odd:
            return numbers
        mixed = numbers.astype(object)
        for row, cell in self.odd.items():
            if row < length:
                mixed.iloc[row] = cell
        return mixed

    def blank(self, row: int) -> bool:
        if self.text is not None:
            return not self.text[row]
        return row not in self.odd and bool(np.isnan(self.numbers[row]))


def _is_known(cell: str) -> bool:
    return known_name(cell) is not None


def _columns(rows: Iterator[Row], path: Path) -> tuple[pd.DataFrame, list[str]]:
    whole = _header(rows)
    header = columns_in(whole)
    columns = _known_columns(header, path)
    lines = array("q")
    again = 0
    for row in rows:
        if columns_in(row[1]) == header:
            again += 1
            continue
        cells = fitted(row, whole, path, TrackError)
        lines.append(row[0])
        if len(lines) > 2 * MAX_FRAMES:
            raise TrackError(f"{path}: more than {2 * MAX_FRAMES} rows: split it")
        if len(lines) > MAX_ROWS:
            raise TrackError(f"{path}: more than {MAX_ROWS} rows: this is not one clip")
        for column in columns:
            column.add(cells[column.place])
    if again:
        warnings.warn(f"{path}: the header stands there {again} times more", TableWarning, 4)
    length = len(lines)
    if any(c.name == "frame" for c in columns):
        # rows of separators only, as spreadsheets leave them behind
        while length and all(c.blank(length - 1) for c in columns):
            length -= 1
    table = pd.DataFrame({c.name: c.series(length) for c in columns})
    return table.assign(**{ROW: np.asarray(lines[:length], np.int64)}), header


def _header(rows: Iterator[Row]) -> list[str]:
    """The first row with names of columns, under whatever lines a program put above it; else the
    first of all."""
    first: list[str] = []
    for _, cells in itertools.islice(rows, HEADER_WITHIN):
        first = first or cells
        if sum(_is_known(c) for c in cells) > 1:
            return cells
    return first


def _known_columns(header: list[str], path: Path) -> list[_Column]:
    columns: dict[str, _Column] = {}
    for i, name in enumerate(header):
        kept = known_name(name)
        if kept in columns:
            raise TrackError(f"cannot use the AU table {path}: the column {name} is there twice")
        if kept is not None:
            columns[kept] = _Column(kept, i)
    if header and not columns:
        raise TrackError(
            f"{path} is no AU table: none of its columns is known ({', '.join(header[:8])}); asked "
            f"for are {', '.join(VALUE_COLUMNS[:2])}, ..., separated by a comma, semicolon or tab"
        )
    return [*columns.values()]


def need_columns(table: pd.DataFrame, wanted: list[str], path: Path) -> None:
    """Raises TrackError that names the columns a table lacks."""
    lacking = [name for name in wanted if name not in table.columns]
    if not lacking:
        return
    header = table.attrs.get("header", [*map(str, table.columns)])
    intensities = [n for n in VALUE_COLUMNS if n in table.columns]
    hint = "columns are found by name and may be separated by a comma, semicolon or tab"
    if intensities and set(lacking) & set(VALUE_COLUMNS):
        hint = "OpenFace before 1.0 measures 14 units; OpenFace 2 and `famaug aus` measure all 17"
    elif any(str(n).endswith("_c") for n in table.columns):
        hint = "it tells presences (_c) only: OpenFace writes intensities (_r) with -aus"
    raise TrackError(
        f"{path} lacks the columns {', '.join(lacking)}; it has {len(header)}: "
        f"{', '.join(header[:8])}{', ...' if len(header) > 8 else ''}; {hint}"
    )


def row_number(table: pd.DataFrame, place: int) -> int:
    """Line of the file in which a row of a table stands, counted from 1."""
    return int(table[ROW].iloc[place]) if ROW in table.columns else place + 2
