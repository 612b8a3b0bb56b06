"""Several looks of which each clip gets one: those of a composite of data sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from famaug.errors import InputError
from famaug.look.look import VERSION, Look
from famaug.shown.lines import counted, one_line, short


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Looks of which each clip draws one, all alike often.

    Attributes:
        looks: one or more.
        source: where they come from, in words.

    Raises:
        InputError: no look, or something else among them.
    """

    looks: tuple[Look, ...]
    source: str = ""

    def __post_init__(self) -> None:
        if not self.looks or not all(isinstance(look, Look) for look in self.looks):
            raise InputError(f"a mixture is of one or more looks; got {self.looks!r:.80}")

    def __repr__(self) -> str:
        people = counted(len(self.subjects), "subject")
        return one_line(self, counted(len(self.looks), "look"), f"of {people}", short(self.source))

    @property
    def subjects(self) -> tuple[str, ...]:
        """Everybody ("dataset/subject") whom one of them was fitted on."""
        return tuple(sorted({name for look in self.looks for name in look.subjects}))

    def one(self, rng: np.random.Generator) -> Look:
        """The profile of one clip."""
        return self.looks[int(rng.integers(len(self.looks)))]

    def lines(self) -> list[str]:
        """For people."""
        found = [f"mixture   of {len(self.looks)}; each clip draws one"]
        for number, look in enumerate(self.looks, 1):
            found += [f"{number}.", *(f"  {line}" for line in look.lines())]
        return found + ([f"source    {self.source}"] if self.source else [])

    def to_json(self) -> dict[str, Any]:
        """JSON-able, as `famaug.look.files.load_look` reads it."""
        mixture = [look.to_json() for look in self.looks]
        return {"version": VERSION, "mixture": mixture, "source": self.source}


AnyLook = Look | Mixture
