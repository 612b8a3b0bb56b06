"""The motion that AUs give a face, as planes a network can read."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from famaug.aus.basis import COLUMNS
from famaug.generator.face_motion import FaceMotion
from famaug.generator.inverse import at_nodes
from famaug.generator.networks.au_maps import au_maps, midlines


class MotionPrior:
    """AU maps and known motion of one face in a square picture.

    Args:
        motion: of that picture.

    Attributes:
        midline: `1 2 2`, pixels.
        support: `1 1 S S`, 1 where any AU moves anything, falling to 0 over the ring round it.
    """

    def __init__(self, motion: FaceMotion) -> None:
        self.motion = motion
        self.size = int(motion.picture.shape[0])
        self.midline = midlines(motion.mesh[None]).to(motion.device)
        g = motion.grid
        steps = torch.arange(self.size, dtype=torch.float32, device=motion.device)
        x = (steps - g.x0) * (2 / (g.x1 - g.x0)) - 1
        y = (steps - g.y0) * (2 / (g.y1 - g.y0)) - 1
        gx, gy = torch.meshgrid(x, y, indexing="xy")
        self._places = torch.stack([gx, gy], -1)[None]
        inside = ((self._places.abs() <= 1).all(-1))[:, None]
        self._inside = inside.float()
        reach = motion.field.abs().amax((0, 1))[None, None]
        self.support = (at_nodes(reach, self._places) * 12).clamp(0, 1) * self._inside
        # nodes to half sides of the picture
        self._unit = self._places.new_tensor([2 * v / self.size for v in g.step]).view(1, 2, 1, 1)

    def maps(self, intensity: Tensor) -> Tensor:
        """AU maps `B 17 S S` of intensities `B 2 17`."""
        return au_maps(intensity, self.midline.expand(len(intensity), -1, -1), self.size)

    def flow(self, intensity: Tensor) -> Tensor:
        """Where each pixel comes from: `B 2 S S` in half sides, for intensities `B 2 17`."""
        flat = intensity.reshape(len(intensity), COLUMNS)
        active = np.flatnonzero(flat.detach().cpu().numpy().any(0)).tolist()
        inverse = self.motion.backward(flat, active)
        places = self._places.expand(len(flat), -1, -1, -1)
        return at_nodes(inverse, places) * self._inside * self._unit
