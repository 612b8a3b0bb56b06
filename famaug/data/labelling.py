"""The labels of a data set's real clips as files: what its table says, one clip a line."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from famaug.aus.truth import Truth, truth_of_ref
from famaug.data.following import parts_of
from famaug.data.protocols import refs_of
from famaug.data.questions import questions_on
from famaug.data.readers.base import ReleaseReader
from famaug.errors import InputError
from famaug.files.whole import write_whole
from famaug.types import ClipRef


def labels_of_clips(dataset: Any, root: str | os.PathLike[str]) -> list[tuple[Truth, str]]:
    """What the table says of each clip, and where its frames lie below `root`; no pixel is read.

    Raises:
        InputError: the dataset has no `refs`.
    """
    refs = refs_of(dataset)
    if refs is None:
        raise InputError(
            f"{type(dataset).__name__} has no `refs`, so nothing is known of its clips; use a "
            "reader of famaug.data, or give it a list of ClipRef"
        )
    places = [_place(ref, Path(root)) for ref in refs]
    uses, assumed = Counter(places), _assumed_apexes(dataset)
    found = []
    for ref, place in zip(refs, places, strict=True):
        truth = truth_of_ref(ref)
        if ref.key in assumed:
            truth = replace(truth, apex=None)
        # several expressions of one video are told apart by the clip's own name
        found.append((truth, ref.key if uses[place] > 1 else place))
    return found


def write_labels(clips: Sequence[tuple[Truth, str]], refs: Sequence[ClipRef], out: Path) -> None:
    """One JSON object a line: `Truth`, with `video` (as the questions name it) and the names of the
    clip's first and last frame, where onset, apex and offset are counted from the first.

    Raises:
        OSError: the file cannot be written.
    """
    lines = []
    for (truth, video), ref in zip(clips, refs, strict=True):
        ends = {
            "first_frame": os.path.basename(ref.frames[0]) if ref.frames else None,  # noqa: PTH119
            "last_frame": os.path.basename(ref.frames[-1]) if ref.frames else None,  # noqa: PTH119
        }
        lines.append(json.dumps({**truth.to_json(), "video": video, **ends}) + "\n")
    write_whole(out, "".join(lines))


def write_questions(clips: Sequence[tuple[Truth, str]], out: Path, *, seed: int = 0) -> int:
    """`questions_on` every clip as JSON lines; how many there are."""
    asked = [q for truth, video in clips for q in questions_on(truth, video, seed=seed)]
    write_whole(out, "".join(json.dumps(q) + "\n" for q in asked))
    return len(asked)


def _assumed_apexes(dataset: Any) -> set[str]:
    """Clips whose apex nobody annotated: their reader took the middle frame."""
    return {
        ClipRef(part.name, name.partition("/")[0], name.partition("/")[2]).key
        for part in parts_of(dataset)
        if isinstance(part, ReleaseReader)
        for name in part.findings.middle_apex
    }


def _place(ref: ClipRef, root: Path) -> str:
    """The clip's folder of frames, or its video, below the root; its name where it lies nowhere."""
    path = Path(ref.video) if ref.video else Path(ref.frames[0]).parent if ref.frames else None
    return ref.key if path is None else Path(os.path.relpath(path, root)).as_posix()
