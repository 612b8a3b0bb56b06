"""Statistics fitted to a data set's tracks: which AUs together, how strong, how long.

A sampler that stays on what was seen: the set of AUs is always one clip's own, its strengths lie
between those of clips with the same set, its timing is near the clip's own and never outside the
data's range. JSON-able, so that a plan can carry where its expression came from.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError, TrackError
from famaug.files.limits import translated
from famaug.modulation.envelopes import Envelope, find_apex, fit_envelope, frames_of
from famaug.modulation.pools import (
    Peaks,
    check_pool,
    pick,
    pool_parts,
    relative_to_onset,
    save_pool,
)
from famaug.people.persons import canonical, who_is
from famaug.shown.lines import one_line
from famaug.types import AUS, AUTrack

Values = NDArray[np.float64]

ACTIVE = 0.3
"""An AU is on when it rises by more: thrice the jitter of a filtered track."""
BANDWIDTH = 0.35
"""Width of the timing's kernel in standard deviations of the data's log durations."""
STRENGTH = 0.1
"""Spread (log) of the overall strength where no other clip shows the same AUs."""
SCHEMA = "track-statistics/1"


@dataclass(frozen=True, eq=False)
class TrackStatistics:
    """What was seen, one row a clip.

    Attributes:
        peaks: intensities at the apex, onset-relative, 0 where an AU is off; float64 `N 2 17`.
        durations: onset to apex, apex to offset in ms; float64 `N 2`.
        envelopes: the courses.
        subjects, labels: whose, and of what class.
        scale, sided, estimator: of the tracks it was fitted to.
        skipped: clips without a rise, or without an apex between first and last frame.
    """

    peaks: Peaks
    durations: Values
    envelopes: tuple[Envelope, ...]
    subjects: tuple[str, ...]
    labels: tuple[str | None, ...]
    scale: str
    sided: bool
    estimator: str
    skipped: int = 0

    def __len__(self) -> int:
        return len(self.peaks)

    def __repr__(self) -> str:
        return one_line(self, *pool_parts(self), f"{self.skipped} skipped" if self.skipped else "")

    def without(self, subjects: Collection[str]) -> TrackStatistics:
        """The same without some people, in any spelling: for a fold that holds them out. Those
        who are not in it change nothing.

        Raises:
            InputError: nobody is left.
        """
        out = frozenset().union(*(who_is(s, self.subjects) for s in subjects))
        keep = [i for i, subject in enumerate(self.subjects) if canonical(subject) not in out]
        if not keep:
            raise InputError(f"no clip is left without {len(subjects)} held-out subjects")
        return TrackStatistics(
            self.peaks[keep],
            self.durations[keep],
            tuple(self.envelopes[i] for i in keep),
            tuple(self.subjects[i] for i in keep),
            tuple(self.labels[i] for i in keep),
            self.scale,
            self.sided,
            self.estimator,
            self.skipped,
        )

    def draw(self, rng: np.random.Generator, *, fps: float, label: str | None = None) -> AUTrack:
        """One expression like those seen, from onset to offset. All subjects of the statistics go
        into it: the leakage guard lets it into no fold that holds one of them out.

        Raises:
            InputError: no clip of that label, or a bad rate.
        """
        i = pick(self.labels, label, rng)
        peak = self._peak(i, rng)
        rise, fall = self._duration(i, rng)
        apex = frames_of(rise, fps)
        level = self.envelopes[i].at(length=apex + frames_of(fall, fps) + 1, apex=apex)
        return AUTrack.of(
            level[:, None, None] * peak,
            estimator=f"statistics({self.estimator})",
            sided=self.sided,
            scale=self.scale,
            fps=fps,
            modulated=True,
            # everybody's timing decides how far a duration may go
            subjects=dict.fromkeys(self.subjects),
        )

    def _peak(self, i: int, rng: np.random.Generator) -> Peaks:
        """Strengths between clip i's and another's with the very same AUs on."""
        alike = np.flatnonzero(self._pattern == self._pattern[i])
        other = int(alike[int(rng.integers(len(alike)))])
        share = rng.uniform()
        on = self.peaks[i] > 0
        if other != i:
            a, b = np.log(self.peaks[i][on]), np.log(self.peaks[other][on])
            strength = np.exp(a + share * (b - a))
        else:
            factor = np.exp(STRENGTH * (2 * share - 1))
            strength = np.minimum(self.peaks[i][on] * factor, self.peaks.max(axis=0)[on])
        peak = np.zeros(on.shape)
        peak[on] = strength
        return peak

    def _duration(self, i: int, rng: np.random.Generator) -> tuple[float, float]:
        """Clip i's timing with a kernel around it, shrunk so that the data's spread stays."""
        logs = np.log(self.durations)
        middle, spread = logs.mean(axis=0), logs.std(axis=0)
        moved = logs[i] - middle + BANDWIDTH * spread * rng.standard_normal(2)
        drawn = middle + moved / np.sqrt(1 + BANDWIDTH**2)
        rise, fall = np.exp(np.clip(drawn, logs.min(axis=0), logs.max(axis=0)))
        return float(rise), float(fall)

    @cached_property
    def _pattern(self) -> NDArray[np.int64]:
        """A number for each distinct set of AUs that are on (sides apart)."""
        on = (self.peaks > 0).reshape(len(self), -1)
        return np.unique(on, axis=0, return_inverse=True)[1].reshape(-1)

    def to_json(self) -> dict[str, Any]:
        """JSON-able; `from_json` gives an equal one back."""
        return {
            "schema": SCHEMA,
            "peaks": self.peaks.round(4).tolist(),
            "durations": self.durations.round(3).tolist(),
            "envelopes": [[list(e.rise), list(e.fall)] for e in self.envelopes],
            "subjects": list(self.subjects),
            "labels": list(self.labels),
            "scale": self.scale,
            "sided": self.sided,
            "estimator": self.estimator,
            "skipped": self.skipped,
        }

    def save(self, path: str | Path) -> Path:
        """Writes it as a file, from which "stats:FILE" draws; errors as in `save_pool`."""
        return save_pool(self.to_json(), path)

    @staticmethod
    def from_json(value: dict[str, Any]) -> TrackStatistics:
        """From `to_json`.

        Raises:
            InputError: another schema, or rows that do not fit together.
        """
        with translated("cannot read track statistics, fit them again", InputError):
            peaks = np.asarray(value["peaks"], np.float64)
            durations = np.asarray(value["durations"], np.float64)
            envelopes = tuple(
                Envelope(shape="fitted", rise=tuple(up), fall=tuple(down))
                for up, down in value["envelopes"]
            )
            n = len(peaks)
            fits = peaks.shape == (n, 2, len(AUS)) and durations.shape == (n, 2) and n > 0
            fits &= n == len(envelopes) == len(value["subjects"]) == len(value["labels"])
            fits &= bool(np.isfinite(peaks).all() and (peaks >= 0).all() and (peaks <= 5).all())
            fits &= bool(np.isfinite(durations).all() and (durations > 0).all())
            if value["schema"] != SCHEMA or not fits:
                raise InputError(f"not statistics of schema {SCHEMA}, or rows that do not fit")
            return TrackStatistics(
                peaks,
                durations,
                envelopes,
                tuple(value["subjects"]),
                tuple(value["labels"]),
                str(value["scale"]),
                bool(value["sided"]),
                str(value["estimator"]),
                int(value["skipped"]),
            )


def fit_statistics(
    tracks: Sequence[AUTrack],
    *,
    subjects: Sequence[str],
    labels: Sequence[str | None] | None = None,
    active: float = ACTIVE,
) -> TrackStatistics:
    """Statistics of clips cut from onset (first frame) to offset (last frame).

    Args:
        subjects: whose each clip is, "dataset/subject".
        labels: classes, to draw by.
        active: an AU is on in a clip when it rises by more.

    Raises:
        InputError: lists of different lengths, or no clip with a usable apex.
        TrackError: different scales, an unknown frame rate, or gaps too long to fill.
    """
    named = labels if labels is not None else [None] * len(tracks)
    check_pool(tracks, subjects, named)
    rows: list[tuple[Peaks, tuple[float, float], Envelope, str, str | None]] = []
    for track, subject, label in zip(tracks, subjects, named, strict=True):
        row = _row(track, active)
        if row is not None:
            rows.append((*row, subject, label))
    if not rows:
        raise InputError(
            f"none of {len(tracks)} clips rises by more than {active} and has its apex between "
            "first and last frame: are they cut from onset to offset?"
        )
    peaks, durations, envelopes, whose, of = zip(*rows, strict=True)
    like = tracks[0]
    return TrackStatistics(
        np.stack(peaks),
        np.asarray(durations, np.float64),
        envelopes,
        whose,
        of,
        like.scale,
        like.sided,
        like.estimator,
        len(tracks) - len(rows),
    )


def _row(track: AUTrack, active: float) -> tuple[Peaks, tuple[float, float], Envelope] | None:
    """(peak, timing, course) of one clip, None when there is no expression in it."""
    if track.fps is None:
        raise TrackError("a track's frame rate is unknown: durations need it; read it with fps=")
    change = relative_to_onset(track)
    apex = find_apex(track)
    peak = np.where(change[apex] > active, change[apex], 0.0)
    if not peak.any() or not 0 < apex < len(track) - 1:
        return None
    durations = (1000 * apex / track.fps, 1000 * (len(track) - 1 - apex) / track.fps)
    return peak, durations, fit_envelope(track, apex=apex)
