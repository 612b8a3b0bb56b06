"""Measures a data set's clips into something to draw expressions from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from famaug.data.following import held_out_of
from famaug.data.guard import Guard
from famaug.data.protocols import AsClip, as_clip_with_label
from famaug.errors import InputError
from famaug.modulation.pools import ExpressionPool, macro_pool, pair_pool
from famaug.modulation.statistics import TrackStatistics, fit_statistics
from famaug.pipeline.inputs import Driver
from famaug.pipeline.synthesizer import Synthesizer
from famaug.progress import ticked
from famaug.types import AUTrack, Clip

Kind = Literal["stats", "early", "pairs"]


def fit_pool(
    dataset: Any,
    kind: Kind,
    *,
    synthesizer: Synthesizer | None = None,
    as_clip: AsClip = as_clip_with_label,
) -> tuple[TrackStatistics | ExpressionPool, dict[str, str]]:
    """What can be drawn from a data set's clips, and the reason for each clip left out, by name.

    Args:
        dataset: map-style; `fold.train`, where somebody is held out. People it holds out, and clips
            of nobody (the guard could not know whose they are), are left out.
        kind: "stats": which AUs together, how strong, how long; "pairs": the way from onset to
            apex of one clip; "early": of macro-expressions, the moment when they have risen to a
            quarter to a half of their height.
        synthesizer: measures (its estimator, sizes, and folder of measurements), and says the rate
            of clips that do not (`fps=`).
        as_clip: from an item to (Clip, label).

    Raises:
        InputError: no clip shows an expression.
        TrackError: a clip whose rate nobody says, for statistics.
    """
    maker, guard = synthesizer or Synthesizer(), Guard(held_out_of(dataset) or ())
    tracks: list[AUTrack] = []
    people: list[str] = []
    labels: list[str | None] = []
    apexes: list[int | None] = []
    skipped: dict[str, str] = {}
    for index in ticked(range(len(dataset)), "measuring clips"):
        clip, label = as_clip(dataset[index])
        who, name = clip.ref.person, clip.ref.key
        if not who or guard.holds_out(who):
            skipped[name] = f"it is {who}'s, held out" if who else "nobody is named as its subject"
            continue
        try:
            tracks.append(_expression(maker, clip, whole=kind == "early"))
        except InputError as error:
            skipped[name] = str(error)
            continue
        people.append(who)
        labels.append(None if label is None else str(label))
        apexes.append(_apex(clip))
    if not tracks:
        why = "; ".join(list(dict.fromkeys(skipped.values()))[:3])
        raise InputError(f"none of {len(dataset)} clips can be measured: {why}")
    if kind == "stats":
        return fit_statistics(tracks, subjects=people, labels=labels), skipped
    if kind == "early":
        return macro_pool(tracks, subjects=people, training=people, labels=labels), skipped
    pool = pair_pool(tracks, subjects=people, training=people, labels=labels, apexes=apexes)
    return pool, skipped


def _expression(maker: Synthesizer, clip: Clip, *, whole: bool) -> AUTrack:
    """A clip's track from onset to offset, or all of it."""
    track = maker.measure(Driver.of(clip))
    assert isinstance(track, AUTrack)  # of a clip it is
    last = len(track) - 1 if clip.ref.offset is None else clip.ref.offset
    cut = slice(0 if whole else clip.onset, last + 1)
    fps = maker.told_fps if track.fps is None else track.fps
    return replace(track, intensity=track.intensity[cut], confidence=track.confidence[cut], fps=fps)


def _apex(clip: Clip) -> int | None:
    """The annotated apex, counted from the onset; None where it is not within the expression."""
    if clip.ref.apex is None or not clip.onset < clip.ref.apex < len(clip.frames):
        return None
    return clip.ref.apex - clip.onset
