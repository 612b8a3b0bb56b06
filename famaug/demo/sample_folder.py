"""A folder of small inputs that may be passed on: what README's commands are tried with."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from famaug import samples
from famaug.errors import InputError
from famaug.media.clips import read_picture, write_clip
from famaug.people.datasets import release_named
from famaug.pipeline.inputs import Identity
from famaug.pipeline.synthesizer import Synthesizer
from famaug.seeding import keyed_generator
from famaug.testing.replica import make_replica

FACE, DRIVER = "woman_31", "man_30"
SMALL = 192
"""Side of the small portrait in pixels; its face is 80 across."""
EXPRESSION = "aus:12=2,6=1"
CLIP_SIDE, FPS, REST = 320, 100.0, 10
"""The clip: its side, its frame rate, and how long the face rests before and after."""
NOTE = f"""Sample inputs of famaug. All may be used and passed on.

faces/      eight people who do not exist, made with Stable Diffusion 3, CC0 1.0
            (https://github.com/faker-js/assets-person-portrait)
face.png    one of them, {FACE}; small.png is the same, smaller
clip.mp4    another, {DRIVER}, rendered by famaug: {EXPRESSION}
"""


def write_samples(out: Path, *, datasets: tuple[str, ...] = ()) -> dict[str, Any]:
    """Write `faces/`, `face.png`, `small.png` and `clip.mp4`; returns their paths by name.

    Args:
        out: a new or empty folder.
        datasets: any names of releases, each written as a small replica, `CASME2/` for "casme2".

    Raises:
        InputError: the folder holds something, or an unknown release.
    """
    names = [release_named(name).name for name in datasets]
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: samples are written into a new or empty folder")
    out.mkdir(parents=True, exist_ok=True)
    shutil.copytree(samples.FOLDER, out / "faces")
    picture = read_picture(samples.face(FACE))
    small = cv2.resize(picture, (SMALL, SMALL), interpolation=cv2.INTER_AREA)
    for name, pixels in (("face.png", picture), ("small.png", small)):
        Image.fromarray(pixels).save(out / name)
    write_smile(out / "clip.mp4")
    note = NOTE
    for name in names:
        small_replica(name, out / name.upper())
        note += f"{name.upper()}/  a replica of that release: its layout and table, no real clip\n"
    (out / "README.txt").write_text(note)
    return {p.name: str(p) for p in sorted(out.iterdir())}


def small_replica(
    name: str, root: Path, *, clips: int = 16, longest: int = 25, seed: int = 0
) -> Path:
    """Four people's clips of at most `longest` frames from onset to offset, 224 x 186."""
    return make_replica(
        name,
        root,
        identities=samples.FOLDER,
        subjects=4,
        clips=clips,
        size=(224, 186),
        longest=longest,
        seed=seed,
    )


def write_smile(path: Path) -> None:
    """The clip: a smile, with rest before and after it."""
    synthesizer = Synthesizer(size=CLIP_SIDE, fps=FPS)
    rng = keyed_generator(0, "samples")
    plan = synthesizer.plan(EXPRESSION, Identity.of(samples.face(DRIVER)), rng)
    moving = synthesizer.render([plan])[0]
    still = np.repeat(synthesizer.still(plan)[None], REST, 0)
    write_clip(path, np.concatenate([still, moving, still]), fps=FPS, plan=None)
