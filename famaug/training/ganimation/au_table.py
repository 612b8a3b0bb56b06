"""AUs of pictures from a user's table: OpenFace's CSV files, or one table with a picture column."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from famaug.aus.columns import VALUE_COLUMNS, load, need_columns
from famaug.aus.openface import read_openface
from famaug.aus.table import MAX_INTENSITY, values_of
from famaug.errors import InputError, TrackError
from famaug.files.folders import visible
from famaug.types import AUS, Floats

NAME_COLUMNS = ("picture", "file", "image", "name")
ENOUGH_ROWS = 20
"""Rows from which a table without any value above 1 is taken for a divided one."""


@dataclass(frozen=True, eq=False)
class PictureTable:
    """Intensities `2 17` by the stem of the picture's name, and why others are not there."""

    intensity: dict[str, Floats]
    refused: dict[str, str] = field(default_factory=dict)


def read_picture_table(path: Path, *, full_scale: float | None = None) -> PictureTable:
    """Reads one of

    - a folder with one CSV of OpenFace's FaceLandmarkImg for each picture, named as it;
    - a CSV with a column `picture` (or file, image, name) and AU01_r ... AU45_r, in any order,
      among any others.

    OpenFace knows no sides, so both get the same.

    Args:
        path: folder or file.
        full_scale: what the table writes for the strongest expression: 5 as OpenFace, 1 where
            values were divided by 5. By default 5, and a table that never exceeds 1 is refused as
            doubtful.

    Raises:
        TrackError: no table, columns missing (named), cells that are no numbers or out of range.
        InputError: a doubtful scale, one picture twice, or a full_scale that is not above 0.
    """
    if full_scale is not None and not 0 < full_scale < float("inf"):
        raise InputError(f"full_scale is above 0; got {full_scale}")
    if path.is_dir():
        return _read_folder(path)
    table = load(path)
    column = next((c for c in NAME_COLUMNS if c in table.columns), None)
    if column is None:
        raise InputError(
            f"{path}: which picture a row is of is asked for in a column "
            f"{', '.join(NAME_COLUMNS)}; there are {', '.join(table.attrs['header'][:8])}, ... "
            "OpenFace's own files (one CSV a picture) are read as a folder"
        )
    need_columns(table, VALUE_COLUMNS, path)
    high = full_scale or MAX_INTENSITY
    values = values_of(table, VALUE_COLUMNS, path, high=high)
    largest = float(np.nanmax(values)) if np.isfinite(values).any() else 0.0
    if full_scale is None and largest <= 1 and len(values) >= ENOUGH_ROWS:
        raise InputError(
            f"{path}: no value of {len(values)} rows is above 1 (largest {largest:g}): if they "
            "were divided by 5 say full_scale: 1, else full_scale: 5"
        )
    stems = [Path(str(name)).stem for name in table[column]]
    doubled = {s for s in stems if stems.count(s) > 1} if len(set(stems)) < len(stems) else set()
    if doubled:
        raise InputError(f"{path}: rows of one picture: {', '.join(sorted(doubled)[:5])}")
    return _table(stems, values * (MAX_INTENSITY / high))


def _table(stems: list[str], values: NDArray[np.float64]) -> PictureTable:
    both = np.repeat(values[:, None], 2, 1).astype(np.float32)
    known = np.asarray(np.isfinite(values).all(1))
    return PictureTable(
        {s: both[i] for i, s in enumerate(stems) if known[i]},
        {s: "AUs missing in the table" for i, s in enumerate(stems) if not known[i]},
    )


def _read_folder(folder: Path) -> PictureTable:
    found, refused = {}, {}
    files = [p for p in visible(folder) if p.suffix.lower() == ".csv"]
    if not files:
        raise InputError(f"{folder}: no CSV files; OpenFace writes one for each picture")
    for file in files:
        try:
            track = read_openface(file).track
        except TrackError as error:
            need_columns(load(file), VALUE_COLUMNS, file)  # a wrong table is no matter of one face
            refused[file.stem] = "several faces" if "faces" in str(error) else "OpenFace failed"
            continue
        if len(track) != 1:
            raise InputError(f"{file} has {len(track)} frames; a picture's table is asked for")
        if np.isfinite(track.intensity).all():
            found[file.stem] = track.intensity[0].reshape(2, len(AUS))
        else:
            refused[file.stem] = "AUs missing in the table"
    return PictureTable(found, refused)
