"""The demo's first clip: a driver's own way from onset to apex, cut out of his video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from famaug.aus.basis import FULL
from famaug.aus.flow_and_points import Measurement, measure_aus
from famaug.errors import InputError
from famaug.faces.align import CropTransform, crop_face, crop_with
from famaug.faces.landmarks import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS
from famaug.faces.mesher import PAPER_SIZES, FaceMesher
from famaug.modulation.retime import resample
from famaug.types import AU_INDEX, AUS, AUTrack, Clip, Floats, Frames

LENGTH = 35
"""Frames from onset to apex: 350 ms at 100 frames a second, a micro-expression's length."""
REST, ARRIVED = 0.05, 0.93
"""Shares of the way: below the first the face is at rest, at the second it has arrived."""
STILL = [*LEFT_EYE_CORNERS, *RIGHT_EYE_CORNERS, 10, 151, 9, 8, 168, 6, 197, 195]
"""Mesh points that a smile moves least, from the hairline to the bridge of the nose."""
CEILING = FULL - 0.02
_REST_FRAMES = 3
_AFTER = 3
"""Frames measured behind the apex: the filter over time needs them."""


@dataclass(frozen=True, eq=False)
class ShownDriver:
    """What is taken from the driver.

    Attributes:
        once: AUs of the whole video, measured at one size.
        averaged: of its beginning, averaged over five sizes (Eq. 1).
        track: onset to apex, `LENGTH` frames.
        frames: the driver in those moments, uint8 `T S S 3`, his head held still.
        first, last: onset and apex, frames of the video.
        notes: what a reader must know.
    """

    once: AUTrack
    averaged: AUTrack
    track: AUTrack
    frames: Frames
    first: int
    last: int
    notes: tuple[str, ...]


def show_driver(clip: Clip, *, size: int, fps: float, mesher: FaceMesher) -> ShownDriver:
    """Measure a driver, and cut out his way from rest to apex.

    Args:
        clip: the driver; its first frames are at rest.
        size: side of the frames to be shown beside the synthetic clip.
        fps: of the track.

    Raises:
        FaceError: no usable face.
        InputError: no expression in it.
    """
    found = measure_aus(clip.frames, neutral=(0, _REST_FRAMES), fps=clip.ref.fps, mesher=mesher)
    first, last = onset_to_apex(found.track)
    head = slice(0, last + 1 + _AFTER)
    averaged = measure_aus(
        clip.frames[head],
        neutral=(0, _REST_FRAMES),
        fps=clip.ref.fps,
        sizes=PAPER_SIZES,
        mesher=mesher,
    ).track
    part = slice(first, last + 1)
    cut = replace(
        averaged,
        intensity=averaged.intensity[part],
        confidence=averaged.confidence[part],
        fps=(last - first) * fps / (LENGTH - 1),
    )
    frames = held_still(clip.frames[part], found.faces.mesh[part], size)
    notes = (_of_the_cut(found, first, last), *ceilings(found.track))
    return ShownDriver(found.track, averaged, resample(cut, fps=fps), frames, first, last, notes)


def onset_to_apex(track: AUTrack) -> tuple[int, int]:
    """The last frame at rest before the expression, and the first frame of its height.

    Both by intensity, summed over units and sides without the blink; not by time, so that a long
    rest before and a long hold after do not matter.

    Raises:
        InputError: nothing moves.
    """
    x = np.nan_to_num(track.intensity)
    x[:, :, AU_INDEX[45]] = 0
    total = x.sum((1, 2))
    if total.max() <= 0:
        raise InputError("the driver's face does not move")
    last = int(np.flatnonzero(total >= ARRIVED * total.max())[0])
    strongest = x[:, :, x[last].max(0).argmax()].max(1)
    resting = np.flatnonzero(strongest[:last] <= REST * strongest.max())
    return (int(resting[-1]) if len(resting) else 0), last


def held_still(frames: Frames, meshes: Floats, size: int) -> Frames:
    """Square crops `T size size 3` round the first frame's face; the head's own motion in the
    picture's plane is taken out by the eyes' corners and the bridge of the nose."""
    _, _, first = crop_face(frames[0], meshes[0], size)
    start, origin = complex(first.a, first.b), complex(first.cx, first.cy)
    out = []
    for frame, mesh in zip(frames, meshes, strict=True):
        turn, shift = _similarity(meshes[0], mesh if np.isfinite(mesh).all() else meshes[0])
        a, c = turn * start, turn * origin + shift
        out.append(crop_with(frame, CropTransform(a.real, a.imag, c.real, c.imag, size)))
    return np.stack(out)


def _similarity(source: Floats, target: Floats) -> tuple[complex, complex]:
    """`target = turn * source + shift` of the still points in the picture's plane."""
    a, b = (m[STILL, 0].astype(np.float64) + 1j * m[STILL, 1] for m in (source, target))
    mean_a, mean_b = a.mean(), b.mean()
    a, b = a - mean_a, b - mean_b
    turn = complex((a.conj() * b).sum() / (np.abs(a) ** 2).sum())
    return turn, complex(mean_b - turn * mean_a)


def _of_the_cut(found: Measurement, first: int, last: int) -> str:
    fps = found.track.fps or 0.0
    took = f" ({1000 * (last - first) / fps:.0f} ms)" if fps else ""
    return (
        f"Frames {first} to {last} of the driver's video{took}, from the last at rest to the first "
        f"at {100 * ARRIVED:.0f} % of the expression's height; what follows, the hold and the way "
        f"back, is left out, so this clip ends at its apex."
    )


def ceilings(track: AUTrack, units: Sequence[int] = AUS) -> tuple[str, ...]:
    """A sentence for each unit that lies at the scale's end."""
    found = []
    for au in units:
        high = (np.nan_to_num(track.intensity[:, :, AU_INDEX[au]]) >= CEILING).any(1)
        if high.sum() > 1:
            found.append(
                f"AU{au:02d} lies at the scale's ceiling of {FULL:.0f} in {int(high.sum())} of "
                f"{len(track)} frames of the video: the scale ends there, so the flat top of that "
                "curve says nothing of how strong the expression grew."
            )
    return tuple(found)
