"""Frozen judges of what the compact generator makes: who is shown, and how the mesh moved."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from famaug.faces import regions as rg
from famaug.faces.landmarks import SKIN_POINTS
from famaug.faces.mesher import FaceMesher
from famaug.perception.identity import FaceIdentity

_STILL = 0.3
"""Pixels: displacements of the mesh under it are not taken relative to it."""


class IdentityJudge:
    """1 - cosine between the face made and the face at rest (SFace).

    Args:
        device: where it runs.

    Raises:
        FetchError: its weights cannot be had.
    """

    def __init__(self, *, device: str = "cpu") -> None:
        self.net = FaceIdentity(device=device).eval().requires_grad_(False)

    def __call__(self, made: Tensor, picture: Tensor, mesh: Tensor, moved: Tensor) -> Tensor:
        """`B`; gradients reach `made`.

        Args:
            made, picture: `B 3 S S` in [-1, 1].
            mesh, moved: `B 478 3` in pixels, at rest and as asked.
        """
        with torch.no_grad():
            wanted = self.net(picture, _array(mesh))
        out: Tensor = 1 - (self.net(made, _array(moved)) * wanted).sum(1)
        return out


class MeshJudge:
    """How far the mesh that is found in the picture made lies from where it was asked to go, over
    the way asked for: the displacement of the basis as the mesh net sees it, against the one it
    does see.

    Args:
        device: where it runs.
    """

    def __init__(self, *, device: str = "cpu") -> None:
        self.mesher = FaceMesher(device=device)
        self.mesher.net.eval().requires_grad_(False)

    def __call__(self, made: Tensor, picture: Tensor, mesh: Tensor, moved: Tensor) -> Tensor:
        """`B`; gradients reach `made`. Arguments as of `IdentityJudge`."""
        regions = rg.region_of_mesh(_array(mesh))
        with torch.no_grad():
            before = self._points(picture, regions)
        way = self._points(made, regions) - before
        asked = (moved - mesh)[:, :SKIN_POINTS, :2]
        wrong = (way - asked).norm(dim=2)
        out: Tensor = wrong.mean(1) / asked.norm(dim=2).mean(1).clamp(min=_STILL)
        return out

    def _points(self, picture: Tensor, regions: NDArray[np.float64]) -> Tensor:
        """`B 468 2`, pixels."""
        size = self.mesher.net.size
        matrices = rg.crop_matrix(regions, size)
        crops = rg.sample((picture + 1) / 2, matrices, size)
        points, _ = self.mesher.mesh_of_crops(crops)
        found: Tensor = rg.to_picture(points, matrices)[:, :SKIN_POINTS, :2]
        return found


def _array(mesh: Tensor) -> NDArray[np.float64]:
    return mesh.detach().cpu().double().numpy()
