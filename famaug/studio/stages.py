"""What the modulation does to a driver: the stages as a figure, and what of each AU is left."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, replace

import numpy as np

from famaug.aus.names import FACS_NAMES
from famaug.clip_options import ASSUMED_FPS
from famaug.errors import FamaugWarning
from famaug.modulation.modulate import modulation_stages
from famaug.report.tracks_figure import tracks_figure
from famaug.types import AUS, SIDES, AUTrack

LEAST = 0.1
"""Rise above the onset from which an AU is listed."""
WHOLE = 0.9
"""Share of the rise from which it counts as shown whole."""


@dataclass(frozen=True)
class Kept:
    """One AU on one side: how far it rises, and what is shown of it, 0 to 5."""

    au: int
    side: str
    rise: float
    shown: float

    @property
    def name(self) -> str:
        return f"AU{self.au} {FACS_NAMES[self.au]}, {self.side}"

    @property
    def verdict(self) -> str:
        if self.shown <= 0:
            return "cut: it never stays above the threshold"
        return "shown" if self.shown >= WHOLE * self.rise else "weakened: little above it"


@dataclass(frozen=True)
class Stages:
    """A driver's way through the modulation.

    Attributes:
        picture: of the stages, PNG.
        kept: AUs that rise, the strongest first.
        notes: what famaug warned of.
    """

    picture: bytes
    kept: tuple[Kept, ...]
    notes: tuple[str, ...]


def stages_of(raw: AUTrack, averaged: AUTrack | None = None) -> Stages:
    """The stages of a measured track: raw, averaged over sizes where that is given, filtered,
    relative to the onset, and what is shown.

    Raises:
        TrackError: the track has too many gaps.
    """
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", FamaugWarning)
        tracks = modulation_stages(
            _timed(raw), averaged=None if averaged is None else _timed(averaged)
        )
    notes = dict.fromkeys(str(w.message) for w in seen if issubclass(w.category, FamaugWarning))
    out = io.BytesIO()
    tracks_figure(tracks, strongest=5).savefig(out, format="png", dpi=110)
    rise = np.nan_to_num(tracks["relative"].intensity).max(0)
    shown = np.nan_to_num(tracks["transferred"].intensity).max(0)
    kept = [
        Kept(au, SIDES[side], float(rise[side, at]), float(shown[side, at]))
        for side in range(2)
        for at, au in enumerate(AUS)
        if rise[side, at] >= LEAST
    ]
    kept.sort(key=lambda k: -k.rise)
    return Stages(out.getvalue(), tuple(kept), tuple(notes))


def _timed(track: AUTrack) -> AUTrack:
    return track if track.fps is not None else replace(track, fps=ASSUMED_FPS)
