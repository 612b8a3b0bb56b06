"""`famaug generate`: one synthetic clip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from famaug.commands import options, terminal
from famaug.errors import UsageError

if TYPE_CHECKING:
    from famaug.pipeline.inputs import Driver
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
    )(options.grouped(generate_command))


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Whose expression on whose face, and how strong.

    Attributes:
        driver: Whose expression: video, frame folder, AU table (.csv, or a folder of OpenFace's;
            one that famaug modulate wrote is shown as written), rule:positive, rule:negative,
            rule:surprise, stats:positive (negative, surprise: AUs as often as annotators saw them
            together), stats:FILE.json, pairs:FILE.json, early:FILE.json (of famaug pool), or AUs
            by hand, aus:4=1.5,7=1,12L=1.
        identity: Whose face: a picture, video or frame folder.
        estimator: What measures the driver's AUs, where it is a video or frame folder: flow,
            points, openface-binary, pyfaceau, pyfeat, halves:NAME or module:Class; as famaug aus
            --backend.
        fps: Frame rate of the driver where it does not say (frame folders, AU tables), and of
            clips from rules. [100, with a note where a driver does not say]
        as_is: Show the AU table as written: no filter, no onset.
        peak: Scale so that the strongest AU reaches this, up to 5.
        rise: Milliseconds from onset to apex, with --fall, of an expression that is
            drawn or by hand. [drawn as micro-expressions last]
        fall: Milliseconds from apex to offset, with --rise.
        seed: Another seed draws another expression.
        face: Which face of the identity, 0 the largest.
    """

    driver: str
    identity: str
    estimator: str = "flow"
    fps: float | None = None
    as_is: Annotated[bool, typer.Option("--as-is")] = False
    peak: float | None = None
    rise: float | None = None
    fall: float | None = None
    seed: int = 0
    face: int | None = None


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """How the clip is rendered.

    Attributes:
        generator: warp, a file of GANimation's weights (.safetensors), or module:Class.
        skin: Option of warp: strength of furrows and shade; 0 is motion alone. [1]
        halves: Option of GANimation: maps (one pass), or paper (two, joined). [maps]
        option: Any option of the generator, NAME=VALUE; several times for several.
        superres: Render smaller and sharpen to --size: compact, realsr, ... or a file.
        size: Side of the clip in pixels; 0 keeps the picture's own framing.
        gate: Draw again what the quality gate rejects.
        tries: With --gate: draw so often at most.
    """

    generator: str = "warp"
    skin: float | None = None
    halves: str | None = None
    option: list[str] | None = None
    superres: str | None = None
    size: int = 256
    device: options.Device = "cpu"
    gate: Annotated[bool, typer.Option("--gate")] = False
    tries: int = 3

    @property
    def generator_options(self) -> dict[str, Any]:
        """Of the generator, by name. Raises UsageError: an option without a value."""
        from famaug.generator.renderers import options_of

        given = options.named_values("--option", self.option)
        return options_of(given, skin=self.skin, halves=self.halves)


def generate_command(
    *,
    shown: Pair,
    out: Annotated[
        Path, typer.Option(help="Video (.mp4, lossy) or a folder of PNG frames to write.")
    ],
    pixels: Pixels,
    dry_run: Annotated[bool, typer.Option(help="Plan and report, write nothing.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Show a driver's expression on an identity's face."""
    from famaug.media.clips import write_clip

    _check_typed(shown, pixels, out)
    from famaug.pipeline.inputs import Driver, Identity
    from famaug.pipeline.synthesizer import Synthesizer
    from famaug.seeding import keyed_generator

    synthesizer = Synthesizer(
        generator=pixels.generator,
        options=pixels.generator_options,
        superres=pixels.superres,
        size=pixels.size or None,
        estimator=shown.estimator,
        fps=shown.fps,
        peak=shown.peak,
        device=pixels.device,
    )
    face = replace(Identity.of(shown.identity), face=shown.face)
    with terminal.working():
        driver = Driver.of(shown.driver)
        driver = driver.as_written() if shown.as_is else driver
    driver = _timed(driver, _times(shown))

    def draw(number: int) -> Plan:
        """The same clip without a gate; another one each time it was rejected."""
        rng = keyed_generator(shown.seed, "generate", *([number] if number else []))
        return synthesizer.plan(driver, face, rng, seed=shown.seed)

    with terminal.working():
        plan = draw(0)
    _note_driver(plan, shown.fps)
    _note_strength(plan)
    figures: dict[str, Any] = {"out": None}
    if dry_run:
        terminal.echo(f"{len(plan.track)} frames at {plan.fps:g} fps, plan {plan.key[:12]}")
    else:
        with terminal.working():
            if pixels.gate:
                found = _accepted(synthesizer, lambda n: draw(n) if n else plan, pixels.tries)
                plan, frames = found.plan, found.frames
                figures |= {"quality": dict(found.quality.scores), "rejected": len(found.rejected)}
            else:
                frames = synthesizer.render([plan])[0]
        write_clip(out, frames, fps=plan.fps, plan=plan)
        figures["out"] = str(out)
        terminal.echo(f"wrote {len(plan.track)} frames at {plan.fps:g} fps to {out}")
    figures |= {"key": plan.key, "frames": len(plan.track), "fps": plan.fps}
    terminal.end(as_json, "generate", figures)


def _check_typed(shown: Pair, pixels: Pixels, out: Path) -> None:
    """All that can be told before torch is loaded."""
    from famaug.aus.estimators import check_estimator
    from famaug.clip_options import check_peak, check_size
    from famaug.generator.renderers import check_generator
    from famaug.media.clips import check_target

    with terminal.typed():
        check_target(out)
        check_driver(shown.driver, _times(shown))
        terminal.check_there("--identity", shown.identity)
        check_size(pixels.size or None)
        check_peak(shown.peak)
        check_generator(pixels.generator, pixels.generator_options)
        check_estimator(shown.estimator)
        if pixels.tries < 1:
            raise UsageError(f"--tries is 1 or more; got {pixels.tries}")


def check_driver(driver: str, times: tuple[float, float] | None = None) -> None:
    """Raises InputError: no such rule, AU or file, or one that takes no times."""
    from famaug.modulation.rules import PREFIXES, parse_expression, timed_source

    if driver.startswith(PREFIXES):
        source = parse_expression(driver)
        if times is not None:
            timed_source(source, times)
    else:
        terminal.check_there("--driver", driver)
        if times is not None:
            raise UsageError(f"--rise and --fall: {driver} says itself how long it takes")


def _times(shown: Pair) -> tuple[float, float] | None:
    """Raises UsageError: one without the other."""
    if (shown.rise is None) != (shown.fall is None):
        raise UsageError("--rise and --fall go together: milliseconds to the apex, and back")
    return None if shown.rise is None or shown.fall is None else (shown.rise, shown.fall)


def _timed(driver: Driver, times: tuple[float, float] | None) -> Driver:
    """A drawn expression with its times told."""
    from famaug.modulation.rules import timed_source
    from famaug.modulation.sources import ExpressionSource

    if times is None or not isinstance(driver.content, ExpressionSource):
        return driver
    return replace(driver, content=timed_source(driver.content, times))


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
