"""`famaug samples`: a folder of small inputs to try the other commands with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from famaug.commands import terminal
from famaug.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command("samples", epilog="Example: famaug samples try --dataset casme2")(samples_command)


def samples_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New or empty folder to write.")],
    dataset: Annotated[
        list[str] | None,
        typer.Option(help="Also a small replica of this release: casme2, samm, smic, ... (often)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Write faces, a portrait, a small portrait and a clip that may be passed on.

    The faces are of people who do not exist (CC0); the clip is rendered from one of them. Nothing
    is fetched.
    """
    from famaug.people.datasets import release_named

    with terminal.typed():
        for name in dataset or ():
            release_named(name)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder}: samples are written into a new or empty folder")
    from famaug.demo.sample_folder import write_samples

    with terminal.working():
        written = write_samples(folder, datasets=tuple(dataset or ()))
    terminal.echo(f"wrote {', '.join(written)} to {folder}")
    terminal.end(as_json, "samples", {"written": written})
