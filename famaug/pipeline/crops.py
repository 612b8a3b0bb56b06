"""How the face of a clip is cropped or framed."""

from __future__ import annotations

from typing import Any

import numpy as np

from famaug.clip_options import CROP, Size
from famaug.faces.framing import anchors
from famaug.faces.packed import unpacked_mesh
from famaug.look.look import Look

STEP = 64
"""Sides are multiples of it, so that a face is prepared for few of them."""


def framing_of(
    size: Size,
    driver: dict[str, Any],
    identity: dict[str, Any],
    look: Look | None,
    *,
    sharpened: bool,
) -> tuple[int | None, dict[str, Any] | None]:
    """Side of the crop, and the frame to put the face in, for one clip.

    Args:
        size, driver, identity: as of `Synthesizer` and its `plan_measured`.
        look: of the clip. sharpened: whether it is.
    """
    if size != "auto":
        return size, None
    if look is not None:  # it frames the face itself
        return (CROP if sharpened else crop_for(look, identity)), None
    if identity.get("dataset"):
        return None, None
    frame = driver.get("frame")
    return (CROP, None) if frame is None else (None, frame)


def crop_for(look: Look, identity: dict[str, Any]) -> int:
    """Side in pixels of a square crop in which the face is as large as the look shows it, but no
    larger than in its picture and never below `CROP`.

    Args:
        look: of the clip.
        identity: as `Synthesizer.find_face` gives it.
    """
    from famaug.faces.align import crop_transform  # torch

    mesh = unpacked_mesh(identity["mesh"])
    own = crop_transform(mesh, CROP).scale * CROP
    brow, mouth = anchors(mesh)
    height, width = look.size
    x, y = look.framing[2] - look.framing[0], look.framing[3] - look.framing[1]
    shown = float(np.hypot(x * width, y * height))
    needed = own * shown / max(float(np.hypot(*(mouth - brow))), 1e-6)
    return max(CROP, int(np.ceil(min(needed, own) / STEP)) * STEP)
