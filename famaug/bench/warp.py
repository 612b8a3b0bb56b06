"""What the warp renderer costs: once per face, and per frame of 256 x 256 pixels.

    python -c "import json, famaug.bench.warp as b; print(json.dumps(b.run(), indent=1))"

Medians, warm, on as many threads as PyTorch is set to use.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from famaug.bench.timing import in_turns
from famaug.faces.align import crop_face
from famaug.faces.mesher import FaceMesher
from famaug.generator.warp import WarpRenderer
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, Floats, Picture

SIZE = 256
FRAMES = 16
UNITS = (4, 6, 7, 10, 12, 25)


def run(
    *, picture: Picture | None = None, rounds: int = 15, device: str = "cpu"
) -> dict[str, dict[str, float]]:
    """Measures the renderer.

    Args:
        picture: a picture with a face; by default scikit-image's astronaut.
        rounds: how often each is measured.
        device: where frames are rendered.

    Returns:
        ratios: none. figures: cost_per_face_ms (from picture and mesh to a renderer ready to
        render), ms_per_frame (six units moving at once, 16 frames).

    Raises:
        FaceError: the picture shows no usable face.
    """
    source = _astronaut() if picture is None else picture
    crop, mesh, _ = crop_face(source, FaceMesher().find(source), SIZE)
    renderer = WarpRenderer(crop, mesh, device=device)
    track = _track()
    timed = in_turns(
        {
            "face": lambda: WarpRenderer(crop, mesh, device=device),
            "clip": lambda: renderer.render(track),
        },
        rounds,
        warm=2,
    )
    return {
        "ratios": {},
        "figures": {
            "cost_per_face_ms": timed["face"].wall,
            "ms_per_frame": timed["clip"].wall / FRAMES,
        },
    }


def _track() -> Floats:
    """Six units that rise and fall, each side a little differently."""
    track = np.zeros((FRAMES, 2, len(AU_INDEX)), np.float32)
    peaks = keyed_generator(0, "bench", "warp").uniform(0.5, 1.5, (2, len(UNITS)))
    rise = np.sin(np.linspace(0.05, 0.95, FRAMES) * np.pi)
    track[:, :, [AU_INDEX[au] for au in UNITS]] = rise[:, None, None] * peaks
    return track


def _astronaut() -> Picture:
    from skimage import data

    shipped: Any = data
    picture: Picture = shipped.astronaut()
    return picture
