"""AU intensities over time: a panel a unit, or all in one, left solid and right dashed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from famaug.aus.names import FACS_NAMES
from famaug.errors import InputError
from famaug.plot.figures import ShownFigure, figure_of
from famaug.quality.agreement import ASKED_FROM, pearson
from famaug.types import AU_INDEX, AUS, LEFT, RIGHT, AUTrack, key_frames_of

# Okabe and Ito's palette: readable with the common colour-vision deficiencies.
ASKED_COLOUR = "#0072B2"
MEASURED_COLOUR = "#D55E00"
UNASKED_COLOUR = "#9AA0A8"
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
INK = "#1c2026"
MUTED = "#636a74"
_READ_FROM = 0.5
_NARROWEST = 4.2  # inches: the legend must fit
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.edgecolor": "#b6bbc2",
    "axes.linewidth": 0.8,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#eceef0",
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "legend.frameon": False,
}


def units_that_matter(asked: AUTrack, measured: AUTrack | None = None) -> tuple[int, ...]:
    """FACS numbers of the units asked in the clip, or read at 0.5 or more although not asked.

    Where that is none, the three with the largest values, so that a figure has something to show.
    """
    peak = peak_of(asked)
    read = np.zeros(len(AUS)) if measured is None else peak_of(measured)
    chosen = (peak >= ASKED_FROM) | (read >= _READ_FROM)
    if not chosen.any():
        chosen[np.argsort(-np.maximum(peak, read), kind="stable")[:3]] = True
    return tuple(au for au, yes in zip(AUS, chosen, strict=True) if yes)


def track(
    track: AUTrack,
    measured: AUTrack | None = None,
    *,
    aus: Sequence[int] | None = None,
    marks: tuple[int, int, int] | None = None,
    columns: int = 4,
    width: float = 10.4,
    ax: Axes | Sequence[Axes] | None = None,
) -> Figure:
    """AU intensities (0-5) over time, left solid, right dashed; missing frames are gaps.

    Args:
        track: what was asked, or measured, `T 2 17`.
        measured: the same clip measured again, in another colour, or None.
        aus: FACS numbers; None for those that matter (`units_that_matter`).
        marks: onset, apex and offset, drawn as lines; None takes those of the track.
        columns: panels side by side at most, where a figure is made; width: of it in inches, less
            when there are too few units to fill a line.
        ax: axes for all units together, in a colour each; or one axes a unit. None makes a figure
            with a small panel a unit, all with the same axes.

    Raises:
        InputError: an AU without intensity, a number of axes that is not that of the units, or two
            tracks of unequal length.
    """
    units = list(units_that_matter(track, measured) if aus is None else aus)
    _check(track, measured, units)
    found = key_frames_of(np.nan_to_num(track.intensity)) if marks is None else marks
    if isinstance(ax, Axes):
        return _together(ax, track, measured, units, found)
    time = _time(track, found[0])
    if ax is not None:
        panels = [*ax]
        if len(panels) != len(units):
            raise InputError(
                f"ax: one axes, or one for each of {len(units)} AUs; got {len(panels)}"
            )
        for au, axes in zip(units, panels, strict=True):
            _marked_panel(axes, au, time, track, measured, found)
        return figure_of(panels[0])
    # As few lines as `columns` allows, then no more columns than fill them.
    lines = -(-len(units) // columns)
    width = width if lines > 1 else width * len(units) / columns
    columns = -(-len(units) // lines)
    width, height = max(width, _NARROWEST), 1.42 * lines + 0.9
    with matplotlib.rc_context(STYLE):
        figure = ShownFigure(figsize=(width, height))
        grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        for au, axes in zip(units, grid.flat, strict=False):
            _marked_panel(axes, au, time, track, measured, found)
        _tidy_panels(grid, len(units), ceiling(track, measured))
        _curve_labels(figure, track, measured is not None, width, height)
    return figure


def _check(track: AUTrack, measured: AUTrack | None, units: Sequence[int]) -> None:
    unknown = [au for au in units if au not in AU_INDEX]
    if unknown or not units:
        raise InputError(f"AUs with an intensity are {', '.join(map(str, AUS))}; got {[*units]}")
    if measured is not None and len(measured) != len(track):
        raise InputError(f"the tracks have {len(track)} and {len(measured)} frames")


def _time(track: AUTrack, onset: int) -> NDArray[np.float64]:
    """Float `T`: ms since the onset, or frames since the first where no rate is known."""
    at = np.arange(len(track), dtype=np.float64)
    return at if not track.fps else (at - onset) / track.fps * 1000


def _axis_name(track: AUTrack) -> str:
    return "ms since the onset" if track.fps else "frame"


def _marked_panel(
    axes: Axes,
    au: int,
    time: NDArray[np.float64],
    asked: AUTrack,
    measured: AUTrack | None,
    marks: tuple[int, int, int],
) -> None:
    for mark in set(marks):
        axes.axvline(time[mark], color="#d5d8dc", linewidth=0.8, zorder=0)
    _unit_panel(axes, au, time, asked, measured)


def _together(
    axes: Axes,
    asked: AUTrack,
    measured: AUTrack | None,
    units: Sequence[int],
    marks: tuple[int, int, int],
) -> Figure:
    """Every unit in one axes, in a colour of its own; what was measured again is paler."""
    time = _time(asked, marks[0])
    for mark in set(marks):
        axes.axvline(time[mark], color="#d5d8dc", linewidth=0.8, zorder=0)
    for i, au in enumerate(units):
        colour = _COLOURS[i % len(_COLOURS)]
        for shown, opacity in ((asked, 1.0), (measured, 0.4)):
            if shown is None:
                continue
            left, right = (shown.intensity[:, side, AU_INDEX[au]] for side in (LEFT, RIGHT))
            label = f"AU{au:02d}" if shown is asked else None
            axes.plot(time, left, "-", color=colour, lw=1.5, alpha=opacity, label=label)
            axes.plot(time, right, color=colour, lw=1.5, alpha=opacity, dashes=(3.2, 2.2))
    axes.set(xlabel=_axis_name(asked), ylabel="intensity", ylim=(0, ceiling(asked, measured)))
    axes.legend(ncols=min(len(units), 4), fontsize="small", frameon=False)
    return figure_of(axes)


def peak_of(track: AUTrack) -> NDArray[np.float64]:
    """float `17`: largest finite value of each unit on either side."""
    return np.asarray(np.nan_to_num(track.intensity, nan=0.0).max(axis=(0, 1)), np.float64)


def ceiling(asked: AUTrack, measured: AUTrack | None) -> float:
    top = max(float(peak_of(t).max()) for t in (asked, measured) if t is not None)
    return max(1.0, math.ceil(top * 1.08 * 2) / 2)


def _unit_panel(
    axes: Axes, au: int, time: NDArray[np.float64], asked: AUTrack, measured: AUTrack | None
) -> None:
    k = AU_INDEX[au]
    for track, colour in ((asked, ASKED_COLOUR), (measured, MEASURED_COLOUR)):
        if track is None:
            continue
        axes.plot(time, track.intensity[:, LEFT, k], "-", color=colour, lw=1.5)
        axes.plot(time, track.intensity[:, RIGHT, k], color=colour, lw=1.5, dashes=(3.2, 2.2))
    axes.set_title(f"AU{au:02d}", loc="left", fontsize=9, fontweight="bold", pad=4)
    axes.annotate(FACS_NAMES[au], (0, 1), (35, 4), "axes fraction", "offset points",
                  fontsize=7.5, color=MUTED)  # fmt: skip
    if measured is None:
        return
    r = pearson(asked.intensity[..., k], measured.intensity[..., k])
    said = "not asked" if peak_of(asked)[k] < ASKED_FROM else "r –" if r is None else f"r {r:.2f}"
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    axes.text(0.985, 0.95, said, fontsize=7.5, color=MUTED, transform=axes.transAxes,
              va="top", ha="right", bbox=box)  # fmt: skip


def _tidy_panels(grid: NDArray[Any], used: int, ceiling: float) -> None:
    """Hide the empty places, and label the time axis under the last panel of each column."""
    columns = grid.shape[1]
    for i, axes in enumerate(grid.flat):
        axes.set_visible(i < used)
        axes.tick_params(labelbottom=i + columns >= used)
        axes.set_ylim(-0.03 * ceiling, ceiling)


def _curve_labels(
    figure: Figure, asked: AUTrack, with_measured: bool, width: float, height: float
) -> None:
    figure.subplots_adjust(
        left=0.42 / width,
        right=1 - 0.12 / width,
        top=1 - 0.62 / height,
        bottom=0.44 / height,
        wspace=0.10,
        hspace=0.42,
    )
    told = with_measured or asked.modulated or asked.estimator == "asked"
    colours = [("asked" if told else "intensity", ASKED_COLOUR)]
    if with_measured:
        colours.append(("re-measured", MEASURED_COLOUR))
    handles = [Line2D([], [], color=c, lw=3, label=name) for name, c in colours]
    handles += [
        Line2D([], [], color=MUTED, lw=1.5, label="left"),
        Line2D([], [], color=MUTED, lw=1.5, dashes=(3.2, 2.2), label="right"),
    ]
    figure.legend(
        handles=handles,
        ncols=len(handles),
        loc="upper left",
        bbox_to_anchor=(0.30 / width, 1 - 0.02 / height),
        handlelength=1.8,
        columnspacing=1.4,
        borderpad=0.2,
    )
    figure.text(0.5, 0.06 / height, _axis_name(asked), ha="center", color=MUTED)
