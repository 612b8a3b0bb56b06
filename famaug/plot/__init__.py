"""Figures of clips and tracks: every function returns a matplotlib `Figure`, or draws into `ax=`.

    from famaug import plot

    plot.track(track)                # AU intensities over time, left and right
    plot.strip(clip)                 # onset, apex, offset and frames between
    plot.difference(clip)            # what changed since the onset, amplified
    plot.flow(clip)                  # u, v and strain from onset to apex
    plot.compare(real, synthetic)    # all of it, one above the other

The report is made of the same drawings. matplotlib loads with the first figure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from famaug.named import lazily

if TYPE_CHECKING:
    from famaug.plot.curves import track as track
    from famaug.plot.pictures import compare as compare
    from famaug.plot.pictures import difference as difference
    from famaug.plot.pictures import flow as flow
    from famaug.plot.pictures import strip as strip

_LAZY = {
    "compare": "famaug.plot.pictures",
    "difference": "famaug.plot.pictures",
    "flow": "famaug.plot.pictures",
    "strip": "famaug.plot.pictures",
    "track": "famaug.plot.curves",
}

__all__ = sorted(_LAZY)
__getattr__ = lazily(__name__, _LAZY)
