"""Any AU table, told apart by its columns: famaug's own, or OpenFace's of either kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from famaug.aus.columns import load
from famaug.aus.openface import MIN_CONFIDENCE, read_openface
from famaug.aus.table import read_numbered_table
from famaug.errors import InputError
from famaug.types import AUTrack


def read_aus(
    path: str | Path,
    *,
    face: int | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    fps: float | None = None,
) -> tuple[AUTrack, NDArray[np.float64] | None]:
    """(track, mean presence of the 17 AUs or None) of a table, or of a folder of OpenFace CSVs.

    Arguments, errors and warnings as `read_openface` and `read_table`; `face` and
    `min_confidence` concern OpenFace's tables only.

    Raises:
        InputError: a rate that is not above 0.
    """
    track, presence, _ = _read(Path(path), face, min_confidence, fps)
    return track, presence


def read_numbered(path: str | Path, *, fps: float | None = None) -> tuple[AUTrack, int]:
    """(track, number of its first frame as the table counts) of any AU table; as `read_aus`."""
    track, _, first = _read(Path(path), None, MIN_CONFIDENCE, fps)
    return track, first


def _read(
    source: Path, face: int | None, min_confidence: float, fps: float | None
) -> tuple[AUTrack, NDArray[np.float64] | None, int]:
    if fps is not None and not 0 < fps < float("inf"):
        raise InputError(f"fps must be above 0; got {fps}")
    if not source.is_dir() and "side" in load(source).columns:
        track, first = read_numbered_table(source, fps=fps)
        return track, None, first
    reading = read_openface(source, face=face, min_confidence=min_confidence, fps=fps)
    return reading.track, reading.presence_mean, reading.first
