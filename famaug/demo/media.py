"""What the demo works on: sample videos fetched by name, the astronaut, the user's pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from famaug.clip import PICTURES, read_frames, read_picture
from famaug.errors import FetchError, InputError
from famaug.folders import visible
from famaug.report.values import ReportDrawing, ReportMedia
from famaug.sources import Identity
from famaug.types import Clip, ClipRef, Frames
from famaug.weights.fetch import fetch, find_stored
from famaug.weights.registry import find_entry

MAX_IDENTITIES = 6
"""Pictures taken from the user's folder."""
NEUTRAL_OF_WOMAN = 231
"""Frame of the second sample video at which the face is at rest."""


@dataclass
class Media:
    """What the demo works on."""

    identities: list[Identity]
    driver: Clip | None
    listed: list[ReportMedia]
    notes: list[str] = field(default_factory=list)
    drawings: list[ReportDrawing] = field(default_factory=list)


def gather(folder: Path | None, offline: bool) -> Media:
    """Faces and the driver video; what cannot be had is noted, and the demo goes on without."""
    from skimage.data import astronaut

    portrait = Identity(np.asarray(astronaut(), np.uint8), "astronaut")
    listed = [
        ReportMedia(
            name="astronaut",
            role="identity",
            licence="public domain",
            source="NASA portrait of Eileen Collins, in scikit-image",
            picture=portrait.picture,
        )
    ]
    media = Media([portrait], None, listed)
    man = _sample("single_face.mp4", "single_face", media, offline, "driver and identity")
    if man is not None:
        frames, fps = man
        ref = ClipRef("sample", "man", "single_face", fps=fps, onset=0)
        media.driver = Clip(ref, frames)
        media.identities.append(Identity(frames[0], "man", "man", "sample"))
    woman = _sample("woman", "wolfgang_langer", media, offline, "identity", start=NEUTRAL_OF_WOMAN)
    if woman is not None:
        media.identities.append(Identity(woman[0][0], "woman", "woman", "sample"))
    if folder is not None:
        _add_folder(folder, media)
    return media


def _sample(
    name: str,
    entry_name: str,
    media: Media,
    offline: bool,
    role: str,
    start: int | None = None,
) -> tuple[Frames, float | None] | None:
    try:
        path = find_stored(entry_name) if offline else fetch(entry_name)
    except FetchError as e:
        media.notes.append(f"Sample video {name} could not be fetched, so it is missing here: {e}")
        return None
    if path is None:
        media.notes.append(f"Sample video {name} was not fetched before, and this is offline.")
        return None
    stop = None if start is None else start + 1
    frames, fps = read_frames(path, start=start or 0, stop=stop)
    entry = find_entry(entry_name)
    media.listed.append(
        ReportMedia(
            name=entry.filename,
            role=role,
            licence=entry.licence,
            source=entry.source,
            picture=frames[0],
        )
    )
    return frames, fps


def _add_folder(folder: Path, media: Media) -> None:
    paths = [p for p in visible(folder) if p.suffix.lower() in PICTURES] if folder.is_dir() else []
    if not paths:
        raise InputError(f"--identities {folder}: a folder of pictures was asked for; found none")
    for path in paths[:MAX_IDENTITIES]:
        picture = read_picture(path)
        media.identities.append(Identity(picture, path.stem, source=str(path)))
        media.listed.append(
            ReportMedia(
                name=path.name,
                role="identity",
                licence="as its owner says",
                source="your folder",
                picture=picture,
            )
        )
    if len(paths) > MAX_IDENTITIES:
        media.notes.append(
            f"{len(paths)} pictures are in the folder; the first {MAX_IDENTITIES} are shown."
        )
