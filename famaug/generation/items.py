"""A driver or an identity of a generation, small enough to travel to workers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from famaug.files.folders import visible

Kind = Literal["clip", "annotation", "table", "rule", "picture"]


@dataclass(frozen=True)
class Item:
    """A driver or an identity. Small: it travels to workers.

    Attributes:
        kind: a clip of the dataset, the annotation of one, an AU table, a rule or statistics, or
            a picture.
        name: shown to people; unique among drivers and among identities.
        key: under which its measurement is kept; for a rule, its text; for an annotation, what
            is drawn from, as JSON text.
        index: in the dataset, of a clip, or of that whose annotation or table it is.
        path: of a table or picture.
        subject: "dataset/subject", or "".
        frame: of what has no frames of its own beside a data set: how that frames its faces, as
            JSON text, or "".
    """

    kind: Kind
    name: str
    key: str
    index: int = -1
    path: str = ""
    subject: str = ""
    frame: str = ""

    @property
    def drawn(self) -> bool:
        """Whether it is drawn, anew for each clip, and nothing of it is measured."""
        return self.kind in ("rule", "annotation")

    @property
    def frameless(self) -> bool:
        """Whether a data set's own framing must be told: it is drawn, or a clip's table."""
        return self.drawn or (self.kind == "table" and self.index >= 0)


def stamp(path: Path) -> list[Any]:
    """A file as it is now. The time at which its entry was changed is the system's own: a copy
    that keeps size and time of the old file has another."""
    try:
        stat = path.stat()
    except OSError:
        return [str(path)]
    return [str(path), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


def stamps(path: Path) -> list[list[Any]]:
    """Of a table and what lies beside it, a folder of tables, or a picture."""
    parts = visible(path) if path.is_dir() else [path, path.with_name(f"{path.name}.json")]
    return [stamp(p) for p in parts]
