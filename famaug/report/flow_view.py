"""Onset to apex as recognisers see it: u, v and optical strain, one row for each pair of frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from famaug.flow.pictures import optical_flow, optical_strain
from famaug.report.difference import diverging_map
from famaug.report.strip import StripRow, compose
from famaug.types import Floats, Picture

SIDE = 208
"""Width of a cell; pictures are brought to it before the flow, so that rows compare."""
_REACH = 99.7
"""Percentile of |u|, |v| and strain that takes the full colour."""
_LEAST = 1e-3


def flow_strip(pairs: Sequence[tuple[str, Picture, Picture]]) -> Image.Image:
    """RGB picture: for each (label, onset, apex) both frames, u (red to the right), v (red
    downwards) and strain. Each row has a scale of its own, written beside it.

    Raises:
        InputError: frames of a pair that differ in size.
    """
    return compose([_row(*pair) for pair in pairs], _HEADS)


_HEADS = [
    ("onset", ""),
    ("apex", ""),
    ("u", "blue left, red right"),
    ("v", "blue up, red down"),
    ("strain", "dark: stretched or sheared"),
]


def _row(label: str, onset: Picture, apex: Picture) -> StripRow:
    size = (SIDE, round(SIDE * onset.shape[0] / onset.shape[1]))
    first, second = (
        Image.fromarray(x).resize(size, Image.Resampling.LANCZOS) for x in (onset, apex)
    )
    flow = optical_flow(np.array(first), np.array(second))
    strain = optical_strain(flow)
    reach = max(float(np.percentile(np.abs(flow), _REACH)), _LEAST)
    highest = max(float(np.percentile(strain, _REACH)), _LEAST)
    coloured = [Image.fromarray(_signed(c / reach)) for c in flow]
    cells = [first, second, *coloured, Image.fromarray(_rising(strain / highest))]
    return StripRow((label, f"u, v ±{reach:.1f} px, strain {highest:.2f}"), cells)


def _signed(share: Floats) -> NDArray[np.uint8]:
    """-1 ... 1 in the diverging map: blue below 0, red above."""
    index = np.rint(255 + 255 * share.clip(-1, 1)).astype(np.int64)
    return np.asarray(diverging_map()[index], np.uint8)


def _rising(share: NDArray[Any]) -> NDArray[np.uint8]:
    """0 ... 1 from paper to ink."""
    level = 255 - 225 * share.clip(0, 1)
    return np.repeat(np.rint(level).astype(np.uint8)[..., None], 3, 2)
