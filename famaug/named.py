"""Things that are asked for by name: near misses, `module:Class`, and names of a package that load
when they are first used."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from famaug.errors import InputError, MissingPackageError


def did_you_mean(name: str, known: Iterable[str], above: str = "") -> str:
    """The nearest known name as the end of a sentence, "; did you mean x?"; "" if none is near.

    Args:
        above: written before the name, as "training." before a key.
    """
    by_case = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(name.casefold(), by_case, 1, 0.5)
    return f"; did you mean {above}{by_case[near[0]]}?" if near else ""


def import_named(text: str, what: str, known: Mapping[str, str] | None = None) -> Any:
    """The object of a short name, or of `module:Class`.

    Modules in the working folder are found too, whatever started the process.

    Args:
        text: what the user wrote.
        what: what is asked for, as the message names it: "recogniser", "data.reader".
        known: short names, and the `module:Class` of each.

    Raises:
        InputError: no such name, module or attribute, or a module that cannot be imported.
        MissingPackageError: what it names needs a package that is not there.
    """
    short = known or {}
    module, colon, name = short.get(text, text).partition(":")
    if not (colon and module and name):
        names = f"there are {', '.join(short)}, or module:Class" if short else "write module:Class"
        raise InputError(f"no {what} {text!r}; {names}{did_you_mean(text, short)}")
    try:
        _reach_working_folder(module.partition(".")[0])
        found = import_module(module)
    except MissingPackageError:
        raise
    except Exception as error:  # the module may be the user's own, with mistakes of its own
        raise InputError(
            f"{what} {text!r}: {module} cannot be imported ({type(error).__name__}: {error})"
        ) from error
    if not hasattr(found, name):
        near = did_you_mean(name, dir(found))
        raise InputError(f"{what} {text!r}: {module} has no {name}{near}")
    return getattr(found, name)


def _reach_working_folder(root: str) -> None:
    """A script's path begins at the script; users' modules lie where they work."""
    here = str(Path.cwd())
    beside = Path(here, root), Path(here, f"{root}.py")
    if here not in sys.path and any(p.exists() for p in beside) and find_spec(root) is None:
        sys.path.append(here)


def lazily(package: str, places: Mapping[str, str]) -> Callable[[str], Any]:
    """A package's `__getattr__`, which imports what is asked for and nothing else.

    Args:
        package: its `__name__`.
        places: the module of each name.
    """

    def found(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(places[name]), name)

    return found
