"""Text tables as people save them: any separator, encoding and line ending; never a shifted row.

A row with more cells than its header (other than empty ones at its end) or with fewer is refused
with its number: which of its cells are right cannot be known.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from famaug.errors import FamaugError
from famaug.files.limits import opened

SEPARATORS = (",", ";", "\t", "|", " ")
MAX_LINE = 1 << 20
"""Characters of a line."""
_HEAD = 1 << 16
_PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NAN = re.compile(
    r"[-+]?(?:nan|nan\s*\(.*\)|1[.,]#?(?:q|s)?(?:nan|ind)\w*|1[.,]#\s*(?:qnan|snan|ind)\w*)"
    r"|#?n/?a|#(?:num|value|ref|name|div/0|null)[!?]?|null|none|missing|[-–—/.?]+",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"\d{1,3}(?:[,'\u2019 ]\d{3})+")
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+(?:e[-+]?\d+)?", re.IGNORECASE)

Row = tuple[int, list[str]]
"""Line of the file (from 1) in which a row ends, and its cells."""


def is_blank(cell: str) -> bool:
    """Whether a cell is empty or says, in any program's spelling, that there is no number."""
    text = cell.strip()
    return not text or _NAN.fullmatch(text) is not None


def number_in(cell: str) -> float | None:
    """The number in a cell, with a decimal point or comma; NaN where it is blank, None where it
    holds something else."""
    text = cell.strip()
    if is_blank(text):
        return float("nan")
    if _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None


def whole_in(cell: str) -> float | None:
    """As `number_in`, of a cell that counts: "1,234" is none, for it may be 1234 or 1.234."""
    return None if _THOUSANDS.fullmatch(cell.strip()) else number_in(cell)


def encoding_of(head: bytes) -> str:
    """By the byte order mark a file begins with, or the zeros of UTF-16 without one; else UTF-8."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    even, odd = head[::2].count(0), head[1::2].count(0)
    if len(head) > 3 and max(even, odd) > 0.4 * len(head) / 2 and min(even, odd) == 0:
        return "utf-16-le" if odd else "utf-16-be"
    return "utf-8"


@contextmanager
def rows_of(
    path: Path, *, known: Callable[[str], bool], at_most: int, error: type[FamaugError]
) -> Iterator[Iterator[Row]]:
    """The rows of a text table, blank lines left out, by the separator that fits it.

    Bytes that are no text of the encoding stay as lone surrogates: whoever uses such a cell has
    to look (`is_text`).

    Args:
        known: whether a cell is the name of a column; the separator is the one that shows most
            of them in a row of the first, and of equals the one that gives most cells.
        at_most: bytes that the file may have.
        error: raised for what is no text table, too large, or no plain file.
    """
    with opened(path, at_most=at_most, error=error) as raw:
        start = raw.read(256)
        raw.seek(0)
        if start.startswith(_PACKED):
            raise error(f"{path}: a compressed file; unpack it first")
        if start.startswith(_OLD_WORKBOOK):
            raise error(f"{path}: a workbook of the old .xls kind; save it as .xlsx or .csv")
        encoding = encoding_of(start)
        errors = "surrogateescape" if encoding.startswith("utf-8") else "strict"
        try:
            with io.TextIOWrapper(raw, encoding=encoding, errors=errors, newline=None) as file:
                head = file.read(_HEAD)
                separator = _told(head) or _best(head, known)
                file.seek(0)
                yield _rows(_lines(file), separator, skip=_told(head) is not None)
        except (UnicodeError, csv.Error) as problem:
            raise error(f"{path} is no text table: {problem}") from problem


def fitted(row: Row, header: list[str], path: Path, error: type[FamaugError]) -> list[str]:
    """A row's cells, one a column of the header at least.

    Nameless columns at the header's end may lack a cell; empty cells beyond it do not count.

    Raises:
        error: it has fewer cells, or more that are not empty.
    """
    line, cells = row
    if len(columns_in(header)) <= len(cells) <= len(header):
        return cells
    if len(cells) > len(header) and not any(c.strip() for c in cells[len(header) :]):
        return cells[: len(header)]
    raise error(
        f"{path}, row {line}: {len(cells)} cells, the header has {len(columns_in(header))} columns;"
        " which belongs to which cannot be known: mend this row (a separator too many, too few, or "
        "a decimal comma in a table separated by commas)"
    )


def columns_in(cells: list[str]) -> list[str]:
    """Names of a header, stripped, without the nameless columns at its end."""
    names = [c.strip() for c in cells]
    while names and not names[-1]:
        names.pop()
    return names


def is_text(cell: str) -> bool:
    """Whether a cell was text in the table's encoding."""
    return not any("\ud800" <= c <= "\udfff" for c in cell)


def _told(head: str) -> str | None:
    """The separator that Excel's first line "sep=;" names."""
    match = re.match(r'"?sep=(.)"?[,;\t|]*\s*\n', head, re.IGNORECASE)
    return match[1] if match else None


def _best(head: str, known: Callable[[str], bool]) -> str:
    lines = head.splitlines()[:60]

    def score(separator: str) -> tuple[int, int]:
        best = (0, 0)
        for _, cells in _rows(io.StringIO("\n".join(lines)), separator):
            best = max(best, (sum(known(c) for c in cells), len(cells)))
        return best

    return max(SEPARATORS, key=score)


def _lines(file: io.TextIOWrapper) -> Iterator[str]:
    while line := file.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise csv.Error(f"a line of {MAX_LINE} characters or more")
        yield line


def _rows(lines: Iterable[str], separator: str, *, skip: bool = False) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=separator != "\t")
    for i, cells in enumerate(reader):
        if (skip and i == 0) or not cells or (len(cells) == 1 and not cells[0].strip()):
            continue
        yield reader.line_num, cells
