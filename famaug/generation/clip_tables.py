"""AU tables of a data set's clips as drivers: joined to their rows, cut to the expression."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from famaug.aus.read import read_numbered
from famaug.errors import InputError, TrackError
from famaug.files.folders import names_in
from famaug.generation.items import Item, stamps
from famaug.generation.patterns import paths_like
from famaug.generation.report import Skip
from famaug.media.clips import PICTURES
from famaug.people.datasets import dataset_name
from famaug.people.persons import canonical
from famaug.pipeline.inputs import TABLES, Driver
from famaug.seeding import digest
from famaug.types import ClipRef

if TYPE_CHECKING:
    from famaug.generation.generation import Generation

NAMED = 3
"""Tables that a note names."""
Found = dict[str, list[tuple[Path, dict[str, str]]]]
_NUMBER = re.compile(r"(\d+)\.[A-Za-z]+$")
_AGAIN = re.compile(r"#\d+$")
"""Ends the names of further expressions in one video, which have one table."""


def clip_tables(
    settings: Generation,
    refs: Iterable[tuple[int, ClipRef]],
    skipped: list[Skip],
    notes: list[str],
) -> list[Item]:
    """An item for each clip that has a table. `skipped` gets the clips without one, `notes` the
    tables without a clip.

    Raises:
        InputError: a table could be that of several people's clips.
    """
    pattern = settings.clip_tables or ""
    tables: Found = defaultdict(list)
    for path, parts in paths_like(pattern):
        if path.is_dir() or path.suffix.lower() in TABLES:
            tables[parts["clip"].casefold()].append((path, parts))
    found: list[Item] = []
    used: dict[Path, str] = {}
    for index, ref in refs:
        name, who = f"{ref.key} (table)", ref.person
        fitting = [p for p, parts in _named(tables, ref) if _fits(parts, ref)]
        if len(fitting) != 1:
            several = ", ".join(map(str, fitting[:NAMED]))
            reason = f"several tables fit: {several}" if fitting else f"no table: {pattern}"
            skipped.append(Skip("driver", name, reason))
            continue
        path = fitting[0]
        if used.setdefault(path, who) != who:
            raise InputError(
                f"{path} could be of {used[path]} or {who}: put {{subject}} (or {{dataset}}) into "
                f"the pattern {pattern!r}"
            )
        key = digest(["clip table", settings.as_is, ref.to_json(), stamps(path)])
        found.append(Item("table", name, key, index, str(path.absolute()), who))
    lost = [p for rows in tables.values() for p, _ in rows if p not in used]
    if lost:
        notes.append(
            f"{len(lost)} tables like {pattern} belong to no clip that is used: "
            + ", ".join(map(str, lost[:NAMED]))
        )
    return found


def table_driver(path: Path, ref: ClipRef) -> Driver:
    """A clip's table as a driver, from the clip's onset to its offset.

    Raises:
        TrackError: not a table, or one that does not hold these frames.
    """
    track, first = read_numbered(path, fps=ref.fps)
    start, end = rows_of(ref, first=first, length=len(track), path=path)
    cut = slice(start, end + 1)
    track = replace(track, intensity=track.intensity[cut], confidence=track.confidence[cut])
    return Driver("track", track, ref.key, ref.subject, ref.dataset, ref.emotion)


def rows_of(ref: ClipRef, *, first: int, length: int, path: Path) -> tuple[int, int]:
    """First and last row of a table that are a clip's expression.

    A table counts the frames it was made of from 1 (OpenFace, of videos and folders), from 0
    (famaug), or by the numbers in their names (one CSV an image). It may be of the clip's frames,
    or of the whole folder or video they are cut from.

    Args:
        first, length: number of the table's first frame, and its frames.

    Raises:
        TrackError: the table does not hold these frames.
    """
    onset = ref.onset or 0
    if not ref.frames:
        last = ref.offset if ref.offset is not None else length - 1 + max(first - 1, 0)
        before = first - (first > 0)
        return _inside(onset - before, last - before, first, length, ref, path)
    offset = len(ref.frames) - 1 if ref.offset is None else ref.offset
    names = [Path(f).name for f in ref.frames]
    folder = _pictures(Path(ref.frames[0]).parent)
    numbers = [*map(_number, folder)]
    start, end = _number(names[onset]), _number(names[offset])
    of_names = first > 1 and first in numbers[:1]
    if not of_names and length == len(names):
        return onset, offset
    if not of_names and length == len(folder):
        return folder.index(names[onset]), folder.index(names[offset])
    if start is None or end is None:
        raise TrackError(
            f"{path} has {length} frames; the clip has {len(names)}, its folder {len(folder)}, and "
            "their names have no numbers to find them by"
        )
    return _inside(start - first, end - first, first, length, ref, path)


def _inside(
    start: int, end: int, first: int, length: int, ref: ClipRef, path: Path
) -> tuple[int, int]:
    if not 0 <= start <= end < length:
        raise TrackError(
            f"{path} has frames {first} to {first + length - 1}; the expression of {ref.key} is "
            f"frames {first + start} to {first + end}"
        )
    return start, end


def _named(tables: Found, ref: ClipRef) -> list[tuple[Path, dict[str, str]]]:
    """Tables of the clip's name, or of the video it is an expression of."""
    own = tables.get(ref.clip.casefold())
    return own or tables.get(_AGAIN.sub("", ref.clip).casefold(), [])


def _fits(parts: dict[str, str], ref: ClipRef) -> bool:
    subject, dataset = parts.get("subject"), parts.get("dataset")
    if subject is not None and canonical(f"{ref.dataset}/{subject}") != ref.person:
        return False
    return dataset is None or dataset_name(dataset) == ref.dataset


def _pictures(folder: Path) -> Sequence[str]:
    """Names of a folder's pictures in the order of their numbers; none where it is not there."""
    try:
        names = [n for n in names_in(folder) if Path(n).suffix.lower() in PICTURES]
    except OSError:
        return []
    return sorted(names, key=lambda n: (_number(n) or 0, n))


def _number(name: str) -> int | None:
    digits = _NUMBER.search(name)
    return int(digits[1]) if digits else None
