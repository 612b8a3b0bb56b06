"""What sharpening did to AUs: tracks measured before and after."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import cv2
import numpy as np

from famaug.aus.flow_and_points import measure_aus
from famaug.errors import FaceError, SmallFaceWarning
from famaug.faces.mesher import FaceMesher
from famaug.types import AU_NAMES, SIDES, Floats, Frames

SMALL_FACE = 128
"""Pixels: below, the public networks redraw eyes and teeth."""


@dataclass(frozen=True)
class AUChange:
    """How far AUs moved.

    Attributes:
        mean: mean absolute difference over all frames, sides and units, intensity 0-5.
        largest: the largest difference of a unit on a side, as its mean over time.
        unit: which, as "AU12 left".
        face: larger side of the face in the source, in pixels.
        frames: how many could be compared.
    """

    mean: float
    largest: float
    unit: str
    face: float
    frames: int

    def to_json(self) -> dict[str, float | int | str]:
        return {
            "mean": round(self.mean, 4),
            "largest": round(self.largest, 4),
            "unit": self.unit,
            "face_px": round(self.face, 1),
            "frames": self.frames,
        }

    def __str__(self) -> str:
        return (
            f"AUs changed by {self.mean:.3f} on average (0-5), most {self.unit} by "
            f"{self.largest:.3f}; {self.frames} frames, face of {self.face:.0f} px"
        )


def au_change(
    before: Frames, after: Frames, *, neutral: int = 0, mesher: FaceMesher | None = None
) -> AUChange:
    """AUs of a clip before and after sharpening, both at the size after it.

    A clip is measured twice, each against its own neutral frame. A single picture is measured
    once: what the sharpened one shows against the source, enlarged plainly, as its neutral face.

    Args:
        before, after: uint8 RGB `T H W 3`; `after` may be larger.
        neutral: number of the neutral frame.
        mesher: a `FaceMesher` to use again.

    Raises:
        FaceError: no usable face.

    Warns:
        SmallFaceWarning: the face is under 128 pixels.
    """
    mesher = mesher or FaceMesher()
    height, width = after.shape[1:3]
    shrink = before.shape[1] / height
    how = cv2.INTER_CUBIC if shrink < 1 else cv2.INTER_AREA
    plain = np.stack([cv2.resize(f, (width, height), interpolation=how) for f in before])
    if len(before) == 1:
        found = measure_aus(after, neutral_picture=plain[0], mesher=mesher)
        apart = np.abs(found.track.intensity)
    else:
        found = measure_aus(plain, neutral=neutral, mesher=mesher)
        new = measure_aus(after, neutral=neutral, mesher=mesher)
        apart = np.abs(new.track.intensity - found.track.intensity)
    face = face_side(found.faces.mesh) * shrink
    if face < SMALL_FACE:
        warnings.warn(
            f"the face is {face:.0f} pixels; below {SMALL_FACE} sharpening redraws eyes and teeth "
            "and with them AUs: use larger pictures, or look at the result",
            SmallFaceWarning,
            stacklevel=2,
        )
    return _summary(apart, face)


def face_side(meshes: Floats) -> float:
    """Larger side of the face in pixels, median over frames `T 478 3`."""
    held = meshes[np.isfinite(meshes[:, 0, 0])][..., :2]
    return float(np.median((held.max(1) - held.min(1)).max(1))) if len(held) else float("nan")


def _summary(apart: Floats, face: float) -> AUChange:
    seen = np.isfinite(apart).any(axis=(1, 2))
    if not seen.any():
        raise FaceError("no frame shows a face that could be measured before and after")
    each = np.nanmean(apart[seen], axis=0)
    side, unit = np.unravel_index(int(np.nanargmax(each)), each.shape)
    return AUChange(
        mean=float(np.nanmean(each)),
        largest=float(each[side, unit]),
        unit=f"{AU_NAMES[unit]} {SIDES[side]}",
        face=face,
        frames=int(seen.sum()),
    )
