"""Flow pictures that somebody computed before: one PNG a clip and a CSV that says what they are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from famaug.data.readers.tables import read_rows, text
from famaug.errors import InputError, MediaError
from famaug.files.folders import files_below
from famaug.media.clips import read_picture
from famaug.recognition.inputs import Bytes
from famaug.recognition.samples import Samples, class_numbers
from famaug.types import ClipRef

Channels = Literal["rgb", "bgr"]
COLUMNS = ("dataset", "subject", "clip", "label")
PATTERN = "{subject}_{clip} .png"
"""As papers share them, with that odd space."""


def read_flow_folder(
    root: str | os.PathLike[str],
    table: str | os.PathLike[str],
    *,
    classes: Sequence[str],
    pattern: str = PATTERN,
    channels: Channels = "rgb",
    size: int = 28,
    origin: str = "",
) -> Samples:
    """Real samples `3 size size` out of a folder of pictures.

    Args:
        root: the folder.
        table: CSV with the columns dataset, subject, clip, label (a class name or its number).
        classes: names of the classes in order.
        pattern: file name of a clip; {dataset}, {subject} and {clip} are filled in.
        channels: "rgb" keeps the order of the file (u, v, strain where it was written so); "bgr"
            turns it round, as OpenCV reads it and as public weights were trained.
        size: side of the pictures.
        origin: kind of data, see `Samples`.

    Raises:
        InputError: the table or pattern is wrong, clips are listed twice, pictures are missing or
            left over (all named), or of another size.
    """
    folder, rows = Path(root), _rows(Path(table))
    if channels not in ("rgb", "bgr"):
        raise InputError(f"channels are 'rgb' or 'bgr'; got {channels!r}")
    if not folder.is_dir():
        raise MediaError(f"{folder}: asked for a folder of flow pictures; there is none")
    try:
        names = [pattern.format(**row) for row in rows]
    except (KeyError, IndexError, ValueError) as error:
        raise InputError(
            f"pattern {pattern!r}: only {{dataset}}, {{subject}} and {{clip}} are known ({error})"
        ) from error
    _check_files(folder, names, pattern)
    refs = [ClipRef(row["dataset"], row["subject"], row["clip"]) for row in rows]
    keys = [ref.key for ref in refs]
    labels = [int(r["label"]) if r["label"].isdigit() else r["label"] for r in rows]
    kept, numbers, no_class = class_numbers(labels, classes)
    pictures = np.stack([_read(folder / names[i], size) for i in kept])
    subjects = tuple(refs[i].person for i in kept)
    inputs, clips = in_order(pictures, channels), tuple(keys[i] for i in kept)
    u = 2 if channels == "bgr" else 0
    return Samples(inputs, numbers, subjects, clips, tuple(classes), origin, (), no_class, u=u)


def in_order(inputs: Bytes, channels: Channels) -> Bytes:
    """Inputs `N 3 ...` in the order of channels asked for ("bgr": strain, v, u)."""
    return np.ascontiguousarray(inputs[:, ::-1]) if channels == "bgr" else inputs


def _rows(table: Path) -> list[dict[str, str]]:
    if not table.is_file():
        raise InputError(f"{table}: asked for the table of a flow folder; there is no such file")
    cells = read_rows(table, required=COLUMNS)
    rows = [{c: text(row[c]) for c in COLUMNS} for _, row in cells]
    empty = [line for (line, _), row in zip(cells, rows, strict=True) if not all(row.values())]
    if empty or not rows:
        raise InputError(f"{table}: empty cells in lines {empty}" if empty else f"{table}: no rows")
    return rows


def _check_files(folder: Path, names: list[str], pattern: str) -> None:
    suffix = Path(pattern).suffix
    there = {p.relative_to(folder).as_posix() for p in files_below(folder)}
    there = {name for name in there if name.endswith(suffix)}
    problems = []
    twice = sorted({n for n in names if names.count(n) > 1})
    outside = sorted(n for n in names if ".." in Path(n).parts or Path(n).is_absolute())
    missing, extra = sorted(set(names) - there), sorted(there - set(names))
    for what, found in (
        ("listed twice", twice),
        ("outside the folder", outside),
        ("missing", missing),
        ("not in the table", extra),
    ):
        if found:
            problems.append(f"{len(found)} {what}: {', '.join(map(repr, found))}")
    if problems:
        raise InputError(f"{folder}: {'; '.join(problems)} (pattern {pattern!r})")


def _read(path: Path, size: int) -> Bytes:
    picture = read_picture(path)
    if picture.shape[:2] != (size, size):
        raise InputError(f"{path}: {picture.shape[:2]} pixels; the network wants {size} x {size}")
    return picture.transpose(2, 0, 1)
