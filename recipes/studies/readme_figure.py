"""The picture of the README: three expressions on three faces at rest, and what changes.

python recipes/studies/readme_figure.py --out docs/figures/expressions.webp
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from PIL import Image

from famaug import Synthesizer, samples
from famaug.report.strip import difference_strip, film_strip
from famaug.seeding import keyed_generator

SHOWN = (
    ("woman_32", "aus:1=1.5,2=1.5,5=1"),
    ("man_30", "aus:4=1.5,7=1"),
    ("woman_31", "aus:12L=1.5,6L=1"),
)
"""Sample face, and what it shows."""


def main(out: Annotated[Path, typer.Option(help="WebP to write.")]) -> None:
    """Surprise, a lowered brow, and a smile on the left side only; differences amplified."""
    synthesizer = Synthesizer(size=256)
    rows = []
    for name, text in SHOWN:
        plan = synthesizer.plan(text, samples.face(name), keyed_generator(1, "readme"))
        frames = synthesizer.render([plan])[0]
        apex, last = plan.key_frames[1], len(frames) - 1
        chosen = [0, apex // 2, apex, (apex + last) // 2, last]
        times: dict[str, Any] = {"onset": 0, "apex": apex, "offset": last, "fps": plan.fps}
        rows += [film_strip(frames, chosen, **times), difference_strip(frames, chosen, **times)]
    width = max(r.width for r in rows)
    sheet = Image.new("RGB", (width, sum(r.height for r in rows)), "white")
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.resize((width * 2 // 3, top * 2 // 3), Image.Resampling.LANCZOS).save(out, quality=88)


if __name__ == "__main__":
    typer.run(main)
