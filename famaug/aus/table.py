"""famaug's own AU table: what `famaug aus` writes and every command reads.

CSV, two rows a frame: `frame, side` (left or right), `AU01_r ... AU45_r` (0-5), `AU01_conf ...`
(0-1); missing values are empty cells. A table of what a face shall show, as `famaug modulate`
writes it, has a last column `modulated` of ones; without it, or with zeros, it is a measurement.
Beside `x.csv` lies `x.csv.json` with what a row cannot say: estimator, scale, whether it knows
sides, frame rate, and whose measurements went into it.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from famaug.aus.columns import MAX_FRAMES, MODULATED, VALUE_COLUMNS, load, need_columns, row_number
from famaug.errors import TableWarning, TrackError
from famaug.files.limits import read_json
from famaug.files.whole import whole_file
from famaug.types import AU_NAMES, AUS, SIDES, AUTrack

CONFIDENCE_COLUMNS = [f"{name}_conf" for name in AU_NAMES]
COLUMNS = ["frame", "side", *VALUE_COLUMNS, *CONFIDENCE_COLUMNS]

MAX_INTENSITY = 5.0


def write_table(track: AUTrack, path: str | Path, *, first_frame: int = 0) -> Path:
    """Write a track as `path` and its `path.json`; whole files or none. Returns the path.

    Raises:
        TrackError: the folder cannot be written to.
    """
    target = Path(path)
    frames = np.repeat(np.arange(len(track)) + first_frame, 2)
    wide = np.concatenate([track.intensity, track.confidence], axis=2).reshape(len(frames), -1)
    table = pd.DataFrame(wide.astype(np.float64).round(4), columns=COLUMNS[2:])
    table.insert(0, "frame", frames)
    table.insert(1, "side", np.tile(SIDES, len(track)))
    if track.modulated:
        table[MODULATED] = 1
    meta = {
        "format": "famaug-aus/1",
        "estimator": track.estimator,
        "scale": track.scale,
        "sided": track.sided,
        "fps": track.fps,
    } | ({"subjects": list(track.subjects)} if track.subjects else {})
    try:
        # both or neither: a table says nothing without what lies beside it
        with whole_file(_meta_path(target)) as beside, whole_file(target) as draft:
            beside.write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")
            table.to_csv(draft, index=False, lineterminator="\n")
    except OSError as error:
        raise TrackError(f"cannot write the AU table {target}: {error}") from error
    return target


def read_table(path: str | Path, *, scale: str | None = None, fps: float | None = None) -> AUTrack:
    """`read_numbered_table` without the number."""
    return read_numbered_table(path, scale=scale, fps=fps)[0]


def read_numbered_table(
    path: str | Path, *, scale: str | None = None, fps: float | None = None
) -> tuple[AUTrack, int]:
    """A table written by famaug, or by hand in the same columns, and its first frame's number.

    Frames out of order are sorted, frames left out become missing ones. Confidence columns may
    be absent: 1 where a value is.

    Args:
        scale, fps: needed only where there is no `path.json`; they overrule it.

    Raises:
        TrackError: not such a table: missing columns (named), a side missing, a cell that is no
            number, values outside 0-5; the message names the row.
    Warns:
        TableWarning: the frames were out of order.
    """
    source = Path(path)
    table = load(source)
    need_columns(table, ["frame", "side", *VALUE_COLUMNS], source)
    side = table["side"].astype(str).str.strip().str.lower()
    if not side.isin(SIDES).all():
        row = int(np.flatnonzero(~side.isin(SIDES))[0])
        raise TrackError(
            f"{source}, row {row_number(table, row)}: side must be left or right; got {side[row]!r}"
        )
    frame = frame_numbers(table, source)
    order = frame * 2 + (side == SIDES[1]).to_numpy()
    if (np.diff(order) < 0).any():
        warnings.warn(f"{source}: frames out of order, sorted", TableWarning, stacklevel=2)
    present = np.unique(order)
    if len(present) != len(order):
        twice = order[np.argsort(order, kind="stable")]
        number = int(twice[:-1][np.diff(twice) == 0][0])
        raise TrackError(f"{source}: frame {number // 2} {SIDES[number % 2]} is there twice")
    if len(order) != 2 * len(np.unique(frame)):
        raise TrackError(f"{source}: a frame lacks its left or right row; write both for each")
    intensity = values_of(table, VALUE_COLUMNS, source)
    confidence = _confidence(table, intensity, source)
    first = int(frame.min())
    length = int(frame.max()) - first + 1
    x = np.full((length * 2, len(AUS)), np.nan)
    c = np.zeros((length * 2, len(AUS)))
    at = order - 2 * first
    x[at], c[at] = intensity, confidence
    shaped = x.reshape(length, 2, -1), c.reshape(length, 2, -1)
    return _track(*shaped, source, scale, fps, modulated_of(table, source)), first


def values_of(
    table: pd.DataFrame,
    columns: list[str],
    path: Path,
    *,
    high: float = MAX_INTENSITY,
    rows: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Columns as float64 `rows x columns`, empty cells NaN.

    Args:
        high: the largest value there can be.
        rows: bool, which rows matter; the others become NaN whatever they hold.

    Raises:
        TrackError: a cell that is no number, infinite, or outside 0-`high`, with its row.
    """
    numbers = table[columns].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    blank = table[columns].isna().to_numpy()
    bad = np.isnan(numbers) & ~blank
    with np.errstate(invalid="ignore"):
        bad |= np.isinf(numbers) | (numbers < -1e-6) | (numbers > high + 1e-6)
    if rows is not None:
        numbers = np.where(rows[:, None], numbers, np.nan)
        bad &= rows[:, None]
    if bad.any():
        row, column = (int(v) for v in np.argwhere(bad)[0])
        cell = table[columns[column]].iloc[row]
        told = f"{cell:g}" if isinstance(cell, float) else str(cell)
        raise TrackError(
            f"{path}, row {row_number(table, row)}, {columns[column]}: {told!r} is no number from "
            f"0 to {high:g}"
        )
    clipped: NDArray[np.float64] = np.clip(numbers, 0, high)
    return clipped


