"""Expressions pooled from other people's clips: real onset/apex pairs, early macro frames.

Both keep only what the training subjects showed; a pool cannot be built without naming them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError, OutputError, TrackError
from famaug.files.limits import MIB, read_json, translated
from famaug.files.whole import write_whole
from famaug.modulation.envelopes import Envelope, find_apex
from famaug.modulation.envelopes import timing as timing_of
from famaug.modulation.gaps import fill_gaps
from famaug.modulation.smoothing import auto_half_width, smooth_values
from famaug.modulation.sources import RAISED_COSINE
from famaug.modulation.transfer import MAX_INTENSITY
from famaug.people.persons import canonical
from famaug.shown.lines import counted, counts, one_line
from famaug.types import AU_INDEX, AUS, AUTrack

Peaks = NDArray[np.float64]
P = TypeVar("P")

EARLY = (0.25, 0.5)
"""Share of a macro-expression's height at which it looks like a micro one."""
STILL = 0.15
"""Change below it is noise: it is not drawn."""
NARROW = 2
RESTING = 0.1
"""Share of an expression's height up to which a face counts as at rest before it."""
SCHEMA = "expression-pool/1"
MAX_BYTES = 16 * MIB
"""Of a saved pool: ten thousand clips take less."""


@dataclass(frozen=True, eq=False)
class ExpressionPool:
    """Changes from onset to apex, to be drawn from.

    Attributes:
        changes: one array a clip, onset-relative: `1 2 17` (a pair: the apex) or `T 2 17` (a
            macro-expression: its rise through the range that is drawn, and its apex).
        subjects, labels: one a clip.
        scale, sided, estimator: of the tracks they were measured with.
        excluded: clips left out: not of a training subject, or without any change.
        early: range of the height that is drawn; None for pairs.
    """

    changes: tuple[Peaks, ...]
    subjects: tuple[str, ...]
    labels: tuple[str | None, ...]
    scale: str
    sided: bool
    estimator: str
    excluded: int
    early: tuple[float, float] | None = None

    def __len__(self) -> int:
        return len(self.changes)

    def __repr__(self) -> str:
        kind = "pairs" if self.early is None else "early macro frames"
        return one_line(self, kind, *pool_parts(self))

    def draw(
        self,
        rng: np.random.Generator,
        *,
        fps: float,
        label: str | None = None,
        timing: str = "casme2",
        envelope: Envelope = RAISED_COSINE,
    ) -> AUTrack:
        """One member's change as a whole expression from onset to offset; the track names whose.

        Raises:
            InputError: no member of that label, an unknown timing, or a bad rate.
        """
        i = pick(self.labels, label, rng)
        change = self.changes[i]
        if self.early is None:
            peak, name = change[-1], "pair"
        else:
            peak, name = _risen_to(change, rng.uniform(*self.early)), "early-macro"
        rise, fall = timing_of(timing).draw(rng)
        level = envelope.timed(rise_ms=rise, fall_ms=fall, fps=fps)
        return AUTrack.of(
            level[:, None, None] * peak,
            estimator=f"{name}({self.estimator})",
            sided=self.sided,
            scale=self.scale,
            fps=fps,
            subjects=[self.subjects[i]],
            modulated=True,
        )

    def to_json(self) -> dict[str, Any]:
        """JSON-able; `from_json` gives an equal one back."""
        return {
            "schema": SCHEMA,
            "changes": [change.round(4).tolist() for change in self.changes],
            "subjects": list(self.subjects),
            "labels": list(self.labels),
            "scale": self.scale,
            "sided": self.sided,
            "estimator": self.estimator,
            "excluded": self.excluded,
            "early": None if self.early is None else list(self.early),
        }

    @staticmethod
    def from_json(value: dict[str, Any]) -> ExpressionPool:
        """From `to_json`.

        Raises:
            InputError: another schema, or rows that do not fit together.
        """
        with translated("cannot read an expression pool, make it again", InputError):
            changes = tuple(np.asarray(change, np.float64) for change in value["changes"])
            early = None if value["early"] is None else (*map(float, value["early"]),)
            subjects = tuple(map(str, value["subjects"]))
            labels = tuple(None if x is None else str(x) for x in value["labels"])
            fits = value["schema"] == SCHEMA and len(changes) == len(subjects) == len(labels) > 0
            if not (fits and all(subjects) and all(_sound(change, early) for change in changes)):
                raise InputError(f"not a pool of schema {SCHEMA}, or rows that do not fit")
            return ExpressionPool(
                changes,
                subjects,
                labels,
                str(value["scale"]),
                bool(value["sided"]),
                str(value["estimator"]),
                int(value["excluded"]),
                None if early is None else (early[0], early[1]),
            )


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
    risen = [
        (_through(change, early), subject, label)
        for change, subject, label in kept
        if _strongest(change)[-1] > 0
    ]
    return _pool(risen, tracks, training, early)


def _strongest(change: Peaks) -> Peaks:
    """Over time, the AU that is strongest at the end, the blink aside; `T`."""
    apex = change[-1].copy()
    apex[:, AU_INDEX[45]] = 0
    side, au = np.unravel_index(int(np.argmax(apex)), apex.shape)
    curve: Peaks = change[:, side, au]
    return curve


