"""The figure of docs/generator.md: generators on sample faces, one below the other.

python recipes/studies/generator_figure.py docs/figures/generator.webp [--generators warp,FILE]
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image, ImageDraw

from famaug import samples
from famaug.faces.align import crop_face
from famaug.faces.mesher import FaceMesher
from famaug.generator.renderers import find_generator
from famaug.media.clips import read_picture
from famaug.modulation.rules import parse_expression
from famaug.report.lettering import centred
from famaug.seeding import keyed_generator

SHOWN = {
    "brows up": "aus:1=2.5,2=2.5",
    "frown": "aus:4=2.5",
    "smile": "aus:6=2,12=2.5",
    "left smile": "aus:12L=2.5",
    "jaw": "aus:25=2,26=2.5",
    "eyes shut": "aus:45=4",
}
SIDE = 256
LINE = 26


def main(
    out: Annotated[Path, typer.Argument(help="Picture to write.")],
    generators: Annotated[str, typer.Option(help="Comma-separated: warp, FILE.")] = "warp",
    faces: Annotated[str, typer.Option(help="Comma-separated sample faces.")] = (
        "woman_32,man_38_beard"
    ),
) -> None:
    """Draw it."""
    apexes = [
        drawn[drawn.sum((1, 2)).argmax()]
        for drawn in (
            parse_expression(rule).draw(keyed_generator(0, "figure"), fps=100).intensity
            for rule in SHOWN.values()
        )
    ]
    track = np.stack([np.zeros_like(apexes[0]), *apexes]).astype(np.float32)
    mesher, rows = FaceMesher(), []
    for name in faces.split(","):
        picture = read_picture(samples.face(name))
        crop, mesh, _ = crop_face(picture, mesher.find(picture), SIDE, margin=1.2)
        for generator in generators.split(","):
            renderer = find_generator(generator).renderer(crop, mesh, "cpu")
            rows.append(np.concatenate([*renderer.render(track)], 1))
    grid = np.concatenate(rows)
    sheet = Image.new("RGB", (grid.shape[1], grid.shape[0] + LINE), "white")
    sheet.paste(Image.fromarray(grid), (0, LINE))
    pen = ImageDraw.Draw(sheet)
    for i, title in enumerate(["at rest", *SHOWN]):
        centred(pen, i * SIDE, 5, SIDE, title, 15)
    sheet.save(out, quality=85)


if __name__ == "__main__":
    typer.run(main)
