"""Whose expression and whose face: the two inputs of a synthetic clip, named by their content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from famaug.errors import InputError, MediaError
from famaug.files.folders import names_in
from famaug.media.clips import PICTURES, VIDEOS, load_clip, read_frames, read_picture
from famaug.modulation.rules import PREFIXES, parse_expression
from famaug.modulation.sources import ExpressionSource
from famaug.people.persons import person_of_path
from famaug.shown.lines import one_line, short
from famaug.types import AUTrack, Clip, ClipRef, Picture


def pixels_digest(pixels: np.ndarray[Any, Any]) -> str:
    """sha256 (hex) of a picture or clip: its shape and its bytes."""
    hasher = hashlib.sha256(repr((pixels.shape, str(pixels.dtype))).encode())
    hasher.update(np.ascontiguousarray(pixels).data)
    return hasher.hexdigest()


TABLES = (".csv", ".tsv", ".txt")
"""Suffixes of AU tables; what they hold is looked at."""


@dataclass(frozen=True, eq=False)
class Identity:
    """A face at rest.

    Attributes:
        picture: uint8 RGB `H W 3`.
        name: shown to people.
        subject, dataset: whose face it is in a data set, or "" for a loose picture; of a file,
            where its path says it ("CASME2/Cropped/sub01/EP02_01f/reg_img46.jpg").
        source: path it was read from, so that another process can read it again, or None.
        frame: which frame of `source`, for a clip.
        face: which face of the picture, 0 the largest; None is the largest, with a warning where
            there are several.
    """

    picture: Picture
    name: str
    subject: str = ""
    dataset: str = ""
    source: str | None = None
    frame: int | None = None
    face: int | None = None

    def __repr__(self) -> str:
        height, width = self.picture.shape[:2]
        person = f"{self.dataset}/{self.subject}" if self.subject else ""
        return one_line(self, short(self.name), f"{width} x {height}", short(person, 32))

    @staticmethod
    def of(value: Identity | Clip | ClipRef | Picture | str | Path) -> Identity:
        """From a picture, a path, or a clip (its onset frame, else its first).

        Raises:
            MediaError: an unreadable file.
            InputError: something else.
        """
        if isinstance(value, Identity):
            return value
        if isinstance(value, ClipRef):
            value = load_clip(value)
        if isinstance(value, Clip):
            return _of_clip(value)
        if isinstance(value, str | Path):
            path = Path(value)
            dataset, _, subject = person_of_path(path).rpartition("/")
            if path.is_dir() or path.suffix.lower() in VIDEOS:
                frames, _ = read_frames(path, stop=1)
                return Identity(frames[0], path.name, subject, dataset, str(path), 0)
            return Identity(read_picture(path), path.stem, subject, dataset, str(path))
        if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 3:
            return Identity(value, f"picture {pixels_digest(value)[:8]}")
        raise InputError(
            "an identity is a picture (uint8 H W 3), a path, a Clip, a ClipRef or an Identity; "
            f"got {type(value).__name__}"
        )

    def to_json(self) -> dict[str, Any]:
        """What a plan keeps of it."""
        source = None if self.source is None else {"path": self.source, "frame": self.frame}
        return {
            "name": self.name,
            "subject": self.subject,
            "dataset": self.dataset,
            "digest": pixels_digest(self.picture),
            "face": self.face,
            "source": source,
        }


def _of_clip(clip: Clip) -> Identity:
    ref, at = clip.ref, clip.onset
    path = ref.video or (ref.frames[at] if at < len(ref.frames) else None)
    return Identity(
        clip.frames[at],
        ref.key,
        subject=ref.subject,
        dataset=ref.dataset,
        source=path,
        frame=at if ref.video else None,
    )


def read_identity(
    source: Any, digest: str, *, below: Sequence[Path] | None = None
) -> Picture | None:
    """The picture a plan names, read again from its source; None if it is gone or differs.

    Args:
        source: `Plan.identity["source"]`, perhaps a stranger's.
        digest: sha256 of the pixels wanted.
        below: folders (links resolved); a path outside all of them is not looked at. None: any.
    """
    if not isinstance(source, dict) or not isinstance(source.get("path"), str):
        return None
    path, frame = Path(source["path"]), source.get("frame")
    if frame is not None and (type(frame) is not int or frame < 0):
        return None
    if below is not None:
        place = Path(os.path.realpath(path))
        if not any(place.is_relative_to(folder) for folder in below):
            return None
    try:
        if frame is None:
            picture = read_picture(path)
        else:
            picture = read_frames(path, start=frame, stop=frame + 1)[0][0]
    except (MediaError, ValueError):  # also of text that is no path
        return None
    return picture if pixels_digest(picture) == digest else None


@dataclass(frozen=True, eq=False)
class Driver:
    """An expression: a clip to measure, a measured track, or a source to draw from.

    Attributes:
        kind: "clip", "track", or of a source "rule", "stats" or "annotation".
        content: the clip, track or source.
        name: shown to people.
        subject, dataset: whose expression it is in a data set, or ""; of a file, where its path
            says it.
        label: class label that goes with the expression, or None.
    """

    kind: str
    content: Clip | AUTrack | ExpressionSource
    name: str
    subject: str = ""
    dataset: str = ""
    label: str | int | None = None

    def __repr__(self) -> str:
        person = f"{self.dataset}/{self.subject}" if self.subject else ""
        label = "" if self.label is None else f"label {short(self.label, 24)}"
        return one_line(self, self.kind, short(self.name), short(person, 32), label)

    @staticmethod
    def of(value: Driver | Clip | ClipRef | AUTrack | ExpressionSource | str | Path) -> Driver:
        """From a clip, a track, a rule or other source ("rule:positive",
        "stats:positive", "aus:4=1.5,12L=1"), an AU table
        (.csv, .tsv, .txt, or a folder of OpenFace's), a video or a folder of frames.

        Raises:
            InputError: none of these.
            MediaError, TrackError: an unreadable file.
        """
        if isinstance(value, Driver):
            return value
        if isinstance(value, str) and value.startswith(PREFIXES):
            value = parse_expression(value)
        if isinstance(value, ExpressionSource):
            return Driver(value.kind, value, value.title, label=value.label)
        if isinstance(value, AUTrack):
            return Driver("track", value, f"track by {value.estimator}")
        if isinstance(value, str | Path):
            return _of_path(Path(value))
        if isinstance(value, ClipRef):
            value = load_clip(value)
        if isinstance(value, Clip):
            ref = value.ref
            return Driver("clip", value, ref.key, ref.subject, ref.dataset, ref.emotion)
        raise InputError(
            "a driver is a Clip, ClipRef, AUTrack, rule, path of a video, frame folder or AU "
            f"table; got {type(value).__name__}"
        )

    @property
    def digest(self) -> str:
        """Of the content: pixels, intensities, or the rule's text."""
        if isinstance(self.content, Clip):
            return pixels_digest(self.content.frames)
        if isinstance(self.content, AUTrack):
            return pixels_digest(self.content.intensity)
        return hashlib.sha256(repr(self.content).encode()).hexdigest()

    def as_written(self) -> Driver:
        """The same, its track shown as it is, whatever the track says of itself.

        Raises:
            InputError: it is no track.
        """
        if not isinstance(self.content, AUTrack):
            raise InputError(
                f"{self.name} is a {self.kind}; only an AU table can be shown as it is written"
            )
        return replace(self, content=replace(self.content, modulated=True))

    def to_json(self) -> dict[str, Any]:
        """What a plan keeps of it."""
        return {
            "kind": self.kind,
            "name": self.name,
            "subject": self.subject,
            "dataset": self.dataset,
            "label": self.label,
            "digest": self.digest,
        }


def _holds_tables(path: Path) -> bool:
    """A folder of CSVs without pictures, as OpenFace writes for a folder of frames."""
    if not path.is_dir():
        return False
    kinds = {Path(name).suffix.lower() for name in names_in(path)}
    return ".csv" in kinds and not kinds & set(PICTURES)


def _of_path(path: Path) -> Driver:
    dataset, _, subject = person_of_path(path).rpartition("/")
    if path.suffix.lower() in TABLES or _holds_tables(path):
        from famaug.aus.read import read_aus

        return Driver("track", read_aus(path)[0], path.name, subject, dataset)
    frames, fps = read_frames(path)
    ref = ClipRef(dataset, subject, path.stem, fps=fps, onset=0)
    return replace(Driver.of(Clip(ref, frames)), name=path.name)
