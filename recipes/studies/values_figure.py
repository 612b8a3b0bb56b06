"""The figure of docs/values.md: one clip as `famaug.plot` draws it.

python recipes/studies/values_figure.py docs/figures/values.webp
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated

import typer
from matplotlib.figure import Figure
from PIL import Image

from famaug import Clip, Provenance, Synthesizer, plot, samples
from famaug.data.known import synthetic_ref
from famaug.seeding import keyed_generator

SHOWN = ("woman_31", "aus:12L=1.5,6L=1,25=0.6")
"""Sample face, and what it shows: a smile that is on the left side only."""


def main(out: Annotated[Path, typer.Argument(help="WebP to write.")], size: int = 224) -> None:
    """AU curves, film strip, difference to the onset, optical flow."""
    synthesizer = Synthesizer(size=size)
    face, text = SHOWN
    plan = synthesizer.plan(text, samples.face(face), keyed_generator(1, "values"))
    (frames,) = synthesizer.render([plan])
    story = Provenance.of(plan, "", "", None)
    clip = Clip(synthetic_ref(story, plan.key, len(frames)), frames)
    figures = [plot.track(plan.asked), plot.strip(clip), plot.difference(clip), plot.flow(clip)]
    parts = [picture_of(figure) for figure in figures]
    sheet = Image.new("RGB", (max(p.width for p in parts), sum(p.height for p in parts)), "white")
    top = 0
    for part in parts:
        sheet.paste(part, (0, top))
        top += part.height
    sheet.save(out, quality=86)


def picture_of(figure: Figure) -> Image.Image:
    """A figure's own pixels."""
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return Image.open(out).convert("RGB")


if __name__ == "__main__":
    typer.run(main)
