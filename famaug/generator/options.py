"""What can be set of a generator: each says it itself, with the values that are possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from famaug.errors import InputError
from famaug.named import did_you_mean


@dataclass(frozen=True)
class Range:
    """A number from `low` to `high`; `default` where nothing is said."""

    low: float
    high: float
    default: float

    def taken(self, name: str, value: Any) -> float:
        """The number. Raises InputError: none, or out of range."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not self.low <= value <= self.high:
            raise InputError(f"{name} is {self.low:g} to {self.high:g}; got {value!r}")
        return float(value)


@dataclass(frozen=True, init=False)
class Choice:
    """One of some words; the first where nothing is said."""

    words: tuple[str, ...]

    def __init__(self, *words: str) -> None:
        object.__setattr__(self, "words", words)

    @property
    def default(self) -> str:
        return self.words[0]

    def taken(self, name: str, value: Any) -> str:
        """The word. Raises InputError: none of them."""
        if not isinstance(value, str) or value not in self.words:
            raise InputError(f"{name} is {' or '.join(map(repr, self.words))}; got {value!r}")
        return value


Options = Mapping[str, Range | Choice]


def chosen(generator: str, options: Options, given: Mapping[str, Any]) -> dict[str, Any]:
    """All options of a generator: what was given, and defaults.

    Raises:
        InputError: an option that it does not have, or values that are not possible; all of them.
    """
    wrong = [
        f"the generator {generator} has no option {name!r}; there are: "
        f"{', '.join(options) or 'none'}{did_you_mean(name, options)}"
        for name in given
        if name not in options
    ]
    out: dict[str, Any] = {}
    for name, option in options.items():
        try:
            out[name] = option.taken(name, given.get(name, option.default))
        except InputError as error:
            wrong.append(str(error))
    if wrong:
        raise InputError("; ".join(wrong))
    return out
