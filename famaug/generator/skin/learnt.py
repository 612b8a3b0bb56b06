"""What real frames say about the shade of an AU: expression ratio images on the mean face.

Where an AU folds the skin of several people alike, the mean of what happened to their skin says
more than a drawing. `recipes/studies/learn_skin.py` makes the maps (`learnt.png`: left halves, a
column an AU, dark where skin darkens) and says how much of the drawn creases stays beside them
(`learnt.json`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.errors import WeightsError
from famaug.generator.skin.relief import COARSE, HEIGHT, WIDTH
from famaug.types import AU_INDEX, AUS

PICTURE, TABLE = "learnt.png", "learnt.json"
_HALF = (-(-HEIGHT // COARSE), WIDTH // 2 // COARSE + 1)
_MIDDLE = 128


@dataclass(frozen=True, eq=False)
class Learnt:
    """What is added to the drawn creases, and what of them is kept.

    Attributes:
        maps: float32 `17 HEIGHT WIDTH`, log of light at intensity 5 when both sides act, on the
            map of `famaug.generator.skin.relief`.
        creases: float32 `17`, what the drawn creases are multiplied by.
    """

    maps: NDArray[np.float32]
    creases: NDArray[np.float32]

    @classmethod
    def nothing(cls) -> Learnt:
        """Drawn creases alone."""
        return cls(np.zeros((len(AUS), HEIGHT, WIDTH), np.float32), np.ones(len(AUS), np.float32))


@cache
def learnt() -> Learnt:
    """What ships.

    Raises:
        WeightsError: the files in the package are damaged.
    """
    return read_learnt(Path(__file__).parent)


def read_learnt(folder: Path) -> Learnt:
    """Reads `learnt.png` and `learnt.json`.

    Raises:
        WeightsError: one is missing, or they do not fit each other.
    """
    try:
        table = json.loads((folder / TABLE).read_text())
        units = [int(au) for au in table["maps"]]
        kept = {int(au): float(v) for au, v in table["creases"].items()}
        full = float(table["full"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        raise WeightsError(f"{folder / TABLE} cannot be read: {e}; reinstall famaug") from e
    stored = cv2.imread(str(folder / PICTURE), cv2.IMREAD_GRAYSCALE)
    wanted = (_HALF[0], _HALF[1] * len(units))
    if stored is None or stored.shape != wanted or not {*units, *kept} <= set(AUS):
        seen = None if stored is None else stored.shape
        raise WeightsError(
            f"{folder / PICTURE}: {wanted} asked for the AUs {units}, {seen} seen; reinstall famaug"
        )
    out = Learnt.nothing()
    for i, au in enumerate(units):
        half = stored[:, i * _HALF[1] : (i + 1) * _HALF[1]].astype(np.float32) - _MIDDLE
        out.maps[AU_INDEX[au]] = _whole(half * (full / (_MIDDLE - 1)))
    for au, share in kept.items():
        out.creases[AU_INDEX[au]] = share
    return out


def write_learnt(folder: Path, what: Learnt, notes: dict[str, object]) -> None:
    """Writes both files; AUs without a map are left out, and creases that stay as they are.

    Args:
        folder: where to.
        what: maps and creases; only the left halves of the maps are kept.
        notes: added to the table.

    Raises:
        WeightsError: no AU has a map.
    """
    units = [au for au in AUS if what.maps[AU_INDEX[au]].any()]
    if not units:
        raise WeightsError(f"{folder}: nothing to write, no AU has a map")
    full = float(np.abs(what.maps).max())
    strip = np.concatenate([_half(what.maps[AU_INDEX[au]]) / full for au in units], 1)
    values = np.round(_MIDDLE + strip * (_MIDDLE - 1)).astype(np.uint8)
    ok, png = cv2.imencode(".png", values, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not ok:
        raise WeightsError(f"the maps of AUs {units} cannot be written as a picture")
    creases = {
        str(au): round(float(what.creases[AU_INDEX[au]]), 3)
        for au in AUS
        if what.creases[AU_INDEX[au]] != 1
    }
    table = {"maps": units, "full": full, "creases": creases, **notes}
    (folder / PICTURE).write_bytes(png.tobytes())
    (folder / TABLE).write_text(json.dumps(table, indent=1) + "\n")


def _half(whole: NDArray[np.float32]) -> NDArray[np.float32]:
    """The left half from the midline outwards, every `COARSE`-th pixel of the smoothed map."""
    smooth = cv2.GaussianBlur(whole, (0, 0), 0.5 * COARSE)
    out: NDArray[np.float32] = smooth[::COARSE, WIDTH // 2 :: COARSE]
    padded = np.zeros(_HALF, np.float32)
    padded[:, : out.shape[1]] = out
    return padded


def _whole(half: NDArray[np.float32]) -> NDArray[np.float32]:
    """Both halves at the map's size."""
    x = np.abs(np.arange(WIDTH) - WIDTH // 2) / COARSE
    y = np.arange(HEIGHT) / COARSE
    gx, gy = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    out: NDArray[np.float32] = cv2.remap(half, gx, gy, cv2.INTER_LINEAR)
    return out
