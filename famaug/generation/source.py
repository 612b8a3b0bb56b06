"""A driver or an identity of a generation, small enough to travel to workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["clip", "annotation", "table", "rule", "picture"]


@dataclass(frozen=True)
class Source:
    """A driver or an identity. Small: it travels to workers.

    Attributes:
        kind: a clip of the dataset, the annotation of one, an AU table, a rule or statistics, or
            a picture.
        name: shown to people; unique among drivers and among identities.
        record: under which its measurement is kept; for a rule, its text; for an annotation, what
            is drawn from, as JSON text.
        index: of a clip in the dataset.
        path: of a table or picture.
        subject: "dataset/subject", or "".
        frame: of what is drawn beside a data set: how that frames its faces, as JSON text, or "".
    """

    kind: Kind
    name: str
    record: str
    index: int = -1
    path: str = ""
    subject: str = ""
    frame: str = ""

    @property
    def drawn(self) -> bool:
        """Whether it is drawn, anew for each clip, and nothing of it is measured."""
        return self.kind in ("rule", "annotation")
