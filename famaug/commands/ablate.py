"""`famaug ablate`: does it help? Several ratios of synthetic clips against none."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from famaug.commands import terminal
from famaug.commands.recognise import AsJson, Config, DryRun, Overrides, Shard
from famaug.configs import find_config


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command("ablate", epilog="Example: famaug ablate composite --per-clip 4 ratios=[0,1]")(
        ablate_command
    )


def ablate_command(
    config: Config,
    overrides: Overrides = None,
    per_clip: Annotated[
        int | None,
        typer.Option(
            help="First make the caches under `sources` (drivers, annotations, rules, stats, "
            "drawn, varied), so many clips of each real one."
        ),
    ] = None,
    shard: Shard = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Train at several ratios of synthetic to real clips, test against none, and say the verdict.

    With `faces`, expressions are drawn on these pictures. The same command goes on where it was
    stopped. The folder `out` holds one results folder a
    setting, and ablation.csv, .md, .html and .svg.
    """
    from famaug.config.recognition import ABLATION

    loaded = ABLATION.read(find_config(config, "ablation"), overrides, shard=shard)
    figures: dict[str, Any] = {"out": str(loaded["out"]), "dry_run": dry_run, "verdict": None}
    if per_clip is not None and not dry_run:
        from famaug.config.experiments import make_sources

        with terminal.typed(), terminal.bars() as progress:
            made = make_sources(loaded, per_clip=per_clip, progress=progress)
        figures["sources"] = made
        for name, counts in made.items():
            terminal.echo(f"{name}: " + ", ".join(f"{n} {k}" for k, n in counts.items()))
    from famaug.config.experiments import open_ablation, run_ratios
    from famaug.recognition.ablation import verdict
    from famaug.recognition.ablation_report import write_ablation
    from famaug.recognition.results import label_of_data
    from famaug.recognition.watching import describe, waiting

    with terminal.typed(), terminal.bars() as progress:
        base, pools, settings = open_ablation(loaded, progress=progress)
    terminal.say(f"{len(settings)} settings: {describe(base, len(loaded['seeds']))}")
    if not dry_run:
        with terminal.bars() as progress:
            ablation = run_ratios(loaded, base, pools, progress=progress)
        if ablation is None:
            terminal.say(waiting(loaded["out"]))
        else:
            write_ablation(ablation, loaded["out"])
            about = label_of_data(
                {"optimistic": ablation.optimistic, "data": ablation.data or "real"}
            )
            figures["verdict"] = verdict(ablation)
            terminal.say("\n".join(line for line in (about, figures["verdict"]) if line))
    terminal.end(as_json, "ablate", figures)
