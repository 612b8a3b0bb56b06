"""`famaug cache`: look into, check, close, open and export a clip cache."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from famaug.commands import terminal
from famaug.commands.terminal import printable
from famaug.errors import UsageError

if TYPE_CHECKING:
    from famaug.store import VerifyReport

Folder = Annotated[Path, typer.Argument(help="Folder of the cache.")]
AsJson = Annotated[bool, typer.Option("--json", help="End with one line of JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands to famaug's."""
    group = typer.Typer(
        help="Clip caches: info, ls, verify, seal, unseal, export.",
        epilog="Example: famaug cache info cache/casme2",
        no_args_is_help=True,
    )
    for command, more in (
        (info, ""),
        (ls, " --label surprise --driver 'casme2/*'"),
        (verify, ""),
        (seal, ""),
        (unseal, ""),
        (export, " --out clips.tar"),
    ):
        example = f"Example: famaug cache {command.__name__} cache/casme2{more}"
        group.command(command.__name__, epilog=example)(command)
    app.add_typer(group, name="cache")


def info(folder: Folder, as_json: AsJson = False) -> None:
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
    as_json: AsJson = False,
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
    from famaug.people import canonical

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


def verify(folder: Folder, as_json: AsJson = False) -> None:
    """Read every clip and name each clip and shard that is not what was put; exit code 1 then."""
    from famaug.store import verify as verify_cache

    with terminal.bars() as show:
        report = verify_cache(folder, progress=lambda done, of: show("verifying", done, of))
    _name_damage(report)
    terminal.echo(str(report))
    terminal.end(as_json, "cache verify", report.to_json())
    if not report.good:
        raise typer.Exit(terminal.FAILED)


def _name_damage(report: VerifyReport) -> None:
    for name, why in report.bad_shards.items():
        terminal.echo(printable(f"bad shard: {name}: {why}"), err=True)
    for name, why in report.bad.items():
        terminal.echo(printable(f"bad: {name}: {why}"), err=True)


def seal(
    folder: Folder,
    dry_run: Annotated[bool, typer.Option(help="Verify and report, change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Verify, fix sizes and digests, and make the cache read-only."""
    from famaug.store import seal as seal_cache
    from famaug.store import verify as verify_cache

    with terminal.bars() as show:
        if dry_run:
            report = verify_cache(folder, progress=lambda done, of: show("verifying", done, of))
        else:
            shards = seal_cache(folder, progress=lambda done, of: show("verifying", done, of))
    if dry_run:
        _name_damage(report)
        terminal.echo(f"{report}; not sealed (--dry-run)")
        terminal.end(as_json, "cache seal", {"sealed": False, **report.to_json()})
        if not report.good:
            raise typer.Exit(terminal.FAILED)
        return
    clips = sum(s.records for s in shards.values())
    terminal.echo(f"sealed {clips} clips in {len(shards)} shards")
    terminal.end(as_json, "cache seal", {"sealed": True, "clips": clips, "shards": len(shards)})


def unseal(folder: Folder, as_json: AsJson = False) -> None:
    """Open a sealed cache for more clips. Nobody may read it meanwhile."""
    from famaug.store import unseal as unseal_cache

    shards = unseal_cache(folder)
    terminal.echo(f"{shards} shards can be written again" if shards else "it was not sealed")
    terminal.end(as_json, "cache unseal", {"shards": shards})


def export(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="A .tar (WebDataset), or a folder of PNG frames.")],
    dry_run: Annotated[
        bool, typer.Option(help="Say what would be written, write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the clips as a WebDataset tar or as PNG folders."""
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
    with terminal.bars() as show:
        count = write(folder, out, progress=lambda done, of: show("exporting", done, of))
    terminal.echo(f"wrote {count} clips to {out}")
    terminal.end(as_json, "cache export", {"clips": count, "out": str(out)})
