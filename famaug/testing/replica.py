"""Replicas: folders with exactly a release's layout, table and quirks, filled with made faces.

    from famaug import samples
    from famaug.testing import make_replica

    make_replica("casme2", "replicas/CASME2", identities=samples.FOLDER, subjects=8, clips=24)

Everybody can run every recipe on them without licensed data. The expressions are real AU content
by emotion, so a recogniser can learn from a replica; its numbers say nothing about the real set.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from famaug.aus.curves import onset_apex_offset
from famaug.errors import InputError
from famaug.modulation.units import per_au
from famaug.people.datasets import release_named
from famaug.progress import ticked
from famaug.seeding import keyed_generator
from famaug.testing.replica_media import Media, media_for
from famaug.testing.replica_releases import RELEASES, ReplicaRelease
from famaug.testing.replica_rows import ReplicaRow, choose, rows_of
from famaug.types import Floats, Frames

Kind = Literal["cropped", "raw"]
TINY = {"cropped": (56, 46), "raw": (48, 64)}
JPEG_QUALITY = 92
AROUND = 2
"""Frames before the onset and after the offset that lie in a clip's folder too."""


def make_replica(
    name: str,
    root: str | os.PathLike[str],
    *,
    identities: str | os.PathLike[str] | None = None,
    subjects: int | None = None,
    clips: int | None = None,
    kind: Kind = "cropped",
    size: tuple[int, int] | None = None,
    longest: int | None = None,
    seed: int = 0,
) -> Path:
    """Writes the replica of a release and returns its folder.

    A whole release with faces takes long; who wants to hear how far it is listens:

        with famaug.progress.told_to(lambda stage, done, total: print(stage, done, total)):
            make_replica("casme2", "CASME2", identities=famaug.samples.FOLDER)

    Args:
        name: of a release (`famaug.people.datasets.RELEASES`): "casme2", "samm", "smic-vis", ...
        root: folder to make; it must be new or empty.
        identities: folder of face pictures, one person each, moved by the renderer
            (`famaug.samples.FOLDER` has eight); None draws tiny faces of formulas, which takes
            milliseconds a clip.
        subjects: how many; all of the release by default.
        clips: how many; all of the release by default (255 of CASME II). Fewer are spread over
            classes and people.
        kind: "cropped" or "raw" frames, where the release has both.
        size: (height, width) of the frames; the release's own with identities, tiny without.
        longest: most frames from onset to offset; expressions are shortened to fit.
        seed: other expressions, timings and noise.

    Raises:
        InputError: unknown name, a folder that holds something, or too few faces.
    """
    name = release_named(name).name
    release = RELEASES[name]
    out = Path(root)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: a replica is written into a new or empty folder")
    if kind not in release.kinds:
        kind = "raw"
    rows = choose(rows_of(name, seed=seed, fps=release.fps, longest=longest), subjects, clips)
    people = {s: i for i, s in enumerate(dict.fromkeys(r.subject for r in rows))}
    if size is None:
        size = TINY[kind] if identities is None else release.size[kind == "raw"]
    media = media_for(None if identities is None else Path(identities), len(people), seed=seed)
    for row in ticked(rows, f"clips of {name}"):
        _write_clip(out, release, row, kind, media, people[row.subject], size, seed)
    if release.table is not None and release.cells is not None:
        _write_table(out / release.table, release, [release.cells(r) for r in rows])
    return out


def track_of(row: ReplicaRow, first: int, last: int) -> Floats:
    """Intensities `T 2 17` of frames `first` to `last`."""
    level = onset_apex_offset(
        last - first + 1,
        onset=row.onset - first,
        apex=row.apex - first,
        offset=row.offset - first,
    )
    units = {f"{au.lstrip('LR')}{au[0] if au[0] in 'LR' else ''}": v for au, v in row.units}
    return (level[:, None, None] * per_au(units)).astype(np.float32)


def _write_clip(
    out: Path,
    release: ReplicaRelease,
    row: ReplicaRow,
    kind: Kind,
    media: Media,
    person: int,
    size: tuple[int, int],
    seed: int,
) -> None:
    folder = out / release.folder(row, kind)
    folder.mkdir(parents=True, exist_ok=True)
    first = max(1, row.onset - AROUND)
    last = row.offset + (0 if row.lost else AROUND)
    rng = keyed_generator(seed, "replica-clip", row.subject, row.clip, row.onset)
    frames: Frames = media.clip(
        person, track_of(row, first, last), rng, size=size, tight=kind == "cropped"
    )
    if release.grey:
        frames = np.repeat(
            np.stack([cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in frames])[..., None], 3, 3
        )
    for number, frame in list(enumerate(frames, first))[: max(0, len(frames) - row.lost)]:
        path = folder / release.frame(row, kind, number)
        if path.exists():  # another expression of the same video
            continue
        picture = frame[..., 0] if release.grey else frame[..., ::-1]
        quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if path.suffix == ".jpg" else []
        if not cv2.imwrite(str(path), picture, quality):
            raise InputError(f"{path}: cannot be written")


def _write_table(path: Path, release: ReplicaRelease, rows: list[Sequence[Any]]) -> None:
    from openpyxl import Workbook  # type: ignore[import-untyped]

    book = Workbook()
    page = book.active
    page.title = release.sheet
    for i in range(release.header):
        page.append([f"line {i + 1} of the release's notes"])
    page.append(list(release.columns))
    for row in rows:
        page.append(list(row))
    book.save(path)
