"""One line a value, for a prompt, a log or a message: facts, no addresses and no tables of numbers.

The functions know the values by their attributes alone, so that the values can use them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, TypeVar

import numpy as np

LONGEST = 160
"""Characters of a line; a longer one is cut and ends in "...>"."""
NAME = 56
"""Characters of a name in it."""
STRONGEST = 3
"""AUs that are told of a track."""
_SHOWN_FROM = 0.05
"""Intensity from which an AU counts for a line."""
Kind = TypeVar("Kind", bound=type)


def one_line(value: Any, *parts: str) -> str:
    """`<Kind part, part>`: the parts that say something, in at most `LONGEST` characters."""
    text = f"{type(value).__name__} {', '.join(p for p in parts if p)}".strip()
    # a name from outside may hold line breaks and control characters
    text = "".join(c if c.isprintable() else "?" for c in text)
    return f"<{text}>" if len(text) + 2 <= LONGEST else f"<{text[: LONGEST - 5].rstrip()}...>"


def short(name: Any, most: int = NAME) -> str:
    """A name, its middle left out where it is long: begin and end tell more."""
    text = str(name)
    keep = (most - 3) // 2
    return text if len(text) <= most else f"{text[:keep]}...{text[-keep:]}"


def counted(number: int, noun: str) -> str:
    """ "1 clip", "3 clips"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def counts(numbers: Mapping[Any, int], most: int = 4) -> str:
    """ "negative 3, positive 2", the first `most` in the order given."""
    told = [f"{short(k, 24)} {n}" for k, n in list(numbers.items())[:most]]
    more = len(numbers) - most
    return ", ".join([*told, *([f"{more} more"] if more > 0 else [])])


def some(names: Iterable[Any], most: int = 2) -> str:
    """The first names, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(short(n, 24) for n in every[:most]) + more


def rate(fps: Any) -> str:
    """Frames per second in words, "" where nobody said."""
    return f"{fps:g} fps" if isinstance(fps, int | float) and fps else ""


def strengths(intensity: Any, sided: bool = True) -> str:
    """The strongest AUs of intensities `T 2 17` with their peaks, "AU12 L1.8 R1.2, AU06 0.9"."""
    from famaug.types import AU_NAMES

    x = np.nan_to_num(np.asarray(intensity, np.float64))
    if x.ndim != 3 or not x.size:
        return "no AU"
    peak = x.max(axis=0)
    strongest = np.argsort(-peak.max(axis=0), kind="stable")
    shown = [int(k) for k in strongest if peak[:, k].max() >= _SHOWN_FROM]
    told = []
    for k in shown[:STRONGEST]:
        left, right = (f"{v:.2g}" for v in peak[:, k])
        both = not sided or left == right
        told.append(f"{AU_NAMES[k]} {left}" if both else f"{AU_NAMES[k]} L{left} R{right}")
    more = len(shown) - STRONGEST
    return ", ".join([*told, *([f"{more} more AUs"] if more > 0 else [])]) or "at rest"


# -- THE VALUES OF famaug.types --------------------------------------------------------------------


def called(ref: Any) -> str:
    """A clip's name; of a synthetic one's key the first 8 digits."""
    key = str(ref.key).strip("/") or "clip"
    folder, slash, last = key.rpartition("/")
    digest = len(last) == 64 and set(last) <= set("0123456789abcdef")
    return short(f"{folder}{slash}{last[:8]}" if digest else key)


def _known(ref: Any) -> list[str]:
    """What a reference says beside its name."""
    keys = (("onset", ref.onset), ("apex", ref.apex), ("offset", ref.offset))
    return [
        rate(ref.fps),
        " ".join(f"{name} {at}" for name, at in keys if at is not None),
        short(ref.emotion, 24) if ref.emotion is not None else "",
        f"AU {short(ref.action_units, 24)}" if ref.action_units else "",
    ]


def _clip_ref(ref: Any) -> str:
    files = counted(len(ref.frames), "frame") if ref.frames else short(ref.video or "no media")
    return one_line(ref, called(ref), files, *_known(ref))


def _clip(clip: Any) -> str:
    count, height, width = clip.frames.shape[:3]
    size = f"{counted(count, 'frame')} of {width} x {height}"
    return one_line(clip, called(clip.ref), size, *_known(clip.ref))


def _track(track: Any) -> str:
    lost = int(track.missing.sum())
    return one_line(
        track,
        counted(len(track), "frame"),
        rate(track.fps),
        strengths(track.intensity, track.sided),
        f"{lost} missing" if lost else "",
        "" if track.sided else "sides alike",
        f"{short(track.scale, 16)} scale",
        f"by {short(track.estimator, 32)}",
    )


def _plan(plan: Any) -> str:
    who, face = plan.driver.get("name", "?"), plan.identity.get("name", "?")
    return one_line(
        plan,
        f"{plan.key[:8]}: {short(who, 30)} on {short(face, 30)}",
        f"{counted(len(plan.track), 'frame')} at {plan.fps:g} fps",
        f"{plan.size} px" if plan.size else "",
        strengths(plan.intensity),
        short(plan.generator, 16),
        "with a look" if plan.look else "",
    )


def _provenance(of: Any) -> str:
    return one_line(
        of,
        f"of plan {of.plan.key[:8]}",
        f"driver {short(of.driver_subject, 24) or 'unnamed'}",
        f"face {short(of.identity_subject, 24) or 'unnamed'}",
        "no label" if of.label is None else f"{short(of.label, 24)} by the {of.label_source}",
        f"famaug {of.version}" if of.version else "",
    )


_LINES: dict[str, Callable[[Any], str]] = {
    "AUTrack": _track,
    "Clip": _clip,
    "ClipRef": _clip_ref,
    "Plan": _plan,
    "Provenance": _provenance,
}


def told(kind: Kind) -> Kind:
    """Class decorator: its line of this module at a prompt, its picture in a notebook."""
    kind.__repr__ = _LINES[kind.__name__]  # type: ignore[method-assign, assignment]
    return in_notebooks(kind)


def in_notebooks(kind: Kind) -> Kind:
    """Class decorator: the value as HTML in a notebook. What draws it lies behind every value, so
    it is found by its name when a notebook asks."""

    def html(value: Any) -> str:
        return str(import_module("famaug.report.notebook").html_of(value))

    kind._repr_html_ = html  # type: ignore[attr-defined]
    return kind
