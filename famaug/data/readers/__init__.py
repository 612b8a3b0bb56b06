"""Readers of the public data sets, one module each; `famaug.datasets` names them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from famaug.datasets import RELEASES, find_release, release_named
from famaug.named import import_named

if TYPE_CHECKING:
    from famaug.data.readers.base import ReleaseReader


def find_reader(name: str, what: str) -> Callable[..., Any]:
    """What opens a folder as a data set.

    Args:
        name: any name of a release (`famaug.datasets`: "casme2", "CASME II", "Casme2",
            "smic-vis"), "ClipFolder", or `module:Class` of one's own.
        what: who asks, for the message: "dataset.reader".

    Raises:
        InputError: no such name, module or class.
    """
    release = None if ":" in name else find_release(name)
    if release is not None:
        reader = getattr(import_module(f"famaug.data.readers.{release.module}"), release.reader)
        return partial(reader, **release.options) if release.options else reader
    known = {r.reader: f"famaug.data.readers.{r.module}:{r.reader}" for r in RELEASES.values()}
    known["ClipFolder"] = "famaug.data.clips:ClipFolder"
    plain = "ClipFolder" if name.casefold() == "clipfolder" else name
    found: Callable[..., Any] = import_named(plain, what, known)
    return found


def open_dataset(name: str, root: Any, **options: Any) -> ReleaseReader:
    """A release by any of its names ("casme2", "CASME II", "smic-vis", "FourDme").

    Raises:
        InputError: no such name. MediaError, InputError: as the reader.
    """
    release_named(name)
    made: ReleaseReader = find_reader(name, "data set")(root, **options)
    return made
