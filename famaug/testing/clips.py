"""Small clips made of formulas: no files, no network, the same bytes everywhere."""

from __future__ import annotations

import numpy as np

from famaug.errors import InputError
from famaug.seeding import keyed_generator
from famaug.types import Clip, ClipRef

_WAVES = 12


def make_clip(
    seed: int,
    *,
    frames: int = 8,
    size: tuple[int, int] = (64, 64),
    shift: tuple[float, float] = (0.0, 0.0),
    dataset: str = "made",
    subject: str = "s1",
    fps: float = 100.0,
) -> Clip:
    """A smooth colour pattern that slides by an exact fraction of a pixel a frame.

    Args:
        seed: of the pattern.
        frames: how many, at least 1.
        size: height and width, at least 8.
        shift: movement a frame, (right, down) in pixels.
        dataset: of the clip's reference; its name is "clipSEED".
        subject: of the reference.
        fps: frame rate of the reference.

    Raises:
        InputError: no frames, or under 8 pixels.
    """
    height, width = size
    if frames < 1 or min(size) < 8:
        raise InputError(f"a clip needs frames >= 1 and size >= 8; got {frames} and {size}")
    draw = keyed_generator(seed, "make-clip")
    frequency = draw.uniform(-0.5, 0.5, (_WAVES, 2))
    phase = draw.uniform(0, 2 * np.pi, (_WAVES, 3))
    strength = 55 / (1 + 6 * np.linalg.norm(frequency, axis=1))
    t, y, x = np.meshgrid(np.arange(frames), np.arange(height), np.arange(width), indexing="ij")
    x, y = x - shift[0] * t, y - shift[1] * t
    picture = np.full((*t.shape, 3), 128.0)
    for (fx, fy), p, s in zip(frequency, phase, strength, strict=True):
        picture += s * np.cos((fx * x + fy * y)[..., None] + p)
    ref = ClipRef(dataset=dataset, subject=subject, clip=f"clip{seed}", fps=fps)
    return Clip(ref, np.clip(np.round(picture), 0, 255).astype(np.uint8))
