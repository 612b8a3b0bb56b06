"""Quality scores, and agreement of asked and re-measured AUs, as tables of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from famaug.aus.names import FACS_NAMES
from famaug.quality.agreement import Agreement, UnitAgreement
from famaug.quality.gate import AT_LEAST
from famaug.quality.judge import MEANING, Quality
from famaug.report.values import Cell, ReportClip, ReportTable
from famaug.types import Frames, Plan

WEAK_R, WEAK_SIDES, FALSE_FROM = 0.8, 0.5, 0.1
"""Below these correlations, or above this false reading, words say so."""
LOW_GAIN, HIGH_GAIN = 0.67, 1.33
"""Read less, or more, than so many times as strong as asked: words say so."""
SLIGHT = 0.3
"""A unit asked below this leaves too little to judge by, and the words say that instead."""


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
    return ReportClip.of(
        clip.name,
        frames,
        plan,
        measured=clip.quality.measured,
        notes=clip.reasons,
        provenance={"key": plan.key, "quality": dict(clip.quality.scores)},
    )


def _worst(name: str, values: Sequence[float]) -> float:
    return min(values) if name in AT_LEAST else max(values)


def agreement_table(result: Agreement, *, title: str = "Every action unit") -> ReportTable:
    """The numbers of every unit, none hidden, with all units together in the last row."""
    columns = (
        "Unit",
        "What it does",
        "Peak asked",
        "r",
        "r left − right",
        "Gain",
        "Mean abs. error",
        "False reading",
    )
    rows: list[tuple[str | float | None, ...]] = [
        (
            f"AU{u.au:02d}",
            FACS_NAMES[u.au],
            u.asked_peak or None,
            u.r,
            u.r_sides,
            u.gain,
            u.mae,
            u.false_reading,
        )
        for u in result.units
    ]
    peak = max(u.asked_peak for u in result.units)
    rows.append(
        ("All", "", peak or None, result.r, result.r_sides, None, result.mae, result.false_reading)
    )
    return ReportTable(
        title=title,
        columns=columns,
        rows=rows,
        caption="Asked against re-measured intensities (0–5), pooled over clips, frames and "
        "sides. A unit that was never asked has no r; its false reading is the mean intensity "
        "read in the clips in which it was not asked. Gain: how many times as strong as asked.",
        notes=weaknesses(result),
    )


def weaknesses(result: Agreement) -> list[str]:
    """What must not be passed over in these figures, as sentences, the kinds together."""
    asked = [u for u in result.units if u.asked_peak]
    badly = [u for u in asked if u.r is None or u.r < WEAK_R]
    faint = [u for u in badly if u.asked_peak < SLIGHT]
    gains = [u for u in asked if u not in badly and u.gain is not None]
    kinds = (
        (
            "Read back badly",
            [f"{_name(u)} r {_two(u.r)}" for u in badly if u not in faint],
            "what was asked is hardly to be seen, or is taken for another unit",
        ),
        (
            f"Asked too faintly to judge (under {SLIGHT})",
            [f"{_name(u)} r {_two(u.r)}" for u in faint],
            "the reading's noise weighs as much as what was asked",
        ),
        (
            "Read weaker than asked",
            [f"{_name(u)} {_two(u.gain)} times" for u in gains if (u.gain or 0) < LOW_GAIN],
            "",
        ),
        (
            "Read stronger than asked",
            [f"{_name(u)} {_two(u.gain)} times" for u in gains if (u.gain or 0) > HIGH_GAIN],
            "",
        ),
        (
            "Sides not told apart (r of left minus right)",
            [
                f"{_name(u)} {_two(u.r_sides)}"
                for u in asked
                if u not in faint and u.r_sides is not None and u.r_sides < WEAK_SIDES
            ],
            "the difference that was asked is small, or the reading gives both sides the same",
        ),
        (
            "Read where it was not asked, on average",
            [
                f"{_name(u)} {_two(u.false_reading)}"
                for u in result.units
                if (u.false_reading or 0) > FALSE_FROM
            ],
            "",
        ),
    )
    return [
        f"{kind}: {', '.join(units)}{'; ' + why if why else ''}."
        for kind, units, why in kinds
        if units
    ]


def _name(unit: UnitAgreement) -> str:
    return f"AU{unit.au:02d} ({FACS_NAMES[unit.au]})"


def _two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace("-", "−")
