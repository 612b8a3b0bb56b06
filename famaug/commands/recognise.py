"""`famaug recognise`: train a recogniser subject by subject, and score it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from famaug.commands import terminal
from famaug.configs import find_config

Config = Annotated[str, typer.Argument(help="YAML file, or the name of one that ships.")]
Overrides = Annotated[list[str] | None, typer.Argument(help="Single keys: training.epochs=20.")]
Shard = Annotated[
    str | None, typer.Option(help="k/n: do every n-th fold from the k-th on; over shard.")
]
DryRun = Annotated[
    bool, typer.Option(help="Make inputs, check all, and say what would be trained.")
]
AsJson = Annotated[bool, typer.Option("--json", help="End with one line of JSON.")]


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command(
        "recognise", epilog="Example: famaug recognise composite --shard 0/4 seeds=[0,1,2]"
    )(recognise_command)


def recognise_command(
    config: Config,
    overrides: Overrides = None,
    shard: Shard = None,
    weights: Annotated[
        Path | None, typer.Option(help="Folder of one state dict a fold: evaluate only.")
    ] = None,
    select: Annotated[
        str | None, typer.Option(help="last, or best-test: only to reproduce papers.")
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Train a recogniser leaving one subject out, with or without synthetic clips, and score it.

    The same command goes on where it was stopped. Several devices or machines: --shard 0/2 and 1/2
    in one `out`.
    """
    from famaug.config.recognition import RECOGNITION

    options = {"shard": shard, "weights": weights, "training.select": select}
    path = find_config(config, "recognition")
    loaded = RECOGNITION.read(path, overrides, **options)
    from famaug.config.experiments import open_problem, run_recogniser
    from famaug.recognition.results import markdown
    from famaug.recognition.watching import describe, waiting

    with terminal.typed(), terminal.bars() as progress:
        problem = open_problem(loaded, progress=progress)
    terminal.say(describe(problem, len(loaded["seeds"])))
    figures: dict[str, Any] = {"out": str(loaded["out"]), "dry_run": dry_run, "finished": False}
    if not dry_run:
        with terminal.bars() as progress:
            value = run_recogniser(loaded, problem, progress=progress)
        figures |= {"finished": value is not None, "scores": value}
        terminal.say(markdown(value) if value else waiting(loaded["out"]))
    terminal.end(as_json, "recognise", figures)
