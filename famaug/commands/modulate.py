"""`famaug modulate`: an AU table or a rule as another face shall show it; or a table of filters."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import numpy as np
import typer

from famaug.commands import terminal
from famaug.errors import FamaugError, FamaugWarning, UsageError
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
        modulate_command
    )


def modulate_command(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="AU table (famaug's or OpenFace's CSV, or a folder of OpenFace CSVs), "
            "rule:NAME, stats:NAME, or aus:4=1.5,12L=1. Several with --table.",
            metavar="SOURCE...",
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="AU table to write (CSV).")] = None,
    table: Annotated[
        bool, typer.Option(help="Print what each half-width, Eq. 3's forms and the threshold do.")
    ] = False,
    target_aus: Annotated[
        str | None,
        typer.Option(help="The target face's own AUs at rest: an AU table, or aus:12=0.5."),
    ] = None,
    n: Annotated[
        str | None, typer.Option(help="Half-width of the filter in frames, or auto. [1; rules: 0]")
    ] = None,
    edges: Annotated[str, typer.Option(help="shrink, reflect or drop.")] = "shrink",
    method: Annotated[str, typer.Option(help="mean (Eq. 2), median or savgol.")] = "mean",
    reference: Annotated[
        str, typer.Option(help="onset, previous (Eq. 3 as printed) or neutral.")
    ] = "onset",
    alpha: Annotated[float, typer.Option(help="Share of the target's own AUs that stays.")] = 0.1,
    gain: Annotated[float, typer.Option(help="Factor on the driver's change.")] = 1.0,
    gain_aus: Annotated[
        str | None, typer.Option(help="Factors for single AUs: 12=1.3,4L=0.8 (others: --gain).")
    ] = None,
    threshold: Annotated[
        float, typer.Option(help="What stays at or below it is noise, and not shown.")
    ] = 0.15,
    threshold_form: Annotated[
        str,
        typer.Option(
            help="soft (an excursion above it is kept whole) or hard (as published: every value "
            "at or below it becomes 0)."
        ),
    ] = "soft",
    presence_gate: Annotated[
        float, typer.Option(help="AUs present (AU_c) in a smaller share of frames stay still.")
    ] = 0.0,
    face: Annotated[int | None, typer.Option(help="Which face of an OpenFace table.")] = None,
    min_confidence: Annotated[
        float, typer.Option(help="OpenFace frames below it count as missing.")
    ] = 0.7,
    max_gap: Annotated[
        int | None, typer.Option(help="Longest stretch of missing frames that is bridged.")
    ] = None,
    fps: Annotated[
        float | None, typer.Option(help="Frame rate of the source, where it does not say.")
    ] = None,
    to_fps: Annotated[float | None, typer.Option(help="Frame rate of the result.")] = None,
    length: Annotated[int | None, typer.Option(help="Frames of the result.")] = None,
    apex: Annotated[int | None, typer.Option(help="Frame of the apex in the result.")] = None,
    seed: Annotated[int, typer.Option(help="For rules: another seed, another expression.")] = 0,
    figure: Annotated[
        Path | None, typer.Option(help="Figure of all steps to write (.png, .pdf or .svg).")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Compute and report, write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Modulate AUs: fill gaps, filter over time (Eq. 2), take them relative to the onset (Eq. 3).

    With --table: tables of what the steps do to SOURCE..., as in docs/modulation.md.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with terminal.typed():
                from famaug.modulation.rules import PREFIXES

                if table:
                    result = _table(sources, face, min_confidence, fps)
                else:
                    settings = _settings(
                        n,
                        edges,
                        method,
                        reference,
                        alpha,
                        gain,
                        gain_aus,
                        threshold,
                        threshold_form,
                        presence_gate,
                        max_gap,
                        drawn=sources[0].startswith(PREFIXES),
                    )
                    source = _read(_only(sources), face, min_confidence, fps, seed)
                    result = _modulate(
                        source, settings, target_aus, (to_fps, length, apex), out, figure, dry_run
                    )
        except FamaugError as error:
            terminal.echo(f"famaug modulate: {error}", err=True)
            raise typer.Exit(terminal.exit_code(error)) from error
    notes = [str(w.message) for w in caught]
    for note in notes:
        terminal.note(note)
    terminal.end(as_json, "modulate", {**result, "notes": notes})


def _only(sources: list[str]) -> str:
    if len(sources) > 1:
        raise UsageError(f"{len(sources)} sources were given: one at a time, or --table")
    return sources[0]


def _settings(
    n: str | None,
    edges: str,
    method: str,
    reference: str,
    alpha: float,
    gain: float,
    gain_aus: str | None,
    threshold: float,
    threshold_form: str,
    presence_gate: float,
    max_gap: int | None,
    *,
    drawn: bool,
) -> Any:
    from famaug.modulation.modulate import Modulation
    from famaug.modulation.units import parse_units, per_au

    width: int | Literal["auto"] = 0 if drawn else 1
    if n is not None:
        if n != "auto" and not n.isdecimal():
            raise UsageError(f"--n must be a whole number from 0, or auto; got {n!r}")
        width = "auto" if n == "auto" else int(n)
    gains: float | dict[str, float] = gain
    if gain_aus is not None:
        each = per_au(parse_units(gain_aus, high=100), default=gain)
        gains = {
            f"{int(AU_NAMES[a][2:])}{'LR'[s]}": float(each[s, a]) for s, a in np.ndindex(2, 17)
        }
    return Modulation(
        n=width,
        edges=cast(Any, edges),
        method=cast(Any, method),
        reference=cast(Any, reference),
        alpha=alpha,
        gain=gains,
        threshold=threshold,
        threshold_form=cast(Any, threshold_form),
        presence_gate=presence_gate,
        max_gap=max_gap,
    )


def _read(
    text: str, face: int | None, min_confidence: float, fps: float | None, seed: int
) -> Source:
    from famaug.modulation.rules import PREFIXES, parse_expression

    if text.startswith(PREFIXES):
        from famaug.seeding import keyed_generator

        rule = parse_expression(text)
        rng = keyed_generator(seed, "modulate", rule.text)
        return Source(rule.draw(rng, fps=RULE_FPS if fps is None else fps), None, True)
    from famaug.aus.read import read_aus

    track, presence = read_aus(text, face=face, min_confidence=min_confidence, fps=fps)
    return Source(track, presence, False)


def _target(text: str | None) -> Any:
    if text is None:
        return None
    if text.startswith("aus:"):
        from famaug.modulation.units import parse_units, per_au

        return per_au(parse_units(text.removeprefix("aus:")))
    from famaug.aus.read import read_aus

    return read_aus(text)[0]


def _modulate(
    source: Source,
    settings: Any,
    target_aus: str | None,
    timing: tuple[float | None, int | None, int | None],
    out: Path | None,
    figure: Path | None,
    dry_run: bool,
) -> dict[str, Any]:
    from famaug.modulation.modulate import modulation_stages

    if out is None and figure is None and not dry_run:
        raise UsageError("nothing to write: give --out TABLE.csv, --figure FILE, or --dry-run")
    if settings.presence_gate > 0 and source.presence is None:
        raise UsageError("--presence-gate needs OpenFace's AU_c columns; this source has none")
    if source.track.modulated and not source.drawn:
        warnings.warn(
            "the table says that it is modulated already: it is modulated again",
            FamaugWarning,
            stacklevel=2,
        )
    stages = modulation_stages(
        source.track, _target(target_aus), settings=settings, presence=source.presence
    )
    shown = _retimed(stages["transferred"], *timing)
    strongest = _strongest(shown)
    verb = "would write" if dry_run else "wrote"
    if figure is not None and not dry_run:
        from famaug.report.tracks_figure import save_figure, tracks_figure

        save_figure(tracks_figure(stages), figure)
    if out is not None and not dry_run:
        from famaug.aus.table import write_table

        write_table(shown, out)
    for path in (out, figure):
        if path is not None:
            terminal.echo(f"{verb} {path}")
    named = ", ".join(f"{name} {value:.2f}" for name, value in strongest.items())
    terminal.echo(f"{len(shown)} frames on scale {shown.scale!r}; strongest: {named or 'none'}")
    return {
        "frames": len(shown),
        "fps": shown.fps,
        "estimator": shown.estimator,
        "scale": shown.scale,
        "sided": shown.sided,
        "strongest": strongest,
        "out": None if out is None or dry_run else str(out),
        "figure": None if figure is None or dry_run else str(figure),
    }


def _retimed(track: AUTrack, to_fps: float | None, length: int | None, apex: int | None) -> AUTrack:
    from famaug.modulation.retime import resample, retime

    if to_fps is not None:
        track = resample(track, fps=to_fps)
    if length is not None or apex is not None:
        track = retime(track, length=length, apex=apex)
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


def _table(
    sources: list[str], face: int | None, min_confidence: float, fps: float | None
) -> dict[str, Any]:
    """Three Markdown tables on stdout, the same numbers as JSON."""
    from famaug.modulation.measure import filter_effects, reference_effect, threshold_effect

    rows, forms, cuts = [], [], []
    for text in sources:
        track = _read(text, face, min_confidence, fps, 0).track
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
