"""Looks in files, and the profiles that come with famaug."""

from __future__ import annotations

import json
import os
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from famaug.errors import InputError
from famaug.files.limits import parse_json, read_json, translated
from famaug.files.whole import write_whole
from famaug.look.look import READ, Look
from famaug.look.mixture import AnyLook, Mixture
from famaug.people.datasets import find_release, is_composite
from famaug.people.persons import canonical
from famaug.seeding import keyed_generator

PROFILES = ("composite", "casme2", "samm", "smic")
"""Looks that come with famaug, fitted on nobody; their `source` says where the numbers are from."""


def profile_named(text: str) -> str | None:
    """The profile that a name means ("CASME II", "megc2019"), or None: a path means none."""
    if not re.fullmatch(r"[\w ^()]+", text):
        return None
    if is_composite(text):
        return "composite"
    release = find_release(text)
    return release.name if release is not None and release.name in PROFILES else None


def is_look_named(text: str | os.PathLike[str]) -> bool:
    """Whether it is a profile's name or a file."""
    return bool(isinstance(text, str) and profile_named(text)) or Path(text).is_file()


def check_look_named(text: str | None, *, also: str = "") -> None:
    """Raises InputError for a text that is neither; the message lists `also`, as "fit, ", and the
    profiles."""
    if text is not None and not is_look_named(text):
        raise InputError(
            f"must be {also}a profile ({', '.join(PROFILES)}) or a look's file; {text} is no file"
        )


def look_of(value: AnyLook | str | os.PathLike[str] | None) -> AnyLook | None:
    """A look as it was given, or `load_look` of its name.

    Raises:
        InputError: something else, and as `load_look`.
    """
    if value is None or isinstance(value, Look | Mixture):
        return value
    if isinstance(value, str | os.PathLike):
        return load_look(value)
    raise InputError(
        f"a look is a Look (`fit_look(fold.train)`), a profile ({', '.join(PROFILES)}) or a "
        f"file; got {type(value).__name__}"
    )


def save_look(look: AnyLook, path: str | os.PathLike[str]) -> None:
    """Writes a look as JSON, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    write_whole(Path(path), json.dumps(look.to_json(), indent=1) + "\n")


def load_look(path: str | os.PathLike[str]) -> AnyLook:
    """Reads a file that `save_look` or `famaug doctor --look --out FILE` wrote, or one of the
    `PROFILES` by its name.

    Raises:
        InputError: no such file or profile, no look, of another version, or it says that clips
            were measured and does not say whose.
    """
    name = profile_named(path) if isinstance(path, str) else None
    if name is not None:
        return _look(_profile(name), f"the profile {name}")
    check_look_named(str(path))
    value = read_json(path, error=InputError)
    if not isinstance(value, dict) or "version" not in value:
        raise InputError(
            f"{path} is no look; `famaug doctor --dataset NAME PATH --look --out FILE` writes one"
        )
    return _look(value, f"{path}, a look")


def _profile(name: str) -> Any:
    file = files("famaug.look").joinpath(f"profiles/{name}.json")
    return parse_json(file.read_bytes(), f"the profile {name}", error=InputError)


def _look(value: dict[str, Any], what: str) -> AnyLook:
    with translated(what, InputError):
        if "mixture" not in value:
            return _checked(Look.from_json(value))
        odd = sorted(set(value) - {"version", "mixture", "source"})
        if value["version"] not in READ or odd:
            raise ValueError(f"version {value['version']!r}, unknown fields: {odd or 'none'}")
        parts = [_profile(part) if part in PROFILES[1:] else part for part in value["mixture"]]
        looks = tuple(_checked(Look.from_json(dict(part))) for part in parts)
        return Mixture(looks=looks, source=str(value.get("source", "")))


def _checked(look: Look) -> Look:
    """What a hand has written into a file fails here, not at the thousandth clip."""
    height, width = look.size
    if not (0 < int(height) <= 8192 and 0 < int(width) <= 8192):
        raise ValueError(f"frames of {look.size}")
    nobody = not look.subjects and look.clips == 0 and bool(look.source.strip())
    if not nobody and not (look.subjects and all(map(canonical, look.subjects))):
        raise ValueError(
            f"it was fitted on {look.subjects}, which are no people (one fitted on nobody has 0 "
            "clips and says its source)"
        )
    look.lines()
    look.draw(keyed_generator(0, "look-file"), length=2, fps=float(look.fps or 100))
    return look
