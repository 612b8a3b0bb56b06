"""What expression is shown: two small frozen classifiers that others trained on others' pictures.

Neither knows AUs: they give seven classes, learnt from posed and found pictures. They read what a
face looks like, so they can say whether a rendered AU looks like the expression it belongs to. They
were looked at while some depths of drawn skin were chosen (docs/skin.md names the AUs).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch.nn.functional as F
from material import fetch_material
from numpy.typing import NDArray
from torch import Tensor, nn

from expressions.nets import (
    DenseExpressionNet,
    XceptionExpressionNet,
    read_dense,
    read_xception,
)
from famaug.errors import InputError
from famaug.faces.landmarks import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS
from famaug.faces.regions import crop_matrix, sample
from famaug.weights.load import fill

CLASSES = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")
"""Order of the logits, of every judge."""
_BROW_TOPS, _CHIN, _SIDES = (105, 334), 152, (234, 454)
_WIDTH = 1.2
"""Side of the crop over the larger side of the face from brows to chin (face-api.js's own)."""


class _Kind(NamedTuple):
    """One judge.

    Attributes:
        weights: name in `material.MATERIAL`.
        make, read: its network, and what reads its state dict.
        side: pixels of the crop.
        lift: centre of the crop above the middle of brows and chin, over their distance.
        order: place of each of `CLASSES` in the network's output.
    """

    weights: str
    make: Callable[[], nn.Module]
    read: Callable[[Path], dict[str, Tensor]]
    side: int
    lift: float
    order: tuple[int, ...]


KINDS = {
    "dense": _Kind(
        "expressions_dense", DenseExpressionNet, read_dense, 112, 0.0, (0, 1, 2, 3, 4, 5, 6)
    ),
    "xception": _Kind(
        "expressions_xception", XceptionExpressionNet, read_xception, 64, 0.1, (6, 3, 4, 0, 2, 1, 5)
    ),
}
"""`dense` reads colour, `xception` grey."""


class ExpressionJudge(nn.Module):
    """Logits of seven expressions (`CLASSES`); gradients reach the images.

    Args:
        kind: "dense" or "xception".
        weights: the archive that `fetch_material` stores; None fetches it once (0.3 or 0.8 MB).
        device: where it runs.

    Raises:
        InputError: unknown kind.
        FetchError: the weights cannot be had.
        WeightsError: they are not this network's.
    """

    def __init__(
        self, kind: str = "dense", *, weights: Path | None = None, device: str = "cpu"
    ) -> None:
        super().__init__()
        if kind not in KINDS:
            raise InputError(f"there is no expression judge {kind!r}; there are {[*KINDS]}")
        self._kind = KINDS[kind]
        path = fetch_material(self._kind.weights) if weights is None else weights
        self.net = fill(self._kind.make(), self._kind.read(path)).to(device)

    def forward(self, images: Tensor, meshes: NDArray[Any]) -> Tensor:
        """Logits of the faces in pictures.

        Args:
            images: float `B 3 H W`, RGB in [-1, 1].
            meshes: `B 478 3`, in pixels of the pictures. They choose the crop: give the neutral
                frame's mesh for every frame of a still head, and the crop does not move.

        Returns:
            float `B 7`.

        Raises:
            InputError: other layouts, or a mesh that is not finite.
        """
        if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
            raise InputError(
                f"images must be float B 3 H W; got {images.dtype} {tuple(images.shape)}"
            )
        regions = face_regions(meshes, self._kind.lift)
        if len(regions) != len(images):
            raise InputError(f"{len(images)} images, but {len(regions)} meshes")
        side = self._kind.side
        times = int(regions[:, 2].min() / side)
        if times > 1:  # against aliasing
            height, width = images.shape[2:]
            images = F.pad(images, (0, -width % times, 0, -height % times), mode="replicate")
            images = F.avg_pool2d(images, times)
            regions[:, :2] = (regions[:, :2] + 0.5) / times - 0.5
            regions[:, 2] /= times
        return self.of_crops(sample(images, crop_matrix(regions, side), side))

    def of_crops(self, crops: Tensor) -> Tensor:
        """The same for crops `B 3 side side` in [-1, 1]; the side is 112 or 64 by kind."""
        side = self._kind.side
        if crops.ndim != 4 or tuple(crops.shape[1:]) != (3, side, side):
            raise InputError(f"crops must be B 3 {side} {side}; got {tuple(crops.shape)}")
        out: Tensor = self.net(crops)[:, list(self._kind.order)]
        return out


def face_regions(meshes: NDArray[Any], lift: float) -> NDArray[np.float64]:
    """Squares round faces from brows to chin, eyes level: `B 4`, as `famaug.faces.regions` has
    them.

    Raises:
        InputError: meshes are not finite, `B 478 3`.
    """
    p = np.asarray(meshes, np.float64)
    if p.ndim != 3 or p.shape[1:] != (478, 3) or not np.isfinite(p).all():
        raise InputError(f"meshes must be finite, B 478 3; got {p.shape}")
    plane = p[..., 0] + 1j * p[..., 1]
    right, left = (plane[:, list(c)].mean(1) for c in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS))
    turn = (left - right) / np.abs(left - right)
    upright = plane * turn.conj()[:, None]
    sides, tops = upright[:, list(_SIDES)].real, upright[:, list(_BROW_TOPS)].imag.min(1)
    height = upright[:, _CHIN].imag - tops
    side = _WIDTH * np.maximum(sides[:, 1] - sides[:, 0], height)
    centre = (sides.mean(1) + 1j * (tops + (0.5 - lift) * height)) * turn
    return np.stack([centre.real, centre.imag, side, np.angle(turn)], -1)
