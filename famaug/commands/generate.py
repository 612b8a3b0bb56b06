"""`famaug generate`: one synthetic clip."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from famaug.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command("generate")(generate_command)


def generate_command(
    driver: Annotated[
        str,
        typer.Option(
            help="Whose expression: video, frame folder, AU table (.csv), rule:positive, "
            "rule:negative, rule:surprise, or AUs by hand, aus:4=1.5,7=1,12L=1."
        ),
    ],
    identity: Annotated[str, typer.Option(help="Whose face: a picture, video or frame folder.")],
    out: Annotated[
        Path, typer.Option(help="Video (.mp4, lossy) or a folder of PNG frames to write.")
    ],
    generator: Annotated[
        str, typer.Option(help="warp, compact (learned), or a trained generator's .safetensors.")
    ] = "warp",
    skin: Annotated[
        float, typer.Option(help="Furrows and shade of the warp; 0 is motion alone.")
    ] = 1.0,
    halves: Annotated[
        str, typer.Option(help="Learned generators: maps (one pass), or paper (two, joined).")
    ] = "maps",
    superres: Annotated[
        str | None,
        typer.Option(help="Render smaller and sharpen to --size: compact, realsr, ... or a file."),
    ] = None,
    size: Annotated[
        int, typer.Option(help="Side of the clip in pixels; 0 keeps the picture's own framing.")
    ] = 256,
    fps: Annotated[float, typer.Option(help="Frame rate of clips from rules.")] = 100.0,
    peak: Annotated[
        float | None, typer.Option(help="Scale so that the strongest AU reaches this, up to 5.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed draws another expression.")] = 0,
    face: Annotated[
        int | None, typer.Option(help="Which face of the identity, 0 the largest.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, ...")] = "cpu",
    dry_run: Annotated[bool, typer.Option(help="Plan and report, write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Show a driver's expression on an identity's face."""
    from famaug.clip_writer import check_target, write_clip
    from famaug.pipeline import Synthesizer
    from famaug.seeding import keyed_generator
    from famaug.sources import Identity

    check_target(out)
    for name, value in (("--driver", driver), ("--identity", identity)):
        if not value:
            raise InputError(f"{name} is empty")
    synthesizer = Synthesizer(
        generator=generator,
        skin=skin,
        halves=halves,
        superres=superres,
        size=size or None,
        fps=fps,
        peak=peak,
        device=device,
    )
    shown = replace(Identity.of(identity), face=face)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        plan = synthesizer.plan(driver, shown, keyed_generator(seed, "generate"), seed=seed)
    for warning in caught:
        typer.echo(f"note: {warning.message}", err=True)
    figures: dict[str, Any] = {
        "command": "generate",
        "key": plan.key,
        "frames": len(plan.track),
        "fps": plan.fps,
        "out": None,
    }
    if dry_run:
        typer.echo(f"{len(plan.track)} frames at {plan.fps:g} fps, plan {plan.key[:12]}")
    else:
        write_clip(out, synthesizer.render([plan])[0], fps=plan.fps, plan=plan)
        figures["out"] = str(out)
        typer.echo(f"wrote {len(plan.track)} frames at {plan.fps:g} fps to {out}")
    if as_json:
        typer.echo(json.dumps(figures))
