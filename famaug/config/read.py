"""A YAML file as arguments: a key is a parameter of what it is for, and all that is wrong with a
file is told at once.

Names, types and defaults are those of the signature, so nothing is written twice. The idea of
binding a configuration to a signature is torchtune's (`torchtune/config/_validate.py`).
"""

from __future__ import annotations

import inspect
import math
import re
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from importlib import import_module
from pathlib import Path
from types import UnionType
from typing import Any

from famaug.errors import InputError, UsageError
from famaug.files.limits import read_text
from famaug.named import did_you_mean

MAX_BYTES = 256 << 10
MAX_NODES = 10_000
MAX_REFERENCES = 8
"""Of one key to others: each may double what it refers to. Those to the environment are free."""
REQUIRED = inspect.Parameter.empty
Check = Callable[[Any], object]


@dataclass(frozen=True)
class Key:
    """A key of a configuration.

    Attributes:
        kind: annotation that values are checked by and converted to (a list to a tuple, text to a
            path).
        default: `REQUIRED` if there is none.
        of, parameter: function or class whose argument it is, and the argument's name.
        check: raises InputError for a value of that kind that cannot be.
    """

    kind: Any
    default: Any = REQUIRED
    of: Any = None
    parameter: str = ""
    check: Check | None = None


def keys_of(
    target: Callable[..., Any],
    *names: str,
    above: str = "",
    but: Collection[str] = (),
    **renamed: str,
) -> dict[str, Key]:
    """Keys for parameters of a function or class.

    Args:
        target: whose signature is taken.
        names: of its parameters; all of them if nothing is named or renamed.
        above: keys above these, as "work.ray.".
        but: parameters that are left out.
        renamed: key to parameter, where they differ: `per_clip="per_driver"`.
    """
    parameters = inspect.signature(target).parameters
    hints = typing.get_type_hints(target.__init__ if inspect.isclass(target) else target)
    made = {f.name: f.default_factory for f in fields(target)} if is_dataclass(target) else {}

    def default(name: str) -> Any:
        factory = made.get(name, MISSING)
        return parameters[name].default if factory is MISSING else factory()

    if not names and not renamed:
        names = tuple(parameters)
    wanted = {n: n for n in names if n not in but} | renamed
    return {
        f"{above}{key}": Key(_written(hints[name]), default(name), target, name)
        for key, name in wanted.items()
    }


class Config(Mapping[str, Any]):
    """The checked values of a configuration, by dotted key: `config["drivers.per_clip"]`."""

    def __init__(self, schema: Mapping[str, Key], values: Mapping[str, Any]) -> None:
        self._schema, self._values = schema, dict(values)

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def arguments(self, target: Callable[..., Any]) -> dict[str, Any]:
        """The values that are arguments of a target, by parameter."""
        mine = {k: key for k, key in self._schema.items() if key.of is target}
        return {key.parameter: self[k] for k, key in mine.items()}

    def idle(self, why: str, *keys: str) -> list[str]:
        """A line for each of these keys that was changed from its default where it has no effect.

        Args:
            why: what they belong to.
            keys: all below a room of keys if one ends in a dot, as "work.ray.".
        """
        named = [
            k for k in self if k in keys or k.startswith(tuple(k for k in keys if k[-1] == "."))
        ]
        return [
            f"{key} has no effect: {why}; got {plain(self[key])!r}"
            for key in named
            if plain(self[key]) != plain(self._schema[key].default)
        ]

    def nested(self, below: str = "") -> dict[str, Any]:
        """Plain values as a YAML has them: of all keys, or of those below a room ("network.")."""
        out: dict[str, Any] = {}
        for key, value in self.items():
            if key.startswith(below):
                *rooms, last = key.removeprefix(below).split(".")
                inner = out
                for room in rooms:
                    inner = inner.setdefault(room, {})
                inner[last] = plain(value)
        return out

    def to_yaml(self) -> str:
        """The resolved configuration."""
        from omegaconf import OmegaConf

        return OmegaConf.to_yaml(OmegaConf.create(self.nested()))


