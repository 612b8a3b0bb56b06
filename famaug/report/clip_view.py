"""All figures of one clip, inlined, ready for the page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from famaug.quality.agreement import agreement
from famaug.report.animation import (
    SHORTEST_MS,
    fitting_webp,
    playback,
    side_by_side,
    slow_factor,
)
from famaug.report.curves import agreement_scatter, au_curves, side_bars
from famaug.report.difference import still_share
from famaug.report.flow_view import flow_strip
from famaug.report.lettering import Figure, data_uri, picture_figure, svg_figure
from famaug.report.strip import choose_frames, difference_strip, film_strip, same_moment
from famaug.report.values import ReportClip
from famaug.types import Frames, Picture, Plan

# Bytes for one animation; with these, eight clips with drivers make a page of less than 15 MB.
_SLOW_BUDGET, _REAL_BUDGET = 500_000, 250_000
_MOST_SLOW_FRAMES = 60


@dataclass(frozen=True)
class ClipView:
    """One clip as the template shows it; `facts` are short (name, value) pairs."""

    title: str
    notes: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    key: str
    provenance: str
    slowed: Figure
    real: Figure
    onset: Figure
    apex: Figure
    rise: str
    slow: int
    strip: Figure
    difference: Figure
    still_percent: str
    flow: Figure
    driven: bool
    curves: Figure
    curves_narrow: Figure
    bars: Figure
    scatter: Figure | None


def clip_view(clip: ReportClip) -> ClipView:
    """Draw and encode every figure of the clip."""
    whole = clip.offset > clip.apex
    chosen = choose_frames(clip.onset, clip.apex, clip.offset, between=1 if whole else 3)
    marks: dict[str, Any] = {
        "onset": clip.onset,
        "apex": clip.apex,
        "offset": clip.offset,
        "fps": clip.fps,
    }
    strip = film_strip(clip.frames, chosen, **marks, driver=clip.driver_frames, boxes=clip.boxes)
    change = difference_strip(clip.frames, chosen, **marks)
    shown = ", ".join(str(i) for i in chosen)
    slow = slow_factor(clip.fps)
    panels = _panels(clip)
    pair = _pair(clip)
    measured = clip.measured
    return ClipView(
        title=clip.title,
        notes=tuple(clip.notes),
        facts=_facts(clip),
        key=plan_key(clip.provenance),
        provenance=_readable(clip.provenance),
        slowed=_moving(panels, clip, slow, _SLOW_BUDGET),
        real=_moving(panels, clip, 1, _REAL_BUDGET),
        onset=_exact(pair[0], f"{clip.title} at the onset, frame {clip.onset}"),
        apex=_exact(pair[1], f"{clip.title} at the apex, frame {clip.apex}"),
        rise=f"{(clip.apex - clip.onset) / clip.fps * 1000:.0f} ms",
        slow=slow,
        strip=picture_figure(strip, alt=f"Film strip of {clip.title}: frames {shown}"),
        difference=picture_figure(
            change,
            alt=f"Amplified difference to the onset frame of {clip.title}: frames {shown}",
            quality=None,
        ),
        still_percent=f"{100 * still_share(clip.frames):.0f} %",
        flow=_flow(clip),
        driven=clip.driver_frames is not None,
        curves=_curves(clip, columns=4, width=10.4),
        curves_narrow=_curves(clip, columns=2, width=4.6),
        bars=_svg(
            side_bars(clip.asked, measured, apex=clip.apex),
            f"Bars of left and right AU intensity of {clip.title} at the apex",
        ),
        scatter=None
        if measured is None
        else _svg(
            agreement_scatter([(clip.asked, measured)]),
            f"Asked against re-measured AU intensities of {clip.title}",
        ),
    )


def plan_key(provenance: Mapping[str, Any]) -> str:
    """The record's own `key`, else the key of the plan it holds, else ""."""
    if "key" in provenance:
        return str(provenance["key"])
    plan = provenance.get("plan")
    return Plan.from_json(plan).key if isinstance(plan, dict) else ""


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


def _panels(clip: ReportClip) -> Frames:
    """The driver at the same moments, or the neutral frame, and the synthetic clip beside it."""
    count = len(clip.frames)
    if clip.driver_frames is None:
        return side_by_side([("onset", clip.frames[clip.onset][None]), ("synthetic", clip.frames)])
    same = [same_moment(i, count, len(clip.driver_frames)) for i in range(count)]
    return side_by_side([("driver", clip.driver_frames[same]), ("synthetic", clip.frames)])


def _pair(clip: ReportClip) -> Frames:
    """Onset and apex of all that moves, side by side: `2 H W 3`."""
    ends = [clip.onset, clip.apex]
    panels = [("synthetic", clip.frames[ends])]
    if clip.driver_frames is not None:
        count = len(clip.frames)
        same = [same_moment(i, count, len(clip.driver_frames)) for i in ends]
        panels.insert(0, ("driver", clip.driver_frames[same]))
    return side_by_side(panels)


def _exact(picture: Picture, alt: str) -> Figure:
    """Without loss: two pictures that are compared may not differ by their compression."""
    return picture_figure(Image.fromarray(picture), alt=alt, quality=None)


def _flow(clip: ReportClip) -> Figure:
    ends = [clip.onset, clip.apex]
    pairs = [("synthetic", *_cut(clip, clip.frames[ends]))]
    if clip.driver_frames is not None:
        count = len(clip.frames)
        same = [same_moment(i, count, len(clip.driver_frames)) for i in ends]
        pairs.insert(0, ("driver", *_cut(clip, clip.driver_frames[same])))
    alt = f"Optical flow from onset to apex of {clip.title}: u, v and strain"
    return picture_figure(flow_strip(pairs), alt=alt)


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


def _curves(clip: ReportClip, *, columns: int, width: float) -> Figure:
    drawn = au_curves(
        clip.asked,
        clip.measured,
        onset=clip.onset,
        apex=clip.apex,
        offset=clip.offset,
        fps=clip.fps,
        columns=columns,
        width=width,
    )
    return _svg(drawn, f"AU intensity over time, left and right, of {clip.title}")


def _svg(drawn: tuple[str, int, int], alt: str) -> Figure:
    svg, width, height = drawn
    return svg_figure(svg, width=width, height=height, alt=alt)


def _readable(provenance: Mapping[str, Any]) -> str:
    """Indented JSON, with long tables of numbers named by their shape instead of printed."""
    return json.dumps(_without_tables(provenance), indent=2, ensure_ascii=False, default=str)


def _without_tables(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _without_tables(v) for k, v in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], list):
        return "table of " + " × ".join(str(n) for n in np.shape(value))
    return value
