"""`famaug ablate`: does it help? Several ratios of synthetic clips against none."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from famaug.commands import terminal
from famaug.commands.recognise import (
    AsJson,
    Config,
    DryRun,
    Overrides,
    Shard,
    configured,
    given,
)


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
            help="First make the caches under `sources` (drivers, annotations, rules, varied), so "
            "many clips of each real one."
        ),
    ] = None,
    shard: Shard = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Train at several ratios of synthetic to real clips, test against none, and say the verdict.

    The same command goes on where it was stopped. The folder `out` holds one results folder a
    setting, and ablation.csv, .md, .html and .svg.
    """
    from famaug.recognition.config import AblationConfig

    with terminal.typed():
        keys = [*(overrides or ()), *given(shard=shard)]
        loaded = configured(AblationConfig, config, "ablation", keys)
    figures: dict[str, Any] = {"out": loaded.out, "dry_run": dry_run, "verdict": None}
    if per_clip is not None and not dry_run:
        from famaug.recognition.ablation_sources import make_sources

        with terminal.typed(), terminal.bars() as progress:
            made = make_sources(loaded, per_clip=per_clip, progress=progress)
        figures["sources"] = made
        for name, counts in made.items():
            terminal.echo(f"{name}: " + ", ".join(f"{n} {k}" for k, n in counts.items()))
    from famaug.recognition.ablation import settings_of, verdict
    from famaug.recognition.ablation_report import write_ablation
    from famaug.recognition.experiment import describe, open_ablation, run_ratios, waiting
    from famaug.recognition.results import label_of_data

    with terminal.typed(), terminal.bars() as progress:
        base, pools = open_ablation(loaded, progress=progress)
    count = len(settings_of(loaded.ratios, [*pools]))
    terminal.say(f"{count} settings: {describe(base, len(loaded.seeds))}")
    if not dry_run:
        with terminal.bars() as progress:
            ablation = run_ratios(loaded, base, pools, progress=progress)
        if ablation is None:
            terminal.say(waiting(loaded))
        else:
            write_ablation(ablation, Path(loaded.out))
            about = label_of_data(
                {"optimistic": ablation.optimistic, "data": ablation.data or "real"}
            )
            figures["verdict"] = verdict(ablation)
            terminal.say("\n".join(line for line in (about, figures["verdict"]) if line))
    terminal.end(as_json, "ablate", figures)
