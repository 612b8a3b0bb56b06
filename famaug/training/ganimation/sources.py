"""Where faces to train on come from: pictures with a table, and clips whose AUs are measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from famaug.aus.flow_and_points import measure_aus
from famaug.aus.read import read_aus
from famaug.errors import FaceError, InputError, MediaError
from famaug.faces.align import MARGIN, crop_face, crop_with
from famaug.faces.mesher import FaceMesher
from famaug.faces.midline import midline_of
from famaug.files.folders import files_below, visible
from famaug.media.clips import (
    PICTURES,
    VIDEOS,
    holds_pictures,
    natural_key,
    read_frames,
    read_picture,
)
from famaug.training.ganimation.au_table import PictureTable
from famaug.training.ganimation.faces import Face, Skipped
from famaug.types import AUS, Clip, ClipRef, Floats, Frames

UNKNOWN = np.full((2, len(AUS)), np.nan, np.float32)


@dataclass(frozen=True, kw_only=True)
class CropOptions:
    """How faces are cut out.

    Attributes:
        size: side of the crops.
        margin: side over the largest extent of the face.
        window: frames of a clip that share one crop, so that the face does not jitter.
    """

    size: int = 128
    margin: float = MARGIN
    window: int = 32

    def __post_init__(self) -> None:
        if self.size < 16 or self.window < 1 or not 1 <= self.margin <= 4:
            raise InputError(f"size 16 or more, margin 1-4, window 1 or more; got {self}")


def picture_files(folder: Path) -> list[Path]:
    """Pictures of a folder and those below it, in natural order.

    Raises:
        MediaError: none.
    """
    found = (
        [p for p in files_below(folder) if p.suffix.lower() in PICTURES] if folder.is_dir() else []
    )
    if not found:
        raise MediaError(f"{folder}: no pictures ({', '.join(PICTURES)})")
    return sorted(found, key=lambda p: natural_key(str(p.relative_to(folder))))


def video_files(folder: Path) -> list[Path]:
    """Videos of a folder, and folders of frames in it, in natural order.

    Raises:
        MediaError: none.
    """
    inside = visible(folder) if folder.is_dir() else []
    found = [p for p in inside if p.suffix.lower() in VIDEOS]
    found += [p for p in inside if p.is_dir() and holds_pictures(p)]
    if not found:
        raise MediaError(f"{folder}: no videos ({', '.join(VIDEOS)}) and no folders of frames")
    return sorted(found, key=lambda p: natural_key(p.name))


def fingerprint(files: Iterable[Path]) -> list[list[Any]]:
    """JSON-able: names, sizes and times, to know whether files are the same as before. The time
    of the last change of a file's entry is the system's own, whatever time a copy was given."""
    return [[p.name, s.st_size, s.st_mtime_ns, s.st_ctime_ns] for p in files for s in [p.stat()]]


def faces_of_pictures(
    files: Iterable[Path],
    table: PictureTable | None,
    options: CropOptions,
    *,
    mesher: FaceMesher | None = None,
) -> Iterator[Face | Skipped]:
    """A face from each picture; its AUs from the table, or unknown without one."""
    mesher = mesher or FaceMesher()
    for file in files:
        intensity: Floats | None = UNKNOWN
        if table is not None:
            intensity = table.intensity.get(file.stem)
        if intensity is None:
            reason = None if table is None else table.refused.get(file.stem)
            yield Skipped(file.name, reason or "not in the AU table")
            continue
        try:
            picture = read_picture(file)
            crop, mesh, _ = crop_face(
                picture, mesher.find(picture), options.size, margin=options.margin
            )
        except MediaError:
            yield Skipped(file.name, "not a readable picture")
            continue
        except FaceError as error:
            yield Skipped(file.name, why(error))
            continue
        yield Face(file.stem, crop, midline_in(mesh), intensity)


def faces_of_videos(
    files: Iterable[Path],
    options: CropOptions,
    *,
    tables: Path | None = None,
    mesher: FaceMesher | None = None,
) -> Iterator[Face | Skipped]:
    """Faces of every frame of video files and frame folders, named by the file.

    Args:
        files: videos or folders of frames.
        options: of the crops.
        tables: folder of AU tables named as the videos (OpenFace's FeatureExtraction or famaug's);
            without it AUs are measured against the first frame.
        mesher: to use again.
    """
    mesher = mesher or FaceMesher()
    for file in files:
        try:
            frames, fps = read_frames(file)
        except MediaError:
            yield Skipped(file.name, "not a readable video")
            continue
        clip = Clip(ClipRef("", "", file.stem, fps=fps), frames)
        track = None
        if tables is not None:
            path = tables / f"{file.stem}.csv"
            if not path.is_file():
                yield Skipped(file.name, "no AU table of its name")
                continue
            track = read_aus(path)[0].intensity
        yield from _faces_of_clip(file.stem, clip, track, options, mesher)


def faces_of_clips(
    clips: Iterable[Any], options: CropOptions, *, mesher: FaceMesher | None = None
) -> Iterator[Face | Skipped]:
    """Faces of every frame of clips, as any reader of famaug.data gives them (alone, or with a
    label), named dataset/subject/clip; AUs are measured against the onset frame."""
    mesher = mesher or FaceMesher()
    for item in clips:
        clip = item[0] if isinstance(item, tuple) else item
        if not isinstance(clip, Clip):
            raise InputError(f"a reader gives clips, or (clip, label); got {type(clip).__name__}")
        yield from _faces_of_clip(clip.ref.key, clip, None, options, mesher)


def _faces_of_clip(
    name: str, clip: Clip, track: Floats | None, options: CropOptions, mesher: FaceMesher
) -> Iterator[Face | Skipped]:
    try:
        if track is None:
            seen = measure_aus(clip.frames, neutral=clip.ref.onset or 0, mesher=mesher)
            track, meshes = seen.track.intensity, seen.faces.mesh
        else:
            meshes = mesher.track(clip.frames).mesh
    except (FaceError, InputError) as error:
        yield Skipped(name, why(error))
        return
    if len(track) != len(clip.frames):
        yield Skipped(name, "the AU table has another number of frames")
        return
    good = np.asarray(np.isfinite(meshes).all((1, 2)) & np.isfinite(track).all((1, 2)))
    for first in range(0, len(meshes), options.window):
        rows = np.arange(first, min(first + options.window, len(meshes)))
        yield from _faces_of_window(name, clip.frames, meshes, track, rows[good[rows]], options)
    for _ in range(int((~good).sum())):
        yield Skipped(name, "frames without a face or without AUs")


def _faces_of_window(
    name: str, frames: Frames, meshes: Floats, track: Floats, rows: Any, options: CropOptions
) -> Iterator[Face | Skipped]:
    """Frames that share one crop, round the mean of their meshes."""
    if not len(rows):
        return
    try:
        _, _, transform = crop_face(
            frames[rows[0]], meshes[rows].mean(0), options.size, margin=options.margin
        )
    except FaceError as error:
        yield Skipped(f"{name}#{rows[0]}", why(error))
        return
    for i in rows:
        crop, mesh = crop_with(frames[i], transform), transform.to_crop(meshes[i])
        clip = f"{name}@{rows[0]}"
        yield Face(f"{name}#{i}", crop, midline_in(mesh), track[i], clip, int(i))


def midline_in(mesh: Floats) -> Floats:
    """Of a mesh in pixels of the crop, as float32."""
    return midline_of(mesh).astype(np.float32)


def why(error: Exception) -> str:
    """Reasons that are the same for all faces alike, so that they can be counted."""
    text = str(error)
    for part, why in (
        ("no face found", "no face found"),
        ("at least 64", "the face is under 64 pixels"),
        ("turned", "the face is turned away"),
        ("one frame", "a clip of one frame has no neutral face"),
        ("outside the picture", "the face lies outside the picture"),
    ):
        if part in text:
            return why
    return text
