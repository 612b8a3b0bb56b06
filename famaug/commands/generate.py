"""`famaug generate`: one synthetic clip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from famaug.commands import terminal
from famaug.errors import UsageError

if TYPE_CHECKING:
    from famaug.pipeline.synthesizer import Synthesizer
    from famaug.quality.redraw import Accepted
    from famaug.types import Plan


MACRO = 3.0
"""Intensity above which a plan is called no micro-expression."""


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command(
        "generate",
        epilog="Example: famaug generate --driver rule:surprise --identity face.png --out a.mp4",
    )(generate_command)


def generate_command(
    driver: Annotated[
        str,
        typer.Option(
            help="Whose expression: video, frame folder, AU table (.csv, or a folder of "
            "OpenFace's; one that famaug modulate wrote is shown as written), rule:positive, "
            "rule:negative, rule:surprise, stats:positive (negative, surprise: AUs as often as "
            "annotators saw them together), stats:FILE.json (one's own), or AUs by "
            "hand, aus:4=1.5,7=1,12L=1."
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
        float, typer.Option(help="Strength of furrows and shade; 0 is motion alone.")
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
    fps: Annotated[
        float | None,
        typer.Option(
            help="Frame rate of the driver where it does not say (frame folders, AU tables), and "
            "of clips from rules. [100, with a note where a driver does not say]"
        ),
    ] = None,
    as_is: Annotated[
        bool, typer.Option("--as-is", help="Show the AU table as written: no filter, no onset.")
    ] = False,
    peak: Annotated[
        float | None, typer.Option(help="Scale so that the strongest AU reaches this, up to 5.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed draws another expression.")] = 0,
    face: Annotated[
        int | None, typer.Option(help="Which face of the identity, 0 the largest.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, ...")] = "cpu",
    gate: Annotated[
        bool, typer.Option("--gate", help="Draw again what the quality gate rejects.")
    ] = False,
    tries: Annotated[int, typer.Option(help="With --gate: draw so often at most.")] = 3,
    dry_run: Annotated[bool, typer.Option(help="Plan and report, write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Show a driver's expression on an identity's face."""
    from famaug.clip_options import check_generator, check_peak, check_size
    from famaug.clip_writer import check_target, write_clip

    with terminal.typed():  # all that can be told before torch is loaded
        check_target(out)
        check_driver(driver)
        terminal.check_there("--identity", identity)
        check_size(size or None)
        check_peak(peak)
        check_generator(generator, skin=skin, halves=halves)
        if tries < 1:
            raise UsageError(f"--tries is 1 or more; got {tries}")
    from famaug.pipeline.inputs import Driver, Identity
    from famaug.pipeline.synthesizer import Synthesizer
    from famaug.seeding import keyed_generator

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
    with terminal.working():
        source = Driver.of(driver)
        source = source.as_written() if as_is else source
        plan = synthesizer.plan(source, shown, keyed_generator(seed, "generate"), seed=seed)

    def draw(number: int) -> Plan:
        """The same clip without a gate; another one each time it was rejected."""
        if number == 0:
            return plan
        rng = keyed_generator(seed, "generate", number)
        return synthesizer.plan(source, shown, rng, seed=seed)

    _note_driver(plan, fps)
    _note_strength(plan)
    figures: dict[str, Any] = {"out": None}
    if dry_run:
        terminal.echo(f"{len(plan.track)} frames at {plan.fps:g} fps, plan {plan.key[:12]}")
    else:
        with terminal.working():
            if gate:
                found = _accepted(synthesizer, draw, tries)
                plan, frames = found.plan, found.frames
                figures |= {"quality": dict(found.quality.scores), "rejected": len(found.rejected)}
            else:
                frames = synthesizer.render([plan])[0]
        write_clip(out, frames, fps=plan.fps, plan=plan)
        figures["out"] = str(out)
        terminal.echo(f"wrote {len(plan.track)} frames at {plan.fps:g} fps to {out}")
    figures |= {"key": plan.key, "frames": len(plan.track), "fps": plan.fps}
    terminal.end(as_json, "generate", figures)


def check_driver(driver: str) -> None:
    """Raises InputError: no such rule, AU or file."""
    from famaug.modulation.rules import PREFIXES, parse_expression

    if driver.startswith(PREFIXES):
        parse_expression(driver)
    else:
        terminal.check_there("--driver", driver)


def _note_driver(plan: Plan, fps: float | None) -> None:
    """What was not done to the driver though it is done to others, or was asked for."""
    if plan.driver["kind"] == "track" and plan.params["modulation"] == "as written":
        terminal.note(f"{plan.driver['name']} is shown as written, not modulated")
    if fps is not None and plan.fps != fps:
        terminal.note(
            f"{plan.driver['name']} says {plan.fps:g} frames per second itself; --fps {fps:g} is "
            "for drivers that do not say"
        )


def _note_strength(plan: Plan) -> None:
    strongest = plan.intensity.max()
    if strongest > MACRO:
        terminal.note(
            f"the strongest AU reaches {strongest:.1f} of 5: no micro-expression, and it may look "
            "forced on another face; --peak 1.5 brings it there"
        )


def _accepted(synthesizer: Synthesizer, draw: Callable[[int], Plan], tries: int) -> Accepted:
    """The first draw that the default gate lets through; what was rejected is told."""
    from famaug.quality.gate import Gate
    from famaug.quality.judge import ClipJudge
    from famaug.quality.redraw import render_accepted

    judge = ClipJudge(mesher=synthesizer.mesher, device=synthesizer.device)
    found = render_accepted(synthesizer, draw, gate=Gate(), judge=judge, tries=tries)
    for reasons in found.rejected:
        terminal.echo(f"rejected: {', '.join(reasons)}", err=True)
    if "identity_min" in found.quality.missing:
        terminal.note(found.quality.missing["identity_min"])
    return found
