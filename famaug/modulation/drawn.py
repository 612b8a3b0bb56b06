"""A drawn expression and whom it came from, and the steps every pool of expressions shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from famaug.errors import InputError, TrackError
from famaug.modulation.envelopes import Envelope, find_apex, timing
from famaug.modulation.gaps import fill_gaps
from famaug.modulation.smoothing import auto_half_width, smooth_values
from famaug.modulation.transfer import MAX_INTENSITY
from famaug.types import AU_INDEX, AUTrack

Peaks = NDArray[np.float64]

NARROW = 2
RESTING = 0.1
"""Share of an expression's height up to which a face counts as at rest before it."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """An expression from a pool.

    Attributes:
        track: from onset to offset, at rest at frame 0; shown as written.
        apex: frame of its apex.
        label: class of the clip it came from, or None.
    """

    track: AUTrack
    apex: int
    label: str | None

    @property
    def subjects(self) -> tuple[str, ...]:
        """Everyone whose measurements went into it ("dataset/subject"). The track carries them
        into plans, where the leakage guard reads them."""
        return self.track.subjects


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


def shown(
    peak: Peaks,
    rng: np.random.Generator,
    *,
    fps: float,
    like: AUTrack,
    name: str,
    pace: str,
    envelope: Envelope,
    subjects: Iterable[str],
) -> AUTrack:
    """A track that goes to `peak` (`2 17`) and back, timed as data set `pace`."""
    rise, fall = timing(pace).draw(rng)
    level = envelope.timed(rise_ms=rise, fall_ms=fall, fps=fps)
    return AUTrack.of(
        level[:, None, None] * peak,
        estimator=f"{name}({like.estimator})",
        sided=like.sided,
        scale=like.scale,
        fps=fps,
        subjects=subjects,
        modulated=True,
    )


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
