"""Eight faces of people who do not exist, to try things on.

    from famaug import samples

    samples.face("woman_31")  # Path of a picture, 448 x 448
    samples.faces()           # all of them, by name

Frontal, at rest, mouths closed; several ages and skins, both sexes, one bearded, one with glasses.
Made with Stable Diffusion 3, CC0 1.0 (faker-js/assets-person-portrait). No network that ships with
famaug was trained on them.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from famaug.errors import InputError

HERE = Path(__file__).parent
FOLDER = HERE / "faces"
"""The pictures' folder: a folder of identities like any other."""


@dataclass(frozen=True, kw_only=True)
class SampleFace:
    """A row of the table.

    Attributes:
        name: also the file's name, without its suffix.
        sex, age: as the picture was asked for.
        note: what to know when it is used: skin, light, beard, glasses.
        source: its path in faker-js/assets-person-portrait.
        crop: left, top and side (pixels) of what was cut out of it.
        sha256: of the file.
        path: where it lies.
    """

    name: str
    sex: Literal["F", "M"]
    age: int
    note: str
    source: str
    crop: tuple[int, int, int]
    sha256: str
    path: Path


@cache
def table() -> tuple[SampleFace, ...]:
    """What is known of each face, in the order of names."""
    with (HERE / "faces.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(
        SampleFace(
            name=row["name"],
            sex="F" if row["sex"] == "F" else "M",
            age=int(row["age"]),
            note=row["note"],
            source=row["source"],
            crop=(int(x), int(y), int(side)),
            sha256=row["sha256"],
            path=FOLDER / f"{row['name']}.jpg",
        )
        for row in sorted(rows, key=lambda r: r["name"])
        for x, y, side in [row["crop"].split()]
    )


def faces() -> dict[str, Path]:
    """Names and files of all sample faces."""
    return {face.name: face.path for face in table()}


def face(name: str) -> Path:
    """The file of one sample face.

    Raises:
        InputError: no face of that name.
    """
    known = faces()
    if name not in known:
        raise InputError(f"no sample face {name!r}; there are: {', '.join(known)}")
    return known[name]
