"""The demo's page: every clip with its curves, what may not move, the loader, the timings."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from famaug.aus.flow_and_points import Measurement
from famaug.demo.inputs import DemoInputs
from famaug.demo.outside import Reading, outside_table, readings
from famaug.errors import InputError
from famaug.faces.landmarks import (
    LEFT_BROW,
    LEFT_LIDS,
    OUTER_LIPS,
    RIGHT_BROW,
    RIGHT_LIDS,
    SKIN_POINTS,
)
from famaug.generator.warp import WarpRenderer
from famaug.pipeline.synthesizer import Synthesizer
from famaug.quality.agreement import agreement
from famaug.quality.gate import Gate
from famaug.quality.judge import Quality
from famaug.report.page import write_report
from famaug.report.quality import JudgedClip, quality_table
from famaug.report.values import Box, ReportClip, ReportTable
from famaug.types import Floats, Frames, Plan


@dataclass
class Made:
    """One synthetic clip on its way to the page."""

    title: str
    plan: Plan
    driver_frames: Frames | None = None
    frames: Frames = field(default_factory=lambda: np.zeros((0, 1, 1, 3), np.uint8))
    measured: Measurement | None = None
    quality: Quality | None = None
    notes: tuple[str, ...] = ()


DETAIL_EDGE, FACE_EDGE = 0.18, 0.04
"""Room round details and round the face, as shares of their width."""
_REAL = (
    "A real expression goes in, the same expression on another face comes out, at a "
    "micro-expression's strength and speed. The first clip takes a person's own way from rest to "
    "apex. "
)
_RENDERED = (
    "An expression goes in, the same expression on another face comes out. This ran without the "
    "driver's video, so the driver of the first clip was itself rendered by famaug: it shows the "
    "way from pixels to pixels, and nothing about real people. Run it once with a network to see a "
    "person drive. "
)
_INTRO = (
    "The other clips show rules and single units. Every synthetic face below is of a "
    "person who does not exist, at rest; no network here was trained on them.\n\n"
    "Intensities are on famaug's scale: 5 is a unit's full excursion on the AU basis. The same "
    "basis renders and measures, so famaug's own reading only shows that what was asked can be "
    "read back; it is no proof that another reader would see it. What others see stands first."
)


def write_page(
    out: Path,
    media: DemoInputs,
    made: list[Made],
    synthesizer: Synthesizer,
    loading: ReportTable,
    seconds: dict[str, float],
) -> dict[str, float | int | str | None]:
    """Write `out/report.html` and return the figures of the run."""
    pairs = [(m.plan.asked, m.measured.track) for m in made if m.measured is not None]
    result = agreement(pairs)
    still = [_background(m, synthesizer) for m in made]
    outside = [(m.title, _outside(m)) for m in made]
    page = write_report(
        out / "report.html",
        title="famaug demo",
        intro=(_REAL if media.real else _RENDERED) + _INTRO,
        headline=_headline(made, still, outside),
        clips=[_report_clip(m, synthesizer) for m in made],
        tables=[
            loading,
            outside_table(outside),
            *_judged(made),
            ReportTable(
                title="What may not move",
                columns=["clip", "pixels outside the face ring", "changed in any frame"],
                rows=[[m.title, *s] for m, s in zip(made, still, strict=True)],
                caption="Outside the ring round the face every frame is the identity's picture, "
                "bit for bit.",
            ),
        ],
        drawings=media.drawings,
        media=media.listed,
        timings=seconds,
        notes=media.notes,
    )
    return {
        "report": str(page),
        "cache": str(out / "cache"),
        "driver": "video" if media.real else "rendered",
        "clips": len(made),
        "r": None if result.r is None else round(result.r, 4),
        "background_changed": sum(s[1] for s in still),
        "blendshapes_asked": sum(len(found) for _, found in outside),
        "blendshapes_seen": sum(r.seen for _, found in outside for r in found),
        **{f"{k.lower().replace(' ', '_')}_s": round(v, 2) for k, v in seconds.items()},
    }


def _outside(made: Made) -> list[Reading]:
    if made.measured is None:
        return []
    onset, apex, _ = made.plan.key_frames
    return readings(made.plan.asked, made.measured, onset, apex)


def _headline(
    made: list[Made], still: list[tuple[int, int]], outside: list[tuple[str, list[Reading]]]
) -> list[tuple[str, str]]:
    """What readers that famaug did not make say, and what anybody can check."""
    found = [r for _, readings in outside for r in readings]
    figures = [
        (f"{sum(r.seen for r in found)} of {len(found)}", "asked units seen by Google's net")
    ]
    same = [m.quality.scores["identity_min"] for m in made if m.quality is not None
            and "identity_min" in m.quality.scores]  # fmt: skip
    if same:
        figures.append((f"{min(same):.2f}", "SFace: still the same person, worst frame"))
    figures.append((str(sum(s[1] for s in still)), "pixels changed outside the faces"))
    return figures


def _judged(made: list[Made]) -> list[ReportTable]:
    gate = Gate()
    clips = [
        JudgedClip(m.title, m.quality, gate.check(m.quality)) for m in made if m.quality is not None
    ]
    return [quality_table(clips)] if clips else []


def _background(made: Made, synthesizer: Synthesizer) -> tuple[int, int]:
    renderer = synthesizer.renderer(made.plan)
    if not isinstance(renderer, WarpRenderer):
        raise InputError("the demo's page is about the warp")
    ring = renderer.changed
    still = synthesizer.still(made.plan)
    different = (made.frames != still).any(axis=(0, 3))
    return int((~ring).sum()), int((different & ~ring).sum())


def _report_clip(made: Made, synthesizer: Synthesizer) -> ReportClip:
    mesh = synthesizer.renderer(made.plan).mesh
    return ReportClip.of(
        made.title,
        made.frames,
        made.plan,
        measured=made.measured.track if made.measured else None,
        driver_frames=made.driver_frames,
        notes=(*made.notes, *(made.measured.notes if made.measured else ())),
        provenance={"key": made.plan.key, "plan": _short(made.plan)},
        boxes=_boxes(mesh, made.frames.shape[1:3]),
        face=_box(mesh[:SKIN_POINTS], made.frames.shape[1:3], FACE_EDGE),
    )


def _short(plan: Plan) -> dict[str, object]:
    """The plan without its long arrays."""
    value = plan.to_json()
    value["track"] = f"{len(plan.track)} frames"
    value["identity"] = {k: v for k, v in plan.identity.items() if k != "mesh"}
    return value


def _boxes(mesh: Floats, shape: tuple[int, ...]) -> dict[str, Box]:
    parts = {
        "eyes and brows": (*LEFT_BROW, *RIGHT_BROW, *LEFT_LIDS, *RIGHT_LIDS),
        "mouth": OUTER_LIPS,
    }
    return {name: _box(mesh[list(points)], shape, DETAIL_EDGE) for name, points in parts.items()}


def _box(points: Floats, shape: tuple[int, ...], edge: float) -> Box:
    """A box round points `N 3`, wider by `edge` of its width on every side, within the picture."""
    p = points[:, :2]
    pad = edge * np.ptp(p[:, 0])
    low = np.clip(p.min(0) - pad, 0, None).astype(int)
    high = np.minimum(p.max(0) + pad, [shape[1], shape[0]]).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
