"""What a plan that comes from elsewhere may say: checked before memory is taken for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from famaug.errors import RenderError
from famaug.faces.packed import unpacked_mesh
from famaug.files.limits import translated
from famaug.media.clips import MAX_CLIP_BYTES
from famaug.types import Floats, Plan

MAX_FRAME = 4096 * 4096
"""Pixels of one frame: rendering one takes about 60 bytes a pixel, and a clip has many."""


def identity_of(plan: Plan) -> tuple[str, Floats]:
    """Digest and mesh of a plan's identity."""
    found = plan.identity.get("digest"), plan.identity.get("mesh")
    if isinstance(found[0], str) and isinstance(found[1], str):
        with translated("the plan's mesh", RenderError):
            mesh = unpacked_mesh(found[1])
        if mesh.shape == (478, 3):
            return found[0], mesh
    raise RenderError(
        "the plan names no face: its identity lacks a digest, or a mesh of 478 points"
    )


def frame_in(frame: Any) -> tuple[tuple[int, int], list[float]]:
    """Height and width, and the place of the face, out of a plan's `params["frame"]`."""
    with translated("the plan's framing", RenderError):
        height, width = (int(n) for n in frame["size"])
        place = [float(v) for v in frame["place"]]
    if len(place) != 4 or not np.isfinite(place).all():
        raise RenderError(f"the plan frames its face as {place}")
    return (height, width), place


def check_room(plan: Plan, height: int, width: int) -> None:
    taken = len(plan.track) * height * width * 3
    if min(height, width) < 1 or height * width > MAX_FRAME or taken > MAX_CLIP_BYTES:
        raise RenderError(
            f"{len(plan.track)} frames of {width} x {height} pixels were asked for; up to "
            f"{MAX_FRAME / 1e6:.1f} million pixels a frame and {MAX_CLIP_BYTES >> 30} GiB a clip "
            "are rendered: give a size (--size 1024), or a smaller picture"
        )
