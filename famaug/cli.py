"""The `famaug` command. Each sub-command lives in `famaug/commands/`; nothing heavy loads here."""

from __future__ import annotations

import sys
from importlib import import_module

import typer

from famaug import __version__
from famaug.commands import terminal

COMMANDS = (
    "demo",
    "samples",
    "init",
    "aus",
    "modulate",
    "pool",
    "generate",
    "upscale",
    "pregenerate",
    "cache",
    "labels",
    "studio",
    "quality",
    "recognise",
    "ablate",
    "train",
    "weights",
    "bench",
    "doctor",
)

app = typer.Typer(
    name="famaug",
    help="Micro-expression data augmentation: the same expression on more faces.",
    epilog="Exit code 0: done. 1: the work failed, with the reason. 2: the command line or a "
    "configuration cannot be used. -v and -q may stand anywhere.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        terminal.echo(f"famaug {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
    verbose: bool = typer.Option(
        False, "--verbose", "-v", help="Tell more: log lines, every warning, tracebacks."
    ),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress bars and no notes."),
) -> None:
    """Micro-expression data augmentation: the same expression on more faces."""
    terminal.set_level(verbose=verbose, quiet=quiet)
    context.with_resource(terminal.notes())


for _name in COMMANDS:
    import_module(f"famaug.commands.{_name}").register(app)


def main() -> None:
    """Exit code 0: done. 1: failed, with the reason. 2: what was typed cannot be used. 130: Ctrl-C,
    what was finished is kept."""
    told = [a for a in sys.argv[1:] if a in ("-v", "--verbose", "-q", "--quiet")]
    rest = [a for a in sys.argv[1:] if a not in told]
    terminal.run(lambda: app([*told, *rest]))
