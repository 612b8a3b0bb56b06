"""Readers of the public data sets, one module each; `READERS` names them for the command line."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from famaug.errors import InputError

if TYPE_CHECKING:
    from famaug.data.readers.base import ReleaseReader

READERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "casme2": ("casme2", "Casme2", {}),
    "samm": ("samm", "Samm", {}),
    "smic": ("smic", "Smic", {}),
    "smic-vis": ("smic", "Smic", {"camera": "VIS"}),
    "smic-nir": ("smic", "Smic", {"camera": "NIR"}),
    "smic-long": ("smic", "SmicLong", {}),
    "casme": ("casme", "Casme", {}),
    "casme3": ("casme3", "CasMe3", {}),
    "mmew": ("mmew", "Mmew", {}),
    "4dme": ("fourdme", "FourDme", {}),
    "dfme": ("dfme", "Dfme", {}),
}
"""Name on the command line: module, class, options."""


def open_dataset(name: str, root: Any, **options: Any) -> ReleaseReader:
    """A release by its name in `READERS`.

    Raises:
        InputError: no such name. MediaError, InputError: as the reader.
    """
    if name not in READERS:
        raise InputError(f"no data set {name!r}; there are: {', '.join(READERS)}")
    module, reader, preset = READERS[name]
    made: ReleaseReader = getattr(import_module(f"famaug.data.readers.{module}"), reader)(
        root, **preset, **options
    )
    return made
