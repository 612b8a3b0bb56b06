"""`famaug cache`: look into, check, close, open and export a clip cache."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

import typer

from famaug.commands import options, terminal
from famaug.commands.terminal import printable
from famaug.errors import UsageError

Folder = Annotated[Path, typer.Argument(help="Folder of the cache.")]


def register(app: typer.Typer) -> None:
    """Add the commands to famaug's."""
    group = typer.Typer(
        help="Clip caches: info, ls, verify, seal, unseal, export.",
        epilog="Example: famaug cache info cache/casme2",
        no_args_is_help=True,
    )
    more = {ls: " --label surprise --driver 'casme2/*'", export: " --out clips.tar"}
    for command in (info, ls, verify, seal, unseal, export):
        example = f"Example: famaug cache {command.__name__} cache/casme2{more.get(command, '')}"
        group.command(command.__name__, epilog=example)(command)
    app.add_typer(group, name="cache")


def info(folder: Folder, as_json: options.AsJson = False) -> None:
    """A cache in numbers."""
    from famaug.store import cache_info

    figures = cache_info(folder)
    for name, value in figures.items():
        terminal.echo(f"{name:20s} {printable(value)}")
    _tell_unlabelled(figures["labels"].get("None", 0))
    terminal.end(as_json, "cache info", figures)


def ls(
    folder: Folder,
    label: Annotated[str | None, typer.Option(help="Only clips of this label.")] = None,
    driver: Annotated[
        str | None, typer.Option(help="Only of these drivers: casme2/sub03, or a pattern casme2/*.")
    ] = None,
    identity: Annotated[str | None, typer.Option(help="Only on these faces, likewise.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """One line a clip: key, frames, size, driver, identity, label ("-" for none)."""
    from famaug.store import list_clips

    wanted = {"label": label, "driver": driver, "identity": identity}
    count = of = unlabelled = 0
    for clip in list_clips(folder):
        of += 1
        if not _wanted(clip, wanted):
            continue
        count += 1
        unlabelled += clip["label"] is None
        size = f"{clip['frames']}x{clip['height']}x{clip['width']}"
        who = f"{clip['driver'] or '-'} on {clip['identity'] or '-'}"
        told = "-" if clip["label"] is None else clip["label"]
        line = f"{clip['key'][:16]}  {size:14s} {clip['bytes']:>9} B  {who}  {told}"
        terminal.echo(line)
    _tell_unlabelled(unlabelled)
    if count < of:
        terminal.echo(f"{count} of {of} clips")
    terminal.end(as_json, "cache ls", {"clips": count, "of": of})


def _wanted(clip: dict[str, Any], wanted: dict[str, str | None]) -> bool:
    from famaug.people.persons import canonical

    for kind, pattern in wanted.items():
        if pattern is None:
            continue
        seen = str("-" if clip[kind] is None else clip[kind])
        # a person in any spelling, or a pattern
        found = kind != "label" and "/" in pattern and canonical(seen) == canonical(pattern)
        if not found and not fnmatchcase(seen.casefold(), pattern.casefold()):
            return False
    return True


def _tell_unlabelled(count: int) -> None:
    if count:
        terminal.note(
            f"{count} clips have no label (AU tables and AUs by hand have none): training leaves "
            "them out unless label_of= or synthetic.labels names one"
        )


def verify(folder: Folder, as_json: options.AsJson = False) -> None:
    """Read every clip and name each clip and shard that is not what was put; exit code 1 then."""
    _verify(folder, as_json, "cache verify")


def _verify(folder: Path, as_json: bool, command: str, after: str = "", **figures: Any) -> None:
    from famaug.store import verify as verify_cache

    with terminal.bar("verifying") as progress:
        report = verify_cache(folder, progress=progress)
    for kind, found in (("bad shard", report.bad_shards), ("bad", report.bad)):
        for name, why in found.items():
            terminal.echo(f"{kind}: {name}: {why}", err=True)
    terminal.echo(f"{report}{after}")
    terminal.end(as_json, command, {**figures, **report.to_json()})
    if not report.good:
        raise typer.Exit(terminal.FAILED)


def seal(
    folder: Folder,
    dry_run: Annotated[bool, typer.Option(help="Verify and report, change nothing.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Verify, fix sizes and digests, and make the cache read-only."""
    from famaug.store import seal as seal_cache

    if dry_run:
        _verify(folder, as_json, "cache seal", "; not sealed (--dry-run)", sealed=False)
        return
    with terminal.bar("verifying") as progress:
        shards = seal_cache(folder, progress=progress)
    clips = sum(s.records for s in shards.values())
    terminal.echo(f"sealed {clips} clips in {len(shards)} shards")
    terminal.end(as_json, "cache seal", {"sealed": True, "clips": clips, "shards": len(shards)})


def unseal(folder: Folder, as_json: options.AsJson = False) -> None:
    """Open a sealed cache for more clips. Nobody may read it meanwhile."""
    from famaug.store import unseal as unseal_cache

    shards = unseal_cache(folder)
    terminal.echo(f"{shards} shards can be written again" if shards else "it was not sealed")
    terminal.end(as_json, "cache unseal", {"shards": shards})


def _asked(questions: bool) -> Any:
    """What makes questions of a clip, or None."""
    if not questions:
        return None
    from famaug.data.questions import questions_on  # loads torch

    return questions_on


def export(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="A .tar (WebDataset), or a folder of PNG frames.")],
    questions: Annotated[
        bool,
        typer.Option(
            "--questions", help="Also questions and answers on every clip: class, AUs, sides."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option(help="Say what would be written, write nothing.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Write the clips as a WebDataset tar or as PNG folders, each with its labels: AUs, sides,
    strengths, onset, apex, offset and class.
    """
    from famaug.store import cache_info, export_png, export_webdataset

    if out.suffix and out.suffix != ".tar":
        raise UsageError(f"--out {out}: write a .tar, or a folder (no suffix)")
    if dry_run:
        found = cache_info(folder)
        count, size = found["clips"], found["bytes_decoded"]
        terminal.echo(f"{count} clips, {size / 1e6:.0f} MB before PNG packs them; nothing written")
        terminal.end(as_json, "cache export", {"clips": count, "out": None, "bytes": size})
        return
    write = export_webdataset if out.suffix else export_png
    with terminal.bar("exporting") as progress:
        count = write(folder, out, progress=progress, questions=_asked(questions))
    terminal.echo(f"wrote {count} clips to {out}")
    terminal.end(as_json, "cache export", {"clips": count, "out": str(out)})
