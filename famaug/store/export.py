"""A cache in forms that other tools read: PNG folders, and WebDataset tars.

Both carry the provenance of every clip, and its labels: what its plan says of AUs, sides,
strengths, key frames and label (`famaug.aus.truth`). What reads them knows nothing of the leakage
guard: keep driver and identity subject out of each other's folds yourself, or train from the cache.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from famaug.aus.truth import Truth, truth_of_provenance
from famaug.errors import CacheError, InputError
from famaug.files.whole import clear_parts, whole_file, whole_folder, write_whole
from famaug.packages import need
from famaug.store.listing import list_clips
from famaug.store.reader import ClipCache, StoredClip
from famaug.store.verification import Progress
from famaug.types import Picture, Provenance

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Questions = Callable[[Truth, str], list[dict[str, Any]]]
"""From what is known of a clip, and its video's name, to questions with their answers
(`famaug.data.questions.questions_on`)."""


def export_png(
    root: str | os.PathLike[str] | ClipCache,
    out: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
    questions: Questions | None = None,
) -> int:
    """Writes `out/KEY/00000.png ...`, `out/KEY/provenance.json`, `out/KEY/labels.json` and
    `out/clips.csv` (the columns of `list_clips`). Frames that are there already are kept, so it can
    be interrupted and resumed.

    Args:
        root: the cache.
        out: the folder to write.
        progress: is told clips written and clips to write.
        questions: also writes `out/questions.jsonl`, one question a line; None writes none.

    Returns:
        how many clips `out` holds now.

    Raises:
        CacheError: the cache cannot be read, or `out` cannot be written.
    """
    cache = root if isinstance(root, ClipCache) else ClipCache(root)
    target = Path(out)
    count = 0
    try:
        target.mkdir(parents=True, exist_ok=True)
        todo = [k for k in cache.keys() if not (target / k).exists()]  # noqa: SIM118
        for key in todo:
            clip = cache.read(key)
            clear_parts(target / clip.key)
            with whole_folder(target / clip.key) as draft:
                for i, frame in enumerate(clip.frames):
                    (draft / f"{i:05d}.png").write_bytes(_png(frame))
                (draft / "provenance.json").write_text(_provenance_text(clip.provenance))
            count += 1
            if progress is not None:
                progress(count, len(todo))
        rows = list(list_clips(cache))
        asked = _write_labels(cache, target, questions)
        if questions is not None:
            write_whole(target / "questions.jsonl", asked)
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(rows[0]) if rows else ["key"])
        writer.writeheader()
        writer.writerows({k: _cell(v) for k, v in row.items()} for row in rows)
        write_whole(target / "clips.csv", text.getvalue())
    except OSError as error:
        raise CacheError(f"{target}: the export cannot be written: {error}") from error
    return len(rows)


def export_webdataset(
    root: str | os.PathLike[str] | ClipCache,
    out: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
    questions: Questions | None = None,
) -> int:
    """Writes one WebDataset tar: a sample a clip, with the fields `00000.png ...`,
    `provenance.json`, `labels.json` (null without provenance) and `label.txt`. The tar appears when
    it is complete.

    Args:
        root: the cache.
        out: the tar to write.
        progress: is told clips written and clips to write.
        questions: adds the field `questions.json`, a list; None adds none.

    Returns:
        how many clips it holds.

    Raises:
        InputError: `out` does not end in .tar.
        MissingPackageError: webdataset is not installed.
        CacheError: the cache cannot be read, or the tar cannot be written.
    """
    target = Path(out)
    if target.suffix != ".tar":
        raise InputError(f"a WebDataset is a .tar; got {target.name!r}")
    writer = need("webdataset", "exporting a .tar").TarWriter
    cache = root if isinstance(root, ClipCache) else ClipCache(root)
    keys = cache.keys()
    try:
        clear_parts(target)
        # mtime: the same cache gives the same bytes
        with whole_file(target) as draft, writer(str(draft), encoder=False, mtime=0) as tar:
            for done, key in enumerate(keys, 1):
                tar.write(_sample(cache.read(key), questions))
                if progress is not None:
                    progress(done, len(keys))
    except OSError as error:
        raise CacheError(f"{target}: the export cannot be written: {error}") from error
    return len(keys)


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula begins with an apostrophe instead."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _sample(clip: StoredClip, questions: Questions | None) -> dict[str, str | bytes]:
    label = (
        ""
        if clip.provenance is None or clip.provenance.label is None
        else (str(clip.provenance.label))
    )
    sample: dict[str, str | bytes] = {
        "__key__": clip.key,
        "label.txt": label.encode(),
        "provenance.json": _provenance_text(clip.provenance).encode(),
        "labels.json": _labels_text(clip.provenance, clip.key).encode(),
    }
    if questions is not None:
        asked = _questions(clip.provenance, clip.key, questions)
        sample["questions.json"] = json.dumps(asked).encode()
    return sample | {f"{i:05d}.png": _png(f) for i, f in enumerate(clip.frames)}


def _provenance_text(provenance: Provenance | None) -> str:
    return json.dumps(None if provenance is None else provenance.to_json())


def _labels_text(provenance: Provenance | None, key: str) -> str:
    known = None if provenance is None else truth_of_provenance(provenance, key).to_json()
    return json.dumps(known)


def _questions(
    provenance: Provenance | None, key: str, questions: Questions
) -> list[dict[str, Any]]:
    return [] if provenance is None else questions(truth_of_provenance(provenance, key), key)


def _write_labels(cache: ClipCache, target: Path, questions: Questions | None) -> str:
    """`labels.json` of every clip whose plan is known, also of folders that an earlier version
    wrote; the questions as JSON lines."""
    lines = []
    for key in cache.keys():  # noqa: SIM118  a ClipCache is no dict
        provenance = cache.provenance(key)
        if provenance is None:
            continue
        if not (target / key / "labels.json").exists():
            write_whole(target / key / "labels.json", _labels_text(provenance, key))
        if questions is not None:
            lines += [json.dumps(q) + "\n" for q in _questions(provenance, key, questions)]
    return "".join(lines)


def _png(frame: Picture) -> bytes:
    import cv2

    done, data = cv2.imencode(".png", np.ascontiguousarray(frame[..., ::-1]))
    if not done:
        raise CacheError(f"OpenCV could not write a frame of shape {frame.shape} as PNG")
    return bytes(data)
