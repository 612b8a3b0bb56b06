"""Figures without pyplot: no window opens, and no list of open figures grows."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

WIDEST = 12.0
"""Inches: a wider picture gets more dots an inch, so that each of its pixels stays one."""
DPI = 100.0


class ShownFigure(Figure):
    """A figure that a notebook shows, whether or not anybody imported pyplot there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        out = io.BytesIO()
        self.savefig(out, format="png", facecolor="white")
        return out.getvalue()


def figure_of(axes: Axes) -> Figure:
    """The figure that axes belong to, also where they lie in a part of it."""
    found: Any = axes.figure
    while not isinstance(found, Figure):
        found = found.figure
    return found


def with_picture(picture: Image.Image, ax: Axes | None) -> Figure:
    """The picture in these axes, or in a figure of its own in which a pixel of it is one."""
    if ax is None:
        dpi = max(DPI, picture.width / WIDEST)
        size = (picture.width / dpi, picture.height / dpi)
        ax = ShownFigure(figsize=size, dpi=dpi).add_axes((0, 0, 1, 1))
    ax.imshow(np.asarray(picture))
    ax.set_axis_off()
    return figure_of(ax)
