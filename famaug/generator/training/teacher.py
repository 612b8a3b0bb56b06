"""Lessons of the warp renderer: faces of which nobody knows the AUs, rendered with AUs that are
known exactly, left and right."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from famaug.aus.basis import COLUMNS, FULL, load_basis
from famaug.aus.fit import fit_person
from famaug.errors import InputError
from famaug.faces.align import MARGIN, CropTransform, crop_face
from famaug.faces.landmarks import LEFT_IRIS, RIGHT_IRIS
from famaug.faces.pose import FLIP
from famaug.generator.face_motion import FOLD_LIMIT
from famaug.generator.prior import KnownFace
from famaug.generator.training.real_pairs import RealPair
from famaug.generator.warp import Shown, WarpRenderer
from famaug.seeding import keyed_generator
from famaug.training.objective import Batch
from famaug.types import AUS, Floats, Picture

TOGETHER = ((1, 2), (1, 2, 5), (4, 7), (6, 12), (12, 25), (9, 10), (15, 17), (25, 26), (1, 4),
            (5, 26), (12, 14), (20, 25))  # fmt: skip
"""AUs that micro-expressions show together (CASME II, SAMM, DFME; and posed faces)."""
_PARTED = 0.4
"""Share of the lessons in which a unit that parts the lips is added."""
_KEPT = 256
"""Prepared faces held in memory, some 20 MB each at 128 pixels."""
_KEPT_FRAMES = 2000
"""Real frames held in memory, 0.2 MB each at 128 pixels."""


class FoundFace(NamedTuple):
    """A neutral face: its name, picture uint8 `H W 3` and mesh `478 3`."""

    name: str
    picture: Picture
    mesh: Floats


class _Prepared(NamedTuple):
    """A face in one framing: the teacher, and what the network knows."""

    teacher: WarpRenderer
    face: KnownFace
    seen: NDArray[np.float64]
    """`34 478 3`, pixels at intensity 5: its motion as the mesh net sees it."""


class TeacherBatches:
    """Batches of lessons, as a function of seed and step.

    Each row: a face in a framing of its own, AUs as micro-expressions show them, what the warp
    renderer makes of them, and, the same for all of its pictures, a change of light, colour and
    sharpness; half of them mirrored with the sides exchanged. A share of the rows shows a real
    expression and the AUs measured in it.

    Args:
        faces: to learn from.
        size: side of the pictures.
        batch_size: over all processes.
        seed: of everything drawn.
        framings: crops of each face that are prepared.
        real: pairs of frames of videos.
        real_share: share of the rows that are drawn from them.

    Raises:
        InputError: no face, or a share of real pairs without any.
    """

    def __init__(
        self,
        faces: Sequence[FoundFace],
        *,
        size: int = 128,
        batch_size: int = 8,
        seed: int = 0,
        framings: int = 1,
        real: Sequence[RealPair] = (),
        real_share: float = 0.0,
    ) -> None:
        if not faces and real_share < 1:
            raise InputError("there is no face to learn from")
        if not 0 <= real_share <= 1 or (real_share > 0 and not real):
            raise InputError(f"a share of {real_share} real pairs is asked for; {len(real)} given")
        self.faces, self.size, self.batch_size = tuple(faces), size, batch_size
        self.real, self.real_share = tuple(real), real_share
        self.seed, self.framings = seed, framings
        self._prepare = lru_cache(maxsize=_KEPT)(self._prepared)
        self._rest = lru_cache(maxsize=_KEPT)(self._at_rest)
        self._lay = lru_cache(maxsize=_KEPT_FRAMES)(self._laid)
        self._first = {id(p.picture): i for i, p in reversed([*enumerate(self.real)])}

    def batch(self, number: int, rows: range) -> Batch:
        """picture, known, target `B 3 S S` in [-1, 1], inside, support `B 1 S S`, maps
        `B 17 S/2 S/2`, mesh, moved `B 478 3` (pixels; at rest, and as the mesh net should see
        it), real `B`; see `TeacherObjective`."""
        items = [self._row(keyed_generator(self.seed, "lesson", number, row)) for row in rows]
        return {k: torch.cat([i[k] for i in items]) for k in items[0]}

    def _prepared(self, index: int, framing: int) -> _Prepared:
        face = self.faces[index]
        draw = keyed_generator(self.seed, "framing", face.name, framing)
        margin = MARGIN * (1.0 if framing == 0 else draw.uniform(0.93, 1.12))
        crop, mesh, _ = crop_face(face.picture, face.mesh, self.size, margin=margin)
        return _of_crop(crop, mesh)

    def _at_rest(self, index: int) -> tuple[_Prepared, CropTransform]:
        pair = self.real[index]
        crop, mesh, transform = crop_face(pair.picture, pair.mesh, self.size)
        return _of_crop(crop, mesh), transform

    def _laid(self, index: int) -> tuple[_Prepared, NDArray[np.float32]]:
        """A real pair, and its expressive frame laid on the crop, in its light."""
        pair = self.real[index]
        prepared, transform = self._rest(self._first[id(pair.picture)])
        frame, rest = pair.laid(transform), prepared.teacher.picture
        skin = prepared.face.support[0, 0].numpy() > 0.5
        gain = rest[skin].mean(0) / np.maximum(frame[skin].mean(0), 1)
        return prepared, frame * np.clip(gain, 0.8, 1.25).astype(np.float32)

    def _row(self, draw: np.random.Generator) -> Batch:
        if draw.random() < self.real_share:
            index = int(draw.integers(len(self.real)))
            prepared, frame = self._lay(index)
            return _lesson(prepared, self.real[index].intensity[None], draw, frame)
        chosen = int(draw.integers(len(self.faces))), int(draw.integers(self.framings))
        prepared = self._prepare(*chosen)
        asked = _parted(draw_intensity(draw), draw)
        return _lesson(prepared, asked, draw, None)


def _of_crop(crop: Picture, mesh: Floats) -> _Prepared:
    size = len(crop)
    known = WarpRenderer(crop, mesh, plain_mouth=True)
    face = KnownFace(known, crop, mesh, CropTransform(1.0, 0.0, 0.0, 0.0, size))
    person = fit_person(mesh)
    turned = person.seen.swapaxes(0, 1) @ person.pose.rotation.T
    seen = (person.pose.scale * turned * FLIP).reshape(COLUMNS, -1, 3)
    return _Prepared(known.with_painted_mouth(), face, seen)


def _lesson(
    prepared: _Prepared,
    asked: Floats,
    draw: np.random.Generator,
    frame: NDArray[np.float32] | None,
) -> Batch:
    """A row; its target is the frame, or what the teacher makes."""
    teacher, face, seen = prepared
    while teacher.fold_over(asked)[0] > FOLD_LIMIT:
        asked = asked * 0.7
    rest = teacher.picture.astype(np.float32)
    with torch.inference_mode():
        shown = face.renderer.show(asked)
        known, inside = face.known(shown)
        target = _whole(face, teacher.show(asked)) if frame is None else frame
    support = face.support[0, 0].numpy()[..., None]
    # beyond the face is nothing to be learnt: real heads and hair move there
    target = rest + support * (target - rest)
    pictures = np.stack([rest, (known[0].permute(1, 2, 0).numpy() + 1) * 127.5, target])
    picture, before, after = torch.split(_in_range(_varied(pictures, draw)), 1)
    track = asked.reshape(COLUMNS).astype(np.float64) / FULL
    mesh = teacher.mesh.astype(np.float64)
    item = {
        "picture": picture,
        "known": before,
        "target": after,
        "inside": inside.clone(),
        "maps": face.maps(torch.from_numpy(asked)),
        "support": face.support,
        "mesh": _tensor(mesh),
        "moved": _tensor(mesh + np.tensordot(track, seen, 1)),
        "real": torch.tensor([float(frame is not None)]),
    }
    return _mirrored(item) if draw.random() < 0.5 else item


def _whole(face: KnownFace, shown: Shown) -> NDArray[np.float32]:
    """What the teacher shows, as the whole crop `S S 3`."""
    out: NDArray[np.float32] = face.known(shown).picture[0].permute(1, 2, 0).numpy()
    return (out + 1) * 127.5


def _tensor(mesh: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(mesh.astype(np.float32))[None]


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


def _parted(asked: Floats, draw: np.random.Generator) -> Floats:
    """The same, and often parted lips: there is most to be painted."""
    if draw.random() < _PARTED:
        unit = AUS.index((10, 25, 25, 26, 26)[draw.integers(5)])
        asked[:, :, unit] = np.maximum(asked[:, :, unit], draw.uniform(0.5, 3.0))
    return asked


def _varied(pictures: NDArray[np.float32], draw: np.random.Generator) -> NDArray[np.float32]:
    """The same light, colour and sharpness for all pictures: `N S S 3`, 0-255 to 0-1."""
    values = np.clip(pictures / 255, 0, 1)
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


@cache
def _other_side() -> Tensor:
    """`478`: of each point of the mesh, the one on the other side."""
    return torch.from_numpy(
        np.concatenate([load_basis().mirror, np.array([*LEFT_IRIS, *RIGHT_IRIS])])
    )


def _mirrored(item: Batch) -> Batch:
    """The mirrored lesson: the maps' left lies on the other side with the picture's."""
    out = {k: v.flip(-1) if v.ndim == 4 else v for k, v in item.items()}
    last = item["picture"].shape[-1] - 1
    for name in ("mesh", "moved"):
        points = item[name][:, _other_side()]
        out[name] = torch.cat([last - points[..., :1], points[..., 1:]], -1)
    return out
