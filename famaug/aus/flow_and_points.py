"""famaug's own estimators, `Flow` and `Points`: face mesh, optical flow and the AU basis; nothing
licensed.

Everything is relative to the clip's own neutral face, as FAMGAN's modulation wants it. The scale
is famaug's: 5 is a unit's full excursion on the basis. It is not OpenFace's scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from famaug.aus.basis import FULL, head_pose
from famaug.aus.eyelids import WIDE, with_lids
from famaug.aus.face_map import SCALE
from famaug.aus.fit import fit_person
from famaug.aus.flow_solver import FlowSolver
from famaug.aus.point_solver import NOT_OBSERVABLE, ONE_SIDED_UNKNOWN, PointSolver
from famaug.errors import FaceError, InputError
from famaug.faces.mesher import FaceMesher, FaceTrack
from famaug.faces.pose import angles
from famaug.processes import one_cv_thread
from famaug.progress import ticked
from famaug.shown.lines import counted, one_line, strengths
from famaug.types import AU_INDEX, AUS, AUTrack, Floats, Frames, Picture

Array = NDArray[np.float64]
Backend = Literal["flow", "points"]
VERSION = 2
SURE_TURN, FAR_TURN = 6.0, 12.0
"""Degrees from the neutral pose: full confidence up to the first, missing beyond the second."""
PROFILE = 40.0
"""Degrees of yaw or pitch beyond which the neutral face itself is refused."""
COVERED = 0.55
"""Agreement with the neutral face below which a frame counts as covered or lost."""


@dataclass(frozen=True, eq=False)
class Measurement:
    """What was measured.

    Attributes:
        track: intensities and confidences; missing frames are NaN.
        faces: meshes, scores and the spread over the sizes.
        pose: `T 3`, yaw, pitch, roll in degrees; NaN where the face was lost.
        notes: what a reader should know (several faces, frames left out and why).
    """

    track: AUTrack
    faces: FaceTrack
    pose: Floats
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        lost = int(self.track.missing.sum())
        return one_line(
            self,
            f"{counted(len(self.track), 'frame')}, {lost} without a face",
            strengths(self.track.intensity, self.track.sided),
            f"by {self.track.estimator}",
            counted(len(self.notes), "note") if self.notes else "",
        )


def measure_aus(
    frames: Frames,
    *,
    neutral: int | tuple[int, int] = 0,
    neutral_picture: Picture | None = None,
    fps: float | None = None,
    sizes: Sequence[int] = (0,),
    backend: Backend = "flow",
    face: int | None = None,
    mesher: FaceMesher | None = None,
) -> Measurement:
    """AU intensities of a clip, left and right apart.

    Args:
        frames: uint8 RGB `T H W 3`.
        neutral: number of the neutral frame (the onset), or a range (first, behind the last)
            whose mean becomes zero.
        neutral_picture: a picture `H W 3` of the same face at rest, in the frames' size, instead.
        fps: frames per second, passed on to the track.
        sizes: shifts of height and width to average the meshes over (FAMGAN Eq. 1).
        backend: "flow" (landmarks and optical flow), or "points" (landmarks alone: fast; AU06 and
            AU09 are missing, and the mouth's sides are alike).
        face: which face, 0 the largest.
        mesher: a `FaceMesher` to use again.

    Raises:
        InputError: a clip of one frame without a neutral picture, or a bad neutral.
        FaceError: no face, too small, or turned away in the neutral frame.
    """
    stack, span = _with_neutral(frames, neutral, neutral_picture)
    mesher = mesher or FaceMesher()
    faces = mesher.track(stack, sizes=sizes, face=face)
    rotation = _rotations(faces.mesh)
    away = _away(rotation, span)
    raw, seen = _read(stack, faces.mesh, span, away, backend)
    skip = 0 if neutral_picture is None else 1
    track = _track(raw, seen, away, span, skip, backend, fps)
    notes = _notes(faces, away[skip:], seen.agreement[skip:], backend)
    faces = FaceTrack(
        faces.mesh[skip:],
        faces.score[skip:],
        faces.blendshapes[skip:],
        faces.spread[skip:],
        faces.faces,
    )
    return Measurement(track, faces, angles(rotation[skip:]).astype(np.float32), notes)


class Flow:
    """`measure_aus` with flow, as an estimator of the list.

    Args:
        sizes, face: as in `measure_aus`.
        device: where the face nets run.
    """

    name, version, licence, scale = "mesh-flow", str(VERSION), "Apache-2.0", "famaug"
    backend: Backend = "flow"

    def __init__(
        self, *, sizes: Sequence[int] = (0,), device: str = "cpu", face: int | None = None
    ) -> None:
        self.sizes, self.device, self.face = tuple(sizes), device, face

    @cached_property
    def mesher(self) -> FaceMesher:
        """The face nets, loaded when first needed."""
        return FaceMesher(device=self.device)

    def measure(self, frames: Frames, neutral: int) -> AUTrack:
        """AUs of a clip; errors as in `measure_aus`."""
        return measure_aus(
            frames, neutral=neutral, sizes=self.sizes, backend=self.backend, face=self.face,
            mesher=self.mesher,
        ).track  # fmt: skip


class Points(Flow):
    """`measure_aus` with landmarks alone."""

    name = "mesh-points"
    backend: Backend = "points"


def _with_neutral(
    frames: Frames, neutral: int | tuple[int, int], picture: Picture | None
) -> tuple[Frames, tuple[int, int]]:
    if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8 or not len(frames):
        raise InputError(f"frames must be uint8 T H W 3; got {frames.dtype} {frames.shape}")
    if picture is not None:
        if picture.shape != frames.shape[1:]:
            raise InputError(
                f"the neutral picture is {picture.shape}, the frames are {frames.shape[1:]}"
            )
        return np.concatenate([picture[None], frames]), (0, 1)
    span = (neutral, neutral + 1) if isinstance(neutral, int) else neutral
    if not 0 <= span[0] < span[1] <= len(frames):
        raise InputError(f"neutral frames {span} are not within the clip's {len(frames)} frames")
    if len(frames) < 2:
        raise InputError(
            "AUs are measured against a neutral face, and this clip has one frame: "
            "give a neutral picture as well"
        )
    return frames, span


def _rotations(meshes: Floats) -> Array:
    """Head rotations `T 3 3`; NaN where the face was lost."""
    out = np.full((len(meshes), 3, 3), np.nan)
    for i in np.flatnonzero(np.isfinite(meshes[:, 0, 0])):
        out[i] = head_pose(meshes[i]).rotation
    return out


def _away(rotation: Array, span: tuple[int, int]) -> Array:
    """`T`: degrees between where the face looks and where the neutral face looks; inf if lost."""
    forward = rotation[:, :, 2]
    neutral = forward[span[0] : span[1]]
    neutral = neutral[np.isfinite(neutral[:, 0])]
    if not len(neutral):
        raise FaceError(f"no face in the neutral frames {span[0]} to {span[1] - 1}")
    base = neutral.mean(0) / np.linalg.norm(neutral.mean(0))
    off = np.degrees(np.arccos(np.clip(base[2], -1, 1)))
    if off > PROFILE:
        raise FaceError(
            f"the neutral face is turned {off:.0f} degrees away from the camera; "
            f"up to {PROFILE:.0f} can be measured"
        )
    turn = np.degrees(np.arccos(np.clip(forward @ base, -1, 1)))
    return np.where(np.isfinite(turn), turn, np.inf)


class _Seen(NamedTuple):
    """What the observation is worth: `17 2`, `T`, `T`."""

    observability: Array
    explained: Array
    agreement: Array


def _read(
    frames: Frames, meshes: Floats, span: tuple[int, int], away: Array, backend: Backend
) -> tuple[Array, _Seen]:
    """Raw intensities `T 17 2`, and what they are worth."""
    held = [i for i in range(*span) if np.isfinite(meshes[i, 0, 0])]
    # a face much larger than its map is averaged down, or the map would alias
    shrink = max(1, int(head_pose(meshes[held[0]]).scale // SCALE))
    meshes = _shrunk(meshes, shrink)
    person = fit_person(meshes[held])
    raw = np.full((len(frames), len(AUS), 2), np.nan)
    explained, agreement = np.zeros(len(frames)), np.ones(len(frames))
    points = PointSolver(person)
    todo = np.flatnonzero(away <= FAR_TURN)
    if backend == "points":
        for at in todo.tolist():
            raw[at], explained[at] = points.solve(meshes[at])
            raw[at] = with_lids(raw[at], person, meshes[at])
        return raw, _Seen(points.solver.observability, explained, agreement)
    with one_cv_thread():
        flow = FlowSolver(person, _grey(frames[held[0]], shrink))
        for at in ticked(todo.tolist(), "measuring AUs"):
            seed = points.solve(meshes[at]).intensity
            reading = flow.read(meshes[at], _grey(frames[at], shrink), seed)
            raw[at], explained[at], agreement[at] = reading
            raw[at] = with_lids(raw[at], person, meshes[at], wide=WIDE)
    raw[agreement < COVERED] = np.nan
    return raw, _Seen(flow.solver.observability, explained, agreement)


def _track(
    raw: Array,
    seen: _Seen,
    away: Array,
    span: tuple[int, int],
    skip: int,
    backend: Backend,
    fps: float | None,
) -> AUTrack:
    """The neutral's mean becomes zero, intensities lie in 0-5, and confidences are attached."""
    with np.errstate(invalid="ignore"):
        base = np.nanmean(raw[span[0] : span[1]], axis=0)
        values = np.clip(raw - base, 0, FULL)
        turn = np.clip((FAR_TURN - away) / (FAR_TURN - SURE_TURN), 0, 1)
        clear = np.clip((seen.agreement - COVERED) / (0.9 - COVERED), 0, 1)
    confidence = seen.observability[None] * (turn * clear)[:, None, None]
    if backend == "points":
        blind = [AU_INDEX[au] for au in NOT_OBSERVABLE]
        alike = [AU_INDEX[au] for au in ONE_SIDED_UNKNOWN]
        values[:, blind] = np.nan
        values[:, alike] = values[:, alike].mean(2, keepdims=True)
        confidence[:, alike] *= 0.5
    confidence = np.where(np.isfinite(values), confidence, 0)
    return AUTrack.of(
        values[skip:].swapaxes(1, 2),
        confidence=confidence[skip:].swapaxes(1, 2),
        estimator=f"mesh-{backend}/{VERSION}",
        fps=fps,
    )


def _shrunk(meshes: Floats, k: int) -> Floats:
    if k == 1:
        return meshes
    out: Floats = (meshes / k).astype(np.float32)
    out[..., :2] = (meshes[..., :2] + 0.5) / k - 0.5
    return out


def _grey(frame: Picture, k: int) -> Picture:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    if k > 1:
        h, w = grey.shape
        grey = cv2.resize(grey[: h - h % k, : w - w % k], None, fx=1 / k, fy=1 / k,
                          interpolation=cv2.INTER_AREA)  # fmt: skip
    return np.asarray(grey, np.uint8)


def _notes(faces: FaceTrack, away: Array, agreement: Array, backend: Backend) -> tuple[str, ...]:
    notes = []
    if faces.faces > 1:
        notes.append(f"{faces.faces} faces in the first frame: the one asked for was measured")
    lost = int(np.isinf(away).sum())
    turned = int((np.isfinite(away) & (away > FAR_TURN)).sum())
    covered = int((np.isfinite(away) & (away <= FAR_TURN) & (agreement < COVERED)).sum())
    for count, why in (
        (lost, "the face was not found"),
        (turned, f"turned more than {FAR_TURN:.0f} degrees from the neutral pose"),
        (covered, "covered, or too unlike the neutral frame"),
    ):
        if count:
            notes.append(f"{count} of {len(away)} frames are missing: {why}")
    if backend == "points":
        notes.append(
            "landmarks alone: AU06 and AU09 cannot be seen, and AU10, AU17, AU23, AU25 and AU26 "
            "are given alike on both sides"
        )
    return tuple(notes)
