"""How one face in one picture moves: its mesh and, densely, every place round it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from famaug.aus.basis import COLUMNS, FULL
from famaug.aus.fit import fit_person
from famaug.errors import FaceError, InputError, RenderError, TrackError
from famaug.faces.landmarks import SKIN_POINTS
from famaug.faces.pose import FLIP, angles
from famaug.faces.ring import RING
from famaug.generator.motion.field import STEP, Grid, dense_fields
from famaug.generator.motion.inverse import at_nodes, invert
from famaug.generator.motion.opening import EYES, MOUTH, Rims
from famaug.generator.motion.patches import find_openings
from famaug.generator.motion.visible import visible_motion
from famaug.types import AUS, Floats, Picture

FOLD_LIMIT = 0.04
"""Largest share of face triangles that may flip before a frame is refused."""
WIDEST_TURN = 40.0
"""Degrees of yaw or pitch beyond which half of the face is too thin to be moved."""
SMALLEST_FACE = 24
"""Pixels across the face below which it is refused."""


ENOUGH = 0.8
"""Share of the mesh that must lie in the picture."""
TIGHTEST = 0.5
"""Share below which no border can be repeated to make up for the rest."""
MARGIN = 0.1
"""Room round a mesh that was cut, as a share of its larger extent."""


class FaceMotion:
    """The AU basis, fitted to a face and turned into its pose, as mesh motion and dense fields.

    Args:
        picture: uint8 `H W 3`, the neutral face.
        mesh: `478 3`, its mesh in pixels of the picture.
        device: where fields are combined.

    Attributes:
        scale: pixels per centimetre.
        motion: `34 478 3`, pixels at intensity 5 (side, AU), picture axes.
        grid: nodes of the fields.
        box, pixels: the part of the picture that the grid spans, uint8 and float32 `h w 3`.
        local: the mesh in pixels of the box.
        rims, closed: of eyes and mouth, and whether the lips are closed.
        fields: the `upper` and the `lower` field (`famaug.generator.motion.field`), each
            `34 2 lines columns`, nodes per unit of intensity.
        field: of both, at each node the one that holds there.
        moving: bool `lines columns`, nodes that any AU moves.

    Raises:
        InputError: picture or mesh of the wrong shape or type, or not finite.
        FaceError: the mesh lies outside the picture, is too small, or is turned too far away.
    """

    def __init__(
        self, picture: Picture, mesh: Floats, *, device: str | torch.device = "cpu"
    ) -> None:
        _check(picture, mesh)
        self.device = torch.device(device)
        self.picture = np.array(picture)  # its own, whatever the caller does with theirs
        self.mesh = np.array(mesh, np.float32)
        person = fit_person(self.mesh)
        _check_turn(person.pose.rotation)
        self.scale = person.pose.scale
        turned = visible_motion(person).swapaxes(0, 1) @ person.pose.rotation.T
        self.motion = (self.scale * turned * FLIP).reshape(COLUMNS, -1, 3)
        self.triangles = person.basis.triangles
        shape = (picture.shape[0], picture.shape[1])
        outline = self.mesh[:SKIN_POINTS, :2].astype(np.float64)
        self.grid = g = Grid.over(outline, shape, max(STEP * self.scale, 1.0), RING)
        self.box = np.ascontiguousarray(self.picture[g.y0 : g.y1 + 1, g.x0 : g.x1 + 1])
        self.pixels = self.box.astype(np.float32)
        self.local = self.mesh - np.array([g.x0, g.y0, 0], np.float32)
        self.rims, self.closed = find_openings(self.pixels, self.local, self.scale)
        upper, lower = dense_fields(
            self.mesh.astype(np.float64), self.motion[..., :2], self.triangles, g,
            shape=shape, scale=self.scale,
        )  # fmt: skip
        self.moving = np.asarray(upper.any((0, 1)) | lower.any((0, 1)))
        share = (np.array(g.step, np.float32) * FULL)[:, None, None]
        first, second = (torch.from_numpy(f / share).to(self.device) for f in (upper, lower))
        x, y = g.nodes
        above = torch.from_numpy(_upper_half(self.rims, x - g.x0, y - g.y0)).to(self.device)
        self.fields = (first, second)
        self.field = torch.where(above, first, second)

    def backward(self, weights: Tensor, active: list[int], iterations: int = 3) -> Tensor:
        """Where each node comes from: `B 2 lines columns` in nodes, for intensities `B 34`."""
        return invert(combined(self.field, weights, active), iterations)

    def displacement(self, intensity: Floats) -> NDArray[np.float32]:
        """Forward field `T H W 2` (x, y) in pixels: where each place of the picture goes."""
        track = checked(intensity).reshape(-1, COLUMNS)
        out = np.zeros((len(track), *self.picture.shape[:2], 2), np.float32)
        g = self.grid
        where = places(g.y1 - g.y0 + 1, g.x1 - g.x0 + 1).to(self.device)
        with torch.inference_mode():
            for i, frame in enumerate(track):
                weights = torch.from_numpy(frame[None]).to(self.device)
                field = combined(self.field, weights, np.flatnonzero(frame).tolist())
                dense = at_nodes(field, where)[0].permute(1, 2, 0).cpu().numpy()
                out[i, g.y0 : g.y1 + 1, g.x0 : g.x1 + 1] = dense * np.array(g.step, np.float32)
        return out

    def moved_mesh(self, intensity: Floats) -> NDArray[np.float32]:
        """Where the mesh goes: `T 478 3`, pixels of the picture."""
        track = checked(intensity).reshape(-1, COLUMNS).astype(np.float64) / FULL
        out: NDArray[np.float32] = (self.mesh + np.tensordot(track, self.motion, 1)).astype(
            np.float32
        )
        return out

    def fold_over(self, intensity: Floats) -> NDArray[np.float32]:
        """`T`: share of the face's triangles (openings left out) that turn over."""
        moved = self.moved_mesh(intensity)
        before = _areas(self.mesh[None], self.triangles)[0]
        size = np.abs(before)
        skin = ~_within_openings(self.triangles) & (before < 0) & (size > 0.05 * np.median(size))
        after = _areas(moved, self.triangles[skin])
        out: NDArray[np.float32] = (after > 0).mean(1).astype(np.float32)
        return out

    def refuse_folds(self, track: Floats) -> None:
        """Raises:
        RenderError: over 4 % of the triangles flip in a frame.
        """
        share = self.fold_over(track)
        worst = int(share.argmax())
        if share[worst] > FOLD_LIMIT:
            raise RenderError(
                f"frame {worst} asks for so much at once that {share[worst]:.1%} of the face's "
                f"triangles flip (limit {FOLD_LIMIT:.0%}): ask for lower intensities or fewer AUs"
            )


