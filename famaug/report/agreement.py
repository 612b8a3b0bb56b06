"""Agreement of asked and re-measured AUs as a table of the report."""

from __future__ import annotations

from famaug.quality.agreement import Agreement, UnitAgreement
from famaug.report.values import FACS_NAMES, ReportTable

WEAK_R, WEAK_SIDES, FALSE_FROM = 0.8, 0.5, 0.1
"""Below these correlations, or above this false reading, words say so."""
LOW_GAIN, HIGH_GAIN = 0.67, 1.33
"""Read less, or more, than so many times as strong as asked: words say so."""
SLIGHT = 0.3
"""A unit asked below this leaves too little to judge by, and the words say that instead."""


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
        notes=[line for unit in result.units for line in weaknesses(unit)],
    )


def weaknesses(unit: UnitAgreement) -> list[str]:
    """What of a unit's figures must not be passed over, as sentences."""
    name = f"AU{unit.au:02d} ({FACS_NAMES[unit.au]})"
    found = []
    if unit.asked_peak and unit.r is not None and unit.r < WEAK_R:
        why = (
            "so little was asked that noise of the reading weighs as much."
            if unit.asked_peak < SLIGHT
            else "what was asked is hardly to be seen, or is taken for another unit."
        )
        found.append(
            f"{name} is read back badly, r {unit.r:.2f} at up to {unit.asked_peak:.1f}: {why}"
        )
    elif unit.gain is not None and not LOW_GAIN <= unit.gain <= HIGH_GAIN:
        found.append(f"{name} is read {unit.gain:.1f} times as strong as it was asked.")
    if unit.r_sides is not None and unit.r_sides < WEAK_SIDES:
        found.append(
            f"{name}: the sides are not told apart (r of left minus right {unit.r_sides:.2f}); "
            "the difference that was asked is small, or the reading gives both sides the same."
        )
    if unit.false_reading is not None and unit.false_reading > FALSE_FROM:
        found.append(
            f"{name} is read where it was not asked, by {unit.false_reading:.2f} on average."
        )
    return found
