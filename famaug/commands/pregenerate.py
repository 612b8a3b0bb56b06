"""`famaug pregenerate`: a cache of synthetic clips, from a YAML."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from famaug.errors import InputError

if TYPE_CHECKING:
    from famaug.generation.report import GenerationReport

TRACES_SHOWN = 3
STOPPED = 130


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command("pregenerate")(pregenerate_command)


def pregenerate_command(
    config: Annotated[Path, typer.Argument(help="YAML; see recipes/configs/generation.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Single keys: seed=1 dataset.fold.name=casme2/03.")
    ] = None,
    engine: Annotated[str | None, typer.Option(help="local or ray; over work.engine.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes or actors; over work.workers.")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            help="Measure and plan, print keys and disk need, write nothing to the cache."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Make the clips of a configuration that its cache does not hold yet.

    Ctrl-C stops after the clips that are begun; the same command goes on. Exit code 1: something
    was skipped or failed, OUT/skipped.csv names it. 2: the configuration cannot be used.
    """
    from famaug.generation import generate, load_config, open_generation

    try:
        loaded = load_config(config, overrides or ())
        loaded.work.engine = engine or loaded.work.engine
        loaded.work.workers = loaded.work.workers if workers is None else workers
        settings, resources = open_generation(loaded)
    except InputError as error:
        typer.echo(f"famaug pregenerate: {error}", err=True)
        raise typer.Exit(2) from error
    with _until_stopped() as stop, _bars() as progress:
        report = generate(settings, resources, dry_run=dry_run, progress=progress, stop=stop)
    _tell(report, settings.out, dry_run)
    if as_json:
        typer.echo(json.dumps(_json(report, settings.out, dry_run)))
    if report.stopped:
        raise typer.Exit(STOPPED)
    if report.skipped:
        raise typer.Exit(1)


@contextmanager
def _until_stopped() -> Iterator[Callable[[], bool]]:
    """Ctrl-C or SIGTERM once: stop after what is begun. Twice: at once."""
    asked = False

    def ask(number: int, frame: Any) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        typer.echo("stopping after the clips that are begun; again to stop at once", err=True)

    before = {s: signal.signal(s, ask) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _bars() -> Iterator[Callable[[str, int, int], None]]:
    """One bar a stage, on stderr: done of all, a second's worth, time left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    rate = TextColumn("{task.fields[rate]}")
    columns = (TextColumn("{task.description:10s}"), BarColumn(), MofNCompleteColumn(), rate)
    with Progress(*columns, TimeLeft(), console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total, completed=done, rate="")
            bars.update(tasks[stage], completed=done, total=total)
            speed = bars.tasks[tasks[stage]].speed
            if stage == "rendering" and speed:
                bars.update(tasks[stage], rate=f"{speed:.2f} clips/s")

        yield show


def _tell(report: GenerationReport, out: Path, dry_run: bool) -> None:
    for note in report.notes:
        typer.echo(f"note: {note}", err=True)
    traces = [s for s in report.skipped if s.trace]
    for skip in traces[:TRACES_SHOWN]:
        typer.echo(f"failed: {skip.what} {skip.name}\n{skip.trace}", err=True)
    for skip in [s for s in report.skipped if not s.trace][:TRACES_SHOWN]:
        typer.echo(f"skipped: {skip.what} {skip.name}: {skip.reason}", err=True)
    if report.lost_workers:
        typer.echo(f"{report.lost_workers} workers died and were replaced", err=True)
    if dry_run:
        for key in report.keys:
            typer.echo(key)
        typer.echo(
            f"{report.planned} clips planned, {report.frames} frames, {report.there} are there; "
            f"about {report.bytes_estimate / 1e6:.0f} MB to write, "
            f"{report.bytes_free / 1e6:.0f} MB free"
        )
    else:
        typer.echo(
            f"{report.made} clips made, {report.there} were there, of {report.planned} planned; "
            f"{report.clips_per_second:.2f} clips/s"
        )
    if report.rejected:
        typer.echo(f"the gate rejected {report.rejected} clips")
    if report.skipped:
        where = "" if dry_run else f"; see {out / 'skipped.csv'}"
        typer.echo(f"{len(report.skipped)} left out{where}", err=True)
    if report.stopped:
        typer.echo("stopped; the same command goes on", err=True)


def _json(report: GenerationReport, out: Path, dry_run: bool) -> dict[str, Any]:
    value = {"command": "pregenerate", "out": str(out), "dry_run": dry_run, **report.to_json()}
    return value | ({"keys": report.keys} if dry_run else {})
