"""The warp renderer: one neutral picture, moved by AU intensities through a dense field."""

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
from famaug.faces.sampling import as_source, sample_spline, spline_coefficients
from famaug.generator.field import STEP, Grid, dense_fields
from famaug.generator.inverse import at_nodes, invert, to_grid
from famaug.generator.motion import visible_motion
from famaug.generator.opening import EYES, MOUTH, Rims
from famaug.generator.patches import find_openings, make_patch
from famaug.generator.ring import RING
from famaug.generator.skin import SkinShade
from famaug.types import AUS, Floats, Frames, Picture

FOLD_LIMIT = 0.04
"""Largest share of face triangles that may flip before a frame is refused."""
WIDEST_TURN = 40.0
"""Degrees of yaw or pitch beyond which half of the face is too thin to be moved."""
SMALLEST_FACE = 24
"""Pixels across the face below which it is refused."""


class WarpRenderer:
    """Renders one face's AUs by moving its picture.

    The AU basis, fitted to the face and turned into its pose, moves the mesh; the picture follows
    by a dense field, inverted by Newton's method and sampled with cubic splines. Lids slide over a
    still eyeball, lips part along their seam over a dark cavity, teeth stay with the upper jaw.
    Beyond a ring round the face, and on the border of the frame, nothing changes.

    Args:
        picture: uint8 `H W 3`, the neutral face.
        mesh: `478 3`, its mesh in pixels of the picture.
        skin: strength of furrows and shade; 0 moves pixels and does nothing else.
        device: where frames are rendered.

    Raises:
        InputError: picture or mesh of the wrong shape or type, or not finite.
        FaceError: the mesh lies outside the picture, is too small, or is turned too far away.
    """

    name = "warp/2"

    def __init__(
        self,
        picture: Picture,
        mesh: Floats,
        *,
        skin: float = 1.0,
        device: str | torch.device = "cpu",
    ) -> None:
        _check(picture, mesh)
        if not 0 <= skin <= 3:
            raise InputError(f"skin must be 0 (motion alone) to 3; got {skin}")
        self.skin = skin
        self.device = torch.device(device)
        self.picture = np.array(picture)  # its own, whatever the caller does with theirs
        self.mesh = np.array(mesh, np.float32)
        person = fit_person(self.mesh)
        _check_turn(person.pose.rotation)
        scale = person.pose.scale
        turned = visible_motion(person).swapaxes(0, 1) @ person.pose.rotation.T
        # 34 478 3 in the order of a track (side, AU), pixels in picture axes
        self._motion = (scale * turned * FLIP).reshape(COLUMNS, -1, 3)
        self._triangles = person.basis.triangles
        shape = (picture.shape[0], picture.shape[1])
        outline = self.mesh[:SKIN_POINTS, :2].astype(np.float64)
        self.grid = Grid.over(outline, shape, max(STEP * scale, 1.0), RING)
        upper, lower = dense_fields(
            self.mesh.astype(np.float64), self._motion[..., :2], self._triangles, self.grid,
            shape=shape, scale=scale,
        )  # fmt: skip
        self._prepare(upper, lower, scale)

    def _prepare(
        self, upper: NDArray[np.float32], lower: NDArray[np.float32], scale: float
    ) -> None:
        """Everything that rendering needs, on the device."""
        g = self.grid
        box = np.ascontiguousarray(self.picture[g.y0 : g.y1 + 1, g.x0 : g.x1 + 1])
        pixels = box.astype(np.float32)
        local = self.mesh - np.array([g.x0, g.y0, 0], np.float32)
        rims, closed = find_openings(pixels, local, scale)
        x, y = g.nodes
        above = _upper_half(rims, x - g.x0, y - g.y0)
        moved = np.asarray(upper.any((0, 1)) | lower.any((0, 1)))
        share = (np.array(g.step, np.float32) * FULL)[:, None, None]
        first, second = (torch.from_numpy(f / share).to(self.device) for f in (upper, lower))
        self._field = torch.where(torch.from_numpy(above).to(self.device), first, second)
        made = (
            make_patch(i, r, pixels, local, (first, second), g, scale, closed=closed)
            for i, r in enumerate(rims)
        )
        self._patches = [patch for patch in made if patch is not None]
        self._changed = _cells(moved, g)
        skin = self._changed.copy()
        for patch in self._patches:
            skin[patch.box.slices] = False
        self._still = torch.from_numpy(box).to(self.device)
        self._mask = torch.from_numpy(self._changed).to(self.device)
        self._source = as_source(spline_coefficients(pixels), self.device)
        line, column = np.nonzero(skin)
        self._skin = torch.from_numpy(line * box.shape[1] + column).to(self.device)
        xy = torch.from_numpy(np.stack([column, line], -1).astype(np.float32)[None, None])
        self._xy = xy.to(self.device)
        nodes = self._xy / self._xy.new_tensor(g.step)
        self._at = to_grid(nodes, g.lines, g.columns)
        if self.skin > 0:
            self._shade = SkinShade(
                pixels, local, self._motion, self._field.cpu().numpy(), scale, self.device
            )
            self._places = _places(box.shape[0], box.shape[1]).to(self.device)
            nodes = self._places.new_tensor([g.columns - 1, g.lines - 1])
            self._node_span = 2 / nodes  # a node's distance where the box is -1..1

    @property
    def changed(self) -> NDArray[np.bool_]:
        """bool `H W`: pixels that may differ from the picture; all others never do."""
        out = np.zeros(self.picture.shape[:2], bool)
        g = self.grid
        out[g.y0 : g.y1 + 1, g.x0 : g.x1 + 1] = self._changed
        return out

    def render(self, intensity: Floats, *, batch: int = 16) -> Frames:
        """Frames uint8 `T H W 3` for intensities `T 2 17` (0-5; side, AU).

        The same intensities give the same pixels, whatever the batch size. Zero gives the picture.

        Args:
            intensity: left and right (the person's own) by AU.
            batch: frames in one pass on a GPU; on a CPU one by one is fastest.

        Raises:
            TrackError: not `T 2 17`, not finite, or outside 0-5.
            RenderError: so much at once that over 4 % of the face's triangles flip.
        """
        track = _checked(intensity)
        if batch < 1:
            raise InputError(f"batch must be at least 1, got {batch}")
        self._refuse_folds(track)
        out = np.repeat(self.picture[None], len(track), 0)
        g = self.grid
        size = 1 if self.device.type == "cpu" else batch
        with torch.inference_mode():
            for i in range(0, len(track), size):
                frames = self._render(track[i : i + size]).cpu().numpy()
                out[i : i + size, g.y0 : g.y1 + 1, g.x0 : g.x1 + 1] = frames
        return out

    def _render(self, track: Floats) -> Tensor:
        """uint8 `B h w 3`, the box of the grid."""
        step = self.grid.step
        flat = track.reshape(len(track), COLUMNS)
        weights = torch.from_numpy(flat).to(self.device)
        active = np.flatnonzero(flat.any(0)).tolist()
        inverse = invert(_combined(self._field, weights, active), 3)
        u = at_nodes(inverse, self._at.expand(len(track), -1, -1, -1))
        x = self._xy[..., 0] + u[:, 0] * step[0]
        y = self._xy[..., 1] + u[:, 1] * step[1]
        skin = sample_spline(self._source, x, y)[:, :, 0]
        h, w = self._mask.shape
        colour = skin.new_empty((len(track), 3, h, w))
        colour.view(len(track), 3, -1)[:, :, self._skin] = skin
        for patch in self._patches:
            rows, columns = patch.box.slices
            here = [k for k in active if k in patch.moving]
            if here:
                fields = _combined(patch.fields, weights, here)
                colour[:, :, rows, columns] = patch.render(fields, step)
            else:
                colour[:, :, rows, columns] = self._still[rows, columns].permute(2, 0, 1).float()
        shade = self._shade_of(weights, active, inverse)
        if shade is not None:
            colour *= shade
        rounded = colour.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
        return torch.where(self._mask[None, :, :, None], rounded, self._still[None])

    def _shade_of(self, weights: Tensor, active: list[int], inverse: Tensor) -> Tensor | None:
        """What skin makes of the colours: `B 3 h w`, or None where it leaves them."""
        if self.skin == 0 or not active:
            return None
        source = (
            self._places
            + at_nodes(inverse, self._places.expand(len(inverse), -1, -1, -1)).permute(0, 2, 3, 1)
            * self._node_span
        )
        return self._shade.factor(weights * self.skin, active, source)

    def displacement(self, intensity: Floats) -> NDArray[np.float32]:
        """Forward field `T H W 2` (x, y) in pixels: where each place of the picture goes."""
        track = _checked(intensity).reshape(-1, COLUMNS)
        out = np.zeros((len(track), *self.picture.shape[:2], 2), np.float32)
        g = self.grid
        places = _places(g.y1 - g.y0 + 1, g.x1 - g.x0 + 1).to(self.device)
        with torch.inference_mode():
            for i, frame in enumerate(track):
                weights = torch.from_numpy(frame[None]).to(self.device)
                field = _combined(self._field, weights, np.flatnonzero(frame).tolist())
                dense = at_nodes(field, places)[0].permute(1, 2, 0).cpu().numpy()
                out[i, g.y0 : g.y1 + 1, g.x0 : g.x1 + 1] = dense * np.array(g.step, np.float32)
        return out

    def moved_mesh(self, intensity: Floats) -> NDArray[np.float32]:
        """Where the mesh goes: `T 478 3`, pixels of the picture."""
        track = _checked(intensity).reshape(-1, COLUMNS).astype(np.float64) / FULL
        out: NDArray[np.float32] = (self.mesh + np.tensordot(track, self._motion, 1)).astype(
            np.float32
        )
        return out

    def fold_over(self, intensity: Floats) -> NDArray[np.float32]:
        """`T`: share of the face's triangles (openings left out) that turn over."""
        moved = self.moved_mesh(intensity)
        before = _areas(self.mesh[None], self._triangles)[0]
        size = np.abs(before)
        skin = ~_within_openings(self._triangles) & (before < 0) & (size > 0.05 * np.median(size))
        after = _areas(moved, self._triangles[skin])
        out: NDArray[np.float32] = (after > 0).mean(1).astype(np.float32)
        return out

    def _refuse_folds(self, track: Floats) -> None:
        share = self.fold_over(track)
        worst = int(share.argmax())
        if share[worst] > FOLD_LIMIT:
            raise RenderError(
                f"frame {worst} asks for so much at once that {share[worst]:.1%} of the face's "
                f"triangles flip (limit {FOLD_LIMIT:.0%}): ask for lower intensities or fewer AUs"
            )


