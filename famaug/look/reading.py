"""The look of a fold's training clips, put on clean clips of a cache when they are read.

One cache then serves all folds, and each epoch draws framing, head motion and noise anew.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from famaug.errors import RenderError
from famaug.faces.align import crop_transform
from famaug.faces.framing import Framing, matrix_of, moved_mesh
from famaug.faces.packed import unpacked_mesh
from famaug.files.limits import translated
from famaug.look.applying import apply_look
from famaug.look.mixture import AnyLook
from famaug.modulation.retime import resample
from famaug.types import Floats, Frames, Plan, Provenance, key_frames_of

HAS_LOOK = "has a look already"
NO_MESH = "its plan does not say where the face lies"


def why_no_look(plan: Plan) -> str | None:
    """Why a cached clip can be given no look, or None."""
    if plan.look is not None:
        return HAS_LOOK
    own_size = plan.size is None and "frame" not in plan.params and "back" not in plan.params
    if not isinstance(plan.identity.get("mesh"), str) or (own_size and plan.superres is not None):
        return NO_MESH
    return None


def with_look(
    frames: Frames, provenance: Provenance, look: AnyLook, rng: np.random.Generator
) -> tuple[Frames, Provenance]:
    """A clean clip as the data set would show it, and its provenance with all that was drawn.

    Frames of another rate than the look's are resampled: each becomes the average over the time
    it stands for, between two frames their mixture. Blinks are not added: they would have to be
    rendered (`Synthesizer(look=)` does).

    Args:
        frames: uint8 `T h w 3`, as its plan rendered it.
        provenance: its provenance, without a look.
        look: fitted on the fold's training clips.
        rng: what is drawn from.

    Raises:
        RenderError: the plan has a look, or does not say where the face lies.
    """
    plan = provenance.plan
    why = why_no_look(plan)
    if why is not None:
        raise RenderError(f"this clip cannot be given a look: it {why}")
    mesh = mesh_in(plan, frames.shape[1], frames.shape[2])
    track, look = plan.asked, look.one(rng)
    if look.fps is not None and look.fps != plan.fps:
        track = resample(track, fps=look.fps)
        frames = _in_time(frames, len(track), plan.fps / look.fps)
    fps = float(track.fps or plan.fps)
    onset = key_frames_of(track.intensity)[0]
    drawn = look.draw(rng, length=len(frames), fps=fps, onset=onset)
    told = np.round(track.intensity.astype(np.float64), 4).tolist()
    looked = replace(plan, track=told, fps=fps, look=drawn)
    return apply_look(frames, mesh, drawn), replace(provenance, plan=looked)


def mesh_in(plan: Plan, height: int, width: int) -> Floats:
    """The identity's mesh `478 3` at rest, in pixels of the clip's frames.

    Raises:
        RenderError: the plan does not say it.
    """
    with translated("the plan's mesh", RenderError):
        mesh = unpacked_mesh(plan.identity["mesh"])
        if mesh.shape != (478, 3) or not np.isfinite(mesh).all():
            raise ValueError(f"it has the shape {mesh.shape}")
        frame: Any = plan.params.get("frame")
        if frame is not None:
            made = (int(frame["size"][0]), int(frame["size"][1]))
            place = Framing(*(float(v) for v in frame["place"]))
            mesh = moved_mesh(mesh, matrix_of(mesh, place, made))
        elif plan.size is not None:
            made = (int(plan.size), int(plan.size))
            mesh = crop_transform(mesh, made[0]).to_crop(mesh)
        else:
            return mesh
        times = height / made[0]  # sharpened: larger than what was rendered
        out: Floats = (mesh * times).astype(np.float32)
        out[:, :2] += (times - 1) / 2
        return out


def _in_time(frames: Frames, length: int, step: float) -> Frames:
    """`length` frames, `step` of the old ones apart: a triangle over the time each stands for."""
    wide, last = max(step, 1.0), len(frames) - 1
    out = np.empty((length, *frames.shape[1:]), np.uint8)
    for i in range(length):
        at = min(i * step, last)
        near = np.arange(max(0, int(np.ceil(at - wide))), min(last, int(at + wide)) + 1)
        weight = np.maximum(1 - np.abs(near - at) / wide, 0)
        near, weight = near[weight > 1e-6], weight[weight > 1e-6]
        mixed = np.tensordot(weight / weight.sum(), frames[near].astype(np.float32), 1)
        out[i] = np.clip(np.rint(mixed), 0, 255)
    return out
