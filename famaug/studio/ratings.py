"""Ratings by experts: what is rated, by whom, how well they agree, and means by system.

As in MEGC 2021's generation task, upper and lower face are judged apart: whether the AUs are shown,
whether it looks like a real face, and noise. Each rater has a file, written whole after every
rating; systems and clips stand in it, and never on the page.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from famaug.errors import InputError
from famaug.files.limits import read_json
from famaug.files.whole import write_whole
from famaug.packages import need
from famaug.seeding import digest, keyed_generator

Half = Literal["upper", "lower"]
HALVES: tuple[Half, Half] = ("upper", "lower")
QUESTIONS: dict[str, tuple[str, tuple[str, str, str, str]]] = {
    "aus": ("Are these AUs shown?", ("not at all", "hardly", "mostly", "fully")),
    "quality": ("Does it look like a real face?", ("not at all", "hardly", "mostly", "fully")),
    "noise": ("Is it free of noise and artefacts?", ("heavy", "disturbing", "slight", "free")),
}
"""What is asked of each half, and the words of 0 to 3; more is better."""
FORM = "famaug-ratings/1"
LARGEST = 16 << 20
LONGEST_NAME = 80


@dataclass(frozen=True)
class Sheet:
    """Half of a clip to be rated.

    Attributes:
        system: what made the clip ("warp/3"), or "real".
        clip: its name: "CACHE/KEY", or that of a real clip.
        half: which.
        aus: what it is to show there, in words.
    """

    system: str
    clip: str
    half: Half
    aus: str

    @property
    def name(self) -> str:
        return f"{self.clip}/{self.half}"


@dataclass(frozen=True)
class Rating:
    """One rater's answers on an item, 0 to 3 by question."""

    rater: str
    system: str
    clip: str
    half: str
    answers: Mapping[str, int]


def chosen(clips: Mapping[str, Sequence[str]], each: int) -> list[str]:
    """Of every system so many clips, the same for all raters, whatever was rejected meanwhile.

    Args:
        clips: names by system.
        each: at most.
    """
    found = []
    for system, names in sorted(clips.items()):
        found += sorted(names, key=lambda name: digest(["rated", system, name]))[:each]
    return found


def in_order(items: Iterable[Sheet], rater: str) -> list[Sheet]:
    """Shuffled over systems, clips and halves, for each rater another way."""
    listed = sorted(items, key=lambda item: item.name)
    return [listed[i] for i in keyed_generator(0, "order", rater).permutation(len(listed))]


class RatingBook:
    """The ratings of a folder, a file a rater.

    Args:
        folder: where the files lie; made with the first rating.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    def file_of(self, rater: str) -> Path:
        """Raises InputError: no name, or one that is too long."""
        name = rater.strip()
        if not name or len(name) > LONGEST_NAME:
            raise InputError(f"a rater's name has 1 to {LONGEST_NAME} characters")
        return self.folder / f"rater-{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"

    def add(self, rater: str, item: Sheet, answers: Mapping[str, int]) -> None:
        """Notes a rating, or another one in its place, and writes the rater's file.

        Raises:
            InputError: an answer is missing, or none of 0 to 3.
            OutputError: the file cannot be written.
        """
        wrong = [q for q in QUESTIONS if answers.get(q) not in (0, 1, 2, 3)]
        if wrong or set(answers) - set(QUESTIONS):
            raise InputError(f"each of {', '.join(QUESTIONS)} is answered by 0 to 3")
        row = {"system": item.system, "clip": item.clip, "half": item.half, **answers}
        with self._lock:
            found = self._read(self.file_of(rater))
            found["rater"] = rater.strip()
            found["ratings"][item.name] = row
            text = json.dumps(found, indent=1)
            write_whole(self.file_of(rater), text + "\n")

    def of(self, rater: str) -> set[str]:
        """Names of the items that a rater has rated."""
        return set(self._read(self.file_of(rater))["ratings"])

    def every(self) -> list[Rating]:
        """Of all raters. Raises InputError: a file that holds no ratings."""
        found = []
        files = sorted(self.folder.glob("rater-*.json")) if self.folder.is_dir() else []
        for file in files:
            value = self._read(file)
            for row in value["ratings"].values():
                answers = {q: int(row[q]) for q in QUESTIONS}
                told = (str(value["rater"]), row["system"], row["clip"], row["half"])
                found.append(Rating(*told, answers))
        return found

    def _read(self, file: Path) -> dict[str, Any]:
        if not file.exists():
            return {"format": FORM, "rater": "", "ratings": {}}
        value: dict[str, Any] = read_json(file, error=InputError, at_most=LARGEST)
        rows = value.get("ratings") if isinstance(value, dict) else None
        if not isinstance(rows, dict) or value.get("format") != FORM or "rater" not in value:
            raise InputError(f"{file} holds no ratings ({FORM}); move it away")
        for row in rows.values():
            kept = isinstance(row, dict) and {"system", "clip", "half"} <= set(row)
            if not kept or any(row.get(q) not in (0, 1, 2, 3) for q in QUESTIONS):
                raise InputError(f"{file}: a rating in it is damaged; move it away")
        return value


def as_csv(ratings: Iterable[Rating]) -> str:
    """A row a rating: rater, system, clip, half, and the answers. Text that a table's program would
    take for a formula gets a quote before it."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["rater", "system", "clip", "half", *QUESTIONS])
    for one in ratings:
        words = [one.rater, one.system, one.clip, one.half]
        safe = [f"'{w}" if w.startswith(("=", "+", "-", "@")) else w for w in words]
        table.writerow([*safe, *(one.answers[q] for q in QUESTIONS)])
    return out.getvalue()


def agreement(ratings: Iterable[Rating]) -> dict[str, float | None]:
    """Krippendorff's alpha of each half's questions ("upper aus"), differences of the answers as
    intervals; over items that two or more rated. None where there is none, or all is one answer."""
    task = need("nltk.metrics.agreement", "the agreement of raters").AnnotationTask
    distance = need("nltk.metrics.distance", "the agreement of raters").interval_distance
    by: dict[str, dict[str, list[tuple[str, str, int]]]] = defaultdict(lambda: defaultdict(list))
    for one in ratings:
        for question, answer in one.answers.items():
            by[f"{one.half} {question}"][one.clip].append((one.rater, one.clip, answer))
    found: dict[str, float | None] = {}
    for name in _columns():
        shared = [row for rows in by[name].values() if len(rows) > 1 for row in rows]
        told = len({answer for *_, answer in shared}) > 1
        found[name] = float(task(data=shared, distance=distance).alpha()) if told else None
    return found


def means(ratings: Iterable[Rating]) -> dict[str, dict[str, float]]:
    """By system the mean of each half's questions, and "clips" and "ratings", how many."""
    sums: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    clips: dict[str, set[str]] = defaultdict(set)
    for one in ratings:
        clips[one.system].add(one.clip)
        for question, answer in one.answers.items():
            sums[one.system][f"{one.half} {question}"].append(answer)
    out: dict[str, dict[str, float]] = {}
    for system, columns in sorted(sums.items()):
        rated = sum(len(v) for c, v in columns.items() if c.endswith("aus"))
        out[system] = {"clips": len(clips[system]), "ratings": rated} | {
            name: sum(columns[name]) / len(columns[name]) for name in _columns() if columns[name]
        }
    return out


def _columns() -> Iterator[str]:
    for half in HALVES:
        for question in QUESTIONS:
            yield f"{half} {question}"
