"""What is wrong with a copy of a data set on disk, in one report."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from famaug.aus.facs import not_shown
from famaug.data.megc2019 import Megc2019
from famaug.data.protocols import refs_of
from famaug.data.readers.base import ReleaseReader
from famaug.data.readers.rows import Row
from famaug.errors import InputError, MediaError
from famaug.files.folders import is_hidden, names_in
from famaug.media.clips import read_frames, read_picture
from famaug.shown.lines import counted, one_line
from famaug.types import ClipRef

Expect = Literal["complete", "partial"]
NO_FOLDER = "clips without folder"
SHOWN = 8
"""Names of a kind that the text report lists; JSON has all."""
TOLD = (
    "corrections made",
    "corrections that do not fit",
    "apexes on the onset or outside",
    "other tables of this data set",
    "annotations that cannot be read",
    "hidden files",
    "links",
)
"""Details that are no problems."""


@dataclass(frozen=True, kw_only=True)
class DatasetReport:
    """A copy against its own table and against what its authors published.

    Attributes:
        root, media: folders of a release and of its frames; "" of another data set.
        problems: what makes clips unusable or numbers wrong, one line each.
        notes: what a user should know: corrections made, apexes that are middle frames.
        details: every name behind the lines, by kind.
        counts: clips, subjects and emotions found; `published` the same as published, or None.
        parts: reports of the releases that a composite is made of.
    """

    dataset: str
    root: str
    media: str
    table: str | None
    clips: int
    subjects: int
    emotions: dict[str, int]
    published: dict[str, Any]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    details: dict[str, list[str]]
    parts: tuple[DatasetReport, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __repr__(self) -> str:
        wrong = counted(len(self.problems), "problem") if self.problems else "no problem"
        found = f"{counted(self.clips, 'clip')} of {self.subjects} people"
        return one_line(self, self.dataset, found, wrong)

    def lines(self) -> list[str]:
        """For people."""
        want = self.published
        out = [line for part in self.parts for line in part.lines()]
        if self.root:
            out += [
                f"{self.dataset} at {self.root}",
                f"  frames    {self.media}",
                f"  table     {self.table or 'none: folders are the labels'}",
            ]
        else:
            out.append(self.dataset)
        out += [
            f"  clips     {self.clips}" + _of(want.get("clips")),
            f"  subjects  {self.subjects}" + _of(want.get("subjects")),
            "  emotions  " + ", ".join(f"{n} {c}" for n, c in self.emotions.items()),
        ]
        for kind, names in self.details.items():
            if names:
                more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
                out.append(f"  {kind}: {', '.join(names[:SHOWN])}{more}")
        return [*out, *(f"  note: {n}" for n in self.notes)]


def check_dataset(
    dataset: Any, *, images: bool = False, expect: Expect = "complete"
) -> DatasetReport:
    """Looks at everything a reader found, at folders without a row and, if asked, at every frame.

    Args:
        dataset: a release's reader, opened with `missing="skip"` and `label="emotion"`; the
            composite, opened with `missing="skip"`; or any data set with `refs`.
        images: decode every frame of every clip (slow: minutes).
        expect: "partial": clips, subjects and emotions may be fewer than published, and rows may
            lack their folder; both are notes then. More than published, and holes within a clip,
            stay problems.

    Raises:
        InputError: a data set without `refs`.
    """
    if isinstance(dataset, Megc2019):
        return _check_composite(dataset, images, expect)
    if not isinstance(dataset, ReleaseReader):
        return _check_clips(dataset, images)
    details, codes = _found(dataset, images)
    missing = [f"{len(v)} {k}" for k, v in details.items() if v and k == NO_FOLDER]
    problems = [f"{len(v)} {k}" for k, v in details.items() if v and k not in (*TOLD, NO_FOLDER)]
    emotions = Counter((r.emotion or "none").casefold() for r in dataset.all_rows)
    if "others" in emotions and "other" in emotions:  # SAMM spells it both ways
        emotions["other"] += emotions.pop("others")
    published = dataset.published
    fewer, more = _differences(dataset, emotions, len({r.subject for r in dataset.all_rows}))
    missing, problems = missing + fewer, problems + more
    if expect == "complete":
        problems, missing = missing + problems, []
    notes = [f"a partial copy: {line}" for line in missing]
    return DatasetReport(
        dataset=dataset.title,
        root=str(dataset.root),
        media=str(dataset.media),
        table=None if dataset.table is None else str(dataset.table),
        clips=len(dataset.refs),
        subjects=len({r.subject for r in dataset.refs}),
        emotions=dict(emotions.most_common()),
        published={
            "clips": published.clips,
            "subjects": published.subjects,
            "emotions": dict(published.emotions),
        },
        problems=tuple(problems),
        notes=(*notes, *_to_know(dataset, details, codes)),
        details=details,
    )


def _found(reader: ReleaseReader, images: bool) -> tuple[dict[str, list[str]], Counter[str]]:
    """What there is to tell of a release, names by kind; and the AU codes that are not shown."""
    f = reader.findings
    unread, codes = _annotations(reader.all_rows)
    return {
        NO_FOLDER: list(f.missing_clips),
        "empty clips": list(f.empty_clips),
        "clips with missing frames": [f"{c} ({_ranges(n)})" for c, n in f.missing_frames.items()],
        "clips of one frame": list(f.still),
        "rows that cannot be read": list(f.unread),
        "rows that contradict themselves": list(f.bad_rows),
        "folders without row": _strangers(reader),
        "unreadable images": _unreadable(reader.refs) if images else [],
        "corrections made": list(f.corrected),
        "corrections that do not fit": list(f.not_corrected),
        "apexes on the onset or outside": list(f.odd_apex),
        "other tables of this data set": _other_tables(reader),
        "annotations that cannot be read": unread,
        **_oddities(reader),
    }, codes


def _to_know(
    reader: ReleaseReader, details: dict[str, list[str]], codes: Counter[str]
) -> Iterator[str]:
    """Lines on what is no problem."""
    f = reader.findings
    if f.corrected:
        yield f"{len(f.corrected)} cells of the table are corrected (corrections=False: no)"
    if f.middle_apex:
        yield f"{len(f.middle_apex)} clips have no annotated apex: the middle frame"
    if f.odd_apex:
        odd = f"{len(f.odd_apex)} clips have their apex on the onset or outside"
        yield f"{odd}: networks look for it"
    if details["other tables of this data set"]:
        yield f"{reader.table} is read; table= takes another of the tables there"
    yield from _told_codes(codes)
    if details["hidden files"]:
        yield f"{len(details['hidden files'])} files of macOS or Windows, no frames: not read"
    if details["links"]:
        yield f"{len(details['links'])} folders are links: read as folders"


def _check_composite(data: Megc2019, images: bool, expect: Expect) -> DatasetReport:
    """The composite's list against what is there, and each of its releases."""
    parts = tuple(check_dataset(r, images=images, expect=expect) for r in data.readers)
    problems = [f"{part.dataset}: {line}" for part in parts for line in part.problems]
    notes = list[str]()
    if data.missing:
        said = f"{len(data.missing)} clips of the composite's list are missing"
        problems += [said] if expect == "complete" else []
        notes += [] if expect == "complete" else [f"a partial copy: {said}"]
    clips, classes = len(data.refs) + len(data.missing), Counter(map(str, data.labels))
    return DatasetReport(
        dataset="MEGC2019 composite",
        root="",
        media="",
        table=None,
        clips=len(data.refs),
        subjects=len({r.person for r in data.refs}),
        emotions=dict(classes.most_common()),
        published={"clips": clips},
        problems=tuple(problems),
        notes=tuple(notes),
        details={"clips of the list that are missing": data.missing},
        parts=parts,
    )


