"""Distance of two sets of faces: a Fréchet distance over MobileNet features.

Not FID: that name belongs to Inception features, and its numbers are others. This one too is
biased upwards in small sets, so it means something only beside another distance from equally
many pictures, such as that between two halves of the real ones.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray

from famaug.errors import FaceError, InputError
from famaug.faces.align import crop_face
from famaug.faces.mesher import FaceMesher
from famaug.perception.features import FeatureTrunk
from famaug.types import Picture

SIDE = 224
"""Pixels: side of the upright face crops that the trunk reads."""
_BATCH = 16
Array = NDArray[np.float64]


def face_features(
    pictures: Iterable[Picture], *, trunk: FeatureTrunk, mesher: FaceMesher
) -> NDArray[np.float32]:
    """Features of the faces in pictures.

    Args:
        pictures: uint8 `H W 3` each; those without a usable face are left out.
        trunk, mesher: the networks.

    Returns:
        float32 `N 1280`, one row a face.

    Raises:
        FaceError: not one picture shows a face.
    """
    crops, rows = [], []
    for picture in pictures:
        try:
            mesh = mesher.find(picture)
        except FaceError:
            continue
        crops.append(crop_face(picture, mesh, SIDE, upright=True)[0])
        if len(crops) == _BATCH:
            rows.append(_pooled(crops, trunk))
            crops = []
    if crops:
        rows.append(_pooled(crops, trunk))
    if not rows:
        raise FaceError("features of faces were asked for, but no picture shows one")
    return np.concatenate(rows)


def frechet_distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Fréchet distance of two sets of features, `N K` and `M K`, each taken for a Gaussian.

    |mean a - mean b|^2 + tr(A + B - 2 (A B)^(1/2)) with covariances A and B (Dowson and Landau
    1982). The last trace is the sum of the singular values of the product of the centred sets,
    which is exact where there are fewer pictures than features.

    Raises:
        InputError: sets of other widths, of fewer than 2 rows, or with values that are not finite.
    """
    x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < 2:
        raise InputError(
            f"two sets of features N K with N of 2 or more were asked for; got {x.shape}, {y.shape}"
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("features must be finite")
    away = float(np.square(x.mean(0) - y.mean(0)).sum())
    x, y = _centred(x), _centred(y)
    both = float(np.linalg.svd(x @ y.T, compute_uv=False).sum())
    return max(away + float(np.square(x).sum() + np.square(y).sum()) - 2 * both, 0.0)


def _centred(x: Array) -> Array:
    out: Array = (x - x.mean(0)) / np.sqrt(len(x) - 1)
    return out


def _pooled(crops: list[Picture], trunk: FeatureTrunk) -> NDArray[np.float32]:
    x = torch.from_numpy(np.stack(crops)).to(trunk.mean.device)
    with torch.inference_mode():
        found = trunk.pooled(x.permute(0, 3, 1, 2).float() / 127.5 - 1)
    return np.asarray(found.cpu().numpy(), np.float32)