def combined(fields: Tensor, weights: Tensor, active: list[int]) -> Tensor:
    """Sum of fields `34 ...` by weights `B 34`, term by term in a fixed order, so that
    a frame does not depend on its batch."""
    out = fields.new_zeros((len(weights), *fields.shape[1:]))
    for k in active:
        out += weights[:, k].view(-1, *[1] * (fields.ndim - 1)) * fields[k]
    return out


def places(h: int, w: int) -> Tensor:
    """`1 h w 2`: x and y of every pixel, -1..1."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, h), torch.linspace(-1, 1, w), indexing="ij")
    return torch.stack([x, y], -1)[None]


def _upper_half(rims: list[Rims], x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
    """Where the upper field is the right one away from the openings: above the eye line, and from
    halfway between eyes and mouth down to the mouth line. The lower one is right elsewhere."""
    aside, below = [], []
    for opening in rims:
        s, t = opening.to_frame(x, y)
        upper, lower = opening.curves(s)
        aside.append(np.abs(s))
        below.append(t - (upper + lower) / 2)
    eye = np.where(aside[0] < aside[1], below[0], below[1])
    mouth = below[2]
    out: NDArray[np.bool_] = (eye < 0) | ((mouth < 0) & (eye > -mouth))
    return out


def _areas(mesh: NDArray[Any], triangles: NDArray[np.int64]) -> NDArray[np.float64]:
    """Twice the signed areas `T M` in the picture; negative seen from the front."""
    p = np.asarray(mesh, np.float64)[:, triangles, :2]
    one, two = p[:, :, 1] - p[:, :, 0], p[:, :, 2] - p[:, :, 0]
    out: NDArray[np.float64] = one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0]
    return out


def _within_openings(triangles: NDArray[np.int64]) -> NDArray[np.bool_]:
    inside = np.zeros(len(triangles), bool)
    for upper, lower in (*EYES, MOUTH):
        inside |= np.isin(triangles, [*upper, *lower]).all(1)
    return inside


def checked(intensity: Any) -> Floats:
    """Intensities as float32 `T 2 17`.

    Raises:
        TrackError: another shape, not finite, or outside 0-5.
    """
    track = np.asarray(intensity)
    want = (2, len(AUS))
    if track.ndim != 3 or track.shape[1:] != want or len(track) == 0:
        raise TrackError(f"intensities must be T x 2 x {len(AUS)} with T >= 1; got {track.shape}")
    track = np.array(track, np.float32, order="C")
    if not np.isfinite(track).all():
        raise TrackError("intensities hold gaps (NaN) or infinities; fill or drop them first")
    low, high = float(track.min()), float(track.max())
    if low < 0 or high > FULL:
        raise TrackError(f"intensities must lie in 0-5; got {low:.3g} to {high:.3g}")
    return track


def share_inside(mesh: NDArray[Any], shape: tuple[int, ...]) -> float:
    """How much of a mesh `478 3` lies in a picture of (height, width), 0-1."""
    skin = np.asarray(mesh)[:SKIN_POINTS, :2]
    inside = (skin >= 0) & (skin <= [shape[1] - 1, shape[0] - 1])
    return float(inside.all(1).mean())


def room_needed(mesh: NDArray[Any], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Pixels to add at top, bottom, left and right of a picture of (height, width) that cuts its
    face tightly (as cropped data sets do), so that the face can be moved there; zeros where enough
    of the mesh lies in it, and where too little does."""
    inside = share_inside(mesh, shape)
    if not TIGHTEST <= inside < ENOUGH:
        return 0, 0, 0, 0
    skin = np.asarray(mesh)[:SKIN_POINTS, :2]
    low, high = skin.min(0), skin.max(0)
    margin = MARGIN * float((high - low).max())
    left, top = np.ceil(np.maximum(margin - low, 0)).astype(int)
    right, bottom = np.ceil(np.maximum(high + margin - (shape[1] - 1, shape[0] - 1), 0)).astype(int)
    return int(top), int(bottom), int(left), int(right)


