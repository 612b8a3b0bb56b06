"""The report: one HTML file that needs nothing but itself.

Pictures, drawings and style are inlined; there is no script, no font and no address to load, and a
content policy in the page forbids any. Text from outside is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from famaug.files.whole import write_whole
from famaug.quality.agreement import Agreement, agreement
from famaug.report.clip_view import clip_view
from famaug.report.curves import agreement_scatter
from famaug.report.lettering import Figure, picture_figure, svg_figure
from famaug.report.quality import agreement_table
from famaug.report.values import Cell, ReportClip, ReportDrawing, ReportMedia, ReportTable

TEMPLATES = Path(__file__).with_name("templates")
_THUMBNAIL = 320


def write_report(
    path: str | Path,
    *,
    title: str,
    intro: str,
    clips: Sequence[ReportClip],
    tables: Sequence[ReportTable] = (),
    drawings: Sequence[ReportDrawing] = (),
    media: Sequence[ReportMedia] = (),
    timings: Mapping[str, float] | None = None,
    notes: Sequence[str] = (),
    headline: Sequence[tuple[str, str]] = (),
) -> Path:
    """Write the page and return its path; an earlier page stays until the new one is complete.

    Args:
        path: the HTML file to write; its folder is made.
        title: heading of the page.
        intro: what this is, plain text; an empty line starts a new paragraph.
        clips: the synthetic clips. Those measured again are also pooled into one table of every
            unit and one scatter figure.
        tables: further tables (background check, data loader, ...).
        drawings: further figures, each with a heading, before the clips.
        media: what went in, with licence and source.
        timings: seconds by stage, in the order to be shown.
        notes: what fell short, one sentence or paragraph each.
        headline: (figure, what it is), shown large before famaug's own readings.

    Raises:
        TrackError: a clip's tracks are on two intensity scales.
        OSError: the file cannot be written; nothing half-written is left.
    """
    pairs = [(c.asked, c.measured) for c in clips if c.measured is not None]
    pooled = agreement(pairs) if pairs else None
    scatter = None
    if pooled is not None:
        alt = "Asked against re-measured AU intensities of all clips"
        scatter = svg_figure(agreement_scatter(pairs), alt=alt)
        tables = [*tables, agreement_table(pooled)]  # famaug's own reading comes last
    return write_page(
        path,
        "report.html",
        title=title,
        intro=intro,
        figures=_headline(len(clips), headline, pooled, timings or {}),
        clips=[clip_view(clip) for clip in clips],
        scatter=scatter,
        tables=[_table_view(table) for table in tables],
        drawings=[(d, svg_figure(d.drawing, alt=d.caption)) for d in drawings],
        media=[(item, _thumbnail(item)) for item in media],
        timings=_timing_rows(timings or {}),
        notes=notes,
    )


def write_page(
    path: str | Path, template: str, *, intro: str, folder: Path | None = None, **values: Any
) -> Path:
    """Fills a template of this room, or of `folder`, and writes the page whole or not at all.

    Text from outside is escaped; `intro` is plain text, an empty line starts a new paragraph.
    """
    environment = Environment(
        loader=FileSystemLoader([TEMPLATES, *([] if folder is None else [folder])]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    paragraphs = [p.strip() for p in intro.split("\n\n") if p.strip()]
    write_whole(Path(path), environment.get_template(template).render(intro=paragraphs, **values))
    return Path(path)


def _headline(
    count: int,
    given: Sequence[tuple[str, str]],
    pooled: Agreement | None,
    timings: Mapping[str, float],
) -> list[tuple[str, str]]:
    """(value, what it is) of the figures at the top of the page."""
    figures = [(str(count), "synthetic clip" if count == 1 else "synthetic clips"), *given]
    if pooled is not None:
        figures += [
            (_number(pooled.r), "r, asked to read again by famaug itself"),
            (_number(pooled.r_sides), "the same, left minus right"),
        ]
    if timings:
        figures.append((_seconds(sum(timings.values())), "in all"))
    return figures


def _thumbnail(item: ReportMedia) -> Figure | None:
    if item.picture is None:
        return None
    image = Image.fromarray(item.picture)
    image.thumbnail((_THUMBNAIL, _THUMBNAIL), Image.Resampling.LANCZOS)
    return picture_figure(image, alt=f"{item.name}, used as {item.role}")


def _timing_rows(timings: Mapping[str, float]) -> list[tuple[str, str, int]]:
    """(stage, time, percent of the slowest stage)."""
    slowest = max(timings.values(), default=0.0) or 1.0
    return [(name, _seconds(s), round(100 * s / slowest)) for name, s in timings.items()]


def _table_view(table: ReportTable) -> dict[str, Any]:
    """Cells as (text, is a number), so that numbers line up on the right."""
    numeric = [
        any(isinstance(row[k], int | float) for row in table.rows)
        and all(not isinstance(row[k], str) for row in table.rows)
        for k in range(len(table.columns))
    ]
    return {
        "title": table.title,
        "caption": table.caption,
        "legend": table.legend,
        "notes": table.notes,
        "picture": None
        if table.picture is None
        else picture_figure(Image.fromarray(table.picture), alt=table.picture_says),
        "columns": list(zip(table.columns, numeric, strict=True)),
        "rows": [
            [(_text(cell), right) for cell, right in zip(row, numeric, strict=True)]
            for row in table.rows
        ],
    }


def _text(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return str(cell) if isinstance(cell, int) else _number(cell)


def _number(value: float | None) -> str:
    """Two decimals with a true minus sign; a dash for nothing."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:.2f}"
    return ("0.00" if text == "-0.00" else text).replace("-", "−")


def _seconds(value: float) -> str:
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    minutes, seconds = divmod(round(value), 60)
    return f"{minutes} min {seconds} s"
