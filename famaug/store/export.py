"""A cache in forms that other tools read: PNG folders, and WebDataset tars.

Both carry the provenance of every clip. What reads them knows nothing of the leakage guard: keep
driver and identity subject out of each other's folds yourself, or train from the cache.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np

from famaug.errors import CacheError, InputError
from famaug.packages import need
from famaug.store.listing import list_clips
from famaug.store.reader import ClipCache, StoredClip
from famaug.store.verification import Progress
from famaug.types import Picture


def export_png(
    root: str | os.PathLike[str] | ClipCache,
    out: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
) -> int:
    """Writes `out/KEY/00000.png ...`, `out/KEY/provenance.json` and `out/clips.csv` (the columns
    of `list_clips`). Clips that are there already are kept, so it can be interrupted and resumed.

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
            draft = target / f".{clip.key}"
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            for i, frame in enumerate(clip.frames):
                (draft / f"{i:05d}.png").write_bytes(_png(frame))
            (draft / "provenance.json").write_text(_story(clip))
            draft.rename(target / clip.key)
            count += 1
            if progress is not None:
                progress(count, len(todo))
        rows = list(list_clips(cache))
        with (target / "clips.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]) if rows else ["key"])
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise CacheError(f"{target}: the export cannot be written: {error}") from error
    return len(rows)


def export_webdataset(
    root: str | os.PathLike[str] | ClipCache,
    out: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
) -> int:
    """Writes one WebDataset tar: a sample a clip, with the fields `00000.png ...`,
    `provenance.json` and `label.txt`. The tar appears when it is complete.

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
    draft = target.with_name(f".{target.name}.part")
    count = 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # mtime: the same cache gives the same bytes
        with writer(str(draft), encoder=False, mtime=0) as tar:
            for key in cache.keys():  # noqa: SIM118  a ClipCache is no dict
                tar.write(_sample(cache.read(key)))
                count += 1
                if progress is not None:
                    progress(count, len(cache))
        draft.replace(target)
    except OSError as error:
        raise CacheError(f"{target}: the export cannot be written: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
    return count


def _sample(clip: StoredClip) -> dict[str, str | bytes]:
    label = (
        ""
        if clip.provenance is None or clip.provenance.label is None
        else (str(clip.provenance.label))
    )
    sample: dict[str, str | bytes] = {
        "__key__": clip.key,
        "label.txt": label.encode(),
        "provenance.json": _story(clip).encode(),
    }
    return sample | {f"{i:05d}.png": _png(f) for i, f in enumerate(clip.frames)}


def _story(clip: StoredClip) -> str:
    return json.dumps(None if clip.provenance is None else clip.provenance.to_json())


def _png(frame: Picture) -> bytes:
    import cv2

    done, data = cv2.imencode(".png", np.ascontiguousarray(frame[..., ::-1]))
    if not done:
        raise CacheError(f"OpenCV could not write a frame of shape {frame.shape} as PNG")
    return bytes(data)
