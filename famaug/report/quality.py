"""Quality scores as tables of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from famaug.quality.gate import AT_LEAST
from famaug.quality.judge import MEANING, Quality
from famaug.report.values import Cell, ReportClip, ReportTable
from famaug.types import Frames, Plan


@dataclass(frozen=True, eq=False)
class JudgedClip:
    """A clip's name, its scores, and why the gate rejects it (empty when it passes)."""

    name: str
    quality: Quality
    reasons: tuple[str, ...]


def quality_table(clips: Sequence[JudgedClip]) -> ReportTable:
    """A row a clip, then the median and the worst of each score."""
    names = [n for n in MEANING if any(n in c.quality.scores for c in clips)]
    rows: list[list[Cell]] = [
        [c.name, "; ".join(c.reasons) or "passes", *(c.quality.scores.get(n) for n in names)]
        for c in clips
    ]
    if len(clips) > 1:
        columns = [[c.quality.scores[n] for c in clips if n in c.quality.scores] for n in names]
        passed = sum(not c.reasons for c in clips)
        verdict = f"{passed} of {len(clips)} pass"
        rows.append(["median", verdict, *(float(np.median(v)) for v in columns)])
        rows.append(["worst", "", *map(_worst, names, columns)])
    return ReportTable(
        title="Quality of the clips",
        columns=["clip", "gate", *(n.replace("_", " ") for n in names)],
        rows=rows,
        legend=[(n.replace("_", " "), MEANING[n]) for n in names],
    )


def missing_lines(clips: Sequence[JudgedClip]) -> list[str]:
    """Which scores could not be had, of how many clips, and why: a line for each reason."""
    found: dict[str, dict[str, int]] = {}
    for clip in clips:
        for name, why in clip.quality.missing.items():
            found.setdefault(why, {}).setdefault(name, 0)
            found[why][name] += 1
    return [
        f"{', '.join(names)} missing for {max(names.values())} of {len(clips)} clips: {why}"
        for why, names in found.items()
    ]


def report_clip(clip: JudgedClip, frames: Frames, plan: Plan) -> ReportClip:
    """A judged clip as the report shows it."""
    onset, apex, offset = plan.key_frames
    return ReportClip(
        title=clip.name,
        frames=frames,
        fps=plan.fps,
        asked=plan.asked,
        measured=clip.quality.measured,
        onset=onset,
        apex=apex,
        offset=offset,
        notes=clip.reasons,
        provenance={"key": plan.key, "quality": dict(clip.quality.scores)},
    )


def _worst(name: str, values: Sequence[float]) -> float:
    return min(values) if name in AT_LEAST else max(values)
