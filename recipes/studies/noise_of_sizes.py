"""What FAMGAN's Eq. 1 (averaging over sizes) takes off the noise of a resting face.

    python recipes/studies/noise_of_sizes.py                     # the fetched sample video
    python recipes/studies/noise_of_sizes.py my.mp4 --rest 10    # yours; its first 10 are at rest

Noise is the root mean square of the frame-to-frame differences over the frames at rest, divided by
the square root of 2, over all AUs and both sides.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer

from famaug.aus.flow_and_points import measure_aus
from famaug.faces.mesher import PAPER_SIZES, FaceMesher
from famaug.media.clips import read_frames
from famaug.weights.fetch import fetch


def main(
    video: Annotated[Path | None, typer.Argument(help="A clip that begins at rest.")] = None,
    rest: Annotated[int, typer.Option(help="How many frames at its start are at rest.")] = 11,
) -> None:
    """Print the noise with one size and with five, for both backends."""
    frames, _ = read_frames(video or fetch("single_face"), stop=rest)
    mesher = FaceMesher()
    backends: tuple[Literal["points", "flow"], ...] = ("points", "flow")
    for backend in backends:
        one, five = (
            measure_aus(frames, neutral=(0, 3), sizes=sizes, backend=backend, mesher=mesher)
            for sizes in ((0,), PAPER_SIZES)
        )
        before, after = _noise(one.track.intensity), _noise(five.track.intensity)
        typer.echo(
            f"{backend:7s} one size {before:.4f}, five {after:.4f} ({after / before - 1:+.0%}); "
            f"the five meshes differ by {five.faces.spread.mean():.2f} px"
        )


def _noise(intensity: np.ndarray) -> float:
    steps = np.diff(np.nan_to_num(intensity), axis=0)
    return float(np.sqrt(np.square(steps).mean() / 2))


if __name__ == "__main__":
    typer.run(main)
