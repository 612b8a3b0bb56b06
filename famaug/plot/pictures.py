"""Clips as figures: film strip, difference to the onset, optical flow, and two clips compared."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from famaug.data.known import synthetic_ref
from famaug.errors import InputError
from famaug.plot.figures import with_picture
from famaug.report.difference import difference_picture, fitting_gain
from famaug.report.flow_view import SIDE, flow_strip
from famaug.report.lettering import PAPER
from famaug.report.strip import StripRow, choose_frames, compose, difference_strip, film_strip
from famaug.shown.lines import called
from famaug.store.reader import StoredClip
from famaug.types import Clip, ClipRef, Frames, key_frames

Shows = Clip | StoredClip | tuple[Clip, Any]
"""A clip, one of a cache, or an item `(clip, label)` of a reader."""


def clip_of(value: Shows) -> Clip:
    """The clip, with onset, apex and offset where they are known.

    Raises:
        InputError: something else.
    """
    if isinstance(value, tuple) and len(value) == 2:
        value = value[0]
    if isinstance(value, Clip):
        return value
    if isinstance(value, StoredClip):
        story, count = value.provenance, len(value.frames)
        known = story is not None and len(story.plan.track) > 0
        ref = synthetic_ref(story, value.key, count) if story and known else None
        return Clip(ref or ClipRef("", "", value.key), value.frames)
    raise InputError(
        "a figure is of a Clip, a clip read from a cache, or an item (Clip, label); got "
        f"{type(value).__name__}"
    )


def strip(clip: Shows, *, between: int = 1, ax: Axes | None = None) -> Figure:
    """Onset, apex and offset at full resolution, and `between` frames in each gap.

    Args:
        clip: uint8 `T H W 3` with a reference; an apex that nobody annotated is the frame that
            differs most from the onset.
        ax: axes to draw into; None makes a figure.

    Raises:
        UnusableClipError: one frame, or key frames that do not fit.
    """
    shown = clip_of(clip)
    marks = key_frames(shown)
    chosen = choose_frames(*marks, between=between)
    label = called(shown.ref)
    return with_picture(film_strip(shown.frames, chosen, **_said(shown, marks), label=label), ax)


def difference(
    clip: Shows, *, between: int = 1, gain: int | None = None, ax: Axes | None = None
) -> Figure:
    """Signed difference of the same frames to the onset: blue darker, red brighter, grey
    bit-identical.

    Args:
        clip: as `strip`.
        between: as `strip`.
        gain: factor on the differences; None takes the power of two that fits.
        ax: as `strip`.

    Raises:
        UnusableClipError: as `strip`.
        InputError: a gain below 1.
    """
    shown = clip_of(clip)
    marks = key_frames(shown)
    chosen = choose_frames(*marks, between=between)
    picture = difference_strip(shown.frames, chosen, **_said(shown, marks), gain=gain)
    return with_picture(picture, ax)


def flow(clip: Shows, *, ax: Axes | None = None) -> Figure:
    """Onset and apex, and the optical flow (TV-L1) between them as recognisers see it: u, v and
    strain.

    Raises:
        UnusableClipError: as `strip`.
    """
    shown = clip_of(clip)
    onset, apex, _ = key_frames(shown)
    pair = (called(shown.ref), shown.frames[onset], shown.frames[apex])
    return with_picture(flow_strip([pair]), ax)


def compare(
    real: Shows,
    synthetic: Shows,
    *,
    names: tuple[str, str] = ("real", "synthetic"),
    ax: Axes | None = None,
) -> Figure:
    """Two clips at the same phases of their expressions, one above the other: frames, difference to
    the onset with one gain for both, and flow from onset to apex.

    Args:
        real: a clip of any length and size, shown 208 pixels wide.
        synthetic: another.
        names: what they are called in the figure.
        ax: as `strip`.

    Raises:
        UnusableClipError: as `strip`.
    """
    clips = [clip_of(real), clip_of(synthetic)]
    marks = [key_frames(clip) for clip in clips]
    chosen = [_phases(*at) for at in marks]
    shown = [_narrowed(c.frames[at]) for c, at in zip(clips, chosen, strict=True)]
    gain = min(fitting_gain(frames[1:], frames[0]) for frames in shown)
    rows = []
    for name, frames in zip(names, shown, strict=True):
        changes = [difference_picture(f, frames[0], gain=gain) for f in frames]
        rows.append(StripRow((name,), [Image.fromarray(f) for f in frames]))
        rows.append(StripRow((f"difference ×{gain}", name), [Image.fromarray(f) for f in changes]))
    heads = [(phase, _moments(clips, chosen, k)) for k, phase in enumerate(_PHASES)]
    pairs = [(name, f[0], f[2]) for name, f in zip(names, shown, strict=True)]
    return with_picture(_stacked(compose(rows, heads), flow_strip(pairs)), ax)


_PHASES = ("onset", "rising", "apex", "falling", "offset")


def _said(clip: Clip, marks: tuple[int, int, int]) -> dict[str, Any]:
    return {**dict(zip(("onset", "apex", "offset"), marks, strict=True)), "fps": clip.ref.fps}


def _phases(onset: int, apex: int, offset: int) -> list[int]:
    """Frames at `_PHASES`."""
    return [onset, (onset + apex) // 2, apex, (apex + offset) // 2, offset]


def _narrowed(frames: Frames) -> Frames:
    height = max(1, round(frames.shape[1] * SIDE / frames.shape[2]))
    how = Image.Resampling.LANCZOS
    return np.stack([np.asarray(Image.fromarray(f).resize((SIDE, height), how)) for f in frames])


def _moments(clips: list[Clip], chosen: list[list[int]], phase: int) -> str:
    """Time since the onset in each clip, or the frame where no rate is known."""
    told = []
    for clip, at in zip(clips, chosen, strict=True):
        fps, since = clip.ref.fps, at[phase] - at[0]
        told.append(f"{1000 * since / fps:+.0f} ms" if fps else f"frame {at[phase]}")
    return " / ".join(told)


def _stacked(above: Image.Image, below: Image.Image) -> Image.Image:
    gap = 18
    size = (max(above.width, below.width), above.height + gap + below.height)
    whole = Image.new("RGB", size, PAPER)
    whole.paste(above, (0, 0))
    whole.paste(below, (0, above.height + gap))
    return whole
