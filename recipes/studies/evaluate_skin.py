"""Does rendered skin change as real skin does? Oriented gradients by AU, on videos of real people.

    python recipes/studies/evaluate_skin.py
    python recipes/studies/evaluate_skin.py --left-out results/skin      (after learn_skin.py)

Takes sample videos (fetched once), measures the AUs of frames that show an expression, and renders
them on the same person's neutral frame: motion alone, with the drawn creases, with what was learnt
from real frames. What happens to the oriented gradients is compared with what happened in the real
frame: direction (cosine) and size (rendered over real), medians over the frames in which an AU
reaches 1, in the cells where that AU shows. Gradients are FHOG (Felzenszwalb et al. 2010: 31
numbers a cell of 8 pixels) of a face of 112 pixels at 7 to the centimetre, which is what OpenFace's
AU regressors read; frames are turned to the front by their pose first, so that head motion does
not count. With --left-out, "learnt" is what was learnt without the person it is tried on. Some
three minutes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track as progress
from rich.table import Table

from famaug.aus.basis import to_head_axes
from famaug.aus.face_map import FaceMap
from famaug.aus.fit import fit_person
from famaug.aus.flow_and_points import measure_aus
from famaug.errors import RenderError
from famaug.faces.pose import fit_similarity
from famaug.generator.skin.learnt import Learnt, learnt, read_learnt
from famaug.generator.warp import WarpRenderer
from famaug.media.clips import read_frames
from famaug.types import AU_INDEX, Floats, Frames
from famaug.weights.fetch import fetch

Array = NDArray[np.float32]
Region = tuple[float, float, float, float]


class Video(NamedTuple):
    """One sample video: whose it is, its neutral frame, first and last frame, step."""

    person: str
    neutral: int
    first: int
    last: int
    step: int


VIDEOS = {
    "single_face": Video("single_face", 0, 10, 72, 2),
    "wolfgang_langer": Video("wolfgang_langer", 231, 232, 472, 5),
    "wolfgang_langer, crying": Video("wolfgang_langer", 231, 10, 56, 5),
    "franck": Video("franck", 714, 714, 4700, 60),
    "cap12": Video("cap", 28, 28, 900, 16),
    "cap13": Video("cap", 24, 24, 765, 16),
}
"""In between, a hand covers the face of wolfgang_langer; cap12 and cap13 show one man."""
SHOWS = {
    # where an AU shows: x from, to (centimetres from the midline, both sides), y from, to
    1: (0.0, 2.8, 0.6, 4.4), 2: (2.0, 5.2, 0.6, 4.4), 4: (0.0, 2.2, 0.2, 3.2),
    5: (1.4, 5.0, -1.2, 1.4), 6: (1.6, 5.8, -2.6, 0.8), 7: (1.4, 5.4, -1.8, 0.8),
    9: (0.0, 2.6, -3.2, 1.2), 10: (1.0, 4.2, -6.0, -2.2), 12: (1.4, 4.6, -7.2, -2.4),
    14: (2.0, 4.4, -7.8, -5.4), 15: (1.6, 4.2, -9.0, -6.2), 17: (0.0, 2.4, -10.4, -7.4),
    20: (2.0, 4.6, -8.2, -5.4), 23: (0.0, 3.2, -8.6, -5.0),
}  # fmt: skip
SIDE, CELL = 112, 8
PER_CENTIMETRE = 7.0
PRESENT = 1.0
LEAST_FRAMES = 4
_CENTRE_Y = -3.0


def main(
    left_out: Annotated[
        Path | None,
        typer.Option(help="Folder of recipes/studies/learn_skin.py, for people left out."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="JSON to write.")] = None,
) -> None:
    """Compare and print."""
    found: dict[str, dict[int, list[Floats]]] = {}
    for name, video in VIDEOS.items():
        variants = {"motion": None, "drawn": Learnt.nothing(), "learnt": learnt()}
        if left_out is not None:
            variants["learnt"] = read_learnt(left_out / f"without_{video.person}")
        by_au = found.setdefault(video.person, {})
        for au, rows in _video(name, video, list(variants.values())).items():
            by_au.setdefault(au, []).extend(rows)
    _show(found, ["motion", "drawn", "learnt"])
    if out is not None:
        medians = {
            person: {au: np.median(rows, 0).tolist() for au, rows in by_au.items()}
            for person, by_au in found.items()
        }
        out.write_text(json.dumps(medians, indent=1))


def _video(name: str, video: Video, variants: list[Learnt | None]) -> dict[int, list[Floats]]:
    """By AU, a row for each frame that shows it: cosine and size by variant, `V 2`."""
    whole, _ = read_frames(fetch(name.split(",")[0]))
    frames = whole[[video.neutral, *range(video.first, min(video.last, len(whole)), video.step)]]
    seen = measure_aus(frames)
    mesh, track = seen.faces.mesh, seen.track.intensity
    person = fit_person(mesh[0])
    face = FaceMap(person)
    still = fhog(front_crop(face.unroll(grey_of(frames[0]), person.pose)))
    renderers = [_renderer(frames[0], mesh[0], v) for v in variants]
    out: dict[int, list[Floats]] = {}
    for i in progress(range(1, len(frames)), name):
        shown = [au for au in SHOWS if track[i, :, AU_INDEX[au]].mean() >= PRESENT]
        if not np.isfinite(track[i]).all() or not shown:
            continue
        try:
            made = [r.render(track[i][None].astype(np.float32))[0] for r in renderers]
        except RenderError:  # an estimate that folds the mesh
            continue
        pose = fit_similarity(person.neutral, to_head_axes(mesh[i]), person.basis.rest)
        real = fhog(front_crop(face.unroll(grey_of(frames[i]), pose))) - still
        changes = [fhog(front_crop(face.unroll(grey_of(p), person.pose))) - still for p in made]
        for au in shown:
            out.setdefault(au, []).append(_compare(real, changes, au))
    return out


def _renderer(picture: NDArray[np.uint8], mesh: Floats, learnt: Learnt | None) -> WarpRenderer:
    """None is motion alone."""
    return WarpRenderer(picture, mesh, skin=0 if learnt is None else 1, learnt=learnt)


def grey_of(frame: Frames) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)


def front_crop(unrolled: NDArray[np.uint8]) -> Array:
    """`256 256` at 14 pixels a centimetre to `112 112` at 7."""
    edge = (unrolled.shape[0] - 2 * SIDE) // 2
    inner = unrolled[edge : edge + 2 * SIDE, edge : edge + 2 * SIDE].astype(np.float32)
    return np.asarray(cv2.resize(inner, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32)


def fhog(grey: Array) -> Array:
    """Histograms of oriented gradients, `12 12 31`: 18 directions with sign, 9 without, 4 of the
    energy around, each clipped at 0.2 under four normalisations."""
    dx, dy = np.zeros_like(grey), np.zeros_like(grey)
    dx[:, 1:-1], dy[1:-1] = grey[:, 2:] - grey[:, :-2], grey[2:] - grey[:-2]
    size = np.hypot(dx, dy)
    direction = np.round(np.arctan2(dy, dx) / (np.pi / 9)).astype(int) % 18
    count = SIDE // CELL
    cells = np.zeros((count + 2, count + 2, 18), np.float32)
    at = (np.arange(SIDE) + 0.5) / CELL + 0.5  # in cells, an empty one before the first
    first, share = at.astype(int), at - at.astype(int)
    for row, wy in ((first, 1 - share), (first + 1, share)):
        for column, wx in ((first, 1 - share), (first + 1, share)):
            place = (row[:, None], column[None], direction)
            np.add.at(cells, place, size * (wy[:, None] * wx[None]).astype(np.float32))
    cells = cells[1:-1, 1:-1]
    unsigned = cells[..., :9] + cells[..., 9:]
    energy = np.square(unsigned).sum(-1)
    blocks = energy[:-1, :-1] + energy[1:, :-1] + energy[:-1, 1:] + energy[1:, 1:]
    norms = 1 / np.sqrt(blocks + 1e-4)
    inner, plain = cells[1:-1, 1:-1], unsigned[1:-1, 1:-1]
    signed, without, texture = 0.0, 0.0, []
    for norm in (norms[1:, 1:], norms[1:, :-1], norms[:-1, 1:], norms[:-1, :-1]):
        clipped = np.minimum(inner * norm[..., None], 0.2)
        signed = signed + 0.5 * clipped
        without = without + 0.5 * np.minimum(plain * norm[..., None], 0.2)
        texture.append(0.2357 * clipped.sum(-1))
    return np.concatenate([signed, without, np.stack(texture, -1)], -1).astype(np.float32)


def _compare(real: Array, made: Iterable[Array], au: int) -> Floats:
    """Cosine and size of each change against the real one, where the AU shows: `V 2`."""
    cells = cells_of(SHOWS[au])
    a = real[cells].ravel()
    rows = []
    for change in made:
        b = change[cells].ravel()
        sizes = float(np.linalg.norm(a)), float(np.linalg.norm(b))
        rows.append([float(a @ b) / max(sizes[0] * sizes[1], 1e-9), sizes[1] / max(sizes[0], 1e-9)])
    return np.array(rows, np.float32)


def cells_of(region: Region) -> NDArray[np.bool_]:
    """`12 12`: cells whose centre lies in a region."""
    return within(region, (np.arange(SIDE // CELL - 2) + 1.5) * CELL)


def within(region: Region, at: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """`N N`: of places in rows and columns of a face of 112 pixels, those that lie in a region."""
    x0, x1, y0, y1 = region
    centre = (at - SIDE / 2) / PER_CENTIMETRE
    x, y = np.abs(centre)[None], (_CENTRE_Y - centre)[:, None]
    return np.asarray((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1))


def _show(found: dict[str, dict[int, list[Floats]]], variants: list[str]) -> None:
    table = Table(title="Change of FHOG where the AU shows, rendered against real: cosine / size")
    table.add_column("AU")
    table.add_column("person")
    table.add_column("frames", justify="right")
    for name in variants:
        table.add_column(name, justify="right")
    for au in SHOWS:
        rows = {p: f[au] for p, f in found.items() if len(f.get(au, ())) >= LEAST_FRAMES}
        for person, values in rows.items():
            middle = np.median(values, 0)
            cells = [f"{c:.2f} / {s:.2f}" for c, s in middle]
            table.add_row(f"{au}", person, str(len(values)), *cells)
    Console(width=110).print(table)


if __name__ == "__main__":
    typer.run(main)
