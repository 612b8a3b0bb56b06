"""Does rendered skin change as real skin does? Oriented gradients, on videos of real faces.

    python recipes/evaluate_skin.py

Takes sample videos (fetched once), measures the AUs of frames that show an expression, renders
them on the same person's neutral frame with and without skin, and compares what happens to the
oriented gradients (HOG, what appearance-based AU regressors read) with what happened in the real
frame: direction (cosine) and size (rendered over real), by region, medians over frames. Frames are
turned to the front by their pose first, so that head motion does not count. Some three minutes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track as progress
from rich.table import Table
from skimage.feature import hog

from famaug.aus.basis import to_head_axes
from famaug.aus.estimator import measure_aus
from famaug.aus.face_map import SCALE, SIZE, FaceMap
from famaug.aus.fit import fit_person
from famaug.clip import read_frames
from famaug.errors import RenderError
from famaug.faces.pose import fit_similarity
from famaug.generator.warp import WarpRenderer
from famaug.types import Frames
from famaug.weights.fetch import fetch

VIDEOS = {
    # name: neutral frame, first and last frame, step
    "single_face": (0, 30, 72, 3),
    "wolfgang_langer": (231, 40, 340, 6),
    "franck": (714, 714, 4700, 60),
    "cap12": (28, 28, 900, 16),
}
REGIONS = {
    # name: x from, to (centimetres from the midline, both sides), y from, to (from the eye line)
    "glabella": (0.0, 1.6, 0.3, 3.0),
    "forehead": (0.0, 4.5, 2.2, 4.6),
    "nose root": (0.0, 2.0, -2.6, 0.6),
    "eye and cheek": (1.6, 5.6, -2.2, 0.6),
    "nasolabial": (1.4, 4.4, -6.6, -2.6),
    "mouth": (0.0, 3.2, -8.2, -5.2),
    "mouth corner": (2.2, 4.2, -8.2, -5.6),
    "chin": (0.0, 2.0, -10.4, -8.0),
}
SIDE = 144
"""Pixels of the map that is read: 8 to the centimetre, about what regressors look at."""
CELL = 8
STRONG = 1.0
"""Frames in which some AU reaches this are compared."""
_CENTRE_Y = -3.0


@dataclass(frozen=True)
class Compared:
    """Cosines and size ratios, by region, a value a frame."""

    cosine: dict[str, list[float]]
    size: dict[str, list[float]]


def main(
    out: Annotated[Path | None, typer.Option(help="JSON to write.")] = None,
    skins: Annotated[str, typer.Option(help="Strengths of skin to compare.")] = "0,1",
) -> None:
    """Compare and print."""
    strengths = [float(s) for s in skins.split(",")]
    figures = {}
    for name, (neutral, first, last, step) in VIDEOS.items():
        figures[name] = _video(name, neutral, range(first, last, step), strengths)
    _show(figures, strengths)
    if out is not None:
        out.write_text(json.dumps(figures, indent=1))


def _video(
    name: str, neutral: int, numbers: range, strengths: list[float]
) -> dict[str, dict[str, dict[str, float]]]:
    whole, _ = read_frames(fetch(name))
    frames = whole[[neutral, *(n for n in numbers if n < len(whole))]]
    seen = measure_aus(frames)
    mesh, track = seen.faces.mesh, np.nan_to_num(seen.track.intensity)
    person = fit_person(mesh[0])
    face = FaceMap(person)
    still = _gradients(face.unroll(_grey(frames[0]), person.pose))
    shown = [
        i
        for i in range(1, len(frames))
        if np.isfinite(seen.track.intensity[i]).all() and track[i].max() >= STRONG
    ]
    found = {}
    for skin in strengths:
        renderer = WarpRenderer(frames[0], mesh[0], skin=skin)
        compared = Compared({r: [] for r in REGIONS}, {r: [] for r in REGIONS})
        for i in progress(shown, f"{name}, skin {skin:g}"):
            try:
                picture = renderer.render(track[i][None].astype(np.float32))[0]
            except RenderError:
                continue
            pose = fit_similarity(person.neutral, to_head_axes(mesh[i]), person.basis.rest)
            real = _gradients(face.unroll(_grey(frames[i]), pose)) - still
            made = _gradients(face.unroll(_grey(picture), person.pose)) - still
            _compare(real, made, compared)
        found[f"skin {skin:g}"] = {
            region: {
                "cosine": float(np.median(compared.cosine[region])),
                "size": float(np.median(compared.size[region])),
                "frames": len(compared.size[region]),
            }
            for region in REGIONS
        }
    return found


def _grey(frame: Frames) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)


def _gradients(unrolled: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Histograms of oriented gradients, `17 17 36`, one for each block of 2 x 2 cells."""
    small = cv2.resize(unrolled, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    blocks = hog(
        small.astype(np.float32) / 255, orientations=9, pixels_per_cell=(CELL, CELL),
        cells_per_block=(2, 2), feature_vector=False,
    )  # fmt: skip
    return np.asarray(blocks, np.float32).reshape(*blocks.shape[:2], -1)


def _compare(real: NDArray[np.float32], made: NDArray[np.float32], into: Compared) -> None:
    for region in REGIONS:
        blocks = _blocks(region, real.shape[0])
        a, b = real[blocks].ravel(), made[blocks].ravel()
        size_a, size_b = float(np.linalg.norm(a)), float(np.linalg.norm(b))
        into.cosine[region].append(float(a @ b) / max(size_a * size_b, 1e-9))
        into.size[region].append(size_b / max(size_a, 1e-9))


def _blocks(region: str, count: int) -> NDArray[np.bool_]:
    """Which blocks have their centre in a region."""
    x0, x1, y0, y1 = REGIONS[region]
    centre = (np.arange(count) * CELL + CELL) * (SIZE / SIDE)
    x = np.abs((centre - SIZE / 2) / SCALE)[None]
    y = (-(centre - SIZE / 2) / SCALE + _CENTRE_Y)[:, None]
    return (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)


def _show(
    figures: dict[str, dict[str, dict[str, dict[str, float]]]], strengths: list[float]
) -> None:
    table = Table(title="Change of oriented gradients, rendered against real: cosine / size")
    table.add_column("region")
    for name in figures:
        for skin in strengths:
            table.add_column(f"{name} skin {skin:g}", justify="right")
    for region in REGIONS:
        cells = [
            f"{f[f'skin {s:g}'][region]['cosine']:.2f} / {f[f'skin {s:g}'][region]['size']:.2f}"
            for f in figures.values()
            for s in strengths
        ]
        table.add_row(region, *cells)
    Console(width=150).print(table)


if __name__ == "__main__":
    typer.run(main)
