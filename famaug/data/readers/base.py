"""What all readers share: find the release on disk, read its table, and name every clip."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from torch.utils.data import Dataset

from famaug.data.contents import dataset_parts
from famaug.data.labels import label_map
from famaug.data.protocols import Label
from famaug.data.readers.corrections import Correction
from famaug.data.readers.disk import Folders, frames_by_number
from famaug.data.readers.rows import Findings, Row, contradiction, corrected, in_order
from famaug.data.readers.tables import Cells, read_rows
from famaug.errors import InputError, MediaError
from famaug.files.folders import names_in
from famaug.media.clips import load_clip, natural_key
from famaug.shown.lines import in_notebooks, one_line
from famaug.types import Clip, ClipRef

Missing = Literal["skip", "stop"]
Span = Literal["expression", "all"]
GAP = 10_000
"""Frames behind a folder's last that are listed as missing: an offset may be absurd."""


@dataclass(frozen=True, kw_only=True)
class MediaLayout:
    """One kind of media of a release.

    Attributes:
        places: folders below the root where the subjects' folders may lie, tried in order.
        subject: pattern of a subject's folder.
        frame: pattern of a frame's file name.
        depth: levels from a place down to the folder of a clip's frames.
    """

    places: tuple[str, ...]
    subject: str
    frame: str
    depth: int = 2


@dataclass(frozen=True, kw_only=True)
class Published:
    """What the release's authors say it holds."""

    clips: int | None = None
    subjects: int | None = None
    emotions: tuple[tuple[str, int], ...] = ()


