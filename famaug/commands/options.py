"""Options of commands: those that several have, and dataclasses of options that belong together."""

from __future__ import annotations

import copy
import inspect
import json
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from famaug.errors import UsageError

AsJson = Annotated[bool, typer.Option("--json", help="End with one line of JSON.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, ...")]
"""Options that several commands have."""


def grouped(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with each parameter that is a dataclass spread out to one option a field.

        def generate(driver: Path, *, drawing: Drawing, as_json: AsJson = False) -> None: ...

        app.command("generate")(options.grouped(generate))

    What the class's docstring says of a field ("Attributes:") is the option's help, its default the
    option's; one without a default has to be given. `Annotated[bool, typer.Option("--as-is")]` is
    needed only where the option has another name than the field, or no --no-... beside it; one with
    a help of its own, as `Device`, needs no docs.

    Raises:
        KeyError: a field has no docs.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {n: kind for n, kind in hints.items() if is_dataclass(kind)}
    flat: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if name in groups:
            flat += _options(groups[name])
        else:
            kind = inspect.Parameter.KEYWORD_ONLY
            flat.append(parameter.replace(kind=kind, annotation=hints[name]))

    def run(**given: Any) -> Any:
        made = {
            name: kind(**{f.name: given.pop(f.name) for f in fields(kind)})
            for name, kind in groups.items()
        }
        return command(**given, **made)

    run.__signature__ = inspect.Signature(flat)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in flat}
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


def _options(group: Any) -> list[inspect.Parameter]:
    """An option for each field of a dataclass."""
    docs, hints = _field_docs(group), get_type_hints(group, include_extras=True)
    found = []
    for field in fields(group):
        kind, *named = _parts(hints[field.name])
        option = copy.copy(named[0]) if named else typer.Option()
        option.help = option.help or docs[field.name]
        found.append(
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=_default(field),
                annotation=Annotated[kind, option],
            )
        )
    return found


def _parts(hint: Any) -> tuple[Any, ...]:
    """Of `Annotated` its type and what is said of it; of another annotation itself."""
    return get_args(hint) if get_origin(hint) is Annotated else (hint,)


def _default(field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is MISSING else field.default


def _field_docs(group: Any) -> dict[str, str]:
    """Of a class: what its docstring says of each field, "name: text" or "one, other: text"."""
    text = inspect.getdoc(group) or ""
    listed = re.search(r"^(?:Attributes|Args):\n((?:[ ]{4}.*\n?|\n)+)", text, re.MULTILINE)
    docs: dict[str, str] = {}
    for names, told in re.findall(
        r"^ {4}(\w+(?:, \w+)*): (.*(?:\n {8}.*)*)", listed[1] if listed else "", re.MULTILINE
    ):
        docs |= dict.fromkeys(names.split(", "), " ".join(told.split()))
    return docs


def named_values(option: str, texts: Iterable[str] | None) -> dict[str, Any]:
    """Of an option that is NAME=VALUE and may be repeated: numbers, true and false where a value
    reads as one, else text.

    Raises:
        UsageError: no name, no value, or a name twice.
    """
    found: dict[str, Any] = {}
    for text in texts or ():
        name, _, value = (part.strip() for part in text.partition("="))
        if not (name and value) or name in found:
            raise UsageError(f"{option} is NAME=VALUE, each name once; got {text!r}")
        found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    for read in (json.loads, float) if "." in text else (json.loads,):  # a person "01" is no number
        with suppress(ValueError):
            return read(text)
    return text
