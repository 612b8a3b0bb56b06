"""Real video replayed on its own neutral frame: how much of the real change does a rendering make?

    python recipes/studies/replay.py --out results/replay.json

Takes the sample videos of evaluate_skin.py (fetched once), measures the AUs of frames that show an
expression, renders these on the same person's neutral frame, and compares the two changes where the
AU shows: as FHOG (what OpenFace's AU regressors read), and as brightness. Both frames are turned to
the front by their pose first. A number is the size of the rendered change over the size of the real
one, 1 where they are alike, and the cosine between them. Real frames also change where nobody
moves (noise, light, a pose not quite met): the median change of the frames in which no AU of that
region is read above 0.3 is taken off the real size, as squares. Medians over the frames in which
the AU is read at 1 or more; AUs that eyes do not confirm in a video (learn_skin.py's `FALSE`) are
left out. Some three minutes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from evaluate_skin import (
    LEAST_FRAMES,
    PRESENT,
    SHOWS,
    SIDE,
    VIDEOS,
    Region,
    Video,
    cells_of,
    fhog,
    front_crop,
    grey_of,
    within,
)
from learn_skin import FALSE
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
from famaug.generator.warp import WarpRenderer
from famaug.media.clips import read_frames
from famaug.types import AU_INDEX, Floats
from famaug.weights.fetch import fetch

Array = NDArray[np.float32]
REGIONS: dict[int, Region] = {
    **SHOWS,
    25: (0.0, 2.6, -8.4, -5.4), 26: (0.0, 2.8, -11.0, -5.4), 45: (1.4, 4.6, -1.0, 1.0),
}  # fmt: skip
"""`SHOWS`, and where lips part, jaws drop and eyes close."""
QUIET = 0.3
"""Mean reading of an AU below which a frame does not show it."""


class Change(NamedTuple):
    """What one frame changes against the neutral one: FHOG `12 12 31` and log of brightness
    `112 112`."""

    gradients: Array
    light: Array


class Seen(NamedTuple):
    """One frame: mean reading by AU `17`, the real change, and the rendered one if it could be."""

    aus: Floats
    real: Change
    made: Change | None


class Row(NamedTuple):
    """Of one AU and person: frames, and of gradients and light the size (rendered over real) and
    the cosine."""

    frames: int
    gradients: tuple[float, float]
    light: tuple[float, float]


def main(
    out: Annotated[Path | None, typer.Option(help="JSON to write.")] = None,
    skin: Annotated[float, typer.Option(help="Strength of furrows and shade.")] = 1.0,
) -> None:
    """Replay and print."""
    people: dict[str, list[Seen]] = {}
    for name, video in VIDEOS.items():
        people.setdefault(video.person, []).extend(_replay(name, video, skin))
    rows = {
        au: {p: row for p, seen in people.items() if (row := compared(seen, au, FALSE[p]))}
        for au in REGIONS
    }
    _show(rows)
    if out is not None:
        out.write_text(json.dumps(rows, indent=1))


def _replay(name: str, video: Video, skin: float) -> list[Seen]:
    whole, _ = read_frames(fetch(name.split(",")[0]))
    frames = whole[[video.neutral, *range(video.first, min(video.last, len(whole)), video.step)]]
    measured = measure_aus(frames)
    mesh, track = measured.faces.mesh, measured.track.intensity
    person = fit_person(mesh[0])
    face = FaceMap(person)
    still = front_crop(face.unroll(grey_of(frames[0]), person.pose))
    renderer = WarpRenderer(frames[0], mesh[0], skin=skin)
    seen = []
    for i in progress(range(1, len(frames)), name):
        if not np.isfinite(track[i]).all():
            continue
        pose = fit_similarity(person.neutral, to_head_axes(mesh[i]), person.basis.rest)
        real = _change(front_crop(face.unroll(grey_of(frames[i]), pose)), still)
        try:
            picture = renderer.render(track[i][None].astype(np.float32))[0]
        except RenderError:  # an estimate that folds the mesh
            made = None
        else:
            made = _change(front_crop(face.unroll(grey_of(picture), person.pose)), still)
        seen.append(Seen(track[i].mean(0), real, made))
    return seen


def _change(now: Array, still: Array) -> Change:
    light = np.log((now + 8) / (still + 8)).astype(np.float32)
    return Change(fhog(now) - fhog(still), light)


def compared(seen: list[Seen], au: int, doubted: tuple[int, ...]) -> Row | None:
    """An AU in the frames of one person; None where too few show it, or eyes doubt it."""
    k = AU_INDEX[au]
    shown = [s for s in seen if s.aus[k] >= PRESENT and s.made is not None]
    if au in doubted or len(shown) < LEAST_FRAMES:
        return None
    near = [AU_INDEX[other] for other in REGIONS if _overlap(REGIONS[au], REGIONS[other])]
    rest = [s for s in seen if (s.aus[near] < QUIET).all()]
    gradients = cells_of(REGIONS[au])
    light = within(REGIONS[au], np.arange(SIDE) + 0.5)
    return Row(
        len(shown),
        _size_and_cosine(
            [(s.real.gradients[gradients], s.made.gradients[gradients]) for s in shown if s.made],
            [s.real.gradients[gradients] for s in rest],
        ),
        _size_and_cosine(
            [(s.real.light[light], s.made.light[light]) for s in shown if s.made],
            [s.real.light[light] for s in rest],
        ),
    )


def _size_and_cosine(pairs: list[tuple[Array, Array]], rest: list[Array]) -> tuple[float, float]:
    noise = float(np.median([np.square(r).sum() for r in rest])) if rest else 0.0
    sizes, cosines = [], []
    for real, made in pairs:
        own, ours = float(np.square(real).sum()), float(np.square(made).sum())
        # a change no larger than noise says nothing of size; half of it is kept then
        sizes.append(np.sqrt(ours / max(own - noise, own / 4, 1e-12)))
        cosines.append(float((real * made).sum()) / max(np.sqrt(own * ours), 1e-12))
    return float(np.median(sizes)), float(np.median(cosines))


def _overlap(a: Region, b: Region) -> bool:
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]


def _show(rows: dict[int, dict[str, Row]]) -> None:
    table = Table(title="Rendered over real change, size / cosine")
    for column in ("AU", "person", "frames", "gradients", "brightness"):
        table.add_column(column)
    for au, people in rows.items():
        for person, row in people.items():
            cells = [f"{size:.2f} / {cosine:.2f}" for size, cosine in row[1:]]
            table.add_row(f"{au:02d}", person, str(row.frames), *cells)
    Console(width=100).print(table)


if __name__ == "__main__":
    typer.run(main)
