"""`famaug cache`: look into, check, close and export a clip cache."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from famaug.errors import InputError

if TYPE_CHECKING:
    from famaug.store import VerifyReport

Folder = Annotated[Path, typer.Argument(help="Folder of the cache.")]
AsJson = Annotated[bool, typer.Option("--json", help="End with one line of JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands to famaug's."""
    group = typer.Typer(help="Clip caches: info, ls, verify, seal, export.", no_args_is_help=True)
    for command in (info, ls, verify, seal, export):
        group.command(command.__name__)(command)
    app.add_typer(group, name="cache")


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    with Progress(
        TextColumn(what), BarColumn(), MofNCompleteColumn(), console=Console(stderr=True)
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done: bar.update(task, completed=done)


def _end(as_json: bool, command: str, figures: dict[str, Any]) -> None:
    if as_json:
        typer.echo(json.dumps({"command": f"cache {command}", **figures}, default=str))


def info(folder: Folder, as_json: AsJson = False) -> None:
    """A cache in numbers."""
    from famaug.store import cache_info

    figures = cache_info(folder)
    for name, value in figures.items():
        typer.echo(f"{name:20s} {value}")
    _end(as_json, "info", figures)


def ls(folder: Folder, as_json: AsJson = False) -> None:
    """One line a clip: key, frames, size, driver, identity, label."""
    from famaug.store import list_clips

    count = 0
    for clip in list_clips(folder):
        count += 1
        size = f"{clip['frames']}x{clip['height']}x{clip['width']}"
        who = f"{clip['driver']} on {clip['identity']}"
        typer.echo(f"{clip['key'][:16]}  {size:14s} {clip['bytes']:>9} B  {who}  {clip['label']}")
    _end(as_json, "ls", {"clips": count})


def verify(folder: Folder, as_json: AsJson = False) -> None:
    """Read every clip and name each clip and shard that is not what was put; exit code 1 then."""
    from famaug.store import verify as verify_cache

    with _progress("verifying") as progress:
        report = verify_cache(folder, progress=progress)
    _name_damage(report)
    typer.echo(str(report))
    _end(as_json, "verify", report.to_json())
    if not report.good:
        raise typer.Exit(1)


def _name_damage(report: VerifyReport) -> None:
    for name, why in report.bad_shards.items():
        typer.echo(f"bad shard: {name}: {why}", err=True)
    for name, why in report.bad.items():
        typer.echo(f"bad: {name}: {why}", err=True)


def seal(
    folder: Folder,
    dry_run: Annotated[bool, typer.Option(help="Verify and report, change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Verify, fix sizes and digests, and make the cache read-only."""
    from famaug.store import seal as seal_cache
    from famaug.store import verify as verify_cache

    with _progress("verifying") as progress:
        if dry_run:
            report = verify_cache(folder, progress=progress)
            _name_damage(report)
            typer.echo(f"{report}; not sealed (--dry-run)")
            _end(as_json, "seal", {"sealed": False, **report.to_json()})
            if not report.good:
                raise typer.Exit(1)
            return
        shards = seal_cache(folder, progress=progress)
    clips = sum(s.records for s in shards.values())
    typer.echo(f"sealed {clips} clips in {len(shards)} shards")
    _end(as_json, "seal", {"sealed": True, "clips": clips, "shards": len(shards)})


def export(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="A .tar (WebDataset), or a folder of PNG frames.")],
    as_json: AsJson = False,
) -> None:
    """Write the clips as a WebDataset tar or as PNG folders."""
    from famaug.store import export_png, export_webdataset

    if out.suffix and out.suffix != ".tar":
        raise InputError(f"--out {out}: write a .tar, or a folder (no suffix)")
    with _progress("exporting") as progress:
        write = export_webdataset if out.suffix else export_png
        count = write(folder, out, progress=progress)
    typer.echo(f"wrote {count} clips to {out}")
    _end(as_json, "export", {"clips": count, "out": str(out)})