@in_notebooks
class ReleaseReader(Dataset[tuple[Clip, Label]]):
    """A data set as its authors release it. Items are `(Clip, label)`; opening reads no pixels.

    Args:
        root: the folder that holds the release; nothing is ever written there.
        clip: kind of media, one of `layouts`; the first of them by default.
        label: "emotion" as published, or the classes "three" or "five"
            (`famaug.data.labels`); clips outside the classes are left out.
        numbered: labels are numbers, places in `classes`, instead of names.
        span: frames of a clip: "expression", onset to offset, or "all" of its folder.
        missing: "skip" clips and frames that are not on disk, or "stop".
        corrections: put known errors of the table right (`famaug.data.readers.corrections`).
        table: the label table; looked for under `root` by default.
        keep: which references to keep.

    Attributes:
        refs, labels: in item order; subjects as the release's folders spell them.
        people: everybody on disk, "dataset/subject", kept or not.
        classes: the labels there can be, in order; empty for "emotion".
        label_of: from published emotions to labels, for synthetic clips; None for "emotion".
        findings: what is wrong with the copy (see `famaug doctor --dataset`).

    Raises:
        MediaError: not this data set: the message says what was looked for and what is there; or
            something is missing and `missing` is "stop".
        InputError: a table of another version; an argument that does not exist here.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    fps: ClassVar[float | None]
    layouts: ClassVar[dict[str, MediaLayout]]
    published: ClassVar[Published] = Published()
    tables: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[tuple[str, ...]] = ()
    sheet: ClassVar[str | None] = None
    optional: ClassVar[tuple[str, ...]] = ()
    corrections: ClassVar[tuple[Correction, ...]] = ()
    counted_rows: ClassVar[int | None] = None
    """Number of rows of the table in which the corrections' rows were counted."""

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        clip: str | None = None,
        label: Literal["emotion", "three", "five"] = "emotion",
        numbered: bool = False,
        span: Span = "expression",
        missing: Missing = "skip",
        corrections: bool = True,
        table: str | os.PathLike[str] | None = None,
        keep: Callable[[ClipRef], bool] | None = None,
    ) -> None:
        self.root = Path(root)
        self.kind = _kind(self, clip)
        classes = label_map(self.name, label)
        if span not in ("expression", "all") or missing not in ("skip", "stop"):
            raise InputError(
                f"span is 'expression' or 'all', missing is 'skip' or 'stop'; got {span!r} and "
                f"{missing!r}"
            )
        if numbered and classes is None:
            raise InputError("numbered=True needs label='three' or 'five'")
        self.media = self._find_media()
        self.table = self._find_table(table)
        self.folders = Folders(self.media)
        self.findings = Findings()
        self.all_rows = self._all_rows(corrections)
        found = self._clips(span)
        self.people = frozenset(ref.person for ref in found)
        if missing == "stop":
            self._stop_if_missing()
        self.refs: list[ClipRef] = [r for r in found if keep is None or keep(r)]
        self.classes: tuple[str, ...] = ()
        self.label_of: dict[str, Label] | None = None
        if classes is not None:
            self.classes = tuple(sorted(set(classes.values()), key=_class_order))
            numbers = {n: i for i, n in enumerate(self.classes)}
            to = {e: numbers[c] if numbered else c for e, c in classes.items()}
            self.refs = [r for r in self.refs if (r.emotion or "").casefold() in classes]
            # classes too: a clip made by a rule is labelled "positive"
            own: dict[str, Label] = {c: numbers[c] if numbered else c for c in self.classes}
            self.label_of = own | {
                r.emotion: to[r.emotion.casefold()] for r in self.refs if r.emotion
            }
        if not self.refs:
            raise MediaError(f"{self.root}: no clip of {self.title} is left; {self.summary()}")

    # -- what a data set says itself ------------------------------------------------------------

    def read_row(self, cells: Cells, where: str) -> Row:
        """One row of the table in this release's terms; for a release with `tables`."""
        raise TypeError(f"{type(self).__name__} has tables, so it needs read_row")

    def read_rows_of(self, cells: Cells, where: str) -> list[Row]:
        """The expressions that one row of the table tells of."""
        return [self.read_row(cells, where)]

    def put_right(self, rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
        """Corrections that are no single cells: the rows, and what was done."""
        return list(rows), []

    def rows_of_tree(self) -> list[Row]:
        """Clips as found on disk; for a release without `tables`."""
        raise TypeError(f"{type(self).__name__} has no tables, so it needs rows_of_tree")

    def find_folder(self, row: Row) -> Path | None:
        """The folder of a row's frames, or None."""
        return self.folders.find(row.folder)

    def clip_folders(self) -> list[str]:
        """Folders of clips on disk, "a/b" below `media`."""
        return self.folders.below(self.layout.depth, self.layout.subject)

    # -- a map-style dataset --------------------------------------------------------------------

    @property
    def layout(self) -> MediaLayout:
        return self.layouts[self.kind]

    @property
    def labels(self) -> list[Label]:
        of = self.label_of
        return [r.emotion if of is None or r.emotion is None else of[r.emotion] for r in self.refs]

    def __len__(self) -> int:
        return len(self.refs)

    def __repr__(self) -> str:
        return one_line(self, *dataset_parts(self), f"{self.kind} frames")

    def __getitem__(self, index: int) -> tuple[Clip, Label]:
        ref = self.refs[index]
        of = self.label_of
        label = ref.emotion if of is None or ref.emotion is None else of[ref.emotion]
        return load_clip(ref), label

    def summary(self) -> str:
        """What opening found, in a line."""
        f = self.findings
        return (
            f"{f.rows} annotated, {len(f.missing_clips)} without folder, {len(f.empty_clips)} "
            f"empty, {len(f.missing_frames)} with missing frames, {len(f.bad_rows)} bad rows, "
            f"{len(f.unread)} rows not readable"
        )

    # -- opening --------------------------------------------------------------------------------

    def _find_media(self) -> Path:
        if not self.root.is_dir():
            raise MediaError(f"{self.root}: asked for {self.title}; there is no such folder")
        layout = self.layout
        for place in layout.places:
            folder = self.root / place
            if folder.is_dir() and Folders(folder).shows(layout.subject, layout.frame):
                return folder
        names = names_in(self.root)
        raise MediaError(
            f"{self.root}: asked for {self.title}, {self.kind} frames; looked in "
            f"{', '.join(layout.places)} for folders like {layout.subject!r} with files like "
            f"{layout.frame!r}; the folder holds {', '.join(names[:8]) or 'nothing'}"
            f"{', ...' if len(names) > 8 else ''}; pass the folder of the release, or clip= "
            f"({', '.join(self.layouts)})"
        )

    def _find_table(self, table: str | os.PathLike[str] | None) -> Path | None:
        if table is not None:
            if not self.tables:
                raise InputError(f"{self.title} has no label table: its folders are the labels")
            if not Path(table).is_file():
                raise InputError(f"{table}: asked for the label table; there is no such file")
            return Path(table)
        if not self.tables:
            return None
        for folder in dict.fromkeys((self.root, self.media, self.media.parent)):
            if folder != self.root and not folder.is_relative_to(self.root):
                continue
            names = names_in(folder)
            for pattern in self.tables:
                fits = [n for n in names if re.fullmatch(pattern, n, re.IGNORECASE)]
                if fits:
                    return folder / fits[0]
        names = names_in(self.root)
        raise InputError(
            f"{self.root}: no label table of {self.title}; looked for {', '.join(self.tables)}; "
            f"the folder holds {', '.join(names[:8])}; pass table="
        )

    def _all_rows(self, corrections: bool) -> list[Row]:
        if self.table is None:
            return self.rows_of_tree()
        rows: list[Row] = []
        unread = self.findings.unread
        lines = read_rows(
            self.table,
            required=self.columns,
            optional=self.optional,
            sheet=self.sheet,
            unread=unread,
        )
        for line, cells in lines:
            try:
                rows += self.read_rows_of(cells, f"{self.table}, row {line}")
            except InputError as error:
                unread.append(str(error))
        if unread and not rows:
            raise InputError(f"no row can be read: {unread[0]}")
        if not corrections:
            return rows
        rows, self.findings.corrected = self.put_right(rows)
        return corrected(rows, self.corrections, self.counted_rows, self._numbers, self.findings)

    def _numbers(self, row: Row) -> Collection[int]:
        folder = self.find_folder(row)
        return () if folder is None else frames_by_number(folder, self.layout.frame)

    def _clips(self, span: Span) -> list[ClipRef]:
        """Goes through the rows once and names every clip that is on disk."""
        refs = []
        names: Counter[tuple[str, str]] = Counter()
        self.findings.rows = len(self.all_rows)
        for row in self.all_rows:
            names[row.subject, row.clip] += 1
            # several expressions of one video: "b", "b#2", "b#3"
            k = names[row.subject, row.clip]
            ref = self._ref(row if k == 1 else replace(row, clip=f"{row.clip}#{k}"), span)
            if ref is not None:
                refs.append(ref)
        return refs

    def _ref(self, row: Row, span: Span) -> ClipRef | None:
        name, found = f"{row.subject}/{row.clip}", self.findings
        folder = self.find_folder(row)
        if folder is None:
            found.missing_clips.append(name)
            return None
        frames = frames_by_number(folder, self.layout.frame)
        if not frames:
            found.empty_clips.append(name)
            return None
        wrong = contradiction(row)
        if wrong:
            found.bad_rows.append(f"{name}: {wrong}")
        row = in_order(row)
        first, last = min(frames), max(frames)
        onset = first if row.onset is None else row.onset
        offset = last if row.offset is None or row.offset <= onset else row.offset
        gaps = [n for n in range(onset, min(offset, last + GAP) + 1) if n not in frames]
        if gaps:
            found.missing_frames[name] = tuple(gaps)
        numbers = sorted(n for n in frames if span == "all" or onset <= n <= offset)
        if not numbers:
            found.empty_clips.append(f"{name} (frames {first}-{last}, annotated {onset}-{offset})")
            return None
        if len(numbers) == 1:
            found.still.append(name)
        start = _nearest(numbers, onset)
        return ClipRef(
            self.name,
            row.subject,
            row.clip,
            frames=tuple(os.path.join(folder, frames[n]) for n in numbers),  # noqa: PTH118  fast
            fps=row.fps or self.fps,
            onset=start,
            apex=self._apex(name, row, numbers, start, onset, offset),
            offset=_nearest(numbers, offset),
            emotion=row.emotion,
            action_units=row.action_units,
        )

    def _apex(
        self, name: str, row: Row, numbers: Sequence[int], start: int, onset: int, offset: int
    ) -> int | None:
        """Position of the apex: annotated, or the middle; None where the annotated one is odd."""
        apex = row.apex
        if apex is None:
            self.findings.middle_apex.append(name)
            return _nearest(numbers, onset + (offset - onset) // 2)
        at = _nearest(numbers, apex)
        if not onset < apex <= offset or at <= start:
            self.findings.odd_apex.append(f"{name} (apex {apex}, onset {onset}, offset {offset})")
            return None
        return at

    def _stop_if_missing(self) -> None:
        f = self.findings
        if f.missing_clips or f.empty_clips or f.missing_frames or f.unread:
            first = [*f.missing_clips, *f.empty_clips, *f.missing_frames, *f.unread][:5]
            raise MediaError(
                f"{self.root}: {self.summary()}; first: {', '.join(first)}; `famaug doctor "
                f"--dataset {self.name} {self.root}` lists all; missing='skip' goes on without"
            )


def _nearest(numbers: Sequence[int], wanted: int) -> int:
    """Position of the nearest frame number that is there, the earlier of two."""
    return min(range(len(numbers)), key=lambda i: (abs(numbers[i] - wanted), i))


def _kind(reader: ReleaseReader, clip: str | None) -> str:
    kind = next(iter(reader.layouts)) if clip is None else clip
    if kind not in reader.layouts:
        raise InputError(
            f"{reader.title} has no clips {clip!r}; there are: {', '.join(reader.layouts)}"
        )
    return kind


def _class_order(name: str) -> tuple[int, Any]:
    from famaug.data.labels import THREE_CLASSES

    known = THREE_CLASSES.index(name) if name in THREE_CLASSES else len(THREE_CLASSES)
    return known, natural_key(name)
