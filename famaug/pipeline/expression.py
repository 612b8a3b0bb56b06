"""The track that a new face shall show, from what was measured or from what is drawn."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from famaug.clip_options import ASSUMED_FPS
from famaug.errors import AssumedRateWarning, InputError
from famaug.modulation.modulate import Modulation, as_written, modulate
from famaug.modulation.sources import ExpressionSource
from famaug.types import AUTrack

Source = AUTrack | ExpressionSource


def with_rate(source: Source, fps: float | None) -> Source:
    """The source with the rate that was told, where it does not say its own; warns where nobody
    says it."""
    if isinstance(source, ExpressionSource) or source.fps is not None:
        return source
    if fps is not None:
        return replace(source, fps=fps)
    warnings.warn(
        f"the driver does not say its frame rate: {ASSUMED_FPS:g} frames per second are "
        "assumed. Say it with fps= (--fps, render.fps), or in its table",
        AssumedRateWarning,
        stacklevel=4,
    )
    return source


def shown(
    source: Source,
    rng: np.random.Generator,
    *,
    modulation: Modulation,
    fps: float,
    peak: float | None,
    name: str,
) -> AUTrack:
    """The track the new face shall show.

    Args:
        source: measured, and modulated here unless it is already; or to be drawn from.
        fps: of what is drawn.
        peak: intensity, of 5, that the strongest AU is scaled to; None leaves it.
        name: of the driver, in errors.

    Raises:
        InputError: nothing is left that could be scaled.
        TrackError: the track has too many gaps.
    """
    if isinstance(source, ExpressionSource):
        track = source.draw(rng, fps=fps)
    elif source.modulated:
        track = as_written(source, max_gap=modulation.max_gap)
    else:
        track = modulate(source, settings=modulation)
    if peak is None:
        return track
    strongest = float(np.nanmax(track.intensity))
    if strongest <= 0:
        raise InputError(f"{name}: no expression left above the threshold")
    return track.with_intensity(np.clip(track.intensity * (peak / strongest), 0, 5))
