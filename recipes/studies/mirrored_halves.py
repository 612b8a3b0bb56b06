"""Whether the side that an expression is on is told apart, natively and by mirrored halves.

    python recipes/studies/mirrored_halves.py FACES

FACES are pictures of faces at rest that look into the camera; without it those that ship are taken.
AU12 and AU14 are rendered by the warp at 1.5 on one side only, and measured at the apex by famaug's
own estimator as it is, and on each half face mirrored into a whole one (`halves:flow`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from faces import usable_faces
from rich.progress import track as progress

from famaug import samples
from famaug.aus.estimators import find_estimator
from famaug.aus.protocol import measure
from famaug.errors import FaceError
from famaug.faces.align import crop_face
from famaug.generator.warp import WarpRenderer
from famaug.media.clips import frame_paths
from famaug.types import AU_INDEX, AUS

AS_ASKED = (0, 0.75, 1.5)
"""Intensities of the three frames."""
SIZE = 256


def main(
    faces: Annotated[Path | None, typer.Argument(help="Folder of faces at rest.")] = None,
) -> None:
    """Print in how many clips the side asked for reads higher, and the mean readings."""
    paths = list(samples.faces().values()) if faces is None else frame_paths(faces)
    estimators = {name: find_estimator(name) for name in ("flow", "halves:flow")}
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in estimators}
    clips = 0
    for picture, mesh in progress(usable_faces(paths), "faces"):
        renderer = WarpRenderer(*crop_face(picture, mesh, SIZE)[:2])
        for unit, side in ((u, s) for u in (12, 14) for s in (0, 1)):
            asked = np.zeros((len(AS_ASKED), 2, len(AUS)), np.float32)
            asked[:, side, AU_INDEX[unit]] = AS_ASKED
            frames, clips = renderer.render(asked), clips + 1
            for name, estimator in estimators.items():
                try:
                    sides = measure(estimator, frames).intensity[-1, :, AU_INDEX[unit]]
                except FaceError:  # a mirrored half is not taken for a face
                    continue
                seen[name].append((float(sides[side]), float(sides[1 - side])))
    for name, pairs in seen.items():
        own, other = np.transpose(pairs)
        typer.echo(
            f"{name:12s} right in {int((own > other).sum())} of {clips} clips, no answer in "
            f"{clips - len(pairs)}; {own.mean():.2f} on the side asked for, {other.mean():.2f} on "
            "the other"
        )


if __name__ == "__main__":
    typer.run(main)
