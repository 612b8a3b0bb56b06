"""`famaug modulate`: an AU table or a rule as another face shall show it; or a table of filters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import numpy as np
import typer

from famaug.commands import options, terminal
from famaug.errors import UsageError
from famaug.types import AU_NAMES, AUTrack

RULE_FPS = 200.0


@dataclass(frozen=True)
class Source:
    """What is modulated, and what OpenFace said of the AUs' presence."""

    track: AUTrack
    presence: np.ndarray[Any, np.dtype[np.float64]] | None
    drawn: bool


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command("modulate", epilog="Example: famaug modulate aus.csv --out cleaned.csv")(
        options.grouped(modulate_command)
    )


@dataclass(frozen=True, kw_only=True)
class Input:
    """How a source is read.

    Attributes:
        face: Which face of an OpenFace table.
        min_confidence: OpenFace frames below it count as missing.
        fps: Frame rate of the source, where it does not say.
        seed: For rules: another seed, another expression.
    """

    face: int | None = None
    min_confidence: float = 0.7
    fps: float | None = None
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Steps:
    """What is done to the AUs.

    Attributes:
        target_aus: The target face's own AUs at rest: an AU table, or aus:12=0.5.
        n: Half-width of the filter in frames, or auto. [1; rules: 0]
        edges: shrink, reflect or drop.
        method: mean (Eq. 2), median or savgol.
        reference: onset, previous (Eq. 3 as printed) or neutral.
        alpha: Share of the target's own AUs that stays.
        gain: Factor on the driver's change.
        gain_aus: Factors for single AUs: 12=1.3,4L=0.8 (others: --gain).
        threshold: What stays at or below it is noise, and not shown.
        threshold_form: soft (an excursion above it is kept whole) or hard (as published: every
            value at or below it becomes 0).
        presence_gate: AUs present (AU_c) in a smaller share of frames stay still.
        max_gap: Longest stretch of missing frames that is bridged.
    """

    target_aus: str | None = None
    n: str | None = None
    edges: str = "shrink"
    method: str = "mean"
    reference: str = "onset"
    alpha: float = 0.1
    gain: float = 1.0
    gain_aus: str | None = None
    threshold: float = 0.15
    threshold_form: str = "soft"
    presence_gate: float = 0.0
    max_gap: int | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What comes out, and where it is written.

    Attributes:
        to_fps: Frame rate of the result.
        length: Frames of the result.
        apex: Frame of the apex in the result.
        out: AU table to write (CSV).
        figure: Figure of all steps to write (.png, .pdf or .svg).
        dry_run: Compute and report, write nothing.
    """

    to_fps: float | None = None
    length: int | None = None
    apex: int | None = None
    out: Path | None = None
    figure: Path | None = None
    dry_run: bool = False


def modulate_command(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="AU table (famaug's or OpenFace's CSV, or a folder of OpenFace CSVs), "
            "rule:NAME, stats:NAME, or aus:4=1.5,12L=1. Several with --table.",
            metavar="SOURCE...",
        ),
    ],
    *,
    table: Annotated[
        bool, typer.Option(help="Print what each half-width, Eq. 3's forms and the threshold do.")
    ] = False,
    given: Input,
    steps: Steps,
    result: Result,
    as_json: options.AsJson = False,
) -> None:
    """Modulate AUs: fill gaps, filter over time (Eq. 2), take them relative to the onset (Eq. 3).

    With --table: tables of what the steps do to SOURCE..., as in docs/modulation.md.
    """
    with terminal.typed():
        figures = _table(sources, given) if table else _modulate(sources, given, steps, result)
    terminal.end(as_json, "modulate", figures)


def _only(sources: list[str]) -> str:
    if len(sources) > 1:
        raise UsageError(f"{len(sources)} sources were given: one at a time, or --table")
    return sources[0]


def _settings(steps: Steps, *, drawn: bool) -> Any:
    from famaug.modulation.modulate import Modulation
    from famaug.modulation.units import parse_units, per_au

    width: int | Literal["auto"] = 0 if drawn else 1
    if steps.n is not None:
        if steps.n != "auto" and not steps.n.isdecimal():
            raise UsageError(f"--n must be a whole number from 0, or auto; got {steps.n!r}")
        width = "auto" if steps.n == "auto" else int(steps.n)
    gains: float | dict[str, float] = steps.gain
    if steps.gain_aus is not None:
        each = per_au(parse_units(steps.gain_aus, high=100), default=steps.gain)
        gains = {
            f"{int(AU_NAMES[a][2:])}{'LR'[s]}": float(each[s, a]) for s, a in np.ndindex(2, 17)
        }
    return Modulation(
        n=width,
        edges=cast(Any, steps.edges),
        method=cast(Any, steps.method),
        reference=cast(Any, steps.reference),
        alpha=steps.alpha,
        gain=gains,
        threshold=steps.threshold,
        threshold_form=cast(Any, steps.threshold_form),
        presence_gate=steps.presence_gate,
        max_gap=steps.max_gap,
    )


def _read(text: str, how: Input) -> Source:
    from famaug.modulation.rules import PREFIXES, parse_expression

    if text.startswith(PREFIXES):
        from famaug.seeding import keyed_generator

        rule = parse_expression(text)
        rng = keyed_generator(how.seed, "modulate", rule.text)
        return Source(rule.draw(rng, fps=RULE_FPS if how.fps is None else how.fps), None, True)
    from famaug.aus.read import read_aus

    track, presence = read_aus(text, face=how.face, min_confidence=how.min_confidence, fps=how.fps)
    return Source(track, presence, False)


def _target(text: str | None) -> Any:
    if text is None:
        return None
    if text.startswith("aus:"):
        from famaug.modulation.units import parse_units, per_au

        return per_au(parse_units(text.removeprefix("aus:")))
    from famaug.aus.read import read_aus

    return read_aus(text)[0]


def _modulate(sources: list[str], given: Input, steps: Steps, result: Result) -> dict[str, Any]:
    from famaug.modulation.modulate import modulation_stages
    from famaug.modulation.rules import PREFIXES

    settings = _settings(steps, drawn=sources[0].startswith(PREFIXES))
    source = _read(_only(sources), given)
    if result.out is None and result.figure is None and not result.dry_run:
        raise UsageError("nothing to write: give --out TABLE.csv, --figure FILE, or --dry-run")
    if settings.presence_gate > 0 and source.presence is None:
        raise UsageError("--presence-gate needs OpenFace's AU_c columns; this source has none")
    if source.track.modulated and not source.drawn:
        terminal.note("the table says that it is modulated already: it is modulated again")
    stages = modulation_stages(
        source.track, _target(steps.target_aus), settings=settings, presence=source.presence
    )
    shown = _retimed(stages["transferred"], result)
    _write(stages, shown, result)
    strongest = _strongest(shown)
    named = ", ".join(f"{name} {value:.2f}" for name, value in strongest.items())
    terminal.echo(f"{len(shown)} frames on scale {shown.scale!r}; strongest: {named or 'none'}")
    written = {"out": result.out, "figure": result.figure}
    return {
        "frames": len(shown),
        "fps": shown.fps,
        "estimator": shown.estimator,
        "scale": shown.scale,
        "sided": shown.sided,
        "strongest": strongest,
        **{k: None if v is None or result.dry_run else str(v) for k, v in written.items()},
    }


def _write(stages: dict[str, AUTrack], shown: AUTrack, result: Result) -> None:
    """The figure and the table that were asked for, and a line on each."""
    if result.figure is not None and not result.dry_run:
        from famaug.report.tracks_figure import save_figure, tracks_figure

        save_figure(tracks_figure(stages), result.figure)
    if result.out is not None and not result.dry_run:
        from famaug.aus.table import write_table

        write_table(shown, result.out)
    for path in (result.out, result.figure):
        if path is not None:
            terminal.echo(f"{'would write' if result.dry_run else 'wrote'} {path}")


def _retimed(track: AUTrack, result: Result) -> AUTrack:
    from famaug.modulation.retime import resample, retime

    if result.to_fps is not None:
        track = resample(track, fps=result.to_fps)
    if result.length is not None or result.apex is not None:
        track = retime(track, length=result.length, apex=result.apex)
    return track


def _strongest(track: AUTrack) -> dict[str, float]:
    """Up to five AUs (sides apart where they differ) by their highest value."""
    peak = track.intensity.max(axis=0)
    values: dict[str, float] = {}
    for au, name in enumerate(AU_NAMES):
        left, right = (round(float(v), 3) for v in peak[:, au])
        values |= {name: left} if left == right else {f"{name} left": left, f"{name} right": right}
    ordered = sorted(values.items(), key=lambda item: -item[1])
    return {name: value for name, value in ordered[:5] if value > 0}


def _table(sources: list[str], given: Input) -> dict[str, Any]:
    """Three Markdown tables on stdout, the same numbers as JSON."""
    from famaug.modulation.measure import filter_effects, reference_effect, threshold_effect

    rows, forms, cuts = [], [], []
    for text in sources:
        track = _read(text, given).track
        name = Path(text).stem
        rows += [{"clip": name, **e.to_json()} for e in filter_effects(track)]
        forms.append({"clip": name, **reference_effect(track).to_json()})
        cut = threshold_effect(track)
        cuts += [] if cut is None else [{"clip": name, **cut.to_json()}]
    out = ["| clip | n | jitter | largest jump | range kept (all AUs) | rise kept (strongest) |"]
    out += ["|---|---|---|---|---|---|"]
    for r in rows:
        asked = f"auto ({r['n']})" if r["asked"] == "auto" else r["asked"]
        out.append(
            f"| {r['clip']} | {asked} | {r['jitter']:.3f} | {r['largest_jump']:.2f} | "
            f"{r['range_kept']:.0%} | {r['rise_kept']:.0%} |"
        )
    out += [
        "",
        "| clip | AU | driver's rise | onset form: peak, match | printed form: peak, match |",
    ]
    out += ["|---|---|---|---|---|"]
    out += [
        f"| {f['clip']} | {f['au']} | {f['rise']:.2f} | {f['onset_peak']:.2f}, "
        f"r {f['onset_match']:.2f} | {f['printed_peak']:.2f}, r {f['printed_match']:.2f} |"
        for f in forms
    ]
    out += [
        "",
        "| clip | largest step: own, soft, hard | frames: own, soft, hard | switches: soft, hard |",
    ]
    out += ["|---|---|---|---|"]
    out += [
        f"| {c['clip']} | {c['own_step']:.2f}, {c['soft_step']:.2f}, {c['hard_step']:.2f} | "
        f"{c['frames']}, {c['soft_frames']}, {c['hard_frames']} | "
        f"{c['soft_switches']} of {c['soft_switch']:.2f}, "
        f"{c['hard_switches']} of {c['hard_switch']:.2f} |"
        for c in cuts
    ]
    terminal.echo("\n".join(out))
    return {"filters": rows, "forms": forms, "thresholds": cuts}
