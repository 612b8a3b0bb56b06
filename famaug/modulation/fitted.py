"""Expressions drawn from clips that were measured and saved: statistics, pairs, early frames."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from famaug.errors import InputError
from famaug.modulation import pools, statistics
from famaug.modulation.pools import ExpressionPool, load_pool
from famaug.modulation.sources import ExpressionSource
from famaug.modulation.statistics import TrackStatistics
from famaug.seeding import digest
from famaug.types import AUTrack

_FILE = re.compile(r"(?P<path>.+\.json)(?::(?P<label>[^:/]+))?", re.IGNORECASE)
KINDS = ("stats", "early", "pairs")
"""What is drawn from a file of `famaug pool`."""


@dataclass(frozen=True, kw_only=True)
class FittedSource(ExpressionSource):
    """Draws from a file: `TrackStatistics`, or an `ExpressionPool` of pairs or early macro frames.
    Everybody who went into a draw stands in its track, and the leakage guard keeps it out of every
    fold that holds one of them out: of statistics everybody, of a pool the one person drawn.

    Attributes:
        drawn: how, one of `KINDS`.
        content: digest of what the file holds.
        wanted: class to draw from, None for all of them.
        path: of the file; it has no part in what is drawn.
        pool: what it holds.
    """

    drawn: str
    content: str
    wanted: str | None
    path: str = field(repr=False, compare=False)
    pool: TrackStatistics | ExpressionPool = field(repr=False, compare=False)

    @staticmethod
    def of(kind: str, text: str) -> FittedSource:
        """From "fitted.json" or "fitted.json:positive".

        Raises:
            InputError: no such file, nothing of this kind in it, or no clip of that class.
        """
        match = _FILE.fullmatch(text.strip())
        if match is None:
            raise InputError(f"{kind}: is read from FILE.json or FILE.json:CLASS; got {text!r}")
        pool = _load(kind, match["path"])
        label = match["label"]
        there = sorted({str(have) for have in pool.labels})
        if label is not None and label not in pool.labels:
            raise InputError(f"{match['path']} holds no {label!r}: it has {', '.join(there)}")
        content = digest(pool.to_json())
        return FittedSource(
            drawn=kind, content=content, wanted=label, path=match["path"], pool=pool
        )

    @property
    def kind(self) -> str:
        return self.drawn

    @property
    def text(self) -> str:
        return self._written(self.path)

    @property
    def title(self) -> str:
        return self._written(Path(self.path).name)

    @property
    def label(self) -> str | None:
        """The class asked for, or the only one there is."""
        every = set(self.pool.labels)
        return every.pop() if self.wanted is None and len(every) == 1 else self.wanted

    def draw(self, rng: np.random.Generator, *, fps: float = 200.0) -> AUTrack:
        return self.pool.draw(rng, fps=fps, label=self.wanted)

    def _written(self, file: str) -> str:
        return f"{self.kind}:{file}" + (f":{self.wanted}" if self.wanted else "")


def _load(kind: str, path: str) -> TrackStatistics | ExpressionPool:
    pool = load_pool(path, _whatever_it_is)
    held = "stats"
    if isinstance(pool, ExpressionPool):
        held = "pairs" if pool.early is None else "early"
    if held != kind:
        raise InputError(f"{path} holds {held}, so it is {held}:{path}")
    return pool


def _whatever_it_is(value: Any) -> TrackStatistics | ExpressionPool:
    schema = value.get("schema") if isinstance(value, dict) else None
    if schema == statistics.SCHEMA:
        return TrackStatistics.from_json(value)
    if schema == pools.SCHEMA:
        return ExpressionPool.from_json(value)
    raise InputError(f"its schema is {schema!r}, so `famaug pool` did not make it")


def is_file(text: str) -> bool:
    """Whether what follows "stats:" names a file."""
    return _FILE.fullmatch(text.strip()) is not None
