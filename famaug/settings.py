"""A YAML file as a dataclass: its keys, and all that is wrong with a file at once.

Commands and recipes read their configurations here; the library itself takes plain arguments.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from famaug.errors import UsageError
from famaug.files.limits import read_text
from famaug.named import did_you_mean

T = TypeVar("T")
MAX_BYTES = 256 << 10
MAX_NODES = 10_000
MAX_REFERENCES = 8
"""Of one key to others: each may double what it refers to. Those to the environment are free."""


def load_settings(kind: type[T], path: Path, overrides: Sequence[str] = ()) -> T:
    """A YAML file with overrides such as "training.epochs=20", as a dataclass.

    Interpolations of OmegaConf work: `${oc.env:DATA}/CASME2`. A field named `out` must not be
    empty.

    Raises:
        UsageError: no such file, no YAML, or keys that are unknown, missing or of another type:
            all of them together, each with the nearest key there is.
    """
    from omegaconf import OmegaConf

    values = _read(path, overrides)
    wrong = list(_wrong(kind, values, ""))
    if wrong:
        lines = "\n".join(f"  {line}" for line in wrong)
        raise UsageError(f"{path}: {len(wrong)} keys are wrong:\n{lines}")
    made = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kind), values))
    if not isinstance(made, kind):
        raise UsageError(f"{path}: does not make a {kind.__name__}")
    return made


def to_yaml(config: Any) -> str:
    """The resolved config."""
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.structured(config))


def idle(config: Any, names: Sequence[str], above: str, why: str) -> list[str]:
    """A line for each field that was changed from its default where it has no effect.

    Args:
        config: a dataclass.
        names: of its fields that do nothing here.
        above: of its keys, as "data.".
        why: what they belong to.
    """
    fresh = {
        f.name: f.default if f.default_factory is MISSING else f.default_factory()
        for f in fields(config)
    }
    return [
        f"{above}{n} has no effect: {why}; got {getattr(config, n)!r}"
        for n in names
        if getattr(config, n) != fresh[n]
    ]


def _read(path: Path, overrides: Sequence[str]) -> dict[Any, Any]:
    from omegaconf import DictConfig, OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    yaml_error: type[Exception] = import_module("yaml").YAMLError
    text = read_text(path, at_most=MAX_BYTES, error=UsageError)
    try:
        _check_growth(text, path)
        given = OmegaConf.create(text)
        if not isinstance(given, DictConfig):
            raise UsageError(f"{path}: a mapping of keys was asked for; got a list or a value")
        merged = OmegaConf.merge(given, OmegaConf.from_dotlist(list(overrides)))
        values = OmegaConf.to_container(merged, resolve=True)
    except (yaml_error, OmegaConfBaseException, RecursionError) as error:
        raise UsageError(f"{path}: {' '.join(str(error).split())}") from error
    return values if isinstance(values, dict) else {}


def _check_growth(text: str, path: Path) -> None:
    """Refuses aliases and references that would make much of little."""
    yaml = import_module("yaml")
    sizes: dict[int, float] = {}
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    nodes = 0 if root is None else _size(root, sizes)
    if nodes > MAX_NODES:
        raise UsageError(f"{path}: {nodes} keys and values; a config has up to {MAX_NODES}")
    references = len(re.findall(r"\$\{(?!oc\.env:)", text))
    if references > MAX_REFERENCES:
        raise UsageError(f"{path}: {references} references ${{}}; up to {MAX_REFERENCES} are read")


def _size(node: Any, sizes: dict[int, float]) -> float:
    """Nodes there would be if each alias were written out; infinite where one holds itself."""
    if id(node) not in sizes:
        sizes[id(node)] = math.inf
        parts = [node.value] if isinstance(node.value, str) else node.value
        inside = [p for part in parts for p in (part if isinstance(part, tuple) else (part,))]
        sizes[id(node)] = 1 + sum(_size(p, sizes) for p in inside if not isinstance(p, str))
    return sizes[id(node)]


def _wrong(kind: type[Any], values: dict[Any, Any], above: str) -> Iterator[str]:
    """What is wrong with the keys of one level and below, a line each."""
    hints = get_type_hints(kind)
    known = {f.name: f for f in fields(kind)}
    yield from unknown_keys(values, known, above)
    for name, f in known.items():
        key = f"{above}{name}"
        required = f.default_factory is f.default  # both are dataclasses.MISSING
        if name not in values:
            if required:
                yield f"{key} is missing ({_type_name(hints[name])})"
        elif is_dataclass(hints[name]):
            inner = values[name]
            if isinstance(inner, dict):
                yield from _wrong(hints[name], inner, f"{key}.")
            else:
                yield f"{key} has keys of its own; got {inner!r}"
        else:
            yield from _wrong_value(kind, name, values[name], key, hints[name])


def unknown_keys(values: Any, known: Any, above: str) -> Iterator[str]:
    """A line for each key of `values` that is not known."""
    for key in values:
        if key not in known:
            hint = did_you_mean(str(key), known, above) or f"; known: {', '.join(known)}"
            yield f"{above}{key} is unknown{hint}"


def _wrong_value(kind: type[Any], name: str, value: Any, key: str, hint: Any) -> Iterator[str]:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        OmegaConf.merge(OmegaConf.structured(kind), {name: value})
    except OmegaConfBaseException:
        yield f"{key} must be {_type_name(hint)}; got {value!r}"
    else:
        if name == "out" and not value:
            yield f"{key} must name a folder; got {value!r}"


def _type_name(hint: Any) -> str:
    text = hint.__name__ if isinstance(hint, type) and not hasattr(hint, "__args__") else str(hint)
    words = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}
    return words.get(text, text.replace("None", "null").replace("typing.", ""))
