"""What renderers share that move one picture by the AU basis: inputs, limits, and the way back."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from famaug.errors import InputError
from famaug.files.limits import check_finite
from famaug.generator.motion.face_motion import FaceMotion, checked
from famaug.generator.motion.field import Grid
from famaug.progress import ticked
from famaug.types import Floats, Frames, Picture


class MovingRenderer(ABC):
    """One face, ready to show AUs. What no AU moves never changes.

    Args:
        picture: uint8 `H W 3`, the neutral face.
        mesh: `478 3`, its mesh in pixels of the picture.
        device: where frames are rendered.

    Raises:
        InputError: picture or mesh of the wrong shape or type, or not finite.
        FaceError: the mesh lies outside the picture, is too small, or is turned too far away.
    """

    def __init__(self, picture: Picture, mesh: Floats, *, device: str | torch.device) -> None:
        self.motion = motion = FaceMotion(picture, mesh, device=device)
        self.picture, self.mesh, self.device = motion.picture, motion.mesh, motion.device
        g = motion.grid
        self._box = slice(g.y0, g.y1 + 1), slice(g.x0, g.x1 + 1)
        self._cells = _cells(motion.moving, g)
        self._mask = torch.from_numpy(self._cells).to(self.device)
        self._still = torch.from_numpy(motion.box).to(self.device)
        self._rest = self._still.permute(2, 0, 1)[None].float()

    @property
    def changed(self) -> NDArray[np.bool_]:
        """bool `H W`: pixels that may differ from the picture; all others never do."""
        out = np.zeros(self.picture.shape[:2], bool)
        out[self._box] = self._cells
        return out

    def render(self, intensity: Floats, *, batch: int = 16) -> Frames:
        """Frames uint8 `T H W 3` for intensities `T 2 17` (0-5; side, AU).

        On a CPU the same intensities give the same pixels whatever the
        batch size and the number of threads: frames are rendered one by one there.

        Args:
            intensity: left and right (the person's own) by AU.
            batch: frames in one pass on a GPU.

        Raises:
            TrackError: not `T 2 17`, not finite, or outside 0-5.
            RenderError: so much at once that over 4 % of the face's triangles flip.
        """
        track = checked(intensity)
        if batch < 1:
            raise InputError(f"batch must be at least 1, got {batch}")
        self.motion.refuse_folds(track)
        out = np.repeat(self.picture[None], len(track), 0)
        size = 1 if self.device.type == "cpu" else batch
        with torch.inference_mode():
            for i in ticked(range(0, len(track), size), "rendering"):
                colour = self.show(track[i : i + size])
                check_finite(colour)
                frames = colour.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
                frames = torch.where(self._mask[None, :, :, None], frames, self._still[None])
                out[i : i + size, *self._box] = frames.cpu().numpy()
        return out

    @abstractmethod
    def show(self, track: Floats) -> Tensor:
        """Colours `B 3 h w` of the grid's box, 0-255 and a little beyond, of intensities
        `B 2 17`, all at once."""


def _cells(moved: NDArray[np.bool_], grid: Grid) -> NDArray[np.bool_]:
    """Pixels of the grid's box with a moving node at a corner of their cell."""
    sx, sy = grid.step
    x = np.arange(grid.x1 - grid.x0 + 1) / sx
    y = np.arange(grid.y1 - grid.y0 + 1) / sy
    j0 = np.clip(np.floor(x).astype(int), 0, grid.columns - 2)
    i0 = np.clip(np.floor(y).astype(int), 0, grid.lines - 2)
    cell = moved[:-1, :-1] | moved[1:, :-1] | moved[:-1, 1:] | moved[1:, 1:]
    return cell[np.ix_(i0, j0)]
