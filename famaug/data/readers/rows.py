"""Rows of a label table as values, what may be wrong with them, and corrections applied."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from famaug.data.readers.corrections import Correction


@dataclass(frozen=True, kw_only=True)
class Row:
    """One annotated expression, with frame numbers as published."""

    subject: str
    clip: str
    folder: str
    onset: int | None = None
    apex: int | None = None
    offset: int | None = None
    emotion: str | None = None
    action_units: str | None = None
    fps: float | None = None


@dataclass(frozen=True)
class Findings:
    """What is wrong with a copy, as far as opening it shows. Clips are "subject/clip".

    Attributes:
        rows: annotated expressions in the table (or clips in the tree, without one).
        missing_clips: annotated, without a folder. empty_clips: with an empty one.
        missing_frames: frames between onset and offset that are not there, by clip.
        bad_rows: rows whose numbers contradict each other or lie outside the clip.
        corrected: what the table of corrections changed. not_corrected: what it could not.
        middle_apex: clips without an annotated apex, which get their middle frame.
    """

    rows: int
    missing_clips: tuple[str, ...]
    empty_clips: tuple[str, ...]
    missing_frames: dict[str, tuple[int, ...]]
    bad_rows: tuple[str, ...]
    corrected: tuple[str, ...]
    not_corrected: tuple[str, ...]
    middle_apex: tuple[str, ...]


@dataclass(frozen=True)
class Fixes:
    """Corrections that were made, and those that would contradict the row."""

    made: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def corrected(
    rows: Sequence[Row], table: Iterable[Correction], counted: int | None
) -> tuple[list[Row], Fixes]:
    """Rows with the corrections that fit them; which were made, and which would contradict."""
    out = list(rows)
    empty: dict[str, list[int]] = {}
    for c in table:
        empty.setdefault(c.column, [i for i, r in enumerate(rows) if getattr(r, c.column) is None])
    changes: dict[int, list[Correction]] = {}
    for c in table:
        for i in _where(rows, c, counted, empty[c.column]):
            changes.setdefault(i, []).append(c)
    made, refused = [], []
    for i, wanted in changes.items():
        changed: dict[str, Any] = {c.column: c.value for c in wanted}
        new = replace(out[i], **changed)
        told = [
            f"{new.subject}/{new.clip} (row {i}): {c.column} {getattr(out[i], c.column)!r} -> "
            f"{c.value!r}: {c.why}"
            for c in wanted
            if getattr(out[i], c.column) != c.value
        ]
        if contradiction(new):
            refused += told
        else:
            made += told
            out[i] = new
    return out, Fixes(tuple(made), tuple(refused))


def _where(rows: Sequence[Row], c: Correction, counted: int | None, empty: list[int]) -> list[int]:
    if c.nth_missing is not None:
        k, n = c.nth_missing
        return [empty[k]] if len(empty) == n else []
    if c.row is not None:
        if counted not in (None, len(rows)) or c.row >= len(rows):
            return []
        found = [c.row]
    else:
        found = [i for i, r in enumerate(rows) if f"{r.subject}/{r.clip}" == c.clip]
    if c.only_if == "or":
        found = [i for i in found if re.search(r"\bor\b", rows[i].action_units or "", re.I)]
    return found


def contradiction(row: Row) -> str | None:
    """What is impossible about a row's frame numbers, or None."""
    if row.onset is None or row.offset is None:
        return None
    if row.offset <= row.onset:
        return f"offset {row.offset} is not behind onset {row.onset}"
    if row.apex is not None and not row.onset <= row.apex <= row.offset:
        return f"apex {row.apex} is not between onset {row.onset} and offset {row.offset}"
    return None