def _check_clips(data: Any, images: bool) -> DatasetReport:
    """Of a data set that is no public release: what its references say of themselves."""
    refs = refs_of(data)
    if refs is None:
        raise InputError(f"{type(data).__name__} has no `refs`, so nothing is known of its clips")
    unread, codes = _annotations(refs)
    files = {r.key: (r.video,) if r.video else r.frames for r in refs}
    details = {
        "clips without a subject": [r.clip for r in refs if not r.person],
        "clips whose files are gone": [
            key for key, paths in files.items() if not all(Path(p).exists() for p in paths)
        ],
        "unreadable images": _unreadable(refs) if images else [],
        "annotations that cannot be read": unread,
    }
    return DatasetReport(
        dataset=type(data).__name__,
        root="",
        media="",
        table=None,
        clips=len(refs),
        subjects=len({r.person for r in refs if r.person}),
        emotions=dict(Counter((r.emotion or "none").casefold() for r in refs).most_common()),
        published={},
        problems=tuple(f"{len(v)} {k}" for k, v in details.items() if v and k not in TOLD),
        notes=tuple(_told_codes(codes)),
        details=details,
    )


def _told_codes(codes: Counter[str]) -> list[str]:
    if not codes:
        return []
    told = ", ".join(f"{code} ({n} clips)" for code, n in codes.most_common(SHOWN))
    return [f"codes in the annotations that famaug cannot show: {told}"]


