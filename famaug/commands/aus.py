"""`famaug aus`: measure AUs, left and right apart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer

from famaug.commands import terminal
from famaug.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command("aus", epilog="Example: famaug aus clip.mp4 --out aus.csv")(aus_command)


def aus_command(
    source: Annotated[
        Path, typer.Argument(help="Video, folder of frames, or a picture (with --neutral-picture).")
    ],
    out: Annotated[Path, typer.Option(help="AU table to write (CSV).")],
    backend: Annotated[
        str, typer.Option(help="flow (landmarks and optical flow) or points (landmarks alone).")
    ] = "flow",
    sizes: Annotated[
        str, typer.Option(help="Shifts of height and width to average over (Eq. 1), or 0.")
    ] = "-10,-5,0,5,10",
    window: Annotated[
        int, typer.Option(help="Half-width of the filter over time (Eq. 2), 0 for none.")
    ] = 0,
    neutral: Annotated[int, typer.Option(help="Number of the neutral frame, from 0.")] = 0,
    neutral_picture: Annotated[
        Path | None, typer.Option(help="Picture of the same face at rest, instead.")
    ] = None,
    face: Annotated[
        int | None, typer.Option(help="Which face, 0 the largest, where there are several.")
    ] = None,
    fps: Annotated[
        float | None, typer.Option(help="Frame rate, where the source has none.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, ...")] = "cpu",
    dry_run: Annotated[bool, typer.Option(help="Measure and report, write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Measure the 17 AUs of a clip, left and right apart, against its own neutral frame.

    The scale is famaug's (5 = the unit's full excursion), not OpenFace's.
    """
    from famaug.clip import read_frames, read_picture
    from famaug.modulation.smoothing import smooth

    if backend not in ("flow", "points"):
        raise UsageError(f"--backend must be flow or points; got {backend!r}")
    if out.suffix.lower() != ".csv":
        raise UsageError(f"--out must end in .csv; got {out}")
    shifts = _shifts(sizes)
    if window < 0 or (fps is not None and fps <= 0):
        raise UsageError(f"--window is 0 or more and --fps above 0; got {window} and {fps}")
    frames, own_fps = read_frames(source)
    still = None if neutral_picture is None else read_picture(neutral_picture)
    from famaug.aus.estimator import measure_aus
    from famaug.aus.table import write_table
    from famaug.faces.mesher import FaceMesher

    with terminal.working():
        result = measure_aus(
            frames,
            neutral=neutral,
            neutral_picture=still,
            fps=own_fps if fps is None else fps,
            sizes=shifts,
            backend=cast(Literal["flow", "points"], backend),
            face=face,
            mesher=FaceMesher(device=device),
        )
    track = smooth(result.track, n=window) if window else result.track
    for note in result.notes:
        terminal.note(note)
    if not dry_run:
        write_table(track, out)
    terminal.echo(_summary(track, out, dry_run))
    terminal.end(as_json, "aus", _figures(track, result, out, dry_run))


def _shifts(text: str) -> tuple[int, ...]:
    try:
        shifts = tuple(int(part) for part in text.split(","))
    except ValueError as e:
        raise UsageError(f"--sizes must be whole numbers, as -10,-5,0,5,10; got {text!r}") from e
    if any(abs(s) > 50 for s in shifts):
        raise UsageError(f"--sizes are shifts in pixels, at most 50 either way; got {text!r}")
    return shifts


def _peaks(track: Any) -> list[tuple[str, str, float]]:
    import numpy as np

    from famaug.types import AU_NAMES, SIDES

    peak = np.nan_to_num(np.nanmax(np.nan_to_num(track.intensity), axis=0))
    order = np.dstack(np.unravel_index(np.argsort(-peak, axis=None), peak.shape))[0]
    return [(AU_NAMES[a], SIDES[s], round(float(peak[s, a]), 2)) for s, a in order]


def _summary(track: Any, out: Path, dry_run: bool) -> str:
    missing = int(track.missing.sum())
    strongest = ", ".join(f"{au} {side} {value}" for au, side, value in _peaks(track)[:5])
    written = "nothing written (--dry-run)" if dry_run else f"wrote {out}"
    return f"{len(track)} frames, {missing} missing; strongest: {strongest}\n{written}"


def _figures(track: Any, result: Any, out: Path, dry_run: bool) -> dict[str, Any]:
    return {
        "out": None if dry_run else str(out),
        "frames": len(track),
        "missing": int(track.missing.sum()),
        "estimator": track.estimator,
        "spread_px": round(float(result.faces.spread.mean()), 4),
        "peaks": {f"{au}_{side}": value for au, side, value in _peaks(track) if value > 0},
        "notes": list(result.notes),
    }