def _through(change: Peaks, early: tuple[float, float]) -> Peaks:
    """Of a way to the apex what is drawn from: from below the range's low end to its high end, and
    the apex."""
    curve = _strongest(change)
    first, last = (int(np.argmax(curve >= share * curve[-1])) for share in early)
    return np.concatenate([change[first - 1 : last + 1], change[-1:]])  # the way begins at 0


def _sound(change: Peaks, early: tuple[float, ...] | None) -> bool:
    """Whether a member from elsewhere can be drawn from."""
    if change.shape[1:] != (2, len(AUS)) or not len(change):
        return False
    if not (np.isfinite(change).all() and (change >= 0).all() and (change <= MAX_INTENSITY).all()):
        return False
    if early is None:
        return len(change) == 1
    low, high = early
    curve = _strongest(change)
    return bool(0 < low <= high <= 1 and len(change) > 2 and curve[0] < low * curve[-1])


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
    like = tracks[0]
    return ExpressionPool(
        changes,
        subjects,
        labels,
        like.scale,
        like.sided,
        like.estimator,
        len(tracks) - len(kept),
        early,
    )


def pool_parts(pool: Any) -> list[str]:
    """What the line of a pool or of statistics says: clips, people, classes, and whose numbers."""
    people = counted(len(set(pool.subjects)), "subject")
    classes = Counter("no label" if k is None else str(k) for k in pool.labels)
    told = f"{counted(len(pool), 'clip')} of {people}: {counts(dict(classes.most_common()))}"
    return [told, f"{pool.scale} scale", f"by {pool.estimator}"]


def relative_to_onset(track: AUTrack, *, onset: int = 0) -> Peaks:
    """Gaps filled, filtered, minus the onset frame; float64 `T 2 17`, never below 0.

    By Savitzky-Golay, which follows a ramp up to the clip's edge; a mean would lift the onset.
    AUs that were never observed are 0. Raises TrackError as `fill_gaps`.
    """
    x = _whole(track)
    y = smooth_values(x, n=auto_half_width(x), method="savgol")
    change: Peaks = np.clip(y - y[onset], 0, MAX_INTENSITY)
    return change


def way_to_apex(track: AUTrack) -> Peaks:
    """The change from the last resting frame before the apex to the apex; float64 `T 2 17`.

    The last resting frame is the foot of the rise: of the AU that is strongest at the apex (on
    either side, the blink aside), the last frame within a tenth of its height above its lowest
    value, and from there back as long as it falls. However long a face rests before its expression,
    the way begins there. Filtered narrowly: a filter as wide as a long clip allows would blur a
    short rise.

    Raises: as `relative_to_onset`.
    """
    x = _whole(track)
    y = smooth_values(x, n=min(NARROW, auto_half_width(x)), method="savgol")[: find_apex(track) + 1]
    rise = y[-1] - y.min(axis=0)
    rise[:, AU_INDEX[45]] = 0
    side, au = np.unravel_index(int(np.argmax(rise)), rise.shape)
    curve = y[:, side, au]
    rest = int(np.flatnonzero(curve <= curve.min() + RESTING * rise[side, au])[-1])
    while rest > 0 and curve[rest - 1] < curve[rest]:  # down to the foot of the rise
        rest -= 1
    change: Peaks = np.clip(y[rest:] - y[rest], 0, MAX_INTENSITY)
    return change


def _whole(track: AUTrack) -> Peaks:
    """float64 `T 2 17`, gaps filled, AUs that were never observed 0."""
    return np.nan_to_num(fill_gaps(track).intensity.astype(np.float64))


def check_pool(
    tracks: Sequence[AUTrack], subjects: Sequence[str], labels: Sequence[str | None]
) -> None:
    """Raises InputError unless each track has a subject and a label (None allowed), TrackError
    when they are on different scales or measured with and without sides."""
    if not tracks or not len(tracks) == len(subjects) == len(labels):
        raise InputError(
            f"a pool needs a subject and a label (or None) for each track; got {len(tracks)} "
            f"tracks, {len(subjects)} subjects, {len(labels)} labels"
        )
    kinds = sorted({f"{t.scale}, {'two sides' if t.sided else 'no sides'}" for t in tracks})
    if len(kinds) > 1:
        raise TrackError(f"tracks of {' and '.join(kinds)} are never mixed in one pool")


def pick(labels: Sequence[str | None], label: str | None, rng: np.random.Generator) -> int:
    """Index of a random member, of a given label if one is asked for.

    Raises:
        InputError: no member has that label.
    """
    among = [i for i, have in enumerate(labels) if label is None or have == label]
    if not among:
        seen = ", ".join(sorted({str(have) for have in labels}))
        raise InputError(f"the pool holds no {label!r}: it has {seen}")
    return among[int(rng.integers(len(among)))]


def save_pool(value: dict[str, Any], path: str | Path) -> Path:
    """Writes what `to_json` gave as a file, whole or not at all; returns its path.

    Raises:
        OutputError: it cannot be written.
    """
    target = Path(path)
    try:
        write_whole(target, json.dumps(value) + "\n")
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error}") from error
    return target


def load_pool(path: str | Path, made_of: Callable[[Any], P]) -> P:
    """What `save_pool` wrote, by a `from_json`.

    Raises:
        InputError: no such file, or something else in it.
    """
    value = read_json(path, error=InputError, at_most=MAX_BYTES)
    try:
        return made_of(value)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
