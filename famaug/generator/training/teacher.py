"""Lessons of the warp renderer: faces of which nobody knows the AUs, rendered with AUs that are
known exactly, left and right."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from famaug.errors import InputError
from famaug.faces.align import MARGIN, crop_face
from famaug.faces.sampling import as_source, sample_spline, spline_coefficients
from famaug.generator.face_motion import FOLD_LIMIT
from famaug.generator.networks.compose import warp
from famaug.generator.prior import MotionPrior
from famaug.generator.training.objective import Batch
from famaug.generator.warp import WarpRenderer
from famaug.seeding import keyed_generator
from famaug.types import AUS, Floats, Picture

TOGETHER = ((1, 2), (1, 2, 5), (4, 7), (6, 12), (12, 25), (9, 10), (15, 17), (25, 26), (1, 4),
            (5, 26), (12, 14), (20, 25))  # fmt: skip
"""AUs that micro-expressions show together (CASME II, SAMM, DFME; and posed faces)."""
_KEPT = 256
"""Prepared faces held in memory, some 10 MB each at 128 pixels."""


class FoundFace(NamedTuple):
    """A neutral face: its name, picture uint8 `H W 3` and mesh `478 3`."""

    name: str
    picture: Picture
    mesh: Floats


class _Prepared(NamedTuple):
    renderer: WarpRenderer
    prior: MotionPrior


class TeacherBatches:
    """Batches of lessons, as a function of seed and step.

    Each row: a face in a framing of its own, AUs as micro-expressions show them, what the warp
    renderer makes of them, and, the same for both pictures, a change of light, colour and
    sharpness; half of them mirrored with the sides exchanged.

    Args:
        faces: to learn from.
        size: side of the pictures.
        batch_size: over all processes.
        seed: of everything drawn.
        framings: crops of each face that are prepared.

    Raises:
        InputError: no face.
    """

    def __init__(
        self,
        faces: Sequence[FoundFace],
        *,
        size: int = 128,
        batch_size: int = 8,
        seed: int = 0,
        framings: int = 2,
    ) -> None:
        if not faces:
            raise InputError("there is no face to learn from")
        self.faces, self.size, self.batch_size = tuple(faces), size, batch_size
        self.seed, self.framings = seed, framings
        self._prepare = lru_cache(maxsize=_KEPT)(self._prepared)

    def batch(self, number: int, rows: range) -> Batch:
        """picture, target `B 3 S S` in [-1, 1], maps `B 17 S S`, prior `B 2 S S`, support
        `B 1 S S`; see `TeacherObjective`."""
        items = [self._row(keyed_generator(self.seed, "lesson", number, row)) for row in rows]
        return {k: torch.cat([i[k] for i in items]) for k in items[0]}

    def _prepared(self, index: int, framing: int) -> _Prepared:
        face = self.faces[index]
        draw = keyed_generator(self.seed, "framing", face.name, framing)
        margin = MARGIN * (1.0 if framing == 0 else draw.uniform(0.93, 1.12))
        crop, mesh, _ = crop_face(face.picture, face.mesh, self.size, margin=margin)
        renderer = WarpRenderer(crop, mesh, skin=0)  # folds are drawn on what the network makes
        return _Prepared(renderer, MotionPrior(renderer.motion))

    def _row(self, draw: np.random.Generator) -> Batch:
        chosen = int(draw.integers(len(self.faces))), int(draw.integers(self.framings))
        renderer, prior = self._prepare(*chosen)
        asked = draw_intensity(draw)
        while renderer.fold_over(asked)[0] > FOLD_LIMIT:
            asked *= 0.7
        pair = np.stack([renderer.picture, renderer.render(asked)[0]])
        pictures = _in_range(_varied(pair, draw))
        intensity = torch.from_numpy(asked)
        known = prior.flow(intensity)
        item = {
            "picture": pictures[:1],
            "target": pictures[1:] + _blur_of_sampling(pictures[:1], known),
            "maps": prior.maps(intensity),
            "prior": known,
            "support": prior.support,
        }
        return _mirrored(item) if draw.random() < 0.5 else item


def draw_intensity(draw: np.random.Generator) -> Floats:
    """`1 2 17`, 0-5: one to four AUs, alone or in company, 0.3-3, a third of them one-sided."""
    out = np.zeros((2, len(AUS)), np.float32)
    if draw.random() < 0.4:
        chosen = [AUS.index(au) for au in TOGETHER[draw.integers(len(TOGETHER))]]
    else:
        chosen = draw.choice(len(AUS), draw.integers(1, 4), replace=False).tolist()
    for unit in chosen:
        out[:, unit] = draw.uniform(0.3, 3.0)
        if draw.random() < 0.35:
            out[draw.integers(2), unit] *= draw.uniform(0, 0.4)
    return out[None]


def _varied(pair: NDArray[np.uint8], draw: np.random.Generator) -> NDArray[np.float32]:
    """The same light, colour and sharpness for both pictures: `2 S S 3`, 0-1."""
    values = pair.astype(np.float32) / 255
    values = values ** draw.uniform(0.75, 1.3) * draw.uniform(0.85, 1.15)
    values = values * draw.uniform(0.92, 1.08, 3).astype(np.float32)
    if draw.random() < 0.25:
        grey = values @ np.array([0.3, 0.59, 0.11], np.float32)
        values = np.repeat(grey[..., None], 3, -1)
    if draw.random() < 0.3:
        sigma = draw.uniform(0.3, 0.9)
        values = np.stack([cv2.GaussianBlur(v, (0, 0), sigma) for v in values])
    return np.clip(values, 0, 1).astype(np.float32)


def _in_range(values: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values.transpose(0, 3, 1, 2))) * 2 - 1


def _blur_of_sampling(picture: Tensor, flow: Tensor) -> Tensor:
    """What bilinear sampling makes of a moved picture, less what cubic splines do. The network
    moves bilinearly while it learns, the teacher and the finished renderer by splines: without
    this the network would learn to sharpen, and nothing else."""
    source = as_source(spline_coefficients(picture[0].permute(1, 2, 0).numpy()))
    side = picture.shape[-1]
    steps = torch.arange(side, dtype=torch.float32)
    x = steps[None, None] + flow[:, 0] * (side / 2)
    y = steps[None, :, None] + flow[:, 1] * (side / 2)
    return warp(picture, flow) - sample_spline(source, x, y)


def _mirrored(item: Batch) -> Batch:
    """The mirrored lesson: the maps' left lies on the other side with the picture's."""
    out = {k: v.flip(-1) for k, v in item.items()}
    out["prior"] = out["prior"] * out["prior"].new_tensor([-1.0, 1.0]).view(1, 2, 1, 1)
    return out
