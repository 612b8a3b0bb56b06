"""`famaug pregenerate`: a cache of synthetic clips, from a YAML."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from famaug.commands import terminal
from famaug.commands.terminal import printable
from famaug.configs import find_config

if TYPE_CHECKING:
    from famaug.generation.report import GenerationReport

TRACES_SHOWN = 3


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command("pregenerate", epilog="Example: famaug pregenerate casme2 --workers 8 seed=1")(
        pregenerate_command
    )


def pregenerate_command(
    config: Annotated[str, typer.Argument(help="YAML file, or the name of one that ships.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Single keys: seed=1 dataset.fold.name=casme2/03.")
    ] = None,
    engine: Annotated[str | None, typer.Option(help="local or ray; over work.engine.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes or actors; over work.workers.")
    ] = None,
    seal: Annotated[
        bool, typer.Option("--seal", help="When all is there: verify, and make it read-only.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            help="Measure and plan, print keys and disk need, write nothing to the cache."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Make the clips of a configuration that its cache does not hold yet.

    Ctrl-C stops after the clips that are begun; the same command goes on. Clips that the quality
    gate lets no draw of through are left out and counted (gate.enabled=false keeps all). Exit code
    1: something else was skipped or failed, OUT/skipped.csv names it. 2: the configuration cannot
    be used.
    """
    from famaug.config.generation import GENERATION, open_generation

    options = {"work.engine": engine, "work.workers": workers}
    with terminal.typed():
        read = GENERATION.read(find_config(config, "generation"), overrides, **options)
        settings, resources = open_generation(read)
    from famaug.generation import generate

    with _until_stopped() as stop, terminal.bars() as progress:
        report = generate(settings, resources, dry_run=dry_run, progress=progress, stop=stop)
    _tell(report, settings.out, dry_run=dry_run, gated=settings.gate is not None)
    if seal and not dry_run and report.finished and not report.failed:
        from famaug.store import seal as seal_cache

        shards = seal_cache(settings.out)
        terminal.echo(f"sealed {sum(s.records for s in shards.values())} clips")
    terminal.end(as_json, "pregenerate", _json(report, settings.out, dry_run))
    if report.stopped:
        raise typer.Exit(terminal.STOPPED)
    if report.failed:
        raise typer.Exit(terminal.FAILED)


@contextmanager
def _until_stopped() -> Iterator[Callable[[], bool]]:
    """Ctrl-C or SIGTERM once: stop after what is begun. Twice: at once."""
    asked = False

    def ask(number: int, frame: Any) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        terminal.echo("stopping after the clips that are begun; again to stop at once", err=True)

    before = {s: signal.signal(s, ask) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(report: GenerationReport, out: Path, *, dry_run: bool, gated: bool) -> None:
    for note in report.notes:
        terminal.note(note)
    traces = [s for s in report.failed if s.trace]
    for skip in traces[:TRACES_SHOWN]:
        terminal.echo(f"failed: {skip.what} {printable(skip.name)}\n{skip.trace}", err=True)
    for skip in [s for s in report.failed if not s.trace][:TRACES_SHOWN]:
        terminal.echo(f"skipped: {skip.what} {printable(skip.name)}: {skip.reason}", err=True)
    if report.lost_workers:
        terminal.echo(f"{report.lost_workers} workers died and were replaced", err=True)
    if dry_run:
        for key in report.keys:
            terminal.echo(key)
        terminal.echo(
            f"{report.planned} clips planned, {report.frames} frames, {report.there} are there; "
            f"about {report.bytes_estimate / 1e6:.0f} MB to write, "
            f"{report.bytes_free / 1e6:.0f} MB free"
        )
    else:
        terminal.echo(
            f"{report.made} clips made, {report.there} were there, of {report.planned} planned; "
            f"{report.clips_per_second:.2f} clips/s"
        )
    if gated and not dry_run:
        lost = len(report.skipped) - len(report.failed)
        terminal.echo(
            f"the gate rejected {report.rejected} draws; {lost} clips are left out for it"
        )
    if report.skipped:
        where = "" if dry_run else f"; see {out / 'skipped.csv'}"
        terminal.echo(f"{len(report.skipped)} left out{where}", err=True)
    if report.stopped:
        terminal.echo("stopped; the same command goes on", err=True)


def _json(report: GenerationReport, out: Path, dry_run: bool) -> dict[str, Any]:
    value = {"out": str(out), "dry_run": dry_run, **report.to_json()}
    return value | ({"keys": report.keys} if dry_run else {})
