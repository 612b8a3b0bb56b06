"""All figures of one clip, inlined, ready for the page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from famaug.plot.curves import track
from famaug.quality.agreement import agreement
from famaug.report.animation import (
    SHORTEST_MS,
    fitting_webp,
    playback,
    side_by_side,
    slow_factor,
)
from famaug.report.curves import agreement_scatter, side_bars
from famaug.report.difference import still_share
from famaug.report.flow_view import flow_strip
from famaug.report.lettering import Figure, data_uri, drawn, picture_figure, svg_figure
from famaug.report.strip import choose_frames, difference_strip, film_strip, same_moment
from famaug.report.values import ReportClip
from famaug.types import Frames, Picture

# Bytes for one animation; with these, eight clips with drivers make a page of less than 15 MB.
_SLOW_BUDGET, _REAL_BUDGET = 500_000, 250_000
_MOST_SLOW_FRAMES = 60


def clip_view(clip: ReportClip) -> dict[str, Any]:
    """Every figure of the clip, drawn and encoded, by the name that the template has for it.

    `facts` are (name, value); `rise` is the time from onset to apex.
    """
    return {
        "title": clip.title,
        "notes": tuple(clip.notes),
        "facts": _facts(clip),
        "key": str(clip.provenance.get("key", "")),
        "provenance": _readable(clip.provenance),
        "rise": f"{(clip.apex - clip.onset) / clip.fps * 1000:.0f} ms",
        "still_percent": f"{100 * still_share(clip.frames):.0f} %",
        "driven": clip.driver_frames is not None,
        **_strips(clip),
        **_beside_the_driver(clip),
        **_of_the_tracks(clip),
    }


def _marks(clip: ReportClip) -> dict[str, Any]:
    return {name: getattr(clip, name) for name in ("onset", "apex", "offset", "fps")}


def _strips(clip: ReportClip) -> dict[str, Figure]:
    whole = clip.offset > clip.apex
    chosen = choose_frames(clip.onset, clip.apex, clip.offset, between=1 if whole else 3)
    strip = film_strip(
        clip.frames, chosen, **_marks(clip), driver=clip.driver_frames, boxes=clip.boxes
    )
    change = difference_strip(clip.frames, chosen, **_marks(clip))
    said = f"{clip.title}: frames {', '.join(str(i) for i in chosen)}"
    alt = f"Amplified difference to the onset frame of {said}"
    return {
        "strip": picture_figure(strip, alt=f"Film strip of {said}"),
        "difference": picture_figure(change, alt=alt, quality=None),
    }


def _beside_the_driver(clip: ReportClip) -> dict[str, Any]:
    """Animations, onset, apex and flow; beside them the driver's at the same moments, or, in the
    animations, the onset frame."""
    ends, panels = [clip.onset, clip.apex], {"synthetic": clip.frames}
    still = ("onset", clip.frames[clip.onset][None])
    if clip.driver_frames is not None:
        count, other = len(clip.frames), len(clip.driver_frames)
        then = [same_moment(i, count, other) for i in range(count)]
        panels = {"driver": clip.driver_frames[then], **panels}
    pairs = [(name, frames[ends]) for name, frames in panels.items()]
    onset, apex = side_by_side(pairs)
    shown = side_by_side([*([still] if len(panels) == 1 else []), *panels.items()])
    flow = flow_strip([(name, *_cut(clip, pair)) for name, pair in pairs])
    slow = slow_factor(clip.fps)
    alt = f"Optical flow from onset to apex of {clip.title}: u, v and strain"
    return {
        "slow": slow,
        "slowed": _moving(shown, clip, slow, _SLOW_BUDGET),
        "real": _moving(shown, clip, 1, _REAL_BUDGET),
        "onset": _exact(onset, f"{clip.title} at the onset, frame {clip.onset}"),
        "apex": _exact(apex, f"{clip.title} at the apex, frame {clip.apex}"),
        "flow": picture_figure(flow, alt=alt),
    }


def _of_the_tracks(clip: ReportClip) -> dict[str, Figure | None]:
    alt = f"AU intensity over time, left and right, of {clip.title}"
    asked, marks = replace(clip.asked, fps=clip.fps), (clip.onset, clip.apex, clip.offset)
    wide = drawn(track(asked, clip.measured, marks=marks, columns=4, width=10.4))
    narrow = drawn(track(asked, clip.measured, marks=marks, columns=2, width=4.6))
    figures: dict[str, Figure | None] = {
        "curves": svg_figure(wide, alt=alt),
        "curves_narrow": svg_figure(narrow, alt=alt),
        "bars": svg_figure(
            side_bars(clip.asked, clip.measured, apex=clip.apex),
            alt=f"Bars of left and right AU intensity of {clip.title} at the apex",
        ),
        "scatter": None,
    }
    if clip.measured is not None:
        figures["scatter"] = svg_figure(
            agreement_scatter([(clip.asked, clip.measured)]),
            alt=f"Asked against re-measured AU intensities of {clip.title}",
        )
    return figures


def _facts(clip: ReportClip) -> tuple[tuple[str, str], ...]:
    count, height, width = clip.frames.shape[:3]
    facts = [
        ("Size", f"{width} × {height} px"),
        ("Length", f"{count} frames, {count / clip.fps * 1000:.0f} ms at {clip.fps:g} fps"),
        ("Onset, apex, offset", f"frames {clip.onset}, {clip.apex}, {clip.offset}"),
    ]
    if clip.measured is None:
        return (*facts, ("Re-measured", "no"))
    result = agreement([(clip.asked, clip.measured)])
    for name, value in (
        ("r, asked to re-measured", result.r),
        ("r, left − right", result.r_sides),
        ("False reading", result.false_reading),
    ):
        facts.append((name, "–" if value is None else f"{value:.2f}"))
    return tuple(facts)


def _exact(picture: Picture, alt: str) -> Figure:
    """Without loss: two pictures that are compared may not differ by their compression."""
    return picture_figure(Image.fromarray(picture), alt=alt, quality=None)


def _cut(clip: ReportClip, pair: Frames) -> tuple[Picture, Picture]:
    """The part of two frames in which the face lies; the driver's frames may have another size."""
    if clip.face is not None:
        y, x = (
            now / then for now, then in zip(pair.shape[1:3], clip.frames.shape[1:3], strict=True)
        )
        x0, y0, x1, y1 = clip.face
        pair = pair[:, round(y0 * y) : round(y1 * y), round(x0 * x) : round(x1 * x)]
    return pair[0], pair[1]


def _moving(panels: Frames, clip: ReportClip, slow: int, budget: int) -> Figure:
    count = len(panels)
    length = 1000 * slow * count / clip.fps
    shortest = SHORTEST_MS if slow == 1 else length / _MOST_SLOW_FRAMES
    show = playback(count, clip.fps, slow=slow, shortest=shortest)
    data = fitting_webp(panels[list(show.indices)], show.durations, budget=budget)
    how = "at its real speed" if slow == 1 else f"{slow} times slower"
    names = "Onset frame and synthetic clip"
    if clip.driver_frames is not None:
        names = "Driver and synthetic clip"
    height, width = panels.shape[1:3]
    return Figure(data_uri(data, "image/webp"), width, height, f"{names}: {clip.title}, {how}")


def _readable(provenance: Mapping[str, Any]) -> str:
    """Indented JSON, with long tables of numbers named by their shape instead of printed."""
    return json.dumps(_without_tables(provenance), indent=2, ensure_ascii=False, default=str)


def _without_tables(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _without_tables(v) for k, v in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], list):
        return "table of " + " × ".join(str(n) for n in np.shape(value))
    return value
