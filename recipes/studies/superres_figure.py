"""The figure of docs/superres.md: one face of 128 pixels, sharpened by several networks.

    python recipes/studies/superres_figure.py docs/figures/superres.webp
    python recipes/studies/superres_figure.py out.png --models compact results/sharpener.safetensors

The portrait is scikit-image's (Eileen Collins, NASA, public domain). Columns: the source enlarged
plainly, bicubic, and each network; rows: the whole, an eye, the mouth.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from famaug.commands.terminal import run
from famaug.faces.align import crop_face
from famaug.faces.mesher import FaceMesher
from famaug.superres.upscale import Upscaler
from famaug.types import Picture

SIDE, PANEL, TITLE = 128, 256, 22
EYE, MOUTH = (33, 133), (61, 291)
"""Mesh points: corners of the person's right eye and of the mouth."""


def main() -> int:
    arguments = parse_arguments()
    from skimage.data import astronaut

    portrait = np.asarray(astronaut(), np.uint8)
    crop, mesh, _ = crop_face(portrait, FaceMesher().find(portrait), SIDE)
    columns = {"source": enlarged(crop, cv2.INTER_NEAREST)}
    columns["bicubic"] = enlarged(crop, cv2.INTER_CUBIC)
    for model in arguments.models:
        columns[Path(model).stem] = Upscaler(model).picture(crop)
    scale = 4
    boxes = [(0, 0, SIDE * scale)]
    for corners in (EYE, MOUTH):
        points = mesh[list(corners), :2] * scale
        side = int(np.ptp(points[:, 0]) * 1.6)
        middle = points.mean(0)
        boxes.append((int(middle[0] - side / 2), int(middle[1] - side / 2), side))
    sheet = Image.new("RGB", (PANEL * len(columns), TITLE + PANEL * len(boxes)), "white")
    draw = ImageDraw.Draw(sheet)
    for i, (name, picture) in enumerate(columns.items()):
        draw.text((i * PANEL + 6, 5), name, fill="black")
        for j, (x, y, side) in enumerate(boxes):
            part = Image.fromarray(picture[y : y + side, x : x + side])
            how = Image.Resampling.NEAREST if name == "source" else Image.Resampling.BICUBIC
            sheet.paste(part.resize((PANEL, PANEL), how), (i * PANEL, TITLE + j * PANEL))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(arguments.out, quality=88)
    return 0


def enlarged(picture: Picture, how: int) -> Picture:
    return np.asarray(cv2.resize(picture, None, fx=4, fy=4, interpolation=how), np.uint8)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--models", nargs="*", default=["compact", "faces", "realsr", "realesrgan"])
    return parser.parse_args()


if __name__ == "__main__":
    run(main, "superres_figure")