def _combined(fields: Tensor, weights: Tensor, active: list[int]) -> Tensor:
    """Sum of fields `34 ...` by weights `B 34`, term by term in a fixed order, so that
    a frame does not depend on its batch."""
    out = fields.new_zeros((len(weights), *fields.shape[1:]))
    for k in active:
        out += weights[:, k].view(-1, *[1] * (fields.ndim - 1)) * fields[k]
    return out


def _places(h: int, w: int) -> Tensor:
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


def _cells(moved: NDArray[np.bool_], grid: Grid) -> NDArray[np.bool_]:
    """Pixels of the grid's box with a moving node at a corner of their cell."""
    sx, sy = grid.step
    x = np.arange(grid.x1 - grid.x0 + 1) / sx
    y = np.arange(grid.y1 - grid.y0 + 1) / sy
    j0 = np.clip(np.floor(x).astype(int), 0, grid.columns - 2)
    i0 = np.clip(np.floor(y).astype(int), 0, grid.lines - 2)
    cell = moved[:-1, :-1] | moved[1:, :-1] | moved[:-1, 1:] | moved[1:, 1:]
    return cell[np.ix_(i0, j0)]


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


def _checked(intensity: Any) -> Floats:
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
    inside = ((skin >= 0) & (skin <= [w - 1, h - 1])).all(1).mean()
    if inside < 0.8:
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
