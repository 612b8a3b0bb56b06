"""A figure for a paper: AU tracks through the modulation, left side solid, right side dashed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from famaug.errors import InputError
from famaug.types import AU_INDEX, AU_NAMES, SIDES, AUTrack

STYLE: dict[str, tuple[str, float, float]] = {
    "raw": ("#9a9a9a", 0.8, 0.9),
    "averaged": ("#56b4e9", 1.0, 1.0),
    "filtered": ("#0072b2", 1.5, 1.0),
    "relative": ("#e69f00", 1.0, 1.0),
    "transferred": ("#d55e00", 1.6, 1.0),
}
"""Colour (told apart by colour-blind readers and in grey), line width, opacity."""
MEASURED: tuple[str, ...] = ("raw", "averaged", "filtered")
CHANGED: tuple[str, ...] = ("relative", "transferred")
DASHES: tuple[Any, Any] = ("-", (0, (3.5, 1.8)))
WIDTH_INCHES = 7.0
ROW_INCHES = 1.15
TEXT, SMALL = 8, 7
FORMATS = (".png", ".pdf", ".svg")


def tracks_figure(stages: Mapping[str, AUTrack], *, strongest: int = 4, title: str = "") -> Figure:
    """Measured tracks (raw, averaged, filtered) beside changes (relative, transferred).

    One row an AU, the `strongest` by what is shown in the end; two columns; both axes of a column
    are shared. Stages that are not given are left out. A source without sides has one line.

    Args:
        stages: as `famaug.modulation.modulate.modulation_stages` gives them.

    Raises:
        InputError: no stage, or one of an unknown name.
    """
    unknown = [name for name in stages if name not in STYLE]
    if unknown or not stages or strongest < 1:
        raise InputError(
            f"stages are some of {', '.join(STYLE)} and strongest is at least 1; got "
            f"{', '.join(stages) or 'none'} and {strongest}"
        )
    columns: list[tuple[str, ...]] = [
        names for names in (MEASURED, CHANGED) if any(n in stages for n in names)
    ]
    rows = strongest_aus(list(stages.values())[-1], strongest)
    figure = Figure(
        figsize=(WIDTH_INCHES, ROW_INCHES * len(rows) + 0.75), layout="constrained", dpi=150
    )
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(rows), len(columns), sharex=True, sharey="col", squeeze=False)
    longest = max(len(track) for track in stages.values())
    for row, au in enumerate(rows):
        for column, names in enumerate(columns):
            _draw(axes[row, column], {n: stages[n] for n in names if n in stages}, au, longest)
        axes[row, 0].set_ylabel(AU_NAMES[au], fontsize=TEXT, rotation=0, ha="right", va="center")
    for column, names in enumerate(columns):  # shared axes: once all is drawn
        axes[0, column].set_ylim(0, _top([stages[n] for n in names if n in stages], rows))
    _label(figure, axes, columns, next(iter(stages.values())), title)
    figure.legend(
        handles=_legend(stages), loc="outside lower center", ncols=7, fontsize=SMALL, frameon=False
    )
    return figure


def strongest_aus(track: AUTrack, count: int) -> list[int]:
    """Indices of the AUs that reach farthest above their first frame, in the order of the AUs.

    A blink (AU45) only where it is all there is.
    """
    x = np.nan_to_num(track.intensity)
    rise = (x - x[:1]).max(axis=(0, 1))
    rise[AU_INDEX[45]] /= 1000
    return sorted(np.argsort(-rise, kind="stable")[:count].tolist())


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write as .png (300 dpi), .pdf or .svg; text stays text in the vector formats.

    Raises:
        InputError: another suffix, or a place that cannot be written to.
    """
    target = Path(path)
    if target.suffix.lower() not in FORMATS:
        raise InputError(f"a figure is {', '.join(FORMATS)}; got {target.name!r}")
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(target, dpi=300, metadata=undated.get(target.suffix.lower()))
    except OSError as error:
        raise InputError(f"cannot write the figure {target}: {error}") from error
    return target


def _draw(axis: Axes, stages: Mapping[str, AUTrack], au: int, longest: int) -> None:
    for name, track in stages.items():
        colour, width, opacity = STYLE[name]
        lost = (longest - len(track)) // 2  # edges="drop" takes as many frames at either end
        time = np.arange(len(track)) + lost
        at = time if track.fps is None else time * 1000 / track.fps
        for side in range(len(SIDES) if track.sided else 1):
            axis.plot(
                at,
                track.intensity[:, side, au],
                color=colour,
                linewidth=width,
                alpha=opacity,
                linestyle=DASHES[side],
            )
    axis.tick_params(labelsize=SMALL, length=2.5, width=0.6)
    axis.grid(True, color="#e6e6e6", linewidth=0.5)
    axis.set_axisbelow(True)
    axis.margins(x=0)
    for edge in ("top", "right"):
        axis.spines[edge].set_visible(False)


def _top(tracks: list[AUTrack], rows: list[int]) -> float:
    """Upper end of a column's axis: a little above all its curves, never a mere flicker."""
    highest = max(float(np.nan_to_num(t.intensity[:, :, rows]).max()) for t in tracks)
    return 1.08 * max(highest, 0.2)


def _label(
    figure: Figure,
    axes: np.ndarray[tuple[int, ...], np.dtype[np.object_]],
    columns: list[tuple[str, ...]],
    track: AUTrack,
    title: str,
) -> None:
    heads = {MEASURED: f"measured ({track.estimator})", CHANGED: "change, as it is shown"}
    for column, names in enumerate(columns):
        axes[0, column].set_title(heads[names], fontsize=TEXT, loc="left")
        axes[-1, column].set_xlabel("frame" if track.fps is None else "time (ms)", fontsize=TEXT)
    if title:
        figure.suptitle(title, fontsize=TEXT + 1, x=0.01, ha="left")


def _legend(stages: Mapping[str, AUTrack]) -> list[Line2D]:
    lines = [
        Line2D([], [], color=STYLE[name][0], linewidth=STYLE[name][1] + 0.3, label=name)
        for name in STYLE
        if name in stages
    ]
    if any(track.sided for track in stages.values()):
        lines += [
            Line2D([], [], color="black", linewidth=1, linestyle=style, label=f"{side} side")
            for side, style in zip(SIDES, DASHES, strict=True)
        ]
    return lines
