"""`famaug studio`: pages to look and rate with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from famaug.commands import terminal


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command("studio", epilog="Example: famaug studio cache/faces")(studio_command)


def studio_command(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CACHE|FOLDER]",
            help="A cache to look through; or a folder of caches, of pictures of faces, of videos.",
        ),
    ] = None,
    real: Annotated[
        Path | None,
        typer.Option(help="Folder of real clips (videos, frame folders) to rate beside them."),
    ] = None,
    ratings: Annotated[
        Path | None, typer.Option(help="Folder of ratings. [beside CACHE or FOLDER: NAME.ratings]")
    ] = None,
    generator: Annotated[
        list[str] | None,
        typer.Option(help="Also offer this generator, as famaug generate takes it (often)."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; whoever reaches it may use the pages.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8765,
    opened: Annotated[
        bool, typer.Option("--open", help="Open the page in this machine's browser.")
    ] = False,
) -> None:
    """Serve pages on this machine: a playground, a browser of caches, ratings, drivers.

    Nothing is fetched and nothing leaves the machine. Ctrl-C ends it.
    """
    from famaug.errors import UsageError
    from famaug.generator.renderers import check_generator
    from famaug.packages import need

    with terminal.typed():
        if not 0 <= port <= 65535:
            raise UsageError(f"--port is 0 to 65535; got {port}")
        for name in generator or ():
            check_generator(name)
    if path is not None:
        terminal.check_there("CACHE|FOLDER", path)
    if real is not None:
        terminal.check_there("--real", real)
    need("nicegui", "famaug studio")
    from famaug.studio.app import LOOPBACK, serve
    from famaug.studio.library import find

    beside = Path("ratings")
    if path is not None:
        beside = path.absolute().with_name(f"{path.absolute().name}.ratings")
    if host not in LOOPBACK:
        terminal.note(f"{host} is no loopback address: whoever reaches it may use the pages")
    serve(
        find(path, real),
        host=host,
        port=port,
        generators=generator or (),
        ratings=ratings or beside,
        opened=opened,
        say=lambda address: terminal.echo(f"open {address} (Ctrl-C ends it)"),
    )
