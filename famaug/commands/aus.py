"""`famaug aus`: measure AUs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from famaug.commands import options, terminal
from famaug.errors import UsageError

if TYPE_CHECKING:
    from famaug.types import AUTrack, Frames, Picture


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command("aus", epilog="Example: famaug aus clip.mp4 --out aus.csv")(
        options.grouped(aus_command)
    )


@dataclass(frozen=True, kw_only=True)
class How:
    """How a clip is measured.

    Attributes:
        backend: flow (landmarks and optical flow), points (landmarks alone), openface-binary
            (openface-binary:FOLDER of yours), pyfaceau, pyfeat, halves:NAME (both sides from one
            that knows none), or module:Class of your own.
        sizes: Shifts of height and width to average over (Eq. 1), or 0.
        window: Half-width of the filter over time (Eq. 2), 0 for none.
        neutral: Number of the neutral frame, from 0.
        neutral_picture: Picture of the same face at rest, instead.
        face: Which face, 0 the largest, where there are several (flow and points).
        fps: Frame rate, where the source has none.
    """

    backend: str = "flow"
    sizes: str = "-10,-5,0,5,10"
    window: int = 0
    neutral: int = 0
    neutral_picture: Path | None = None
    face: int | None = None
    fps: float | None = None
    device: options.Device = "cpu"


def aus_command(
    source: Annotated[
        Path, typer.Argument(help="Video, folder of frames, or a picture (with --neutral-picture).")
    ],
    out: Annotated[Path, typer.Option(help="AU table to write (CSV).")],
    *,
    how: How,
    dry_run: Annotated[bool, typer.Option(help="Measure and report, write nothing.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Measure the 17 AUs of a clip against its own neutral frame, left and right apart where the
    estimator knows sides.

    The scale is the estimator's: of flow and points 5 = the unit's full excursion, not OpenFace's.
    """
    from famaug.aus.estimators import check_estimator
    from famaug.media.clips import read_frames, read_picture

    with terminal.typed():
        check_estimator(how.backend)
    if out.suffix.lower() != ".csv":
        raise UsageError(f"--out must end in .csv; got {out}")
    shifts = _shifts(how.sizes)
    if how.window < 0 or (how.fps is not None and how.fps <= 0):
        raise UsageError(f"--window is 0 or more and --fps above 0; got {how.window} and {how.fps}")
    if how.face is not None and how.backend not in ("flow", "points"):
        raise UsageError(f"--face is for flow and points; {how.backend} takes the surest face")
    frames, own_fps = read_frames(source)
    still = None if how.neutral_picture is None else read_picture(how.neutral_picture)
    from famaug.aus.table import write_table
    from famaug.modulation.smoothing import smooth

    with terminal.working():
        fps = own_fps if how.fps is None else how.fps
        track, notes, more = _measured(how, frames, still, shifts, fps)
    track = smooth(track, n=how.window) if how.window else track
    for note in notes:
        terminal.note(note)
    if not dry_run:
        write_table(track, out)
    terminal.echo(_summary(track, out, dry_run))
    terminal.end(as_json, "aus", _figures(track, out, dry_run) | more)


def _measured(
    how: How, frames: Frames, still: Picture | None, shifts: tuple[int, ...], fps: float | None
) -> tuple[AUTrack, tuple[str, ...], dict[str, Any]]:
    """The track, notes on it, and further figures: famaug's own says how far its meshes differ."""
    from famaug.aus.estimators import find_estimator
    from famaug.aus.protocol import measure

    if how.backend not in ("flow", "points"):
        found = find_estimator(how.backend, sizes=shifts, device=how.device)
        track = measure(found, frames, how.neutral, picture=still, fps=fps)
        return track, (f"{found.name}: licence {found.licence}; scale {found.scale}",), {}
    from famaug.aus.flow_and_points import measure_aus
    from famaug.faces.mesher import FaceMesher

    seen = measure_aus(
        frames,
        neutral=how.neutral,
        neutral_picture=still,
        fps=fps,
        sizes=shifts,
        backend=cast(Literal["flow", "points"], how.backend),
        face=how.face,
        mesher=FaceMesher(device=how.device),
    )
    return seen.track, seen.notes, {"spread_px": round(float(seen.faces.spread.mean()), 4)}


def _shifts(text: str) -> tuple[int, ...]:
    try:
        shifts = tuple(int(part) for part in text.split(","))
    except ValueError as e:
        raise UsageError(f"--sizes must be whole numbers, as -10,-5,0,5,10; got {text!r}") from e
    if any(abs(s) > 50 for s in shifts):
        raise UsageError(f"--sizes are shifts in pixels, at most 50 either way; got {text!r}")
    return shifts


def _peaks(track: AUTrack) -> list[tuple[str, str, float]]:
    import numpy as np

    from famaug.types import AU_NAMES, SIDES

    peak = np.nan_to_num(np.nanmax(np.nan_to_num(track.intensity), axis=0))
    order = np.dstack(np.unravel_index(np.argsort(-peak, axis=None), peak.shape))[0]
    return [(AU_NAMES[a], SIDES[s], round(float(peak[s, a]), 2)) for s, a in order]


def _summary(track: AUTrack, out: Path, dry_run: bool) -> str:
    missing = int(track.missing.sum())
    strongest = ", ".join(f"{au} {side} {value}" for au, side, value in _peaks(track)[:5])
    written = "nothing written (--dry-run)" if dry_run else f"wrote {out}"
    return f"{len(track)} frames, {missing} missing; strongest: {strongest}\n{written}"


def _figures(track: AUTrack, out: Path, dry_run: bool) -> dict[str, Any]:
    return {
        "out": None if dry_run else str(out),
        "frames": len(track),
        "missing": int(track.missing.sum()),
        "estimator": track.estimator,
        "scale": track.scale,
        "peaks": {f"{au}_{side}": value for au, side, value in _peaks(track) if value > 0},
    }
