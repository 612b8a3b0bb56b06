"""Expressions pooled from other people's clips: real onset/apex pairs, early macro frames.

Both keep only what the training subjects showed; a pool cannot be built without naming them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from famaug.errors import InputError
from famaug.modulation.drawn import (
    Drawn,
    Peaks,
    check_pool,
    pick,
    relative_to_onset,
    shown,
    way_to_apex,
)
from famaug.modulation.envelopes import Envelope, find_apex
from famaug.modulation.sources import RAISED_COSINE
from famaug.people import canonical
from famaug.types import AU_INDEX, AUTrack

EARLY = (0.25, 0.5)
"""Share of a macro-expression's height at which it looks like a micro one."""
STILL = 0.15
"""Change below it is noise: it is not drawn."""


@dataclass(frozen=True, eq=False)
class ExpressionPool:
    """Changes from onset to apex, to be drawn from.

    Attributes:
        changes: one array a clip, onset-relative: `1 2 17` (a pair: the apex) or `T 2 17` (a
            macro-expression from its last resting frame to its apex).
        subjects, labels: one a clip.
        like: a member's track: its scale, sides and estimator are the pool's.
        excluded: clips left out: not of a training subject, or without any change.
        early: range of the height that is drawn; None for pairs.
    """

    changes: tuple[Peaks, ...]
    subjects: tuple[str, ...]
    labels: tuple[str | None, ...]
    like: AUTrack
    excluded: int
    early: tuple[float, float] | None = None

    def __len__(self) -> int:
        return len(self.changes)

    def draw(
        self,
        rng: np.random.Generator,
        *,
        fps: float,
        label: str | None = None,
        timing: str = "casme2",
        envelope: Envelope = RAISED_COSINE,
    ) -> Drawn:
        """One member's change as a whole expression from onset to offset.

        Raises:
            InputError: no member of that label, an unknown timing, or a bad rate.
        """
        i = pick(self.labels, label, rng)
        change = self.changes[i]
        if self.early is None:
            peak, name = change[-1], "pair"
        else:
            peak, name = _risen_to(change, rng.uniform(*self.early)), "early-macro"
        track = shown(
            peak,
            rng,
            fps=fps,
            like=self.like,
            name=name,
            pace=timing,
            envelope=envelope,
            subjects=[self.subjects[i]],
        )
        apex = int(np.argmax(track.intensity.sum(axis=(1, 2))))
        return Drawn(track, apex, self.labels[i])


def pair_pool(
    tracks: Sequence[AUTrack],
    *,
    subjects: Sequence[str],
    training: Collection[str],
    labels: Sequence[str | None] | None = None,
    apexes: Sequence[int | None] | None = None,
) -> ExpressionPool:
    """Real onset/apex pairs of micro-expression clips, of training subjects only.

    Args:
        tracks: measured clips, from onset (frame 0) on.
        subjects: whose each is ("dataset/subject" in any spelling); those not in `training` are
            left out and counted.
        apexes: annotated apex frames; found by `find_apex` where None.

    Raises:
        InputError: lists of different lengths, an apex outside its clip, or no clip left.
        TrackError: tracks of different scales, or with gaps too long to fill.
    """
    named = labels if labels is not None else [None] * len(tracks)
    peaks_at = apexes if apexes is not None else [None] * len(tracks)
    check_pool(tracks, subjects, named)
    if len(peaks_at) != len(tracks):
        raise InputError(f"{len(peaks_at)} apexes for {len(tracks)} tracks")
    kept: list[tuple[Peaks, str, str | None]] = []
    may = set(map(canonical, training))
    for track, subject, label, apex in zip(tracks, subjects, named, peaks_at, strict=True):
        if canonical(subject) not in may:
            continue
        change = relative_to_onset(track)
        frame = find_apex(track) if apex is None else apex
        if not 0 < frame < len(track):
            raise InputError(f"apex {frame} of a clip of {subject} with {len(track)} frames")
        kept.append((_moving(change[frame : frame + 1]), subject, label))
    return _pool(kept, tracks, training, None)


def macro_pool(
    tracks: Sequence[AUTrack],
    *,
    subjects: Sequence[str],
    training: Collection[str],
    labels: Sequence[str | None] | None = None,
    early: tuple[float, float] = EARLY,
) -> ExpressionPool:
    """Early moments of macro-expressions, which look like the apex of a micro-expression.

    A moment is drawn by intensity, not by time: it is when the strongest AU first passes a share of
    its height at the apex, counted from the last resting frame. Both sides are as they were then,
    between two frames where it passes between them. However long the face rests before, or keeps
    its expression, it is the rise that is drawn from.

    Args:
        tracks: clips that go from rest to the apex; what follows the apex is cut.
        early: range of the height from which the moment is drawn.

    Raises:
        InputError: lists of different lengths, a range outside 0-1, or no clip left.
        TrackError: tracks of different scales, or with gaps too long to fill.
    """
    if not 0 < early[0] <= early[1] <= 1:
        raise InputError(f"early must be a range within 0-1, above 0; got {early}")
    named = labels if labels is not None else [None] * len(tracks)
    check_pool(tracks, subjects, named)
    kept: list[tuple[Peaks, str, str | None]] = []
    may = set(map(canonical, training))
    for track, subject, label in zip(tracks, subjects, named, strict=True):
        if canonical(subject) in may:
            kept.append((_moving(way_to_apex(track)), subject, label))
    risen = [member for member in kept if _strongest(member[0])[-1] > 0]
    return _pool(risen, tracks, training, early)


def _strongest(change: Peaks) -> Peaks:
    """Over time, the AU that is strongest at the end, the blink aside; `T`."""
    apex = change[-1].copy()
    apex[:, AU_INDEX[45]] = 0
    side, au = np.unravel_index(int(np.argmax(apex)), apex.shape)
    curve: Peaks = change[:, side, au]
    return curve


def _risen_to(change: Peaks, share: float) -> Peaks:
    """All AUs, `2 17`, when the strongest first passes a share of its height."""
    curve = _strongest(change)
    goal = share * curve[-1]
    frame = int(np.argmax(curve >= goal))  # never 0: the way begins at 0
    before, after = curve[frame - 1], curve[frame]
    at = (goal - before) / (after - before)
    peak: Peaks = change[frame - 1] + at * (change[frame] - change[frame - 1])
    return peak


def _moving(change: Peaks) -> Peaks:
    """Columns whose change never leaves the noise are set to 0."""
    return np.where(change.max(axis=0) > STILL, change, 0.0)


def _pool(
    kept: list[tuple[Peaks, str, str | None]],
    tracks: Sequence[AUTrack],
    training: Collection[str],
    early: tuple[float, float] | None,
) -> ExpressionPool:
    kept = [member for member in kept if member[0].any()]
    if not kept:
        raise InputError(
            f"no clip is left of {len(tracks)}: none of the {len(training)} training subjects "
            "shows a change in any"
        )
    changes, subjects, labels = zip(*kept, strict=True)
    return ExpressionPool(changes, subjects, labels, tracks[0], len(tracks) - len(kept), early)
