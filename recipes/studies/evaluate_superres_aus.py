"""What sharpeners do to AUs: the table of docs/superres.md.

    python recipes/studies/evaluate_superres_aus.py faces compact realsr realesrgan

scikit-image's portrait in pictures of 64, 128 and 192 pixels, and clips of it (four frames of AU4
or AU12 to 1 of 5) of 64 and 128. See `famaug.superres.check.au_change`.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np

from famaug import Synthesizer
from famaug.commands.terminal import run
from famaug.errors import SmallFaceWarning
from famaug.faces.mesher import FaceMesher
from famaug.seeding import keyed_generator
from famaug.superres.check import au_change
from famaug.superres.upscale import Upscaler
from famaug.types import Frames

SIDES, CLIP_SIDES = (64, 128, 192), (64, 128)
EXPRESSIONS = ("aus:4=1", "aus:12=1")


def main() -> int:
    arguments = parse_arguments()
    warnings.simplefilter("ignore", SmallFaceWarning)
    mesher = FaceMesher()
    clips = {(s, e): render(s, e) for s in SIDES for e in EXPRESSIONS}
    print("| model | picture | shown | face px | mean | largest | which |")
    print("|---|---|---|---|---|---|---|")
    for model in arguments.models:
        upscaler = Upscaler(model)
        jobs = [(s, "still", clips[s, EXPRESSIONS[0]][:1]) for s in SIDES]
        jobs += [(s, e, clips[s, e]) for s in CLIP_SIDES for e in EXPRESSIONS]
        for side, name, frames in jobs:
            found = au_change(frames, upscaler.frames(frames), mesher=mesher)
            print(
                f"| {model} | {side} | {name} | {found.face:.0f} | {found.mean:.3f} | "
                f"{found.largest:.2f} | {found.unit} |",
                flush=True,
            )
    return 0


def render(side: int, expression: str) -> Frames:
    from skimage.data import astronaut

    synthesizer = Synthesizer(size=side)
    drawn = keyed_generator(0, "bench", "superres")
    plan = synthesizer.plan(expression, np.asarray(astronaut(), np.uint8), drawn)
    frames = synthesizer.render([plan])[0]
    chosen = np.linspace(0, len(frames) - 1, 8).round().astype(int)[::2]
    return np.ascontiguousarray(frames[chosen])


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+")
    return parser.parse_args()


if __name__ == "__main__":
    run(main, "evaluate_superres_aus")
