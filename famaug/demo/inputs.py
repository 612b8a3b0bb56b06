"""What the demo works on: a driver's video, the faces that ship, the user's pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from famaug import samples
from famaug.errors import FetchError, InputError
from famaug.files.folders import visible
from famaug.media.clips import PICTURES, read_frames, read_picture
from famaug.pipeline.inputs import Identity
from famaug.pipeline.synthesizer import Synthesizer
from famaug.report.values import ReportDrawing, ReportMedia
from famaug.seeding import keyed_generator
from famaug.types import Clip, ClipRef, Frames
from famaug.weights.fetch import fetch, find_stored
from famaug.weights.registry import find_entry

MAX_IDENTITIES = 6
"""Pictures taken from the user's folder."""
FACES = ("man_30", "woman_31", "woman_27", "woman_62", "man_38_beard", "man_87")
"""Sample faces, in the order in which they are shown."""
VIDEO = "single_face"
STAND_IN, STAND_IN_EXPRESSION, STAND_IN_SIDE = "man_55_glasses", "aus:12=3,6=1.5,25=1", 256
"""Without the video: a face that is rendered as the driver, and what it shows."""


@dataclass
class DemoInputs:
    """What the demo works on.

    Attributes:
        identities: faces at rest, the user's first.
        driver: a clip whose first frames are at rest.
        real: whether the driver is a person's video; else famaug rendered it.
        listed: for the page. notes: what fell short. drawings: figures of the page.
    """

    identities: list[Identity]
    driver: Clip
    real: bool
    listed: list[ReportMedia]
    notes: list[str] = field(default_factory=list)
    drawings: list[ReportDrawing] = field(default_factory=list)


def gather(folder: Path | None, offline: bool, synthesizer: Synthesizer) -> DemoInputs:
    """Faces and a driver; without the video a rendered clip drives, and a note says so."""
    notes: list[str] = []
    faces, listed = _of_folder(folder, notes) if folder is not None else ([], [])
    faces += [_sample(name) for name in FACES]
    listed += [_listed(name, "identity") for name in FACES]
    video = _video(notes, offline)
    if video is None:
        listed.insert(0, _listed(STAND_IN, "driver, rendered"))
        return DemoInputs(faces, _rendered(synthesizer), False, listed, notes)
    frames, fps = video
    entry = find_entry(VIDEO)
    listed.insert(
        0,
        ReportMedia(
            name=entry.filename,
            role="driver",
            licence=entry.licence,
            source=entry.source,
            picture=frames[0],
        ),
    )
    ref = ClipRef("sample", "man", VIDEO, fps=fps, onset=0)
    return DemoInputs(faces, Clip(ref, frames), True, listed, notes)


def _sample(name: str) -> Identity:
    """A face that ships; the picture goes by value, so the cache names no path of this machine."""
    return Identity(read_picture(samples.face(name)), name, name, "samples")


def _listed(name: str, role: str) -> ReportMedia:
    return ReportMedia(
        name=name,
        role=role,
        licence="CC0 1.0; a person who does not exist",
        source="ships with famaug, from faker-js/assets-person-portrait",
        picture=read_picture(samples.face(name)),
    )


def _video(notes: list[str], offline: bool) -> tuple[Frames, float | None] | None:
    try:
        path = find_stored(VIDEO) if offline else fetch(VIDEO)
    except FetchError as e:
        notes.append(f"The driver's video could not be fetched: {e}. {_STAND_IN_NOTE}")
        return None
    if path is None:
        notes.append(
            f"The driver's video was not fetched before, and this is offline. {_STAND_IN_NOTE}"
        )
        return None
    return read_frames(path)


_STAND_IN_NOTE = (
    "A clip that famaug rendered itself drives the first clip in its place: it shows the way from "
    "pixels to pixels, and nothing about real faces."
)


def _rendered(synthesizer: Synthesizer) -> Clip:
    """A stand-in driver: three frames at rest, then an expression drawn by rule."""
    maker = Synthesizer(size=STAND_IN_SIDE, fps=synthesizer.fps)
    rng = keyed_generator(0, "demo", "stand-in")
    plan = maker.plan(STAND_IN_EXPRESSION, _sample(STAND_IN), rng)
    still = np.repeat(maker.still(plan)[None], 3, 0)
    frames = np.concatenate([still, maker.render([plan])[0]])
    ref = ClipRef("samples", STAND_IN, "rendered", fps=plan.fps, onset=0)
    return Clip(ref, frames)


def _of_folder(folder: Path, notes: list[str]) -> tuple[list[Identity], list[ReportMedia]]:
    paths = [p for p in visible(folder) if p.suffix.lower() in PICTURES] if folder.is_dir() else []
    if not paths:
        raise InputError(f"--identities {folder}: a folder of pictures was asked for; found none")
    faces, listed = [], []
    for path in paths[:MAX_IDENTITIES]:
        picture = read_picture(path)
        faces.append(Identity(picture, path.stem, source=str(path)))
        listed.append(
            ReportMedia(
                name=path.name,
                role="identity",
                licence="as its owner says",
                source="your folder",
                picture=picture,
            )
        )
    if len(paths) > MAX_IDENTITIES:
        notes.append(
            f"{len(paths)} pictures are in the folder; the first {MAX_IDENTITIES} are shown."
        )
    return faces, listed
