"""The table of weights that ship with famaug, as README has it; a test holds the two together."""

from __future__ import annotations

from famaug.weights.shipped import FILES, SHIPPED


def licence_rows() -> list[str]:
    """A row of Markdown a file: name and size, where it comes from, licence."""
    rows = []
    for shipped in SHIPPED.values():
        size = (FILES / shipped.file).stat().st_size / 1e6
        rows.append(f"| `{shipped.file}` ({size:.1f} MB) | {shipped.source} | {shipped.licence} |")
    return rows
