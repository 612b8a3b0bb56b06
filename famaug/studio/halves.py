"""Upper and lower half of a face's clip, and what each is to show, in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from famaug.aus.facs import parse_facs
from famaug.aus.names import FACS_NAMES
from famaug.errors import FaceError, MediaError
from famaug.faces.mesher import FaceMesher
from famaug.files.delimited import fitted, rows_of
from famaug.studio.ratings import Half
from famaug.types import AU_INDEX, Floats, Frames

UPPER = (1, 2, 4, 5, 6, 7, 45)
BRIDGE, TIP = 168, 1
"""Points of the mesh: between the eyes, and the tip of the nose."""
TABLE = "aus.csv"
"""In a folder of real clips: clip and aus, as "EP02_01f,4+L7"."""
AT_REST = "none: this half stays at rest"
SHOWN_FROM = 0.2
"""Intensity from which an AU is named."""


def half_of(frames: Frames, mesher: FaceMesher, half: Half) -> Frames:
    """A half of a clip, cut midway down the nose of its first face; at the middle where there is
    none."""
    height = frames.shape[1]
    try:
        mesh = mesher.find(frames[0])
        row = round(float(mesh[BRIDGE, 1] + mesh[TIP, 1]) / 2)
    except FaceError:
        row = height // 2
    row = min(max(row, 1), height - 1)
    return np.ascontiguousarray(frames[:, :row] if half == "upper" else frames[:, row:])


def named_aus(intensity: Floats, half: Half) -> str:
    """What intensities `T 2 17` show in a half: "AU4 brow lowerer, AU7 lid tightener (left)"."""
    peak = intensity.max(0)
    parts = []
    for au, at in AU_INDEX.items():
        left, right = peak[:, at] >= SHOWN_FROM
        if (au in UPPER) == (half == "upper") and (left or right):
            side = "" if left and right else " (left)" if left else " (right)"
            parts.append(f"AU{au} {FACS_NAMES[au]}{side}")
    return ", ".join(parts) or AT_REST


def read_aus(folder: Path) -> dict[str, Floats]:
    """The annotated AUs of real clips, as intensities `1 2 17`, by the clip's name without suffix.

    Raises:
        MediaError: no table, or one without the columns clip and aus.
        InputError: an annotation that cannot be read.
    """
    path = folder / TABLE
    if not path.exists():
        raise MediaError(
            f"{path} is needed: a line a clip, `clip,aus`, with its AUs as annotated (4+L7). "
            "Without them raters would know the real clips by what is not asked of them"
        )
    named = ("clip", "aus")
    with rows_of(
        path, known=lambda c: c.strip().lower() in named, at_most=8 << 20, error=MediaError
    ) as rows:
        head = [cell.strip().lower() for cell in next(rows, (0, [""]))[1]]
        if not set(named) <= set(head):
            raise MediaError(f"{path} has the columns {', '.join(head)}; clip and aus are needed")
        at, what = head.index("clip"), head.index("aus")
        cells = [fitted(row, head, path, MediaError) for row in rows]
    return {Path(c[at].strip()).stem: _intensity(c[what]) for c in cells}


def _intensity(text: str) -> Floats:
    found = np.zeros((1, 2, len(AU_INDEX)), np.float32)
    for unit in parse_facs(text):
        if unit.shown:
            sides = {"left": [0], "right": [1], "both": [0, 1]}[unit.side]
            found[0, sides, AU_INDEX[unit.au]] = unit.intensity(1.0)
    return found
