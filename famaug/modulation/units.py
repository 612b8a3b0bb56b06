"""AUs written by hand: "4=1.5,7=1,12L=1" as an array, a bare number meaning both sides."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError
from famaug.types import AU_INDEX, AUS

PerAU = NDArray[np.float64]

_NAME = re.compile(r"(?:AU)?0*(\d{1,2})([LR]?)", re.IGNORECASE)
_SIDES = {"": slice(0, 2), "L": slice(0, 1), "R": slice(1, 2)}


def parse_units(text: str, *, low: float = 0.0, high: float = 5.0) -> dict[str, float]:
    """`"4=1.5, AU07=1, 12L=1"` as {"4": 1.5, "7": 1.0, "12L": 1.0}, in the order written.

    Raises:
        InputError: no value, an AU without intensity in famaug, a value outside low-high, or a
            side given twice.
    """
    units: dict[str, float] = {}
    for part in text.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals:
            raise InputError(f"cannot read {part.strip()!r} in {text!r}: write AU=VALUE, as 12L=1")
        unit = _canonical(name, text)
        if unit in units:
            raise InputError(f"AU {unit} is given twice in {text!r}")
        units[unit] = _number(value, part, low, high)
    per_au(units)
    return units


def per_au(values: Mapping[str, float] | Mapping[int, float], *, default: float = 0.0) -> PerAU:
    """float64 `2 17` from AU names ("12", "12L", 12); AUs not named get `default`.

    Raises:
        InputError: an unknown AU, or a side given twice ("12" beside "12L").
    """
    result = np.full((2, len(AUS)), default)
    given = np.zeros(result.shape, bool)
    for name, value in values.items():
        unit = _canonical(str(name), str(dict(values)))
        where = (_SIDES[unit.lstrip("0123456789")], AU_INDEX[int(unit.rstrip("LR"))])
        if given[where].any():
            raise InputError(f"AU {unit} is given twice in {dict(values)}")
        result[where], given[where] = value, True
    return result


def _canonical(name: str, text: str) -> str:
    match = _NAME.fullmatch(name.strip())
    if match is None or int(match[1]) not in AU_INDEX:
        raise InputError(
            f"unknown AU {name.strip()!r} in {text!r}: use one of "
            f"{', '.join(map(str, AUS))}, with L or R for one side"
        )
    return f"{int(match[1])}{match[2].upper()}"


def _number(value: str, part: str, low: float, high: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise InputError(f"cannot use {part.strip()!r}: the value must be from {low:g} to {high:g}")
    return number
