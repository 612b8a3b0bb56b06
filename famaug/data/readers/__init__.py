"""Readers of the public data sets, one module each; `READERS` names them for the command line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from famaug.errors import InputError
from famaug.named import import_named

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


def find_reader(name: str, what: str) -> Callable[..., Any]:
    """What opens a folder as a data set.

    Args:
        name: a name of `READERS`, a class of `famaug.data` ("Casme2", "ClipFolder"; capitals do
            not matter), or `module:Class` of one's own.
        what: who asks, for the message: "dataset.reader".

    Raises:
        InputError: no such name, module or class.
    """
    if name in READERS and READERS[name][2]:
        return partial(find_reader(READERS[name][1], what), **READERS[name][2])
    classes = {cls: f"famaug.data.readers.{module}:{cls}" for module, cls, _ in READERS.values()}
    classes["ClipFolder"] = "famaug.data.clips:ClipFolder"
    spelt = {cls.casefold(): cls for cls in classes} | {k: v[1] for k, v in READERS.items()}
    found: Callable[..., Any] = import_named(spelt.get(name.casefold(), name), what, classes)
    return found


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
