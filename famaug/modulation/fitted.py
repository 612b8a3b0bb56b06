"""Expressions drawn from statistics that somebody fitted to measured clips and saved."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from famaug.errors import InputError
from famaug.modulation.sources import ExpressionSource
from famaug.modulation.statistics import TrackStatistics
from famaug.seeding import digest
from famaug.types import AUTrack

_FILE = re.compile(r"(?P<path>.+\.json)(?::(?P<label>[^:/]+))?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class FittedSource(ExpressionSource):
    """Draws from `TrackStatistics` in a file. Everybody whom they were fitted to goes into each
    draw, and the leakage guard keeps it out of every fold that holds one of them out.

    Attributes:
        content: digest of the statistics.
        wanted: class to draw from, None for all of them.
        path: of the file; it has no part in what is drawn.
        statistics: what it holds.
    """

    kind: ClassVar[str] = "stats"
    content: str
    wanted: str | None
    path: str = field(repr=False, compare=False)
    statistics: TrackStatistics = field(repr=False, compare=False)

    @staticmethod
    def of(text: str) -> FittedSource:
        """From "fitted.json" or "fitted.json:positive".

        Raises:
            InputError: no such file, no statistics in it, or no clip of that class.
        """
        match = _FILE.fullmatch(text.strip())
        if match is None:
            raise InputError(f"statistics are read from FILE.json or FILE.json:CLASS; got {text!r}")
        statistics = TrackStatistics.load(match["path"])
        label = match["label"]
        there = sorted({str(have) for have in statistics.labels})
        if label is not None and label not in statistics.labels:
            raise InputError(f"{match['path']} holds no {label!r}: it has {', '.join(there)}")
        content = digest(statistics.to_json())
        return FittedSource(
            content=content, wanted=label, path=match["path"], statistics=statistics
        )

    @property
    def text(self) -> str:
        return self._written(self.path)

    @property
    def title(self) -> str:
        return self._written(Path(self.path).name)

    @property
    def label(self) -> str | None:
        """The class asked for, or the only one there is."""
        every = set(self.statistics.labels)
        return every.pop() if self.wanted is None and len(every) == 1 else self.wanted

    def draw(self, rng: np.random.Generator, *, fps: float = 200.0) -> AUTrack:
        return self.statistics.draw(rng, fps=fps, label=self.wanted).track

    def _written(self, file: str) -> str:
        return f"stats:{file}" + (f":{self.wanted}" if self.wanted else "")


def is_file(text: str) -> bool:
    """Whether what follows "stats:" names a file."""
    return _FILE.fullmatch(text.strip()) is not None
