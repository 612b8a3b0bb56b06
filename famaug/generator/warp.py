"""The warp renderer: one neutral picture, moved by AU intensities through a dense field."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from famaug.aus.basis import BASIS, COLUMNS
from famaug.faces.sampling import as_source, sample_spline, spline_coefficients
from famaug.generator.motion.face_motion import combined, places
from famaug.generator.motion.inverse import at_nodes, to_grid
from famaug.generator.motion.patches import make_patch
from famaug.generator.moving import MovingRenderer
from famaug.generator.options import Options, Range, chosen
from famaug.generator.skin import SkinShade
from famaug.generator.skin.learnt import Learnt
from famaug.types import Floats, Picture


class WarpRenderer(MovingRenderer):
    """Renders one face's AUs by moving its picture, and folding its skin (`famaug.generator.skin`).

    The AU basis, fitted to the face and turned into its pose, moves the mesh; the picture follows
    by a dense field, inverted by Newton's method and sampled with cubic splines. Lids slide over a
    still eyeball, lips part along their seam over teeth and a cavity in shade; upper teeth stay
    with the skull, lower ones go with the jaw.
    Beyond a ring round the face, and on the border of the frame, nothing changes; zero intensity
    gives the picture.

    Args:
        picture: uint8 `H W 3`, the neutral face.
        mesh: `478 3`, its mesh in pixels of the picture.
        skin: strength of furrows and shade; 0 moves pixels and does nothing else.
        learnt: what real frames said of skin; None takes what ships.
        device: where frames are rendered.

    Raises:
        InputError: picture or mesh of the wrong shape or type, or not finite.
        FaceError: the mesh lies outside the picture, is too small, or is turned too far away.
    """

    name = "warp/4"
    weights = BASIS
    options: ClassVar[Options] = {"skin": Range(0, 3, 1)}

    def __init__(
        self,
        picture: Picture,
        mesh: Floats,
        *,
        skin: float = 1.0,
        learnt: Learnt | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        chosen(self.name, self.options, {"skin": skin})
        super().__init__(picture, mesh, device=device)
        self.skin = skin
        motion, g = self.motion, self.motion.grid
        patches = [
            make_patch(
                number, rims, motion.pixels, motion.local, motion.motion, motion.fields, g,
                motion.scale, closed=motion.closed,
            )
            for number, rims in enumerate(motion.rims)
        ]  # fmt: skip
        self._patches = [patch for patch in patches if patch is not None]
        smooth = self._cells.copy()
        for patch in self._patches:
            smooth[patch.box.slices] = False
        self._source = as_source(spline_coefficients(motion.pixels), self.device)
        h, w = smooth.shape
        line, column = np.nonzero(smooth)
        self._skin = torch.from_numpy(line * w + column).to(self.device)
        xy = torch.from_numpy(np.stack([column, line], -1).astype(np.float32)[None, None])
        self._xy = xy.to(self.device)
        nodes = self._xy / self._xy.new_tensor(g.step)
        self._at = to_grid(nodes, g.lines, g.columns)
        if skin > 0:
            self._shade = SkinShade(motion, learnt=learnt)
            self._places = places(h, w).to(self.device)
            # a node's distance where the box is -1..1
            self._node_span = 2 / self._places.new_tensor([g.columns - 1, g.lines - 1])

    def show(self, track: Floats) -> Tensor:
        step = self.motion.grid.step
        flat = track.reshape(len(track), COLUMNS)
        weights = torch.from_numpy(flat).to(self.device)
        active = np.flatnonzero(flat.any(0)).tolist()
        inverse = self.motion.backward(weights, active)
        u = at_nodes(inverse, self._at.expand(len(track), -1, -1, -1))
        x = self._xy[..., 0] + u[:, 0] * step[0]
        y = self._xy[..., 1] + u[:, 1] * step[1]
        skin = sample_spline(self._source, x, y)[:, :, 0]
        colour = self._rest.repeat(len(track), 1, 1, 1)
        colour.view(len(track), 3, -1)[:, :, self._skin] = skin
        for patch in self._patches:
            rows, columns = patch.box.slices
            here = [k for k in active if k in patch.moving]
            if here:
                colour[:, :, rows, columns] = patch.render(
                    combined(patch.fields, weights, here), step, weights
                )
        shade = self._shade_of(weights, active, inverse)
        if shade is not None:
            colour *= shade
        return colour

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