def _of(count: int | None) -> str:
    return "" if count is None else f" of {count} published"


def _ranges(numbers: tuple[int, ...]) -> str:
    """1, 2, 3, 7 as "1-3, 7"."""
    parts: list[list[int]] = []
    for n in numbers:
        if parts and n == parts[-1][1] + 1:
            parts[-1][1] = n
        else:
            parts.append([n, n])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in parts[:4]) + (
        ", ..." if len(parts) > 4 else ""
    )


def _strangers(reader: ReleaseReader) -> list[str]:
    known = {p for row in reader.all_rows if (p := reader.find_folder(row)) is not None}
    return [name for name in reader.clip_folders() if reader.media / name not in known]


def _other_tables(reader: ReleaseReader) -> list[str]:
    """Label tables beside the one that is read: of another year, or a friend's."""
    if reader.table is None:
        return []
    names = names_in(reader.table.parent)
    fits = [n for n in names if any(re.fullmatch(t, n, re.IGNORECASE) for t in reader.tables)]
    return [n for n in fits if n != reader.table.name]


def _annotations(clips: Iterable[Row | ClipRef]) -> tuple[list[str], Counter[str]]:
    """AU annotations that are none, and in how many clips each code stands that is not shown."""
    unread: list[str] = []
    codes: Counter[str] = Counter()
    for row in clips:
        try:
            codes.update(not_shown(row.action_units or ""))
        except InputError:
            unread.append(f"{row.subject}/{row.clip} ({row.action_units})")
    return unread, codes


def _oddities(reader: ReleaseReader) -> dict[str, list[str]]:
    """Hidden files, folders that are links and links that lead nowhere, in the clips' folders."""
    found: dict[str, list[str]] = {"hidden files": [], "links": [], "links that lead nowhere": []}
    places = {p for row in reader.all_rows if (p := reader.find_folder(row)) is not None}
    places |= {parent for p in places for parent in p.parents if parent.is_relative_to(reader.root)}
    for place in sorted(places):
        with os.scandir(place) as entries:
            for entry in sorted(entries, key=lambda e: e.name):
                name = str(Path(entry.path).relative_to(reader.root))
                if is_hidden(entry.name):
                    found["hidden files"].append(name)
                elif entry.is_symlink() and not Path(entry.path).exists():
                    found["links that lead nowhere"].append(name)
                elif entry.is_symlink() and entry.is_dir():
                    found["links"].append(name)
    return found


def _unreadable(refs: Iterable[ClipRef]) -> list[str]:
    bad = []
    for ref in refs:
        for path in (ref.video,) if ref.video else ref.frames:
            try:
                (read_frames if ref.video else read_picture)(Path(path))
            except MediaError as error:
                bad.append(str(error))
    return bad


def _differences(
    reader: ReleaseReader, emotions: Counter[str], people: int
) -> tuple[list[str], list[str]]:
    """Where there is less than published, and where there is more."""
    want, rows = reader.published, len(reader.all_rows)
    fewer, more = list[str](), list[str]()
    for have, published, what in (
        (rows, want.clips, "annotated expressions"),
        (people, want.subjects, "subjects"),
    ):
        if published is not None and have != published:
            side = fewer if have < published else more
            side.append(f"{have} {what}, {published} are published")
    for side, sign in ((fewer, -1), (more, 1)):
        wrong = {n: (emotions[n], c) for n, c in want.emotions if sign * (emotions[n] - c) > 0}
        if wrong:
            told = ", ".join(f"{n} {have} (published {c})" for n, (have, c) in wrong.items())
            side.append(f"emotions differ: {told}")
    return fewer, more
