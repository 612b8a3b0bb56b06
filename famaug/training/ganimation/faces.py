"""Cropped faces with their AUs, prepared once on disk and mapped into memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xxhash
from numpy.typing import NDArray

from famaug.errors import InputError, TrainingError, WeightsError
from famaug.files.whole import clear_parts, whole_file
from famaug.people.persons import canonical, in_order
from famaug.seeding import digest
from famaug.types import AUS, Floats, Picture
from famaug.weights.tensor_files import load_tensors, save_tensors

LOOSE = -1
"""Number of the clip or scene of a picture that is of none."""
_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Face:
    """One face as a source finds it.

    Attributes:
        name: of the picture, or `CLIP#FRAME`.
        picture: uint8 `S S 3`, the crop.
        midline: float32 `2 2`, pixels of the crop.
        intensity: float32 `2 17`, 0-5; NaN where unknown.
        clip: name of the run of frames it belongs to, or "".
        frame: its number in the clip.
        scene: name of the pictures it belongs to that differ by their AUs alone, or "".
        motion: float16 `2 S/2 S/2` (x, y), where in its scene's picture at rest each place is taken
            from, as a displacement in half sides; None where that is not known.
    """

    name: str
    picture: Picture
    midline: Floats
    intensity: Floats
    clip: str = ""
    frame: int = 0
    scene: str = ""
    motion: NDArray[np.float16] | None = None


@dataclass(frozen=True)
class Skipped:
    """Something that gave no face: its name, and why in words that are the same for all alike."""

    name: str
    why: str


@dataclass(frozen=True, eq=False)
class FaceSet:
    """Faces to train on or to look at.

    Attributes:
        pictures: uint8 `N S S 3`, mapped from disk.
        intensity: float32 `N 2 17`.
        midline: float32 `N 2 2`.
        clip: int64 `N`, runs of frames by number, -1 for loose pictures.
        frame: int64 `N`.
        scene: int64 `N`, pictures that differ by their AUs alone by number, -1 for others.
        motion: float16 `N 2 S/2 S/2` of rendered faces, 0 for others; `0 2 S/2 S/2` where none are.
        names: `N`.
        scale: whose intensities ("openface", "famaug", "" where there are none).
        skipped: names by reason.
    """

    pictures: NDArray[np.uint8]
    intensity: Floats
    midline: Floats
    clip: NDArray[np.int64]
    frame: NDArray[np.int64]
    scene: NDArray[np.int64]
    motion: NDArray[np.float16]
    names: tuple[str, ...]
    scale: str
    skipped: Mapping[str, Sequence[str]]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def size(self) -> int:
        return int(self.pictures.shape[1])

    @property
    def sided(self) -> bool:
        """Whether left and right differ anywhere."""
        return not np.array_equal(self.intensity[:, 0], self.intensity[:, 1], equal_nan=True)

    @property
    def subjects(self) -> list[str]:
        """ "dataset/subject" of everybody of a data set, who is named in its clips' names."""
        return in_order({_person(n) for n in self.names} - {""})

    def summary(self) -> str:
        """A line for people: how many, and what was left out and why."""
        lost = "; ".join(
            f"{len(names)} left out: {why} ({_few(names)})" for why, names in self.skipped.items()
        )
        return f"{len(self)} faces of {self.size} pixels" + (f"; {lost}" if lost else "")

    def part(self, rows: NDArray[np.int64]) -> FaceSet:
        """Some of them, in this order."""
        return FaceSet(
            self.pictures[rows],
            self.intensity[rows],
            self.midline[rows],
            self.clip[rows],
            self.frame[rows],
            self.scene[rows],
            self.motion[rows] if len(self.motion) else self.motion,
            tuple(self.names[i] for i in rows),
            self.scale,
            self.skipped,
        )

    def rows_of(self, held_out: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(to train on, held out): rows whose name is, or lies below, one that is held out.

        "male_03" holds out that picture, "casme2/sub01" (or "CASME II/1") every clip of that
        person.

        Raises:
            InputError: a name that is of no face, or nothing left to train on.
        """
        out = np.zeros(len(self), bool)
        for name in held_out:
            mine = [
                n == name or n.startswith((f"{name}/", f"{name}#")) or _person(n) == canonical(name)
                for n in self.names
            ]
            if not any(mine):
                raise InputError(
                    f"held_out names {name!r}, which is no face or clip here; there are "
                    f"{', '.join(self.names[:5])}, ..."
                )
            out |= np.asarray(mine)
        if out.all():
            raise InputError("every face is held out; leave some to train on")
        return np.flatnonzero(~out), np.flatnonzero(out)


def _person(name: str) -> str:
    """Of "dataset/subject/clip#frame"; "" for the name of a loose picture."""
    parts = name.split("/")
    return canonical("/".join(parts[:2])) if len(parts) > 2 else ""


def _few(names: Sequence[str]) -> str:
    distinct = [*dict.fromkeys(names)]
    return ", ".join(distinct[:3]) + (", ..." if len(distinct) > 3 else "")


def prepare_faces(
    folder: Path,
    found: Iterable[Face | Skipped],
    *,
    size: int,
    scale: str,
    setting: Mapping[str, Any],
) -> FaceSet:
    """Writes faces into a folder, or opens them if they are there for the same setting.

    Args:
        folder: gets pictures.u8 and faces.safetensors.
        found: read only where they are not there yet.
        size: side of the crops.
        scale: whose intensities.
        setting: JSON-able: everything that decides what is found.

    Raises:
        TrainingError: no face at all; the message says what was left out and why.
    """
    key = digest([dict(setting), size, scale, "faces/2"])
    index, pixels = folder / "faces.safetensors", folder / "pictures.u8"
    if index.is_file():
        opened = _open(index, pixels, key, size)
        if opened is not None:
            return opened
    faces, skipped = [], dict[str, list[str]]()
    hasher = xxhash.xxh3_128()
    clear_parts(pixels)
    with whole_file(pixels) as part, part.open("wb") as file:
        for item in found:
            if isinstance(item, Skipped):
                skipped.setdefault(item.why, []).append(item.name)
                continue
            data = np.ascontiguousarray(item.picture).tobytes()
            hasher.update(data)
            file.write(data)
            faces.append(item)
        if not faces:
            raise TrainingError(
                "no face to train on: "
                + ("; ".join(f"{len(n)} {w} ({n[0]}, ...)" for w, n in skipped.items())
                   or "no input")
            )  # fmt: skip
        index.unlink(missing_ok=True)  # it never speaks of other pixels than those beside it
    note = {"key": key, "scale": scale, "skipped": skipped, "pixels": hasher.hexdigest()}
    _write_index(index, faces, note)
    opened = _open(index, pixels, key, size)
    if opened is None:
        raise TrainingError(f"{folder}: faces were written and cannot be read back")
    return opened


def _write_index(path: Path, faces: Sequence[Face], note: dict[str, Any]) -> None:
    tensors = {
        "intensity": np.stack([f.intensity for f in faces]),
        "midline": np.stack([f.midline for f in faces]),
        "clip": _numbers([f.clip for f in faces]),
        "frame": np.asarray([f.frame for f in faces], np.int64),
        "scene": _numbers([f.scene for f in faces]),
        "motion": _motions(faces),
    }
    names = [f.name for f in faces]
    save_tensors(
        path, {k: torch.from_numpy(v) for k, v in tensors.items()}, {**note, "names": names}
    )


def _numbers(groups: Sequence[str]) -> NDArray[np.int64]:
    """A number for each name in order of appearance, `LOOSE` for ""."""
    known = {name: i for i, name in enumerate(dict.fromkeys(g for g in groups if g))}
    return np.asarray([known.get(g, LOOSE) for g in groups], np.int64)


def _motions(faces: Sequence[Face]) -> NDArray[np.float16]:
    half = faces[0].picture.shape[0] // 2
    if all(f.motion is None for f in faces):
        return np.zeros((0, 2, half, half), np.float16)
    still = np.zeros((2, half, half), np.float16)
    return np.stack([still if f.motion is None else f.motion for f in faces])


def _open(index: Path, pixels: Path, key: str, size: int) -> FaceSet | None:
    """The faces of a folder; None where they are of another setting, incomplete or damaged."""
    try:
        tensors, note = load_tensors(index, own=True, measured=True)
    except WeightsError:
        return None
    names = note.get("names", [])
    shape = (len(names), size, size, 3)
    if note.get("key") != key or not pixels.is_file():
        return None
    if pixels.stat().st_size != int(np.prod(shape)) or not names:
        return None
    pictures = np.memmap(pixels, np.uint8, "r", shape=shape)
    hasher = xxhash.xxh3_128()
    for part in range(0, len(names), _AT_ONCE):
        hasher.update(pictures[part : part + _AT_ONCE].data)
    if hasher.hexdigest() != note.get("pixels"):
        return None
    return FaceSet(
        pictures,
        tensors["intensity"].numpy().reshape(-1, 2, len(AUS)),
        tensors["midline"].numpy(),
        tensors["clip"].numpy(),
        tensors["frame"].numpy(),
        tensors["scene"].numpy(),
        tensors["motion"].numpy(),
        tuple(names),
        str(note["scale"]),
        note["skipped"],
    )
