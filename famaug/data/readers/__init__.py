"""Readers of the public data sets, one module each; `famaug.people.datasets` names them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from famaug.errors import InputError, MediaError
from famaug.named import did_you_mean, import_named
from famaug.people.datasets import RELEASES, find_release, is_composite, release_named

if TYPE_CHECKING:
    from famaug.data.readers.base import ReleaseReader


def find_reader(name: str, what: str) -> Callable[..., Any]:
    """What opens a folder as a data set.

    Args:
        name: any name of a release (`famaug.people.datasets`: "casme2", "CASME II", "Casme2",
            "smic-vis"), "composite", "ClipFolder", or `module:Class` of one's own.
        what: who asks, for the message: "dataset.reader".

    Raises:
        InputError: no such name, module or class.
    """
    release = None if ":" in name else find_release(name)
    if release is not None:
        reader = getattr(import_module(f"famaug.data.readers.{release.module}"), release.reader)
        return partial(reader, **release.options) if release.options else reader
    if ":" not in name and is_composite(name):
        return composite_in
    known = {r.name: f"famaug.data.readers.{r.module}:{r.reader}" for r in RELEASES.values()}
    known["composite"] = "famaug.data.readers:composite_in"
    known["ClipFolder"] = "famaug.data.clips:ClipFolder"
    plain = "ClipFolder" if name.casefold() == "clipfolder" else name
    found: Callable[..., Any] = import_named(plain, what, known)
    return found


def composite_in(root: Any = "", **options: Any) -> Any:
    """The MEGC2019 composite from the folders of its three releases below `root`, by any name that
    they go by; `smic`, `casme2` and `samm` among the options name a folder that lies elsewhere."""
    from famaug.data.megc2019 import Megc2019

    if root and not Path(root).is_dir():
        raise MediaError(f"{root} is no folder; the composite's holds SMIC, CASME II and SAMM")
    for place in sorted(p for p in Path(root).iterdir() if p.is_dir()) if root else ():
        release = find_release(place.name)
        if release is not None and release.name in ("smic", "casme2", "samm"):
            options.setdefault(release.name, place)
    return Megc2019(**options)


def open_named(name: str, root: Any, options: Mapping[str, Any], what: str) -> Any:
    """A data set as configurations name it.

    Args:
        name: as `find_reader`.
        root: its folder; "" where the options name folders (the composite).
        options: further arguments of the reader.
        what: the keys' room in the configuration, for the message: "dataset" or "data".

    Raises:
        InputError: no such reader or option. MediaError: the data set is not there.
    """
    make = find_reader(name, f"{what}.reader")
    known = options_of(make)
    wrong = [] if known is None else sorted(set(options) - known)
    if wrong:
        told = "; ".join(
            f"{what}.options.{key} is unknown{did_you_mean(key, known or (), f'{what}.options.')}"
            for key in wrong
        )
        raise InputError(f"{told} (of {name})")
    try:
        return make(Path(root) if root else "", **options)
    except TypeError as error:
        raise InputError(f"{what}.options do not fit {name}: {error}") from error


def options_of(make: Callable[..., Any]) -> set[str] | None:
    """Arguments that a reader takes by name beside its folder; None where it takes any."""
    if make is composite_in:
        from famaug.data.megc2019 import Megc2019

        make = Megc2019
    if isinstance(make, partial):
        make = make.func
    known: set[str] = set()
    for each in inspect.getmro(make) if inspect.isclass(make) else (make,):
        parameters = inspect.signature(each).parameters.values()
        kinds = {p.name: p.kind for p in parameters}
        known |= {n for n, k in kinds.items() if k is not inspect.Parameter.VAR_KEYWORD}
        if len(known & set(kinds)) == len(kinds):  # what it passes on, the class above takes
            return known - {"root", "keep"}
    return None


def open_dataset(name: str, root: Any, **options: Any) -> ReleaseReader:
    """A release by any of its names ("casme2", "CASME II", "smic-vis", "FourDme").

    Raises:
        InputError: no such name. MediaError, InputError: as the reader.
    """
    release_named(name)
    made: ReleaseReader = find_reader(name, "data set")(root, **options)
    return made
