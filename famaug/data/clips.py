"""A generic clip dataset: frame folders or video files in folders named by subject."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from famaug.clip import PICTURES, VIDEOS, frame_paths, load_clip, natural_key
from famaug.data.protocols import Label
from famaug.errors import InputError, MediaError
from famaug.types import Clip, ClipRef

COLUMNS = ("subject", "clip", "path", "emotion", "onset", "apex", "offset", "fps", "action_units")


class ClipFolder(Dataset[tuple[Clip, Label]]):
    """Clips as `root/subject/clip/frames...` or `root/subject/clip.mp4`, or listed in a table.

    Items are `(Clip, label)`, the label being the clip's emotion. Opening reads no pixels.

    Args:
        root: the folder.
        dataset: name the subjects belong to, "folder" by default.
        table: CSV with the columns subject and clip, and any of path (relative to root), emotion,
            onset, apex, offset (frames counted from 0), fps, action_units. Without a path the
            clip is looked for at `subject/clip`.
        keep: which references to keep.

    Raises:
        MediaError: the folder or a listed clip is not there, or there are no clips.
        InputError: the table lacks a column or holds a value that is no number.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        dataset: str = "folder",
        table: str | os.PathLike[str] | None = None,
        keep: Callable[[ClipRef], bool] | None = None,
    ) -> None:
        self.root = Path(root)
        if not self.root.is_dir():
            raise MediaError(f"{self.root}: asked for a folder of clips; there is none")
        found = (
            _from_tree(self.root, dataset)
            if table is None
            else (_from_table(self.root, dataset, Path(table)))
        )
        self.refs: list[ClipRef] = [r for r in found if keep is None or keep(r)]
        if not self.refs:
            names = sorted(p.name for p in self.root.iterdir())[:5]
            raise MediaError(
                f"{self.root}: no clips; looked for subject/clip/frames and subject/clip"
                f"{'|'.join(VIDEOS[:3])}; it holds {names or 'nothing'}"
            )

    @property
    def labels(self) -> list[Label]:
        return [r.emotion for r in self.refs]

    def __len__(self) -> int:
        return len(self.refs)

    def __getitem__(self, index: int) -> tuple[Clip, Label]:
        ref = self.refs[index]
        return load_clip(ref), ref.emotion


def _from_tree(root: Path, dataset: str) -> list[ClipRef]:
    refs = []
    for subject in _sorted(p for p in root.iterdir() if p.is_dir()):
        for path in _sorted(subject.iterdir()):
            ref = ClipRef(dataset, subject.name, path.name)
            if path.is_dir() and any(p.suffix.lower() in PICTURES for p in path.iterdir()):
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
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{table}: not a readable CSV: {error}") from error
    columns = set(rows[0]) if rows else set()
    missing, unknown = {"subject", "clip"} - columns, columns - set(COLUMNS)
    if missing or unknown:
        raise InputError(
            f"{table}: columns missing: {sorted(missing)}, unknown: {sorted(map(str, unknown))}; "
            f"known: {', '.join(COLUMNS)}"
        )
    return [_from_row(root, dataset, row, f"{table}, row {i + 2}") for i, row in enumerate(rows)]


def _from_row(root: Path, dataset: str, row: dict[str, str], where: str) -> ClipRef:
    def number(name: str, kind: type[int] | type[float]) -> Any:
        text = (row.get(name) or "").strip()
        try:
            return kind(text) if text else None
        except ValueError as error:
            raise InputError(f"{where}: {name} must be a number; got {text!r}") from error

    ref = ClipRef(
        dataset,
        row["subject"],
        row["clip"],
        fps=number("fps", float),
        onset=number("onset", int),
        apex=number("apex", int),
        offset=number("offset", int),
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