def modulated_of(table: pd.DataFrame, path: Path) -> bool:
    """Whether a table says of itself that it is modulated.

    Raises:
        TrackError: some rows say so and others do not.
    """
    if MODULATED not in table.columns:
        return False
    said = {float(v) for v in values_of(table, [MODULATED], path, high=1.0)[:, 0]}
    if said not in ({0.0}, {1.0}):
        raise TrackError(
            f"{path}: the column {MODULATED} must be 1 in every row (shown as written) or 0 in "
            f"every row (a measurement); it holds {', '.join(f'{v:g}' for v in sorted(said)[:4])}"
        )
    return said == {1.0}


def frame_numbers(table: pd.DataFrame, path: Path) -> NDArray[np.int64]:
    """The column `frame` as int64.

    Raises:
        TrackError: no whole numbers from 0, or so far apart that the clip would be absurd.
    """
    column = table["frame"]
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    fine = np.isfinite(numbers) & (numbers >= 0) & (numbers < 2**53)
    fine &= np.where(fine, numbers, 0) == np.rint(np.where(fine, numbers, 0))
    if not fine.all():
        row = int(np.flatnonzero(~fine)[0])
        seen = column.iloc[row]
        told = repr(seen if isinstance(seen, str) else float(seen))
        raise TrackError(
            f"{path}, row {row_number(table, row)}: frame must be a whole number from 0; got {told}"
        )
    if numbers.max() - numbers.min() >= MAX_FRAMES:
        raise TrackError(
            f"{path}: frames {numbers.min():.0f} to {numbers.max():.0f} span more than "
            f"{MAX_FRAMES}: this is not one clip"
        )
    return numbers.astype(np.int64)


def _confidence(
    table: pd.DataFrame, intensity: NDArray[np.float64], path: Path
) -> NDArray[np.float64]:
    seen = np.isfinite(intensity)
    if not any(name in table.columns for name in CONFIDENCE_COLUMNS):
        return seen.astype(np.float64)
    need_columns(table, CONFIDENCE_COLUMNS, path)
    given = values_of(table, CONFIDENCE_COLUMNS, path, high=1.0)
    return np.where(seen, np.nan_to_num(given), 0.0)


def _track(
    x: NDArray[np.float64],
    c: NDArray[np.float64],
    path: Path,
    scale: str | None,
    fps: float | None,
    modulated: bool,
) -> AUTrack:
    meta = _read_meta(path)
    sided = meta.get("sided")
    rate = meta.get("fps") if fps is None else fps
    return AUTrack.of(
        x,
        confidence=c,
        estimator=str(meta.get("estimator", "table")),
        sided=not np.array_equal(x[:, 0], x[:, 1], equal_nan=True) if sided is None else sided,
        scale=scale or str(meta.get("scale", "famaug")),
        fps=None if rate is None else float(rate),
        modulated=modulated,
        subjects=meta.get("subjects", ()),
    )


def _meta_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _read_meta(path: Path) -> dict[str, Any]:
    """What lies beside a table, {} when nothing does; raises TrackError for anything else."""
    beside = _meta_path(path)
    if not beside.exists():
        return {}
    meta = read_json(beside, error=TrackError)
    rate = meta.get("fps") if isinstance(meta, dict) else "?"
    plain = isinstance(meta, dict) and isinstance(meta.get("sided", True), bool)
    people = meta.get("subjects", []) if isinstance(meta, dict) else "?"
    plain &= isinstance(people, list) and all(isinstance(s, str) for s in people)
    if not plain or not (rate is None or (isinstance(rate, (int, float)) and 0 < rate < 1e6)):
        raise TrackError(f"{beside} is not what famaug writes: delete it, or measure again")
    return dict(meta)