def _check(picture: Any, mesh: Any) -> None:
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.ndim != 3 or (
        picture.shape[2] != 3 or min(picture.shape[:2]) < 16
    ):  # fmt: skip
        seen = getattr(picture, "shape", type(picture).__name__)
        raise InputError(f"a picture must be uint8 H W 3, at least 16 pixels a side; got {seen}")
    points = np.asarray(mesh)
    if points.shape != (478, 3) or not np.issubdtype(points.dtype, np.floating):
        raise InputError(f"a mesh must be float 478 x 3; got {points.dtype} {points.shape}")
    if not np.isfinite(points).all():
        raise InputError("the mesh is not finite: the face was lost; take another frame")
    h, w = picture.shape[:2]
    skin = points[:SKIN_POINTS, :2]
    inside = share_inside(points, (h, w))
    if inside < ENOUGH:
        raise FaceError(
            f"only {inside:.0%} of the mesh lies in the picture ({w} x {h}): is it the mesh of "
            "this picture, or was the picture cropped too tightly?"
        )
    across = np.ptp(skin, axis=0).max()
    if across < SMALLEST_FACE:
        raise FaceError(f"the face is {across:.0f} pixels across; at least {SMALLEST_FACE} needed")


def _check_turn(rotation: NDArray[np.float64]) -> None:
    yaw, pitch, _ = angles(rotation)
    if max(abs(yaw), abs(pitch)) > WIDEST_TURN:
        raise FaceError(
            f"the head is turned {yaw:.0f} degrees aside and {pitch:.0f} up; the warp needs under "
            f"{WIDEST_TURN:.0f}: take a picture nearer to frontal"
        )
