"""Every AU on six kinds of faces, to judge by eye: at rest beside each of the 17 at one intensity.

    python recipes/studies/expression_sheet.py docs/figures
    python recipes/studies/expression_sheet.py results/sheets --faces FOLDER --level 1

Without --faces these are five of the faces that ship with famaug (young and old, light and dark,
bearded, with glasses) and NASA's portrait of Eileen Collins, who smiles at rest (public domain).
Writes aus_00.webp, aus_01.webp and so on, a face each. `docs/figures/aus_before.webp` is the first
of them as commit 16bde73 drew it (`warp/3`), before lids, mouths and folds were made anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image, ImageDraw
from skimage.data import astronaut

from famaug import samples
from famaug.faces.align import crop_face
from famaug.faces.mesher import FaceMesher
from famaug.generator.warp import WarpRenderer
from famaug.media.clips import frame_paths, read_picture
from famaug.report.lettering import centred
from famaug.types import AUS, Picture

SHOWN = ("woman_31", "man_87", "man_38_beard", "man_55_glasses", "woman_32")
COLUMNS, LABEL = 6, 20


def main(
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    faces: Annotated[Path | None, typer.Option(help="Folder of faces instead.")] = None,
    level: Annotated[float, typer.Option(help="Intensity of each AU, both sides.")] = 2.5,
    side: Annotated[int, typer.Option(help="Side of a picture on the sheet, pixels.")] = 188,
    quality: Annotated[int, typer.Option(help="Of the WebP files.")] = 48,
) -> None:
    """Draw the sheets."""
    out.mkdir(parents=True, exist_ok=True)
    mesher = FaceMesher()
    for number, picture in enumerate(_pictures(faces)):
        crop, mesh, _ = crop_face(picture, mesher.find(picture), 2 * side, margin=1.15)
        track = np.zeros((len(AUS) + 1, 2, len(AUS)), np.float32)
        for row in range(len(AUS)):
            track[row + 1, :, row] = level
        frames = WarpRenderer(crop, mesh).render(track)
        path = out / f"aus_{number:02d}.webp"
        _sheet(list(frames), level, side).save(path, quality=quality, method=6)
        print(path)


def _pictures(folder: Path | None) -> Iterator[Picture]:
    if folder is not None:
        yield from (read_picture(path) for path in frame_paths(folder))
        return
    yield from (read_picture(samples.face(name)) for name in SHOWN)
    yield np.asarray(astronaut())


def _sheet(frames: list[Picture], level: float, side: int) -> Image.Image:
    rows = -(-len(frames) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * side, rows * (side + LABEL)), "white")
    pen = ImageDraw.Draw(sheet)
    names = ["at rest", *(f"AU{au:02d} at {level:g}" for au in AUS)]
    for i, (frame, name) in enumerate(zip(frames, names, strict=True)):
        x, y = i % COLUMNS * side, i // COLUMNS * (side + LABEL)
        centred(pen, x, y + 3, side, name, 13)
        small = Image.fromarray(frame).resize((side, side), Image.Resampling.LANCZOS)
        sheet.paste(small, (x, y + LABEL))
    return sheet


if __name__ == "__main__":
    typer.run(main)
