"""The one place where randomness comes from: generators keyed by what they are for.

A stream is a function of its key alone, never of the process, the worker or the order of
calls, so the same (seed, epoch, sample, stage) gives the same numbers everywhere.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

_EXACT = 2**53
_AS_THEY_ARE = (int, str, bool, type(None))


def digest(value: Any) -> str:
    """sha256 (hex) of a JSON-able value. Neither the order of dictionary keys matters nor how a
    number is written: 2, 2.0 and numpy's numbers of that value are one.

    Raises:
        TypeError: the value is not JSON-able.
        ValueError: it holds NaN or an infinity, which have no one JSON form.
    """
    text = json.dumps(
        plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Any:
    """A JSON-able value with one form for each number: numpy's become Python's, whole floats
    integers. What is not JSON-able stays."""
    kind = type(value)
    if kind is float:
        return int(value) if value.is_integer() and abs(value) < _EXACT else value
    if kind in _AS_THEY_ARE:
        return value
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (np.generic, np.ndarray)):
        return plain(value.tolist())
    return value


def keyed_generator(seed: int, *parts: int | str) -> np.random.Generator:
    """A Philox generator for this seed and these key parts (epoch, sample id, stage, ...).

    Parts are typed: the number 1 and the text "1" are different keys.
    """
    key = hashlib.blake2b(
        json.dumps([seed, *parts], ensure_ascii=True).encode(), digest_size=16
    ).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))
