"""OpenFace's tables as a source of AUs: CSVs of both kinds, and folders of them.

FaceLandmarkImg writes one row a *face*: `face, confidence, AU01_r ... AU45_r, AU01_c ...`, one
file an image (or all rows merged in one file). FeatureExtraction writes one row a frame of a
video: `frame, (face_id,) timestamp, confidence, success, ...`. Both may separate by ", ". Columns
are found by name: AU28 has a presence (`_c`) and no intensity, so positions differ.

OpenFace knows no sides: both are filled alike, and the track says so.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from famaug.aus.columns import VALUE_COLUMNS, load, need_columns
from famaug.aus.table import frame_numbers, modulated_of, values_of
from famaug.errors import TableWarning, TrackError
from famaug.files.folders import visible
from famaug.media.clips import natural_key
from famaug.types import AUS, AUTrack

PRESENCE_AUS: tuple[int, ...] = (*AUS[:-1], 28, AUS[-1])
"""The 18 units with a presence, in OpenFace's order."""
SCALE = "openface"
MIN_CONFIDENCE = 0.7
"""Below it OpenFace's own landmark check calls the frame a failure."""
MAX_FILES = 100_000
MAX_FACE = 1_000_000
RATES = (5, 600)
"""Frames a second that cameras for faces have; a clock outside is none (1 ms a frame, frame
numbers for seconds, milliseconds)."""


