"""The demo's page: every clip with its curves, what may not move, the loader, the timings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from famaug.aus.estimator import Measurement
from famaug.demo.media import Media
from famaug.errors import InputError
from famaug.faces.landmarks import LEFT_BROW, LEFT_LIDS, OUTER_LIPS, RIGHT_BROW, RIGHT_LIDS
from famaug.generator.warp import WarpRenderer
from famaug.pipeline import Synthesizer
from famaug.quality.agreement import agreement
from famaug.quality.gate import Gate
from famaug.quality.judge import Quality
from famaug.report.page import write_report
from famaug.report.quality import JudgedClip, phases, quality_table
from famaug.report.values import Box, ReportClip, ReportTable
from famaug.types import AUTrack, Floats, Frames, Plan


@dataclass
class Made:
    """One synthetic clip on its way to the page."""

    title: str
    plan: Plan
    driver_frames: Frames | None
    frames: Frames
    measured: Measurement | None = None
    quality: Quality | None = None


_INTRO = (
    "A real micro-expression goes in, the same micro-expression on another face comes out. Each "
    "clip below was planned from a driver (a video, or a rule), rendered on a face that never "
    "made that expression, stored, and measured again from its pixels alone.\n\n"
    "Intensities are on famaug's scale: 5 is a unit's full excursion on the AU basis. The same "
    "basis renders and measures here, so the agreement shows that what was asked is visible and "
    "can be read back, not that another estimator would read the same numbers."
)


def write_page(
    out: Path,
    media: Media,
    made: list[Made],
    synthesizer: Synthesizer,
    loading: ReportTable,
    seconds: dict[str, float],
) -> dict[str, float | int | str | None]:
    """Write `out/report.html` and return the figures of the run."""
    pairs = [(_asked(m), m.measured.track) for m in made if m.measured is not None]
    result = agreement(pairs)
    still = [_background(m, synthesizer) for m in made]
    page = write_report(
        out / "report.html",
        title="famaug demo",
        intro=_INTRO,
        clips=[_report_clip(m, synthesizer) for m in made],
        tables=[
            ReportTable(
                title="What may not move",
                columns=["clip", "pixels outside the face ring", "changed in any frame"],
                rows=[[m.title, *s] for m, s in zip(made, still, strict=True)],
                caption="Outside the ring round the face every frame is the identity's picture, "
                "bit for bit.",
            ),
            *_judged(made),
            loading,
        ],
        drawings=media.drawings,
        media=media.listed,
        timings=seconds,
        notes=media.notes,
    )
    return {
        "report": str(page),
        "cache": str(out / "cache"),
        "clips": len(made),
        "r": None if result.r is None else round(result.r, 4),
        "background_changed": sum(s[1] for s in still),
        **{f"{k.lower().replace(' ', '_')}_s": round(v, 2) for k, v in seconds.items()},
    }


def _asked(made: Made) -> AUTrack:
    return AUTrack.of(made.plan.intensity, estimator="asked", fps=made.plan.fps)


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
    onset, apex, offset = phases(made.plan.intensity)
    return ReportClip(
        title=made.title,
        frames=made.frames,
        fps=made.plan.fps,
        asked=_asked(made),
        measured=made.measured.track if made.measured else None,
        onset=onset,
        apex=apex,
        offset=offset,
        driver_frames=made.driver_frames,
        notes=made.measured.notes if made.measured else (),
        provenance={"key": made.plan.key, "plan": _short(made.plan)},
        boxes=_boxes(synthesizer.renderer(made.plan).mesh, made.frames.shape[1:3]),
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
    boxes = {}
    for name, points in parts.items():
        p = mesh[list(points), :2]
        pad = 0.18 * np.ptp(p[:, 0])
        low = np.clip(p.min(0) - pad, 0, None).astype(int)
        high = np.minimum(p.max(0) + pad, [shape[1], shape[0]]).astype(int)
        boxes[name] = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    return boxes
