"""`famaug quality`: scores of synthetic clips, and what the gate says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import typer

from famaug.commands import options, terminal
from famaug.errors import FamaugError, InputError, RenderError, UsageError
from famaug.files.limits import read_json, translated

if TYPE_CHECKING:
    from famaug.pipeline.synthesizer import Synthesizer
    from famaug.quality.agreement import Agreement
    from famaug.quality.judge import ClipJudge
    from famaug.report.quality import JudgedClip
    from famaug.report.values import ReportTable
    from famaug.types import Frames, Picture, Plan

T = TypeVar("T")
LABELS, ACROSS = 18, 30
"""Characters for the names of scores, and for each clip beside them, in a table on its side."""
PAGE_CLIPS = 12
"""Clips that the page shows in full."""
SET_FRAMES = 3
"""Frames of a clip that stand for it in a set: first, middle, last."""


class _Found(NamedTuple):
    name: str
    frames: Frames
    plan: Plan | None


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command("quality", epilog="Example: famaug quality cache/casme2 --clips 20")(
        options.grouped(quality_command)
    )


@dataclass(frozen=True)
class Judging:
    """What is measured, and what is made of it.

    Attributes:
        against: Real clips, as above: adds the MobileNet feature Fréchet distance.
        clips: Judge so many clips, evenly chosen; 0 all.
        frames: Measure AUs and identity in so many frames a clip; 0 all.
        faces: Folder in which plans may name the pictures of their identities (repeatable);
            without it a clip's first frame stands for its face at rest.
        fetch: Fetch the judges' weights if they are not here.
        report: Also write a page (.html).
        strict: Exit code 1 if the default gate rejects a clip.
    """

    against: Path | None = None
    clips: int = 0
    frames: int = 0
    faces: list[Path] | None = None
    fetch: Annotated[bool, typer.Option("--fetch")] = False
    report: Path | None = None
    strict: Annotated[bool, typer.Option("--strict")] = False


def quality_command(
    source: Annotated[
        Path, typer.Argument(help="A clip (frame folder, video), a folder of clips, or a cache.")
    ],
    judging: Judging,
    as_json: options.AsJson = False,
) -> None:
    """Measure how good clips are: AUs asked and shown, identity, flicker, seam, sharpness.

    Clips with a plan (a cache, or a folder that `famaug generate` wrote) are held against it. A
    score that cannot be had is missing, and said to be.
    """
    report, against = judging.report, judging.against
    if report is not None and report.suffix != ".html":
        raise UsageError(f"--report {report}: write a .html")
    if judging.clips < 0 or judging.frames < 0:
        raise UsageError(
            f"--clips and --frames are 0 (all) or more; got {judging.clips} and {judging.frames}"
        )
    for option, path in (("CLIP", source), ("--against", against)):
        if path is not None:
            terminal.check_there(option, path)
    from famaug.quality.agreement import agreement
    from famaug.quality.judge import ClipJudge
    from famaug.report.quality import missing_lines, quality_table

    judge = ClipJudge(at_most=judging.frames or None, may_fetch=judging.fetch)
    with terminal.bars() as show:
        whole = PAGE_CLIPS if report else 0
        found = list(_judge_all(source, judging, judge, whole, show))
    judged = [j for _, j in found]
    pairs = [
        (c.plan.asked, j.quality.measured)
        for c, j in found
        if c.plan is not None and j.quality.measured is not None
    ]
    pooled = agreement(pairs) if pairs else None
    notes = missing_lines(judged)
    distance = _distance(found, against, judge, judging.fetch, notes) if against else {}
    _print(quality_table(judged))
    if pooled is not None:
        _print(_units(pooled), turned=False)
    for name, value in distance.items():
        terminal.echo(f"{name:28s} {value:8.3f}")
    for note in notes:
        terminal.note(note)
    if report is not None:
        _write_page(report, source, found, distance, notes)
    terminal.end(as_json, "quality", _json(judged, pooled, distance))
    if judging.strict and any(j.reasons for j in judged):
        raise typer.Exit(terminal.FAILED)


def _judge_all(
    source: Path, judging: Judging, judge: ClipJudge, whole: int, show: terminal.Show
) -> Iterator[tuple[_Found, JudgedClip]]:
    """Clips and scores; of all but the first `whole` with a plan only a few frames are kept."""
    from famaug.pipeline.synthesizer import Synthesizer
    from famaug.quality.gate import Gate
    from famaug.report.quality import JudgedClip

    total, listed = _clips(source, judging.clips)
    gate, synthesizer = Gate(), Synthesizer(faces=judging.faces or [])
    for done, clip in enumerate(listed, 1):
        if clip.plan is None:
            quality = judge.judge(clip.frames)
        else:
            rest = _rest(synthesizer, clip.plan)
            quality = judge.judge_plan(clip.frames, clip.plan, rest=rest)
        if clip.plan is not None and whole:
            whole -= 1
        else:
            clip = clip._replace(frames=_few(clip.frames))
        show("judging", done, total)
        yield clip, JudgedClip(clip.name, quality, gate.check(quality))


def _rest(synthesizer: Synthesizer, plan: Plan) -> Picture | None:
    """The identity at rest, where its picture is still at its place and framed alike."""
    if plan.look is not None:
        return None
    try:
        with translated("the plan", RenderError):
            return synthesizer.still(plan)
    except FamaugError:
        return None


def _few(frames: Frames) -> Frames:
    import numpy as np

    few: Frames = frames[np.linspace(0, len(frames) - 1, SET_FRAMES).astype(int)].copy()
    return few


def _clips(source: Path, most: int) -> tuple[int, Iterator[_Found]]:
    """How many clips, and the clips one by one."""
    from famaug.store import manifest
    from famaug.store.reader import ClipCache

    if (source / manifest.NAME).is_file():
        cache = ClipCache(source)
        keys = _chosen(cache.keys(), most)
        return len(keys), (_of_cache(cache, key) for key in keys)
    paths = _chosen(_clip_paths(source), most)
    return len(paths), (_of_disk(path) for path in paths)


def _clip_paths(source: Path) -> list[Path]:
    """The clip itself, or the clips in the folder: sub-folders with frames, and videos."""
    from famaug.files.folders import visible
    from famaug.media.clips import PICTURES, VIDEOS, holds_pictures

    if source.is_file():
        return [source]
    inside = visible(source)
    if any(p.suffix.lower() in PICTURES for p in inside):
        return [source]
    found = [p for p in inside if p.suffix.lower() in VIDEOS or (p.is_dir() and holds_pictures(p))]
    if not found:
        raise InputError(f"{source}: no frames, no videos and no folders of frames in it")
    return found


def _chosen(every: Sequence[T], most: int) -> list[T]:
    import numpy as np

    if not most or len(every) <= most:
        return list(every)
    return [every[i] for i in np.linspace(0, len(every) - 1, most).astype(int)]


def _of_cache(cache: Any, key: str) -> _Found:
    stored = cache.read(key)
    plan = None if stored.provenance is None else stored.provenance.plan
    return _Found(key[:12], stored.frames, plan)


def _of_disk(path: Path) -> _Found:
    from famaug.media.clips import read_frames
    from famaug.types import Plan

    plan = None
    if (path / "plan.json").is_file():
        with translated(str(path / "plan.json"), InputError):
            plan = Plan.from_json(read_json(path / "plan.json", error=InputError))
    return _Found(path.name, read_frames(path)[0], plan)


def _distance(
    found: Sequence[tuple[_Found, JudgedClip]],
    against: Path,
    judge: ClipJudge,
    may_fetch: bool,
    notes: list[str],
) -> dict[str, float]:
    """Distance of the sets, and of two halves of the real ones; nothing where weights lack."""
    from famaug.perception.features import WEIGHTS, FeatureTrunk
    from famaug.quality.distance import face_features, frechet_distance
    from famaug.weights import fetch as fetch_file
    from famaug.weights import find_stored

    path = fetch_file(WEIGHTS) if may_fetch else find_stored(WEIGHTS)
    if path is None:
        notes.append(
            f"no feature distance: its weights are not here: famaug weights fetch {WEIGHTS}"
        )
        return {}
    trunk = FeatureTrunk(weights=path)
    total, listed = _clips(against, len(found))
    if min(total, len(found)) < 4:
        raise InputError(f"--against: 4 clips or more of each kind; got {len(found)} and {total}")

    def features(clips: Any) -> Any:
        return face_features((f for c in clips for f in _few(c.frames)), trunk=trunk,
                             mesher=judge.mesher)  # fmt: skip

    made, real = features(c for c, _ in found), [c._replace(frames=_few(c.frames)) for c in listed]
    one, other = features(real[::2]), features(real[1::2])
    half = features(c for c, _ in found[::2])
    return {
        "feature_frechet": frechet_distance(made, features(real)),
        "feature_frechet_half": frechet_distance(half, one),
        "feature_frechet_real_halves": frechet_distance(one, other),
    }


def _units(pooled: Agreement) -> ReportTable:
    from famaug.report.quality import agreement_table

    return agreement_table(pooled, title="Asked against re-measured, all clips")


def _print(table: ReportTable, *, turned: bool = True) -> None:
    """As it stands where that fits; else (`turned`) lying on its side, so that no name is cut to
    pieces."""
    from rich.console import Console
    from rich.measure import Measurement

    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    columns = [name.replace("_", " ") for name in table.columns]
    upright = _drawn(table.title, columns, table.rows)
    room = console.options.update(width=10_000)  # what it would take, not what there is
    if Measurement.get(console, room, upright).maximum <= console.width or not turned:
        console.print(upright)
        return
    first, *names = columns
    most = max(1, (console.width - LABELS) // ACROSS)
    for start in range(0, len(table.rows), most):
        some = table.rows[start : start + most]
        header = [first, *(str(row[0]) for row in some)]
        lines = [*zip(names, *(row[1:] for row in some), strict=True)]
        console.print(_drawn(table.title, header, lines))


def _drawn(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    from famaug.commands.terminal import printable

    shown = Table(title=title)
    for name in columns:
        # as plain text: a name in brackets is no markup
        shown.add_column(Text(printable(name)), overflow="fold")
    for row in rows:
        cells = ["-" if c is None else f"{c:.3f}" if isinstance(c, float) else str(c) for c in row]
        shown.add_row(*(Text(printable(c)) for c in cells))
    return shown


def _write_page(
    path: Path,
    source: Path,
    found: Sequence[tuple[_Found, JudgedClip]],
    distance: dict[str, float],
    notes: Sequence[str],
) -> None:
    from famaug.report.page import write_report
    from famaug.report.quality import quality_table, report_clip
    from famaug.report.values import ReportTable

    tables = [quality_table([j for _, j in found])]
    if distance:
        tables.append(
            ReportTable(
                title="MobileNet feature Fréchet distance",
                columns=["sets", "distance"],
                rows=[[name, value] for name, value in distance.items()],
                caption="Not FID, and not comparable with it. The distance of two halves of the "
                "real clips shows how much of it the size of the sets makes.",
            )
        )
    shown = [
        report_clip(j, c.frames, c.plan)
        for c, j in found
        if c.plan is not None and len(c.frames) == len(c.plan.track)
    ]
    write_report(
        path,
        title=f"Quality of {source.name}",
        intro="Each clip was measured again from its pixels and held against its plan. Every clip "
        f"judged is in the table; up to {PAGE_CLIPS} with a plan are shown.",
        clips=shown,
        tables=tables,
        notes=notes,
    )
    terminal.echo(f"open {path}")


def _json(
    judged: Sequence[JudgedClip], pooled: Agreement | None, distance: dict[str, float]
) -> dict[str, Any]:
    units = {} if pooled is None else {f"AU{u.au:02d}": u.r for u in pooled.units}
    return {
        "clips": {
            j.name: {"scores": dict(j.quality.scores), "reasons": list(j.reasons)} for j in judged
        },
        "rejected": sum(bool(j.reasons) for j in judged),
        "au_r": None if pooled is None else pooled.r,
        "au_r_sides": None if pooled is None else pooled.r_sides,
        "units": units,
        **distance,
    }
