"""Agreement of asked and re-measured AUs as a table of the report."""

from __future__ import annotations

from famaug.quality.agreement import Agreement
from famaug.report.values import FACS_NAMES, ReportTable


def agreement_table(result: Agreement, *, title: str = "Every action unit") -> ReportTable:
    """The numbers of every unit, none hidden, with all units together in the last row."""
    columns = (
        "Unit",
        "What it does",
        "Peak asked",
        "r",
        "r left − right",
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
            u.mae,
            u.false_reading,
        )
        for u in result.units
    ]
    peak = max(u.asked_peak for u in result.units)
    rows.append(
        ("All", "", peak or None, result.r, result.r_sides, result.mae, result.false_reading)
    )
    return ReportTable(
        title=title,
        columns=columns,
        rows=rows,
        caption="Asked against re-measured intensities (0–5), pooled over clips, frames and "
        "sides. A unit that was never asked has no r; its false reading is the mean intensity "
        "read in the clips in which it was not asked.",
    )
