"""AU intensities of a report: asked against measured, left against right. Curves over time are
`famaug.plot.track`.

Figures are drawn with matplotlib's objects (no pyplot, so no window and no global figure list)
and come back as SVG text with outlined letters, which looks the same everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from famaug.plot.curves import (
    INK,
    MEASURED_COLOUR,
    MUTED,
    STYLE,
    UNASKED_COLOUR,
    ceiling,
    peak_of,
    units_that_matter,
)
from famaug.quality.agreement import ASKED_FROM, pearson
from famaug.report.lettering import Drawing, drawn
from famaug.types import AU_INDEX, LEFT, RIGHT, AUTrack


def agreement_scatter(pairs: Sequence[tuple[AUTrack, AUTrack]]) -> Drawing:
    """Every asked value against the re-measured one; (SVG, width, height in CSS pixels).

    Units not asked in their clip are grey, so that false readings stand out on the left edge.
    """
    x = np.concatenate([a.intensity.ravel() for a, _ in pairs])
    y = np.concatenate([m.intensity.ravel() for _, m in pairs])
    reached = [np.broadcast_to(peak_of(a) >= ASKED_FROM, a.intensity.shape) for a, _ in pairs]
    shown = np.concatenate([r.ravel() for r in reached])
    r = pearson(x, y)
    top = max(1.0, float(np.nanmax(np.concatenate([x, y, [0.0]]))) * 1.06)
    size = 3.6
    with matplotlib.rc_context(STYLE):
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
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((0.09, 0.08, 0.89, 0.82))
        place = np.arange(len(units))
        for side, shift, colour, name in (
            (LEFT, -0.2, "#0072B2", "left"),
            (RIGHT, 0.2, "#56B4E9", "right"),
        ):
            axes.bar(place + shift, np.nan_to_num(bars[side]), 0.36, color=colour, label=name)
            axes.hlines(wanted[side], place + shift - 0.2, place + shift + 0.2, color=INK, lw=1.6)
            gone = place[~np.isfinite(bars[side])]
            axes.plot(gone + shift, np.zeros(len(gone)), "x", color=MUTED, clip_on=False)
        axes.set_xticks(
            place, [f"AU{au:02d}" for au in units], fontsize=8.5 if len(units) <= 9 else 6.0
        )
        axes.tick_params(axis="x", length=0)
        axes.grid(axis="x", visible=False)
        axes.locator_params(axis="y", nbins=5)
        axes.set(ylim=(0, ceiling(asked, measured)), xlim=(-0.6, len(units) - 0.4))
        handles, _ = axes.get_legend_handles_labels()
        handles.append(Line2D([], [], color=INK, lw=1.6, label="asked"))
        axes.legend(handles=handles, ncols=3, loc="lower right", bbox_to_anchor=(1.01, 1.0))
        axes.set_title("intensity at the apex", loc="left", fontsize=8.5, color=MUTED)
        return drawn(figure)