@dataclass(frozen=True)
class Schema:
    """What a configuration may say.

    Attributes:
        keys: by dotted name.
        together: lines on what is wrong with values beside each other; it is asked when each of
            them is right by itself.
        made: targets that look at their arguments when they are made, and are light to make, by
            the room of their keys ("work").
    """

    keys: Mapping[str, Key]
    together: Callable[[Config], Iterable[str]] = lambda config: ()
    made: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    def read(self, path: Path, overrides: Sequence[str] | None = (), **options: object) -> Config:
        """A YAML file. Interpolations of OmegaConf work: `${oc.env:DATA}/CASME2`.

        Args:
            path: of the file.
            overrides: single keys, as "training.epochs=20".
            options: values by key, of a command's options; None where one was not given.

        Raises:
            UsageError: no such file, no YAML, keys that are unknown or missing, values that cannot
                be: all of them together, keys with the nearest that there is.
        """
        return self.of(_read(path, overrides or (), options), str(path))

    def of(self, given: Mapping[Any, Any], name: str = "the configuration") -> Config:
        """Plain nested values as a configuration; raises as `read`."""
        wrong: list[str] = []
        values = {k: key.default for k, key in self.keys.items()}
        for key, value in self._flat(given, "", wrong):
            try:
                values[key] = converted(self.keys[key].kind, value)
            except InputError as error:
                wrong.append(f"{key} {error}")
                continue
            try:
                check = self.keys[key].check
                if check is not None:
                    check(values[key])
            except InputError as error:
                wrong.append(f"{key}{' ' if str(error).startswith('must ') else ': '}{error}")
        wrong += [
            f"{key} is missing ({describe(self.keys[key].kind)})"
            for key, value in values.items()
            if value is REQUIRED and not any(w.startswith(f"{key} ") for w in wrong)
        ]
        config = Config(self.keys, values)
        for room, target in self.made.items():
            if not any(w.startswith(f"{room}.") for w in wrong):
                try:
                    target(**config.arguments(target))
                except InputError as error:
                    wrong.append(f"{room}: {error}")
        if not wrong:
            wrong += self.together(config)
        if wrong:
            lines = "\n".join(f"  {line}" for line in wrong)
            count = "1 value is" if len(wrong) == 1 else f"{len(wrong)} values are"
            raise UsageError(f"{name}: {count} wrong:\n{lines}")
        return config

    def _flat(
        self, given: Mapping[Any, Any], above: str, wrong: list[str]
    ) -> Iterator[tuple[str, Any]]:
        """The known keys of one level and below; lines on others go into `wrong`."""
        level = {k.removeprefix(above).partition(".")[0] for k in self.keys if k.startswith(above)}
        for name, value in given.items():
            key = f"{above}{name}"
            if key in self.keys:
                yield key, value
            elif name not in level:
                wrong += unknown_keys([name], sorted(level), above)
            elif isinstance(value, Mapping):
                yield from self._flat(value, f"{key}.", wrong)
            else:
                wrong.append(f"{key} has keys of its own; got {value!r}")


def unknown_keys(values: Iterable[Any], known: Collection[str], above: str) -> Iterator[str]:
    """A line for each key of `values` that is not known."""
    for key in values:
        if key not in known:
            hint = did_you_mean(str(key), known, above) or f"; known: {', '.join(known)}"
            yield f"{above}{key} is unknown{hint}"


def each(check: Check) -> Check:
    """A check of every item."""

    def checks(values: Iterable[Any]) -> None:
        for value in values:
            check(value)

    return checks


def instead(keys: Mapping[str, Key], **defaults: Any) -> dict[str, Key]:
    """The keys with other defaults, by parameter."""
    return {
        k: replace(key, default=defaults.get(key.parameter, key.default)) for k, key in keys.items()
    }


def checked(keys: Mapping[str, Key], **checks: Check) -> dict[str, Key]:
    """The keys with checks, by parameter."""
    return {k: replace(key, check=checks.get(key.parameter, key.check)) for k, key in keys.items()}


def _written(kind: Any) -> Any:
    """What of an annotation a YAML can write: `str | Estimator` is text there."""
    if typing.get_origin(kind) not in (typing.Union, UnionType):
        return kind
    members = typing.get_args(kind)
    words = (str, int, float, bool, Path, type(None))
    kept = [m for m in members if not inspect.isclass(m) or m in words]
    return typing.Union[tuple(kept)] if kept else kind  # noqa: UP007  made of a list


def converted(kind: Any, value: Any) -> Any:
    """A plain value as an annotation asks for it; numbers do for text, as YAML reads 03 as one.

    Raises:
        InputError: it is not of that kind.
    """
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    if value == "" and Path in (kind, *typing.get_args(kind)):
        raise InputError(f"must name a file or folder; got {value!r}")
    try:
        made: Any = TypeAdapter(
            kind, config=ConfigDict(coerce_numbers_to_str=True)
        ).validate_python(value)
    except ValidationError as error:
        near = did_you_mean(value, choices(kind)) if isinstance(value, str) else ""
        raise InputError(f"must be {describe(kind)}; got {value!r}{near}") from error
    return made


def choices(kind: Any) -> list[str]:
    """The words that a kind allows."""
    inner = typing.get_args(kind)
    if typing.get_origin(kind) is typing.Literal:
        return [str(a) for a in inner]
    return [word for each in inner for word in choices(each)]


def describe(kind: Any) -> str:
    """An annotation in words."""
    words = {
        str: "text", int: "a whole number", float: "a number", bool: "true or false",
        Path: "a path", type(None): "null", Any: "any value",
    }  # fmt: skip
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return _listed([str(a) for a in inner])
    if origin in (typing.Union, UnionType):
        return _listed([describe(a) for a in inner])
    if origin is tuple and Ellipsis not in inner:
        return f"a list of {len(inner)}: {', '.join(describe(a) for a in inner)}"
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return "keys of its own"
    if inspect.isclass(origin) and issubclass(origin, Collection):
        return f"a list, each {describe(inner[0])}"
    return words.get(kind, str(kind))


def _listed(words: Sequence[str]) -> str:
    """ "a, b or c"."""
    return " or ".join([*filter(None, [", ".join(words[:-1])]), words[-1]])


def plain(value: Any) -> Any:
    """A value as YAML writes it."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value


def _read(path: Path, overrides: Sequence[str], options: Mapping[str, object]) -> dict[Any, Any]:
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
        for key, value in options.items():
            if value is not None:
                OmegaConf.update(merged, key, plain(value), force_add=True)
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
