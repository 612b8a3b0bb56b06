"""Looks in files, and those that come with famaug."""

from __future__ import annotations

import json
import os
from pathlib import Path

from famaug.errors import InputError
from famaug.files.limits import read_json, translated
from famaug.files.whole import write_whole
from famaug.look.look import Look
from famaug.people.persons import canonical
from famaug.seeding import keyed_generator


def save_look(look: Look, path: str | os.PathLike[str]) -> None:
    """Writes a look as JSON, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    write_whole(Path(path), json.dumps(look.to_json(), indent=1) + "\n")


def load_look(path: str | os.PathLike[str]) -> Look:
    """Reads what `save_look` or `famaug doctor --look --out FILE` wrote.

    Raises:
        InputError: no such file, no look, of another version, or it does not say whom it was
            fitted on.
    """
    value = read_json(path, error=InputError)
    if not isinstance(value, dict) or "version" not in value:
        raise InputError(
            f"{path} is no look; `famaug doctor --dataset NAME PATH --look --out FILE` writes one"
        )
    with translated(f"{path}, a look", InputError):
        look = Look.from_json(value)
        height, width = look.size
        if not (0 < int(height) <= 8192 and 0 < int(width) <= 8192):
            raise ValueError(f"frames of {look.size}")
        if not look.subjects or not all(map(canonical, look.subjects)):
            raise ValueError(f"it was fitted on {look.subjects}, which are no people")
        look.lines()  # what a hand has written into it fails here, not at the thousandth clip
        look.draw(keyed_generator(0, "look-file"), length=2, fps=float(look.fps or 100))
    return look
