"""Tables as OpenFace 2 writes them, with invented numbers: no face was measured.

Real ones are measurements of people in licensed data sets. These have the same layouts (columns,
separators, ends of lines) and behave alike: values of two decimals that tremble from frame to
frame, drift, are cut at 0, and rise to an expression and back.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from famaug.aus.columns import VALUE_COLUMNS
from famaug.aus.curves import onset_apex_offset
from famaug.aus.openface import PRESENCE_AUS
from famaug.errors import InputError
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AUS

Array = NDArray[np.float64]
Layout = Literal["video", "images", "merged"]
TREMBLE = 0.085
"""Standard deviation of a value from frame to frame."""
DRIFT = 0.30
"""How far a value at rest wanders in a clip."""
PRESENT = 0.5
"""Height above the first frame from which a unit is called present."""
LANDMARKS, SHAPE_MODES = 68, 34
PRESENCE_COLUMNS = [f"AU{au:02d}_c" for au in PRESENCE_AUS]


def make_openface(
    path: str | os.PathLike[str],
    *,
    layout: Layout = "video",
    frames: int = 80,
    fps: float = 100.0,
    units: Mapping[int, float] | None = None,
    onset: int | None = None,
    apex: int | None = None,
    offset: int | None = None,
    seed: int = 0,
) -> Path:
    """Writes a clip's table, or folder of tables, and returns its path.

    Args:
        path: file to write; a folder with layout "images".
        layout: "video" (FeatureExtraction, a row a frame, with gaze, pose and landmarks),
            "images" (FaceLandmarkImg, a file an image), or "merged" (those rows in one file).
        frames: of the clip, 4 at least.
        fps: frame rate of the clip.
        units: AU to its rise at the apex, OpenFace's scale; AU12 by 1.2 and AU06 by 0.5.
        onset: frame from 0; by default after a fifth.
        apex: by default at 45 %.
        offset: by default at 75 %.
        seed: other rests, tremble and drift.

    Raises:
        InputError: an unknown layout or AU, or frames that are out of order.
    """
    if layout not in ("video", "images", "merged"):
        raise InputError(f"layout={layout!r}: there are video, images and merged")
    place = [
        round(share * frames) if given is None else given
        for given, share in ((onset, 0.2), (apex, 0.45), (offset, 0.75))
    ]
    if frames < 4 or not 0 <= place[0] < place[1] <= place[2] < frames:
        raise InputError(f"onset, apex, offset {place} do not lie in order in {frames} frames")
    values = _values(frames, place, {12: 1.2, 6: 0.5} if units is None else units, seed)
    present = _presence(values)
    out = Path(path)
    if layout == "video":
        return _video(out, values, present, fps, seed)
    head = ["face", "confidence", *VALUE_COLUMNS, *PRESENCE_COLUMNS]
    rows = [
        ["0", "0.975", *(f"{v:.2f}" for v in x), *(f"{v:.1f}" for v in c)]
        for x, c in zip(values, present, strict=True)
    ]
    if layout == "merged":
        return _written(out, head, rows, ",", "\n")
    out.mkdir(parents=True, exist_ok=True)
    for number, row in enumerate(rows, 1):
        _written(out / f"reg_img{number}.csv", head, [row], ", ", "\r\n")
    return out


def _values(frames: int, place: Sequence[int], units: Mapping[int, float], seed: int) -> Array:
    """Intensities `T 17`, 0 to 5, two decimals."""
    unknown = set(units) - set(AUS)
    if unknown:
        raise InputError(f"units {sorted(unknown)}: OpenFace has {', '.join(map(str, AUS))}")
    rng = keyed_generator(seed, "openface-table")
    rest = np.where(rng.random(len(AUS)) < 0.55, rng.uniform(0.3, 1.3, len(AUS)), 0.0)
    time = np.linspace(0, 1, frames)[:, None]
    turns, phase = rng.uniform(0.3, 1.2, len(AUS)), rng.uniform(0, 2 * np.pi, len(AUS))
    wander = np.sin(2 * np.pi * turns * time + phase) - np.sin(phase)
    values = rest + DRIFT * wander * rng.uniform(0.2, 1, len(AUS))
    level = onset_apex_offset(frames, onset=place[0], apex=place[1], offset=place[2])
    for au, rise in units.items():
        values[:, AU_INDEX[au]] += level * rise
    values += TREMBLE * rng.standard_normal(values.shape)
    out: Array = np.clip(values, 0, 5).round(2)
    return out


def _presence(values: Array) -> Array:
    """`T 18`, 0 or 1; AU28 has no intensity and is never there."""
    high = (values > values[0] + PRESENT) | (values > 1)
    out = np.zeros((len(values), len(PRESENCE_AUS)))
    for i, au in enumerate(PRESENCE_AUS):
        if au in AU_INDEX:
            out[:, i] = high[:, AU_INDEX[au]]
    return out


def _video(path: Path, values: Array, present: Array, fps: float, seed: int) -> Path:
    points = range(LANDMARKS)
    head = ["frame", "timestamp", "confidence", "success"]
    head += [f"gaze_{eye}_{axis}" for eye in (0, 1) for axis in "xyz"]
    head += [f"pose_{kind}{axis}" for kind in "TR" for axis in "xyz"]
    head += [f"{axis}_{i}" for axis in "xyXYZ" for i in points]
    head += ["p_scale", "p_rx", "p_ry", "p_rz", "p_tx", "p_ty"]
    head += [f"p_{i}" for i in range(SHAPE_MODES)]
    between = len(head) - 4
    rng = keyed_generator(seed, "openface-video")
    still, moves = rng.normal(0, 40, between), rng.normal(0, 0.2, (len(values), between))
    rows = [
        [
            str(i + 1), f"{i / fps:.6g}", f"{0.95 + 0.03 * rng.random():.6g}", "1",
            *(f"{v:.6g}" for v in still + move), *(f"{v:.6g}" for v in x),
            *(f"{v:.0f}" for v in c),
        ]
        for i, (move, x, c) in enumerate(zip(moves, values, present, strict=True))
    ]  # fmt: skip
    return _written(path, [*head, *VALUE_COLUMNS, *PRESENCE_COLUMNS], rows, ",", "\n", ", ")


def _written(
    path: Path, head: list[str], rows: Sequence[Sequence[Any]], sep: str, end: str,
    head_sep: str | None = None,
) -> Path:  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [(head_sep or sep).join(head), *(sep.join(row) for row in rows)]
    path.write_text(end.join(lines) + end, newline="")
    return path
