"""A generic clip dataset: frame folders or video files in folders named by subject."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from famaug.data.contents import dataset_parts
from famaug.data.protocols import Label
from famaug.data.readers.tables import number, read_rows, text
from famaug.errors import InputError, MediaError
from famaug.files.delimited import number_in
from famaug.files.folders import names_in, visible
from famaug.media.clips import VIDEOS, frame_paths, holds_pictures, load_clip, natural_key
from famaug.people.datasets import dataset_named
from famaug.shown.lines import in_notebooks, one_line
from famaug.types import Clip, ClipRef

COLUMNS = ("subject", "clip", "path", "emotion", "onset", "apex", "offset", "fps", "action_units")


@in_notebooks
class ClipFolder(Dataset[tuple[Clip, Label]]):
    """Clips as `root/subject/clip/frames...` or `root/subject/clip.mp4`, or listed in a table.

    Items are `(Clip, label)`, the label being the clip's emotion. Opening reads no pixels.

    Args:
        root: the folder.
        dataset: name the subjects belong to; by default the public data set that the folder's path
            names ("CASME2/Cropped"), so that its people are the same in every cache, else "folder".
        table: CSV or xlsx with the columns subject and clip, and any of path (relative to root),
            emotion, onset, apex, offset (frames counted from 0), fps, action_units. Without a
            path the clip is looked for at `subject/clip`.
        keep: which references to keep.

    Raises:
        MediaError: the folder or a listed clip is not there, or there are no clips.
        InputError: the table lacks a column or holds a value that is no number.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        dataset: str | None = None,
        table: str | os.PathLike[str] | None = None,
        keep: Callable[[ClipRef], bool] | None = None,
    ) -> None:
        self.root = Path(root)
        dataset = dataset_of_path(self.root) if dataset is None else dataset
        if not self.root.is_dir():
            raise MediaError(f"{self.root}: asked for a folder of clips; there is none")
        found = (
            _from_tree(self.root, dataset)
            if table is None
            else (_from_table(self.root, dataset, Path(table)))
        )
        self.people = frozenset(ref.person for ref in found)
        self.refs: list[ClipRef] = [r for r in found if keep is None or keep(r)]
        if not self.refs:
            names = names_in(self.root)[:5]
            raise MediaError(
                f"{self.root}: no clips; looked for subject/clip/frames and subject/clip"
                f"{'|'.join(VIDEOS[:3])}; it holds {names or 'nothing'}"
            )

    @property
    def labels(self) -> list[Label]:
        return [r.emotion for r in self.refs]

    def __len__(self) -> int:
        return len(self.refs)

    def __repr__(self) -> str:
        return one_line(self, *dataset_parts(self))

    def __getitem__(self, index: int) -> tuple[Clip, Label]:
        ref = self.refs[index]
        return load_clip(ref), ref.emotion


def dataset_of_path(path: Path) -> str:
    """The public data set that a folder, or one of the three above it, is named after."""
    names = [*path.absolute().parts[::-1][:4], *Path(os.path.realpath(path)).parts[::-1][:4]]
    return next((known.name for n in names if (known := dataset_named(n))), "folder")


def _from_tree(root: Path, dataset: str) -> list[ClipRef]:
    refs = []
    for subject in _sorted(p for p in visible(root) if p.is_dir()):
        for path in _sorted(visible(subject)):
            ref = ClipRef(dataset, subject.name, path.name)
            if path.is_dir() and holds_pictures(path):
                refs.append(_with_media(ref, path))
            elif path.suffix.lower() in VIDEOS:
                refs.append(_with_media(replace(ref, clip=path.stem), path))
    return refs


def _sorted(paths: Any) -> list[Path]:
    return sorted(paths, key=lambda p: natural_key(p.name))


def _with_media(ref: ClipRef, path: Path) -> ClipRef:
    if path.is_dir():
        return replace(ref, frames=tuple(str(p) for p in frame_paths(path)))
    return replace(ref, video=str(path))


def _from_table(root: Path, dataset: str, table: Path) -> list[ClipRef]:
    if not table.is_file():
        raise InputError(f"{table}: asked for a table of clips; there is no such file")
    rows = read_rows(table, required=COLUMNS[:2], optional=COLUMNS[2:])
    unknown = sorted({c for _, row in rows for c in row} - set(COLUMNS))
    if unknown:
        raise InputError(f"{table}: columns unknown: {unknown}; known: {', '.join(COLUMNS)}")
    cells = [(line, {c: text(v) for c, v in row.items()}) for line, row in rows]
    return [_from_row(root, dataset, row, f"{table}, row {line}") for line, row in cells]


def _from_row(root: Path, dataset: str, row: dict[str, str], where: str) -> ClipRef:
    def fps() -> float | None:
        value = number_in(row.get("fps") or "")
        if value is None or value <= 0 or value == float("inf"):
            raise InputError(f"{where}: fps must be a number above 0; got {row['fps']!r}")
        return None if value != value else value

    def frame(name: str) -> int | None:
        at = number(row.get(name), f"{where}, {name}")
        if at is not None and at < 0:
            raise InputError(f"{where}: {name} is counted from 0; got {at}")
        return at

    ref = ClipRef(
        dataset,
        row["subject"],
        row["clip"],
        fps=fps(),
        onset=frame("onset"),
        apex=frame("apex"),
        offset=frame("offset"),
        emotion=row.get("emotion") or None,
        action_units=row.get("action_units") or None,
    )
    return _with_media(ref, _find(root, row, where))


def _find(root: Path, row: dict[str, str], where: str) -> Path:
    path = root / (row.get("path") or f"{row['subject']}/{row['clip']}")
    for candidate in (path, *(path.with_name(path.name + s) for s in VIDEOS)):
        if candidate.exists():
            return candidate
    raise MediaError(f"{where}: no clip at {path} (nor with {', '.join(VIDEOS)})")
