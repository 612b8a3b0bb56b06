"""AU intensities as figures: curves over time, asked against measured, left against right.

Figures are drawn with matplotlib's objects (no pyplot, so no window and no global figure list)
and come back as SVG text with outlined letters, which looks the same everywhere.
"""

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

from famaug.quality.agreement import ASKED_FROM, pearson
from famaug.report.lettering import Drawing, drawn
from famaug.report.values import FACS_NAMES
from famaug.types import AU_INDEX, AUS, LEFT, RIGHT, AUTrack

# Okabe and Ito's palette: readable with the common colour-vision deficiencies.
ASKED_COLOUR = "#0072B2"
MEASURED_COLOUR = "#D55E00"
UNASKED_COLOUR = "#9AA0A8"
_INK = "#1c2026"
_MUTED = "#636a74"
_READ_FROM = 0.5
_NARROWEST = 4.2  # inches: the legend must fit
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.edgecolor": "#b6bbc2",
    "axes.linewidth": 0.8,
    "axes.labelcolor": _MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#eceef0",
    "grid.linewidth": 0.8,
    "text.color": _INK,
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "legend.frameon": False,
}


def units_that_matter(asked: AUTrack, measured: AUTrack | None = None) -> tuple[int, ...]:
    """FACS numbers of the units asked in the clip, or read at 0.5 or more although not asked.

    Where that is none, the three with the largest values, so that a figure has something to show.
    """
    peak = _peak(asked)
    read = np.zeros(len(AUS)) if measured is None else _peak(measured)
    chosen = (peak >= ASKED_FROM) | (read >= _READ_FROM)
    if not chosen.any():
        chosen[np.argsort(-np.maximum(peak, read), kind="stable")[:3]] = True
    return tuple(au for au, yes in zip(AUS, chosen, strict=True) if yes)


def au_curves(
    asked: AUTrack,
    measured: AUTrack | None,
    *,
    onset: int,
    apex: int,
    offset: int,
    fps: float,
    units: Sequence[int] | None = None,
    columns: int = 4,
    width: float = 10.4,
) -> Drawing:
    """One small panel a unit, all with the same axes; (SVG, width, height in CSS pixels).

    Left is solid, right dashed; asked and measured differ in colour. Missing frames are gaps.

    Args:
        units: FACS numbers; None for `units_that_matter`.
        columns: panels side by side at most; width: of the figure in inches of 96 pixels, less
            when there are too few units to fill a line.
    """
    units = units_that_matter(asked, measured) if units is None else units
    # As few lines as `columns` allows, then no more columns than fill them.
    lines = -(-len(units) // columns)
    width = width if lines > 1 else width * len(units) / columns
    columns = -(-len(units) // lines)
    width, height = max(width, _NARROWEST), 1.42 * lines + 0.9
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height))
        grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        time = (np.arange(len(asked)) - onset) / fps * 1000
        for au, axes in zip(units, grid.flat, strict=False):
            for mark in {onset, apex, offset}:
                axes.axvline(time[mark], color="#d5d8dc", linewidth=0.8, zorder=0)
            _unit_panel(axes, au, time, asked, measured)
        _tidy_panels(grid, len(units), _ceiling(asked, measured))
        _curve_labels(figure, measured is not None, width, height)
        return drawn(figure)


def agreement_scatter(pairs: Sequence[tuple[AUTrack, AUTrack]]) -> Drawing:
    """Every asked value against the re-measured one; (SVG, width, height in CSS pixels).

    Units not asked in their clip are grey, so that false readings stand out on the left edge.
    """
    x = np.concatenate([a.intensity.ravel() for a, _ in pairs])
    y = np.concatenate([m.intensity.ravel() for _, m in pairs])
    reached = [np.broadcast_to(_peak(a) >= ASKED_FROM, a.intensity.shape) for a, _ in pairs]
    shown = np.concatenate([r.ravel() for r in reached])
    r = pearson(x, y)
    top = max(1.0, float(np.nanmax(np.concatenate([x, y, [0.0]]))) * 1.06)
    size = 3.6
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(size, size), dpi=192)
        axes = figure.add_axes((0.13, 0.13, 0.83, 0.83))
        axes.plot([0, top], [0, top], color="#b6bbc2", linewidth=0.9, zorder=1)
        for mask, colour, label in (
            (~shown, UNASKED_COLOUR, "unit not asked"),
            (shown, MEASURED_COLOUR, "unit asked"),
        ):
            if mask.any():
                style: dict[str, Any] = {"s": 9, "linewidths": 0, "alpha": 0.45, "zorder": 2}
                # Thousands of dots are far smaller as pixels.
                axes.scatter(x[mask], y[mask], color=colour, label=label, rasterized=True, **style)
        low = -0.02 * top
        axes.set(xlim=(low, top), ylim=(low, top), xlabel="asked", ylabel="re-measured")
        axes.locator_params(nbins=5)
        axes.text(0.04, 0.95, "r undefined" if r is None else f"r = {r:.3f}", va="top",
                  fontsize=11, transform=axes.transAxes)  # fmt: skip
        axes.legend(loc="lower right", handletextpad=0.1, fontsize=8)
        return drawn(figure)


