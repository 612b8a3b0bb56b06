"""Real expressions to learn from: frames of videos, laid on a frame in which the same person rests,
with the AUs that are measured between the two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.aus.basis import head_pose, load_basis
from famaug.aus.estimator import measure_aus
from famaug.clip import read_frames
from famaug.errors import FaceError
from famaug.faces.align import CropTransform
from famaug.faces.landmarks import BLENDSHAPES, INNER_LIPS
from famaug.faces.mesher import FaceMesher, FaceTrack
from famaug.faces.pose import angles, turn
from famaug.types import Floats, Frames, Picture

LOOKED_AT = 500
"""Frames of a video that are looked at, evenly spaced."""
NEUTRALS = 6
"""Frames of a video that are taken for rest, at most: each in a pose of its own."""
EACH = 60
"""Expressive frames for each of them, at most."""
NEAR = 3.5
"""Degrees of turn between the two frames of a pair."""
FRONTAL = 20.0
"""Degrees of yaw or pitch of a frame at rest."""
CLOSED = 0.06
"""Height of the mouth's opening over its width, at rest."""
WEAKEST, STRONGEST = 0.5, 4.0
"""Intensity of a pair's strongest unit, at least; and of any unit, at most."""
_NOISE = 0.15
"""Intensities under it are none."""


class RealPair(NamedTuple):
    """Two frames of one person.

    Attributes:
        name: of the video, with the numbers of both frames.
        picture, mesh: uint8 `H W 3` and `478 3`, at rest.
        frame: uint8 `H W 3`, expressive.
        to_frame: `2 3`, from pixels of `picture` to those of `frame`, as the head moved.
        intensity: `2 17`, 0-4.
    """

    name: str
    picture: Picture
    mesh: Floats
    frame: Picture
    to_frame: NDArray[np.float64]
    intensity: Floats

    def laid(self, transform: CropTransform) -> NDArray[np.float32]:
        """The expressive frame as seen in a crop of the picture at rest, float32 `S S 3`."""
        t, m = transform, self.to_frame
        crop = np.array([[t.a, -t.b, t.cx], [t.b, t.a, t.cy], [0, 0, 1]])
        whole = m @ crop
        step = float(np.sqrt(abs(np.linalg.det(whole[:, :2]))))
        frame = self.frame.astype(np.float32)
        if step > 1.2:  # against aliasing
            frame = cv2.GaussianBlur(frame, (0, 0), 0.35 * step)
        out: NDArray[np.float32] = cv2.warpAffine(
            frame, whole, (t.size, t.size), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        return out


def pairs_of_videos(files: Sequence[Path], *, mesher: FaceMesher | None = None) -> list[RealPair]:
    """Pairs of frames of videos; a video in which nobody is seen at rest gives none.

    Raises:
        MediaError: a file cannot be read.
    """
    mesher = mesher or FaceMesher()
    return [pair for file in files for pair in _pairs_of(file, mesher)]


def _pairs_of(file: Path, mesher: FaceMesher) -> list[RealPair]:
    frames = read_frames(file)[0]
    numbers = np.arange(0, len(frames), max(1, len(frames) // LOOKED_AT))
    frames = frames[numbers]
    try:
        track = mesher.track(frames)
    except FaceError:
        return []
    rotation = np.full((len(frames), 3, 3), np.nan)
    for i in np.flatnonzero(np.isfinite(track.mesh[:, 0, 0])):
        rotation[i] = head_pose(track.mesh[i]).rotation
    moving = _activity(track)
    out = []
    for rest in _at_rest(track, rotation, moving):
        turned = turn(np.einsum("ij,tkj->tik", rotation[rest], rotation))
        near = np.flatnonzero((turned < NEAR) & (np.arange(len(frames)) != rest))
        ranked = near[np.argsort(-moving[near], kind="stable")]
        chosen = np.sort(ranked[: 3 * EACH : max(1, min(len(ranked), 3 * EACH) // EACH)])
        out += _measured(frames, numbers, track.mesh, rest, chosen[:EACH], file.stem, mesher)
    return out


def _activity(track: FaceTrack) -> NDArray[np.float64]:
    """`T`: how much a face does by its blendshapes, gaze left out; inf where it was lost."""
    kept = [i for i, name in enumerate(BLENDSHAPES) if i and "Look" not in name]
    with np.errstate(over="ignore"):
        share = 1 / (1 + np.exp(-track.blendshapes[:, kept].astype(np.float64)))
    total = share.sum(1)
    return np.where(np.isfinite(total), total, np.inf)


def _at_rest(
    track: FaceTrack, rotation: NDArray[np.float64], moving: NDArray[np.float64]
) -> list[int]:
    """Frames at rest: closed mouth, little activity, frontal, each at least `NEAR` from the
    others."""
    mesh = track.mesh
    half = len(INNER_LIPS) // 2
    across = np.linalg.norm(mesh[:, INNER_LIPS[0], :2] - mesh[:, INNER_LIPS[half], :2], axis=1)
    upper, lower = INNER_LIPS[half // 2], INNER_LIPS[half + half // 2]
    apart = np.linalg.norm(mesh[:, upper, :2] - mesh[:, lower, :2], axis=1)
    off = np.abs(angles(rotation)[:, :2]).max(1)
    with np.errstate(invalid="ignore"):
        fit = (apart < CLOSED * across) & (off < FRONTAL) & np.isfinite(moving)
    order = np.argsort(np.where(fit, moving, np.inf), kind="stable")
    calm = order[: int(fit.sum())]
    calm = calm[moving[calm] < moving[calm[0]] + 1.0] if len(calm) else calm
    taken = list[int]()
    for i in calm.tolist():
        if all(turn(rotation[i] @ rotation[j].T) > NEAR for j in taken):
            taken.append(i)
    return taken[:NEUTRALS]


def _measured(
    frames: Frames,
    numbers: NDArray[np.int64],
    meshes: Floats,
    rest: int,
    chosen: NDArray[np.int64],
    name: str,
    mesher: FaceMesher,
) -> list[RealPair]:
    if not len(chosen):
        return []
    try:
        seen = measure_aus(frames[chosen], neutral_picture=frames[rest], mesher=mesher)
    except FaceError:
        return []
    # copies, so that the video can go; one of the face at rest for all of its pairs
    out, neutral = list[RealPair](), frames[rest].copy()
    for i, read in zip(chosen.tolist(), seen.track.intensity, strict=True):
        clean = np.where(read < _NOISE, 0, np.clip(read, 0, STRONGEST)).astype(np.float32)
        if np.isfinite(clean).all() and clean.max() >= WEAKEST:
            pair = f"{name}#{numbers[rest]}-{numbers[i]}"
            move = planar_move(meshes[rest], meshes[i])
            out.append(RealPair(pair, neutral, meshes[rest], frames[i].copy(), move, clean))
    return out


def planar_move(source: Floats, target: Floats) -> NDArray[np.float64]:
    """`2 3`: the similarity of the picture plane that brings the resting points of one mesh onto
    those of another (weighted least squares; Umeyama 1991)."""
    weight = load_basis().rest
    weight = weight / weight.sum()
    p, q = (m[:, 0].astype(np.float64) + 1j * m[:, 1] for m in (source, target))
    p0, q0 = (weight * p).sum(), (weight * q).sum()
    by = (weight * (p - p0).conj() * (q - q0)).sum() / (weight * np.abs(p - p0) ** 2).sum()
    shift = q0 - by * p0
    return np.array([[by.real, -by.imag, shift.real], [by.imag, by.real, shift.imag]])
