"""The figure of docs/skin.md: single AUs with and without skin, on a public-domain portrait.

python recipes/studies/skin_figure.py docs/figures/skin.webp
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image, ImageDraw
from skimage.data import astronaut

from famaug.faces.align import crop_face
from famaug.faces.mesher import FaceMesher
from famaug.generator.warp import WarpRenderer
from famaug.report.lettering import centred
from famaug.types import AU_INDEX, AUS

SHOWN = (4, 6, 9, 10, 12, 17)
LEVEL = 2.5
SIDE = 288


def main(out: Annotated[Path, typer.Argument(help="Picture to write.")]) -> None:
    """Draw it."""
    picture = np.asarray(astronaut())
    crop, mesh, _ = crop_face(picture, FaceMesher().find(picture), SIDE, margin=1.15)
    rows = []
    for skin in (0.0, 1.0):
        renderer = WarpRenderer(crop, mesh, skin=skin)
        track = np.zeros((len(SHOWN) + 1, 2, len(AUS)), np.float32)
        for row, au in enumerate(SHOWN, start=1):
            track[row, :, AU_INDEX[au]] = LEVEL
        rows.append(np.concatenate(list(renderer.render(track)), 1))
    grid = np.concatenate(rows)
    sheet = Image.new("RGB", (grid.shape[1], grid.shape[0] + 26), "white")
    sheet.paste(Image.fromarray(grid), (0, 26))
    pen = ImageDraw.Draw(sheet)
    for i, name in enumerate(["at rest", *(f"AU{au:02d} at {LEVEL:g}" for au in SHOWN)]):
        centred(pen, i * SIDE, 5, SIDE, name, 15)
    sheet.save(out, quality=88)


if __name__ == "__main__":
    typer.run(main)