@dataclass(frozen=True, eq=False)
class OpenFaceReading:
    """What OpenFace wrote about one clip.

    Attributes:
        track: intensities and confidences, `T 2 17`.
        presence: AU_c (0 or 1), float32 `T 18` in the order of `PRESENCE_AUS`; NaN where missing
            or not written.
        first: number of the first frame, as the table or the files' names count.
    """

    track: AUTrack
    presence: NDArray[np.float32]
    first: int = 0

    @property
    def presence_mean(self) -> NDArray[np.float64]:
        """Mean presence of the 17 AUs over the measured frames; 1 where none was written."""
        columns = self.presence[:, [PRESENCE_AUS.index(au) for au in AUS]].astype(np.float64)
        known = np.isfinite(columns)
        mean = np.where(known, columns, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return np.where(known.any(axis=0), mean, 1.0)


def read_openface(
    path: str | Path,
    *,
    face: int | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    fps: float | None = None,
) -> OpenFaceReading:
    """Read a CSV of FeatureExtraction or FaceLandmarkImg, or a folder of one CSV an image.

    The frame of a file in a folder is the number in its name. Frames that OpenFace calls failed,
    or whose confidence is below `min_confidence`, are missing (NaN) whatever their cells hold, and
    so are frame numbers that were left out and units that this version of OpenFace does not
    measure.

    Args:
        face: which face (`face` or `face_id` column) where there are several.
        fps: frames per second; by default from the timestamps where they make sense.

    Raises:
        TrackError: no intensities, several faces and none chosen, cells that are no numbers, rows
            longer or shorter than the header, frames twice, no frame good enough.
    Warns:
        TableWarning: rows out of order, units without a column, a header again, timestamps of no
            camera.
    """
    source = Path(path)
    table, kind = _load_folder(source) if source.is_dir() else _load_file(source)
    return reading_of(
        table,
        source=source,
        estimator=f"openface-csv/{kind}",
        face=face,
        min_confidence=min_confidence,
        fps=fps,
    )


def reading_of(
    table: pd.DataFrame,
    *,
    source: Path,
    estimator: str,
    face: int | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    fps: float | None = None,
) -> OpenFaceReading:
    """A table with OpenFace's column names and a `frame` column as a reading.

    `source` is named in messages. Arguments, errors and warnings as in `read_openface`.
    """
    table = _with_all_units(table, source)
    table = _one_face(table, face, min_confidence, source)
    frame = frame_numbers(table, source)
    if (np.diff(frame) < 0).any():
        warnings.warn(f"{source}: rows out of order, sorted by frame", TableWarning, stacklevel=3)
        table = table.iloc[np.argsort(frame, kind="stable")].reset_index(drop=True)
        frame = np.sort(frame, kind="stable")
    if (np.diff(frame) == 0).any():
        twice = int(frame[:-1][np.diff(frame) == 0][0])
        raise TrackError(f"{source}: frame {twice} is there twice for one face")
    return _reading(table, frame, source, estimator, min_confidence, fps)


def _load_file(path: Path) -> tuple[pd.DataFrame, str]:
    table = load(path)
    if "frame" in table.columns:
        return table.rename(columns={"face_id": "face"}), "FeatureExtraction"
    if "face" not in table.columns:
        return table.assign(frame=np.arange(len(table))), "table"
    return table.assign(frame=_picture_of(_faces(table, path))), "FaceLandmarkImg"


def _picture_of(face: NDArray[np.int64]) -> NDArray[np.int64]:
    """Merged FaceLandmarkImg rows: a new picture begins where the face number does not rise."""
    starts = np.r_[False, np.diff(face) <= 0]
    return np.cumsum(starts)


def _faces(table: pd.DataFrame, path: Path) -> NDArray[np.int64]:
    rows = _column(table, "success", path) > 0
    number = values_of(table, ["face"], path, high=MAX_FACE, rows=rows)[:, 0]
    told = pd.to_numeric(table["face"], errors="coerce").to_numpy(np.float64)
    of_failed = np.where((told >= 0) & (told < MAX_FACE), told, 0)
    return np.nan_to_num(np.where(rows, number, of_failed)).astype(np.int64)


def _load_folder(folder: Path) -> tuple[pd.DataFrame, str]:
    """One CSV an image; the frame is the number in its name. A CSV without a row is an image
    without a face."""
    files = sorted(
        (p for p in visible(folder) if p.suffix.lower() == ".csv"),
        key=lambda p: natural_key(p.name),
    )
    if not 0 < len(files) <= MAX_FILES:
        raise TrackError(f"{folder} holds {len(files)} CSV files; 1 to {MAX_FILES} can be read")
    tables = []
    for number, file in zip(_numbers(files, folder), files, strict=True):
        try:
            table = load(file)
        except TrackError as error:
            if "no rows" not in str(error):
                raise
            table = pd.DataFrame({name: [np.nan] for name in VALUE_COLUMNS}).assign(success=0)
        if "frame" in table.columns:
            raise TrackError(
                f"{file} is a video's table, not an image's: give that file instead of its folder"
            )
        _check_cells(_with_all_units(table, file, told=False), file)
        success = table.get("success", 1)
        tables.append(table.assign(frame=number, face=table.get("face", 0), success=success))
    return pd.concat(tables, ignore_index=True), "FaceLandmarkImg"


def _check_cells(table: pd.DataFrame, file: Path) -> None:
    """What is wrong with a cell is told with the name of its file."""
    good, _ = _good(table, 0.0, file)
    values_of(table, VALUE_COLUMNS, file, rows=good)
    if "face" in table.columns:
        _faces(table, file)


def _numbers(files: list[Path], folder: Path) -> list[int]:
    """Frame numbers of images by the one number in which their names differ.

    Raises:
        TrackError: names that differ in words, or in several numbers without the last being
            each frame's own.
    """
    if len(files) == 1:
        return [0]
    parts = [re.split(r"(\d+)", f.stem.casefold()) for f in files]
    if len({tuple(p[::2]) for p in parts}) > 1:
        raise TrackError(
            f"{folder}: the number in a name is the frame, and names may differ in nothing else; "
            f"{files[0].name} and {files[-1].name} do: give one clip's CSVs, or one merged file"
        )
    varying = [i for i in range(1, len(parts[0]), 2) if len({int(p[i]) for p in parts}) > 1]
    numbers = [int(p[varying[-1]]) for p in parts] if varying else []
    if len(set(numbers)) < len(files):
        raise TrackError(
            f"{folder}: the last number in a name is the frame, and {files[0].name} to "
            f"{files[-1].name} have some twice: these are several clips"
        )
    return numbers


def _with_all_units(table: pd.DataFrame, path: Path, *, told: bool = True) -> pd.DataFrame:
    """Units that a table has no column of become missing ones."""
    lacking = [name for name in VALUE_COLUMNS if name not in table.columns]
    if len(lacking) == len(VALUE_COLUMNS):
        need_columns(table, VALUE_COLUMNS, path)
    if lacking and told:
        warnings.warn(
            f"{path} has no {', '.join(lacking)}: these units are missing in every frame "
            "(OpenFace before 1.0 measures 14 units)",
            TableWarning,
            stacklevel=4,
        )
    header = table.attrs.get("header")
    table = table.assign(**dict.fromkeys(lacking, np.nan))
    if header:
        table.attrs["header"] = header
    return table


def _one_face(
    table: pd.DataFrame, face: int | None, min_confidence: float, path: Path
) -> pd.DataFrame:
    """Rows of the chosen face; frames without it stay as rows without values."""
    if "face" not in table.columns:
        return table
    number = _faces(table, path)
    good, _ = _good(table, min_confidence, path)
    faces, counts = np.unique(number[good], return_counts=True)
    if len(faces) == 0:
        faces, counts = np.unique(number, return_counts=True)
    if face is None and len(faces) == 1:
        face = int(faces[0])
    if face is None or face not in faces:
        seen = ", ".join(f"face {k} in {n} frames" for k, n in zip(faces, counts, strict=True))
        asked = "none was chosen" if face is None else f"face {face} is not among them"
        raise TrackError(f"{path} holds {len(faces)} faces ({seen}) and {asked}: use --face N")
    mine = table[number == face]
    others = table[~table["frame"].isin(mine["frame"])].drop_duplicates("frame")
    if others.empty:
        whole: pd.DataFrame = mine.reset_index(drop=True)
        return whole
    empty = others.assign(success=0, **dict.fromkeys(VALUE_COLUMNS, np.nan))
    both = pd.concat([mine.assign(success=mine.get("success", 1)), empty])
    ordered: pd.DataFrame = both.sort_index(kind="stable").reset_index(drop=True)
    return ordered


def _reading(
    table: pd.DataFrame,
    frame: NDArray[np.int64],
    path: Path,
    estimator: str,
    min_confidence: float,
    fps: float | None,
) -> OpenFaceReading:
    good, confidence = _good(table, min_confidence, path)
    x = values_of(table, VALUE_COLUMNS, path, rows=good)
    if not (good & np.isfinite(x).any(axis=1)).any():
        raise TrackError(
            f"{path}: none of {len(table)} rows succeeded with confidence {min_confidence:g} "
            f"(best {np.nanmax(confidence):g}): OpenFace did not find this face"
        )
    first, length = int(frame[0]), int(frame[-1] - frame[0]) + 1
    values = np.full((length, len(AUS)), np.nan)
    trust = np.zeros((length, len(AUS)))
    presence = np.full((length, len(PRESENCE_AUS)), np.nan, np.float32)
    values[frame - first] = x
    trust[frame - first] = np.where(np.isfinite(x), confidence[:, None], 0)
    presence[frame - first] = _presence(table, path, good)
    track = AUTrack.of(
        np.repeat(values[:, None], 2, axis=1),
        confidence=np.repeat(trust[:, None], 2, axis=1),
        estimator=estimator,
        sided=False,
        scale=SCALE,
        fps=_fps_of(table, frame, path) if fps is None else fps,
        modulated=modulated_of(table, path),
    )
    return OpenFaceReading(track, presence, first)


def _good(
    table: pd.DataFrame, min_confidence: float, path: Path
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Rows that succeeded with enough confidence, and all confidences."""
    success = _column(table, "success", path) > 0
    confidence = _column(table, "confidence", path, rows=success)
    return success & (confidence >= min_confidence), confidence


def _column(
    table: pd.DataFrame, name: str, path: Path, rows: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """A 0-1 column; 1 where the table has none, 0 for empty cells."""
    if name not in table.columns:
        return np.ones(len(table))
    return np.nan_to_num(values_of(table, [name], path, high=1.0, rows=rows)[:, 0])


def _presence(table: pd.DataFrame, path: Path, good: NDArray[np.bool_]) -> NDArray[np.float64]:
    result = np.full((len(table), len(PRESENCE_AUS)), np.nan)
    names = [f"AU{au:02d}_c" for au in PRESENCE_AUS]
    there = [i for i, name in enumerate(names) if name in table.columns]
    if there:
        result[:, there] = values_of(table, [names[i] for i in there], path, high=1.0, rows=good)
    return result


def _fps_of(table: pd.DataFrame, frame: NDArray[np.int64], path: Path) -> float | None:
    """Rate by the timestamps (seconds, rounded to ms); None where they are absent, fixed, run
    backwards, or tell a rate that no camera for faces has."""
    if "timestamp" not in table.columns or len(table) < 2:
        return None
    given = pd.to_numeric(table["timestamp"], errors="coerce").to_numpy(np.float64)
    known = np.isfinite(given)
    seconds, frame = given[known], frame[known]
    if len(seconds) < 2 or seconds[-1] == seconds[0]:
        return None
    rate = float((frame[-1] - frame[0]) / (seconds[-1] - seconds[0]))
    if RATES[0] <= rate <= RATES[1] and (np.diff(seconds) >= 0).all():
        return round(rate, 2)
    backwards = (
        "run backwards" if (np.diff(seconds) < 0).any() else f"tell {rate:g} frames a second"
    )
    warnings.warn(
        f"{path}: its timestamps {backwards}, which no camera does ({RATES[0]}-{RATES[1]}): the "
        "rate is unknown; give fps",
        TableWarning,
        stacklevel=5,
    )
    return None
