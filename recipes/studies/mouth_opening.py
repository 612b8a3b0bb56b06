"""How far do mouths open in real video, and how far when the same measured AUs are rendered?

    python recipes/studies/mouth_opening.py

Takes the sample videos of evaluate_skin.py (fetched once), measures the AUs of every frame, and
moves the same person's neutral mesh by them. Printed are medians in centimetres of the head frame
over frames that open by about as much, against the neutral frame: distance of the inner lips, and
how far the skin over the chin's bone goes down, in the real frame and in the rendered one. Of a
real chin the mesh net shows about three quarters (point 199: 1.16 of 1.57 cm on rendered heads),
of real lips a little more than all. Some two minutes.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import typer
from evaluate_skin import VIDEOS, Video
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track as progress
from rich.table import Table

from famaug.aus.basis import to_head_axes
from famaug.aus.fit import fit_person
from famaug.aus.flow_and_points import measure_aus
from famaug.faces.pose import fit_similarity
from famaug.generator.motion.face_motion import FaceMotion
from famaug.media.clips import read_frames
from famaug.types import AU_INDEX
from famaug.weights.fetch import fetch

Array = NDArray[np.float64]
UPPER, LOWER, CHIN = (13, 312, 82), (14, 317, 87), 199
FROM = (0.15, 0.4, 0.8, 3.0)
"""Centimetres: how far lips have opened, in steps."""
LEAST_FRAMES = 3


def main() -> None:
    """Compare and print."""
    rows: dict[str, list[list[float]]] = {}
    for name, video in progress(VIDEOS.items(), "videos"):
        rows.setdefault(video.person, []).extend(_video(name, video))
    table = Table(title="Opening of the lips and way of the chin, cm: rendered / real")
    for column in ("person", "opened by", "frames", "AU25", "AU26", "lips", "chin"):
        table.add_column(column, justify="left" if column == "person" else "right")
    for person, found in rows.items():
        values = np.array(found)
        for low, high in pairwise(FROM):
            some = values[(values[:, 2] > low) & (values[:, 2] <= high)]
            if len(some) < LEAST_FRAMES:
                continue
            au25, au26, lips, made_lips, chin, made_chin = np.median(some, 0)
            table.add_row(
                person, f"{low:g}-{high:g}", str(len(some)), f"{au25:.1f}", f"{au26:.1f}",
                f"{made_lips:.2f} / {lips:.2f}", f"{made_chin:.2f} / {chin:.2f}",
            )  # fmt: skip
    Console().print(table)


def _video(name: str, video: Video) -> list[list[float]]:
    """Of each frame: AU25, AU26, how far real and rendered lips open, how far chins go down."""
    whole, _ = read_frames(fetch(name.split(",")[0]))
    frames = whole[[video.neutral, *range(video.first, min(video.last, len(whole)), video.step)]]
    seen = measure_aus(frames)
    mesh, track = seen.faces.mesh, seen.track.intensity
    person, motion = fit_person(mesh[0]), FaceMotion(frames[0], mesh[0])

    def in_head(points: NDArray[np.float32]) -> Array:
        laid = to_head_axes(points)
        out: Array = fit_similarity(laid, person.neutral, person.basis.rest).apply(laid)
        return out

    found = []
    rest = in_head(mesh[0])
    for points, aus in zip(mesh[1:], track[1:], strict=True):
        if not (np.isfinite(points).all() and np.isfinite(aus).all()):
            continue
        shown = np.clip(aus, 0, 5)[None].astype(np.float32)
        real, made = in_head(points), in_head(motion.moved_mesh(shown)[0])
        opened = [_gap(p) - _gap(rest) for p in (real, made)]
        down = [float(rest[CHIN, 1] - p[CHIN, 1]) for p in (real, made)]
        au25, au26 = (float(aus[:, AU_INDEX[au]].mean()) for au in (25, 26))
        found.append([au25, au26, *opened, *down])
    return found


def _gap(points: Array) -> float:
    return float(points[list(UPPER), 1].mean() - points[list(LOWER), 1].mean())


if __name__ == "__main__":
    typer.run(main)