def side_bars(
    asked: AUTrack, measured: AUTrack | None, *, apex: int, units: Sequence[int] | None = None
) -> Drawing:
    """Left against right at the apex, a pair of bars a unit; (SVG, width, height in CSS pixels).

    Bars are what was measured (or asked, when nothing was measured); a dark line is what was
    asked. A cross marks a value that is missing at the apex.
    """
    units = units_that_matter(asked, measured) if units is None else units
    index = [AU_INDEX[au] for au in units]
    bars = (asked if measured is None else measured).intensity[apex][:, index]
    wanted = asked.intensity[apex][:, index]
    width, height = 5.4, 3.6
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((0.09, 0.08, 0.89, 0.82))
        place = np.arange(len(units))
        for side, shift, colour, name in (
            (LEFT, -0.2, "#0072B2", "left"),
            (RIGHT, 0.2, "#56B4E9", "right"),
        ):
            axes.bar(place + shift, np.nan_to_num(bars[side]), 0.36, color=colour, label=name)
            axes.hlines(wanted[side], place + shift - 0.2, place + shift + 0.2, color=_INK, lw=1.6)
            gone = place[~np.isfinite(bars[side])]
            axes.plot(gone + shift, np.zeros(len(gone)), "x", color=_MUTED, clip_on=False)
        axes.set_xticks(
            place, [f"AU{au:02d}" for au in units], fontsize=8.5 if len(units) <= 9 else 6.0
        )
        axes.tick_params(axis="x", length=0)
        axes.grid(axis="x", visible=False)
        axes.locator_params(axis="y", nbins=5)
        axes.set(ylim=(0, _ceiling(asked, measured)), xlim=(-0.6, len(units) - 0.4))
        handles, _ = axes.get_legend_handles_labels()
        handles.append(Line2D([], [], color=_INK, lw=1.6, label="asked"))
        axes.legend(handles=handles, ncols=3, loc="lower right", bbox_to_anchor=(1.01, 1.0))
        axes.set_title("intensity at the apex", loc="left", fontsize=8.5, color=_MUTED)
        return drawn(figure)


def _peak(track: AUTrack) -> NDArray[np.float64]:
    """float `17`: largest finite value of each unit on either side."""
    return np.asarray(np.nan_to_num(track.intensity, nan=0.0).max(axis=(0, 1)), np.float64)


def _ceiling(asked: AUTrack, measured: AUTrack | None) -> float:
    top = max(float(_peak(t).max()) for t in (asked, measured) if t is not None)
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
                  fontsize=7.5, color=_MUTED)  # fmt: skip
    if measured is None:
        return
    r = pearson(asked.intensity[..., k], measured.intensity[..., k])
    said = "not asked" if _peak(asked)[k] < ASKED_FROM else "r –" if r is None else f"r {r:.2f}"
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    axes.text(0.985, 0.95, said, fontsize=7.5, color=_MUTED, transform=axes.transAxes,
              va="top", ha="right", bbox=box)  # fmt: skip


def _tidy_panels(grid: NDArray[Any], used: int, ceiling: float) -> None:
    """Hide the empty places, and label the time axis under the last panel of each column."""
    columns = grid.shape[1]
    for i, axes in enumerate(grid.flat):
        axes.set_visible(i < used)
        axes.tick_params(labelbottom=i + columns >= used)
        axes.set_ylim(-0.03 * ceiling, ceiling)


def _curve_labels(figure: Figure, with_measured: bool, width: float, height: float) -> None:
    figure.subplots_adjust(
        left=0.42 / width,
        right=1 - 0.12 / width,
        top=1 - 0.62 / height,
        bottom=0.44 / height,
        wspace=0.10,
        hspace=0.42,
    )
    colours = [("asked", ASKED_COLOUR)]
    if with_measured:
        colours.append(("re-measured", MEASURED_COLOUR))
    handles = [Line2D([], [], color=c, lw=3, label=name) for name, c in colours]
    handles += [
        Line2D([], [], color=_MUTED, lw=1.5, label="left"),
        Line2D([], [], color=_MUTED, lw=1.5, dashes=(3.2, 2.2), label="right"),
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
    figure.text(0.5, 0.06 / height, "ms since the onset", ha="center", color=_MUTED)
