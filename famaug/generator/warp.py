"""The warp renderer: one neutral picture, moved by AU intensities through a dense field."""

from __future__ import annotations

import copy
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from famaug.aus.basis import COLUMNS
from famaug.errors import InputError
from famaug.faces.sampling import as_source, sample_spline, spline_coefficients
from famaug.generator.face_motion import FaceMotion, checked, combined, places
from famaug.generator.field import Grid
from famaug.generator.inverse import at_nodes, to_grid
from famaug.generator.patches import Patch, make_patch
from famaug.generator.skin import SkinShade
from famaug.generator.skin.learnt import Learnt
from famaug.limits import check_finite
from famaug.progress import ticked
from famaug.types import Floats, Frames, Picture


class Shown(NamedTuple):
    """One box of pictures before rounding.

    Attributes:
        colour: `B 3 h w`, 0-255 and a little beyond.
        inside: `B 1 h w`, 0-1, how much more of the mouth's inside is seen than at rest.
    """

    colour: Tensor
    inside: Tensor


class WarpRenderer:
    """Renders one face's AUs by moving its picture, and folding its skin (`famaug.generator.skin`).

    The AU basis, fitted to the face and turned into its pose, moves the mesh; the picture follows
    by a dense field, inverted by Newton's method and sampled with cubic splines. Lids slide over a
    still eyeball, lips part along their seam over a dark cavity, teeth stay with the upper jaw.
    Beyond a ring round the face, and on the border of the frame, nothing changes.

    Args:
        picture: uint8 `H W 3`, the neutral face.
        mesh: `478 3`, its mesh in pixels of the picture.
        skin: strength of furrows and shade; 0 moves pixels and does nothing else.
        learnt: what real frames said of skin; None takes what ships.
        plain_mouth: leave what a mouth uncovers flat and dark, for a network to paint.
        device: where frames are rendered.

    Raises:
        InputError: picture or mesh of the wrong shape or type, or not finite.
        FaceError: the mesh lies outside the picture, is too small, or is turned too far away.
    """

    name = "warp/3"

    def __init__(
        self,
        picture: Picture,
        mesh: Floats,
        *,
        skin: float = 1.0,
        learnt: Learnt | None = None,
        plain_mouth: bool = False,
        device: str | torch.device = "cpu",
    ) -> None:
        if not 0 <= skin <= 3:
            raise InputError(f"skin must be 0 (motion alone) to 3; got {skin}")
        self.motion = FaceMotion(picture, mesh, device=device)
        self.picture, self.mesh, self.skin = self.motion.picture, self.motion.mesh, skin
        self.device = self.motion.device
        self._prepare(self.motion, learnt, plain_mouth)

    def _prepare(self, motion: FaceMotion, learnt: Learnt | None, plain_mouth: bool) -> None:
        """Everything that rendering needs, on the device."""
        g, pixels = motion.grid, motion.pixels
        patches = [self._patch(number, plain=plain_mouth) for number in range(len(motion.rims))]
        self._patches = [patch for patch in patches if patch is not None]
        self._mouth = patches[2]
        self._changed = _cells(motion.moving, g)
        skin = self._changed.copy()
        for patch in self._patches:
            skin[patch.box.slices] = False
        h, w = skin.shape
        self._still = torch.from_numpy(motion.box).to(self.device)
        self._rest = self._still.permute(2, 0, 1)[None].float()
        self._mask = torch.from_numpy(self._changed).to(self.device)
        self._source = as_source(spline_coefficients(pixels), self.device)
        line, column = np.nonzero(skin)
        self._skin = torch.from_numpy(line * w + column).to(self.device)
        xy = torch.from_numpy(np.stack([column, line], -1).astype(np.float32)[None, None])
        self._xy = xy.to(self.device)
        self._uncovered = None if self._mouth is None else self._mouth.uncovered(g.step)
        nodes = self._xy / self._xy.new_tensor(g.step)
        self._at = to_grid(nodes, g.lines, g.columns)
        if self.skin > 0:
            self._shade = SkinShade(motion, learnt=learnt)
            self._places = places(h, w).to(self.device)
            # a node's distance where the box is -1..1
            self._node_span = 2 / self._places.new_tensor([g.columns - 1, g.lines - 1])

    def _patch(self, number: int, *, plain: bool) -> Patch | None:
        m = self.motion
        return make_patch(
            number, m.rims[number], m.pixels, m.local, m.fields, m.grid, m.scale,
            closed=m.closed, plain=plain,
        )  # fmt: skip

    def with_painted_mouth(self) -> WarpRenderer:
        """The same, and what a mouth uncovers painted; all else is shared."""
        out = copy.copy(self)
        painted = self._patch(2, plain=False)
        if painted is not None:
            out._patches = [painted if p is self._mouth else p for p in self._patches]
            out._mouth = painted
        return out

    @property
    def changed(self) -> NDArray[np.bool_]:
        """bool `H W`: pixels that may differ from the picture; all others never do."""
        out = np.zeros(self.picture.shape[:2], bool)
        g = self.motion.grid
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
        track = checked(intensity)
        if batch < 1:
            raise InputError(f"batch must be at least 1, got {batch}")
        self.motion.refuse_folds(track)
        out = np.repeat(self.picture[None], len(track), 0)
        g = self.motion.grid
        size = 1 if self.device.type == "cpu" else batch
        with torch.inference_mode():
            for i in ticked(range(0, len(track), size), "rendering"):
                frames = self._render(track[i : i + size]).cpu().numpy()
                out[i : i + size, g.y0 : g.y1 + 1, g.x0 : g.x1 + 1] = frames
        return out

    def _render(self, track: Floats) -> Tensor:
        """uint8 `B h w 3`, the box of the grid."""
        return self.rounded(self.show(track).colour)

    def rounded(self, colour: Tensor) -> Tensor:
        """uint8 `B h w 3` of colours `B 3 h w` of the box; what never changes is the picture's."""
        check_finite(colour)
        rounded = colour.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
        return torch.where(self._mask[None, :, :, None], rounded, self._still[None])

    def show(self, track: Floats) -> Shown:
        """The box of the grid for intensities `T 2 17`, all at once, before rounding."""
        step = self.motion.grid.step
        flat = track.reshape(len(track), COLUMNS)
        weights = torch.from_numpy(flat).to(self.device)
        active = np.flatnonzero(flat.any(0)).tolist()
        inverse = self.motion.backward(weights, active)
        u = at_nodes(inverse, self._at.expand(len(track), -1, -1, -1))
        x = self._xy[..., 0] + u[:, 0] * step[0]
        y = self._xy[..., 1] + u[:, 1] * step[1]
        skin = sample_spline(self._source, x, y)[:, :, 0]
        h, w = self._mask.shape
        colour = self._rest.repeat(len(track), 1, 1, 1)
        inside = skin.new_zeros((len(track), 1, h, w))
        colour.view(len(track), 3, -1)[:, :, self._skin] = skin
        for patch in self._patches:
            rows, columns = patch.box.slices
            here = [k for k in active if k in patch.moving]
            if here:
                made = patch.render(combined(patch.fields, weights, here), step)
                colour[:, :, rows, columns] = made[:, :3]
                if patch is self._mouth and self._uncovered is not None:
                    inside[:, :, rows, columns] = (made[:, 3:] - self._uncovered).clamp(min=0)
        shade = self._shade_of(weights, active, inverse)
        if shade is not None:
            colour *= shade
        return Shown(colour, inside)

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
        return self.motion.displacement(intensity)

    def moved_mesh(self, intensity: Floats) -> NDArray[np.float32]:
        """Where the mesh goes: `T 478 3`, pixels of the picture."""
        return self.motion.moved_mesh(intensity)

    def fold_over(self, intensity: Floats) -> NDArray[np.float32]:
        """`T`: share of the face's triangles (openings left out) that turn over."""
        return self.motion.fold_over(intensity)


def _cells(moved: NDArray[np.bool_], grid: Grid) -> NDArray[np.bool_]:
    """Pixels of the grid's box with a moving node at a corner of their cell."""
    sx, sy = grid.step
    x = np.arange(grid.x1 - grid.x0 + 1) / sx
    y = np.arange(grid.y1 - grid.y0 + 1) / sy
    j0 = np.clip(np.floor(x).astype(int), 0, grid.columns - 2)
    i0 = np.clip(np.floor(y).astype(int), 0, grid.lines - 2)
    cell = moved[:-1, :-1] | moved[1:, :-1] | moved[:-1, 1:] | moved[1:, 1:]
    return cell[np.ix_(i0, j0)]
