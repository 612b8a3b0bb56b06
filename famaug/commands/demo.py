"""`famaug demo`: the whole way on sample media."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from famaug.commands import terminal


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command("demo", epilog="Example: famaug demo --out demo")(demo_command)


def demo_command(
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("demo"),
    identities: Annotated[
        Path | None, typer.Option(help="Folder of pictures whose faces are used as well.")
    ] = None,
    size: Annotated[int, typer.Option(help="Side of the clips in pixels.")] = 256,
    seed: Annotated[int, typer.Option(help="Another seed draws other expressions.")] = 0,
    offline: Annotated[
        bool, typer.Option("--offline", help="Fetch nothing; use what was fetched before.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Measure, plan, render, cache, load and measure again on sample media; write a page.

    Ends in OUT/report.html. A video of a person is fetched once, to drive the first clip; without
    it a rendered clip does, and the page says so. The faces ship with famaug.
    """
    from famaug.demo.run import run_demo

    figures = run_demo(
        out,
        identities=identities,
        size=size,
        seed=seed,
        offline=offline,
        say=lambda stage: terminal.echo(f"  {stage} ...", err=True),
    )
    terminal.echo(
        f"{figures['clips']} clips; Google's net sees {figures['blendshapes_seen']} of "
        f"{figures['blendshapes_asked']} asked units; read again by famaug itself: "
        f"r = {figures['r']:.3f}\n"
        f"open {figures['report']}"
    )
    if as_json:
        terminal.echo(json.dumps({"command": "demo", **figures}))
