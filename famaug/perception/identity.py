"""Who is shown: a frozen face identity network (SFace), differentiable, aligned by the mesh.

Two pictures of one person have a cosine of 0.44 and more, of different people 0.27 and less
(eight people; OpenCV's own threshold is 0.363).
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from famaug.errors import InputError
from famaug.faces.landmarks import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS
from famaug.faces.regions import sample
from famaug.perception.sface import convert_sface
from famaug.weights.fetch import fetch
from famaug.weights.load import fill

WEIGHTS = "sface"
"""Name of the weights in `famaug weights list`."""
SIDE = 112
"""Pixels: side of the crop that the network reads."""
LENGTH = 128
SAME_PERSON = 0.363
"""Cosine from which OpenCV calls two faces the same person's."""
TEMPLATE = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
"""Right eye, left eye, tip of the nose, right and left mouth corner in the crop (as ArcFace)."""
_NOSE, _MOUTH = 1, (61, 291)
_WIDTHS = (3, 32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
_HALVING = (2, 4, 6, 12)


class _Layer(nn.Module):
    """Convolution and a slope for negative values, one a channel."""

    def __init__(self, ins: int, outs: int, side: int, stride: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(ins, outs, side, stride, side // 2, groups=groups)
        self.slope = nn.PReLU(outs)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.slope(self.conv(x))
        return out


class _Block(nn.Module):
    def __init__(self, ins: int, outs: int, stride: int) -> None:
        super().__init__()
        first = ins == 3
        self.depth = nn.Identity() if first else _Layer(ins, ins, 3, stride, ins)
        self.point = _Layer(ins, outs, 3, stride) if first else _Layer(ins, outs, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.point(self.depth(x))
        return out


class SFaceNet(nn.Module):
    """SFace (Zhong et al. 2021) as OpenCV Zoo publishes it: MobileNetV1 with PReLU.

    Input float `B 3 112 112`, RGB in [-1, 1]; output float `B 128`, not normalised.
    """

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            _Block(ins, outs, 2 if i in _HALVING else 1)
            for i, (ins, outs) in enumerate(pairwise(_WIDTHS))
        )
        self.end = nn.Linear(_WIDTHS[-1] * 49, LENGTH)

    def forward(self, crops: Tensor) -> Tensor:
        x = crops * (127.5 / 128)  # it was trained on (value - 127.5) / 128
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.end(x.flatten(1))
        return out


class FaceIdentity(nn.Module):
    """Unit vectors that say who is shown; gradients reach the images.

    Args:
        weights: SFace's ONNX file; None fetches `sface` once (11 MB).
        device: where it runs.

    Raises:
        FetchError: the weights cannot be had.
        WeightsError: they are not SFace's, or the package onnx is not installed.
    """

    def __init__(self, *, weights: Path | None = None, device: str = "cpu") -> None:
        super().__init__()
        path = fetch(WEIGHTS) if weights is None else weights
        self.net = fill(SFaceNet(), convert_sface(path)).to(device)

    def forward(self, images: Tensor, meshes: NDArray[Any]) -> Tensor:
        """Identity of the faces in pictures.

        Args:
            images: float `B 3 H W`, RGB in [-1, 1].
            meshes: `B 478 3`, their meshes in pixels of the pictures.

        Returns:
            float `B 128`, unit length: the dot product of two is their cosine.

        Raises:
            InputError: other layouts, or a mesh that is not finite.
        """
        return self.of_crops(align(images, meshes))

    def of_crops(self, crops: Tensor) -> Tensor:
        """The same for crops `B 3 112 112` in [-1, 1] that are aligned already."""
        if crops.ndim != 4 or tuple(crops.shape[1:]) != (3, SIDE, SIDE):
            raise InputError(f"crops must be B 3 {SIDE} {SIDE}; got {tuple(crops.shape)}")
        return F.normalize(self.net(crops), dim=1)


def align(images: Tensor, meshes: NDArray[Any]) -> Tensor:
    """Faces turned, scaled and cropped as SFace wants them: `B 3 112 112`, differentiable.

    Args and errors are those of `FaceIdentity.forward`. Large faces are averaged down by a whole
    factor first, against aliasing.
    """
    if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
        raise InputError(f"images must be float B 3 H W; got {images.dtype} {tuple(images.shape)}")
    points = five_points(meshes)
    if len(points) != len(images):
        raise InputError(f"{len(images)} images, but {len(points)} meshes")
    matrices = crop_matrices(points)
    times = int(np.hypot(matrices[:, 0, 0], matrices[:, 1, 0]).min())
    if times > 1:
        height, width = images.shape[2:]
        images = F.pad(images, (0, -width % times, 0, -height % times), mode="replicate")
        images = F.avg_pool2d(images, times)
        matrices = crop_matrices((points + 0.5) / times - 0.5)
    return sample(images, matrices, SIDE)


def five_points(meshes: NDArray[Any]) -> NDArray[np.float64]:
    """`B 478 3` to `B 5 2`: the points of `TEMPLATE`, in pixels of the picture.

    The eyes are the middles of their corners, which neither a blink nor a look moves.
    """
    p = np.asarray(meshes, np.float64)
    if p.ndim != 3 or p.shape[1:] != (478, 3) or not np.isfinite(p).all():
        raise InputError(f"meshes must be finite, B 478 3; got {p.shape}")
    eyes = [p[:, list(c), :2].mean(1) for c in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS)]
    return np.stack([*eyes, p[:, _NOSE, :2], p[:, _MOUTH[0], :2], p[:, _MOUTH[1], :2]], 1)


def crop_matrices(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Affine maps `B 2 3` from crop to picture: the similarity that brings five points `B 5 2`
    nearest to `TEMPLATE` (Umeyama 1991), turned round."""
    complex_points = points[..., 0] + 1j * points[..., 1]
    wanted = np.array([x + 1j * y for x, y in TEMPLATE])
    p0, w0 = complex_points.mean(1, keepdims=True), wanted.mean()
    p, w = complex_points - p0, wanted - w0
    forth = (p.conj() * w).sum(1) / np.square(np.abs(p)).sum(1)  # picture to crop
    back = 1 / forth
    shift = p0[:, 0] - back * w0
    rows = [[back.real, -back.imag, shift.real], [back.imag, back.real, shift.imag]]
    return np.stack([np.stack(row, -1) for row in rows], -2)
