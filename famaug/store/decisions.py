"""What people decided on a cache's clips: a small JSON file beside the cache, which datasets obey.

The cache itself is not touched, so a sealed one stays as it is, and a decision can be taken back.
A clip is named by its key, which follows from its plan, so one file may tell of several caches.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from famaug.errors import InputError
from famaug.files.limits import read_json
from famaug.files.whole import write_whole
from famaug.shown.lines import one_line
from famaug.store import manifest

Verdict = Literal["accept", "reject"]
FORM = "famaug-decisions/1"
LARGEST = 64 << 20
"""Bytes of a file: some half a million clips."""
REJECTED = "rejected by hand"
"""Why a dataset leaves a clip out."""


@dataclass(frozen=True)
class Decisions:
    """Verdicts by key of a clip; clips without one are undecided, and used.

    Raises:
        InputError: a key that is none, or another verdict than "accept" and "reject".
    """

    verdicts: Mapping[str, Verdict] = field(default_factory=dict)

    def __repr__(self) -> str:
        number = Counter(self.verdicts.values())
        return one_line(self, *(f"{v} {number[v]}" for v in get_args(Verdict)))

    def __post_init__(self) -> None:
        for key, verdict in self.verdicts.items():
            manifest.check_key(key)
            if verdict not in get_args(Verdict):
                raise InputError(f"clip {key}: a decision is accept or reject; got {verdict!r}")

    def __len__(self) -> int:
        return len(self.verdicts)

    def __iter__(self) -> Iterator[str]:
        return iter(self.verdicts)

    @property
    def rejected(self) -> frozenset[str]:
        """Keys of the clips that are left out."""
        return frozenset(key for key, verdict in self.verdicts.items() if verdict == "reject")

    def of(self, key: str) -> Verdict | None:
        """The verdict on a clip, None where there is none."""
        return self.verdicts.get(key)

    def decided(self, key: str, verdict: Verdict | None) -> Decisions:
        """The same with one clip decided anew; None takes its verdict back."""
        rest = {k: v for k, v in self.verdicts.items() if k != key}
        return Decisions(rest if verdict is None else rest | {key: verdict})


def decisions_path(cache: str | os.PathLike[str]) -> Path:
    """Where a cache's decisions lie: `cache/faces` has `cache/faces.decisions.json`."""
    root = Path(cache).absolute()
    return root.with_name(f"{root.name}.decisions.json")


def read_decisions(path: str | os.PathLike[str]) -> Decisions:
    """Decisions of a file.

    Raises:
        InputError: no such file, or it holds no decisions.
    """
    value: Any = read_json(path, error=InputError, at_most=LARGEST)
    clips = value.get("clips") if isinstance(value, dict) else None
    if not isinstance(clips, dict) or value.get("format") != FORM:
        raise InputError(
            f"{path} holds no decisions on clips: a JSON object with format {FORM!r} and clips is "
            "asked for, as `famaug studio CACHE` writes beside the cache"
        )
    try:
        return Decisions(clips)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def write_decisions(path: str | os.PathLike[str], decisions: Decisions) -> None:
    """Writes the file whole or not at all.

    Raises:
        OutputError: it cannot be written; what was there is untouched.
    """
    value = {"format": FORM, "clips": dict(sorted(decisions.verdicts.items()))}
    write_whole(Path(path), json.dumps(value, indent=1) + "\n")


Given = Decisions | str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None


def decisions_of(given: Given) -> Decisions:
    """What is given as decisions: themselves, a file or several by name, or None for none. Where
    several files tell of a clip, a rejection stands.

    Raises:
        InputError: as `read_decisions`, or something else.
    """
    if isinstance(given, Decisions):
        return given
    named: Any = [given] if isinstance(given, str | os.PathLike) else given or ()
    if not isinstance(named, Sequence) or any(not isinstance(n, str | os.PathLike) for n in named):
        raise InputError(
            "decisions= is a file that famaug studio wrote, several, or Decisions; got "
            f"{type(given).__name__}"
        )
    verdicts: dict[str, Verdict] = {}
    for path in named:
        read = read_decisions(path).verdicts
        verdicts |= {key: v for key, v in read.items() if verdicts.get(key) != "reject"}
    return Decisions(verdicts)
