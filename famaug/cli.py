"""The `famaug` command. Each sub-command lives in `famaug/commands/`; nothing heavy loads here."""

from __future__ import annotations

import sys
from importlib import import_module

import typer

from famaug import __version__
from famaug.errors import FamaugError

COMMANDS = (
    "demo",
    "samples",
    "aus",
    "modulate",
    "generate",
    "upscale",
    "pregenerate",
    "cache",
    "quality",
    "train",
    "weights",
    "bench",
    "doctor",
)

app = typer.Typer(
    name="famaug",
    help="Micro-expression data augmentation: the same expression on more faces.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"famaug {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Micro-expression data augmentation: the same expression on more faces."""


for _name in COMMANDS:
    import_module(f"famaug.commands.{_name}").register(app)


def main() -> None:
    """Exit code 0: done. 1: failed, with the reason. 2: the command line cannot be read."""
    try:
        app()
    except FamaugError as e:
        typer.echo(f"famaug: {e}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("famaug: stopped; what was finished is kept", err=True)
        sys.exit(130)
