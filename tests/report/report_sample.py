"""A clip of known motion: the astronaut (public domain, from scikit-image), smiling more."""

from __future__ import annotations

import cv2
import numpy as np
from skimage.data import astronaut

from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, AUS, LEFT, RIGHT, AUTrack, Frames, Picture

ONSET, APEX, OFFSET = 4, 22, 50
COUNT, FPS = 56, 100.0
# Mouth corners (x, y) of the crop below; the person's left is on the right of the picture.
CORNERS = {LEFT: (158, 146), RIGHT: (106, 144)}
BOXES = {"eyes and brows": (70, 62, 194, 108), "mouth": (92, 120, 172, 166)}


def face() -> Picture:
    """uint8 `256 256 3`."""
    return np.ascontiguousarray(astronaut()[10:266, 88:344])


def envelope() -> np.ndarray:
    """float `COUNT`: 0 at the onset, 1 at the apex, 0 at the offset."""
    x = np.interp(np.arange(COUNT), [ONSET, APEX, OFFSET], [0, 1, 0])
    return np.asarray((1 - np.cos(np.pi * x)) / 2)


def lifted(picture: Picture, amount: dict[int, float]) -> Picture:
    """The picture with each mouth corner moved up and outward by that many pixels.

    The bump has a hard end, so that what lies outside stays bit-identical.
    """
    y, x = np.mgrid[:256, :256].astype(np.float32)
    dx, dy = np.zeros_like(x), np.zeros_like(y)
    for side, pixels in amount.items():
        cx, cy = CORNERS[side]
        r2 = ((x - cx) / 44) ** 2 + ((y - cy) / 36) ** 2
        bump = np.where(r2 < 1, (1 - r2).clip(0) ** 2, 0) * pixels
        dx += bump * (-0.6 if side == LEFT else 0.6)
        dy += bump * 0.8
    moved = cv2.remap(picture, x + dx, y + dy, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    still = (dx == 0) & (dy == 0)
    moved[still] = picture[still]
    return moved


def tracks(seed: int = 0) -> tuple[AUTrack, AUTrack]:
    """Asked: AU12 (left stronger), AU06, AU25; measured: the same with noise, a gap and AU14."""
    rise = envelope()
    asked = np.zeros((COUNT, 2, len(AUS)), np.float32)
    for au, left, right in ((12, 1.8, 1.2), (6, 0.9, 0.8), (25, 0.5, 0.5), (2, 0.3, 0.3)):
        asked[:, LEFT, AU_INDEX[au]] = left * rise
        asked[:, RIGHT, AU_INDEX[au]] = right * rise
    noise = keyed_generator(seed, "report sample").normal(0, 0.04, asked.shape)
    measured = (0.93 * asked + noise).clip(0)
    measured[..., AU_INDEX[14]] += 0.55 * rise[:, None]
    measured[30:33] = np.nan
    return (
        AUTrack.of(asked, estimator="rule/1", fps=FPS),
        AUTrack.of(measured, estimator="mesh-flow/1", fps=FPS),
    )


def smile() -> Frames:
    """uint8 `COUNT 256 256 3`."""
    picture = face()
    frames = [lifted(picture, {LEFT: 6.0 * w, RIGHT: 4.0 * w}) for w in envelope()]
    return np.stack(frames)
