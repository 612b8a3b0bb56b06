"""Rows of a label table as values, what may be wrong with them, and corrections applied."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
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


@dataclass
class Findings:
    """What is wrong with a copy, as far as opening it shows. Clips are "subject/clip".

    Attributes:
        rows: annotated expressions in the table (or clips in the tree, without one).
        missing_clips: annotated, without a folder. empty_clips: with an empty one.
        missing_frames: frames between onset and offset that are not there, by clip.
        bad_rows: rows whose numbers contradict each other or lie outside the clip.
        corrected: what the table of corrections changed. not_corrected: what it could not.
        middle_apex: clips without an annotated apex, which get their middle frame.
        odd_apex: clips whose apex lies on their onset or outside them: it is unknown (None), and
            who needs one looks for it in the frames.
        still: clips of one frame, which show no motion.
        unread: rows with a cell that cannot be read; their clips are left out.
    """

    rows: int = 0
    missing_clips: list[str] = field(default_factory=list)
    empty_clips: list[str] = field(default_factory=list)
    missing_frames: dict[str, tuple[int, ...]] = field(default_factory=dict)
    bad_rows: list[str] = field(default_factory=list)
    corrected: list[str] = field(default_factory=list)
    not_corrected: list[str] = field(default_factory=list)
    middle_apex: list[str] = field(default_factory=list)
    odd_apex: list[str] = field(default_factory=list)
    still: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


Numbers = Callable[[Row], Collection[int]]
"""Numbers of the frames in a row's folder; empty where there is none."""


def corrected(
    rows: Sequence[Row],
    table: Iterable[Correction],
    counted: int | None,
    numbers: Numbers,
    findings: Findings,
) -> list[Row]:
    """Rows with the corrections that they need and that their folders bear out.

    Args:
        rows: as published.
        table: what is known to be wrong.
        counted: number of rows in which the corrections' rows were counted.
        numbers: frames on disk.
        findings: is told what was corrected, and what does not fit a wrong row.
    """
    out = list(rows)
    empty: dict[str, list[int]] = {}
    for c in table:
        empty.setdefault(c.column, [i for i, r in enumerate(rows) if getattr(r, c.column) is None])
    changes: dict[int, list[Correction]] = {}
    for c in table:
        for i in _where(rows, c, counted, empty[c.column]):
            changes.setdefault(i, []).append(c)
    for i, wanted in changes.items():
        there = numbers(rows[i])
        needed = [c for c in wanted if _is_wrong(rows[i], c, there)]
        changed: dict[str, Any] = {c.column: c.value for c in needed}
        new = replace(out[i], **changed)
        told = [
            f"{new.subject}/{new.clip} (row {i}): {c.column} {getattr(out[i], c.column)!r} -> "
            f"{c.value!r}: {c.why}"
            for c in needed
        ]
        if contradiction(new) or not all(_is_borne_out(new, c, there) for c in needed):
            findings.not_corrected += told
        else:
            findings.corrected += told
            out[i] = new
    return out


def _is_wrong(row: Row, c: Correction, there: Collection[int]) -> bool:
    """Whether a cell holds what is known to be wrong about it: a number that is no frame of the
    folder, an apex outside its expression, nothing, or an "or" that the value settles."""
    cell = getattr(row, c.column)
    if cell == c.value:
        return False
    if c.column == "action_units":
        return bool(re.search(r"\bor\b", str(cell or ""), re.IGNORECASE)) and _settles(c, cell)
    if not there:
        return False
    if c.nth_missing is not None:
        return cell is None
    if cell is None or cell not in there:
        return True
    if c.column != "apex" or row.onset is None or row.offset is None:
        return False
    return not row.onset <= cell <= row.offset


def _is_borne_out(new: Row, c: Correction, there: Collection[int]) -> bool:
    """Whether the folder holds the frame, and an apex lies in its expression."""
    if c.column == "action_units":
        return True
    if c.value not in there:
        return False
    if c.column != "apex" or new.onset is None or new.offset is None:
        return True
    return new.onset <= int(c.value) <= new.offset


def _settles(c: Correction, cell: Any) -> bool:
    """Whether the value names only units that the annotation offers."""
    offered = set(re.findall(r"[LR]?\d+", str(cell).upper()))
    return set(re.findall(r"[LR]?\d+", str(c.value).upper())) <= offered


def _where(rows: Sequence[Row], c: Correction, counted: int | None, empty: list[int]) -> list[int]:
    if c.nth_missing is not None:
        k, n = c.nth_missing
        return [empty[k]] if len(empty) == n else []
    if c.row is not None:
        return [c.row] if counted in (None, len(rows)) and c.row < len(rows) else []
    return [i for i, r in enumerate(rows) if f"{r.subject}/{r.clip}" == c.clip]


def in_order(row: Row) -> Row:
    """A row whose onset and offset were swapped, put right: its apex lies between them, or, where
    there is none, the offset is some frame."""
    onset, apex, offset = row.onset, row.apex, row.offset
    if onset is None or offset is None or not 0 < offset < onset:
        return row
    swapped = apex is None or offset <= apex <= onset
    return replace(row, onset=offset, offset=onset) if swapped else row


def contradiction(row: Row) -> str | None:
    """What is impossible about a row's frame numbers, or None."""
    if row.onset is None or row.offset is None:
        return None
    if row.offset <= row.onset:
        if in_order(row) is not row:
            return f"onset {row.onset} and offset {row.offset} are swapped"
        return f"offset {row.offset} is not behind onset {row.onset}"
    if row.apex is not None and not row.onset <= row.apex <= row.offset:
        return f"apex {row.apex} is not between onset {row.onset} and offset {row.offset}"
    return None
