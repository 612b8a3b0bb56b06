"""Batches of faces for GANimation's training, as a function of seed and step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from famaug.errors import InputError
from famaug.generator.networks.au_maps import mirrored
from famaug.seeding import keyed_generator
from famaug.training.ganimation.faces import LOOSE, FaceSet
from famaug.training.loop.objective import Batch
from famaug.types import Floats


class FaceBatches:
    """Every face once an epoch in an order of its own; what is left over at its end is dropped.

    The AUs asked for are those of another face, with noise, as published. With `known`, a face of a
    rendered scene is what is to come out, and another picture of its scene is what is shown.

    Args:
        faces: with known AUs.
        rows: which of them; all by default.
        batch_size: over all processes.
        seed: of orders, mirrors, targets and noise.
        mirror: show half of the faces mirrored, left and right exchanged.
        noise: uniform noise on the AUs asked for, on the scale of 0-5 (published: 0.1 of AU / 5).
        clip_length: frames of the clips for a sequence critic, 0 for none.
        known: add the picture and the motion that are to come out (see `GanimationObjective`);
            faces of no scene go on as published.
        at_rest: share of the scenes' pictures that are shown at rest, as in use.

    Raises:
        InputError: faces without AUs, fewer than a batch, or no run of frames so long.
    """

    def __init__(
        self,
        faces: FaceSet,
        *,
        rows: NDArray[np.int64] | None = None,
        batch_size: int,
        seed: int = 0,
        mirror: bool = True,
        noise: float = 0.5,
        clip_length: int = 0,
        known: bool = False,
        at_rest: float = 0.5,
    ) -> None:
        self.rows = np.arange(len(faces)) if rows is None else rows
        if not np.isfinite(faces.intensity[self.rows]).all():
            raise InputError(
                "GANimation needs the AUs of every face: give a table with the pictures, or clips"
            )
        if len(self.rows) < batch_size:
            raise InputError(f"{len(self.rows)} faces are fewer than a batch of {batch_size}")
        self.faces, self.batch_size, self.seed = faces, batch_size, seed
        self.mirror, self.noise, self.clip_length = mirror, noise, clip_length
        self.runs = _runs(faces, self.rows, clip_length) if clip_length else np.zeros(0, np.int64)
        if clip_length and not len(self.runs):
            raise InputError(
                f"a sequence critic needs runs of {clip_length} frames; the longest clip here is "
                "shorter (loose pictures have none)"
            )
        self.known, self.at_rest = known, at_rest
        self._scenes = _scenes(faces, self.rows) if known else {}
        if known and not self._scenes:
            raise InputError(
                "what is to come out is known of rendered faces alone: faces.kind: rendered, or "
                "weights.known: 0"
            )
        if not 0 <= at_rest <= 1:
            raise InputError(f"at_rest is a share, 0 to 1; got {at_rest}")
        self._epoch, self._order = -1, self.rows

    @property
    def steps_per_epoch(self) -> int:
        return len(self.rows) // self.batch_size

    def batch(self, number: int, rows: range) -> Batch:
        """See `GanimationObjective`."""
        epoch, place = divmod(number, self.steps_per_epoch)
        order = self._order_of(epoch)
        items = [self._row(int(order[place * self.batch_size + row]), number, row) for row in rows]
        return {k: torch.from_numpy(np.stack([i[k] for i in items])) for k in items[0]}

    def _order_of(self, epoch: int) -> NDArray[np.int64]:
        if epoch != self._epoch:
            draw = keyed_generator(self.seed, "order", epoch)
            self._epoch, self._order = epoch, draw.permutation(self.rows)
        return self._order

    def _row(self, index: int, number: int, row: int) -> dict[str, NDArray[np.float32]]:
        draw = keyed_generator(self.seed, "row", number, row)
        turned = self.mirror and draw.random() < 0.5
        scene = self._scenes.get(int(self.faces.scene[index]))
        shown = index if scene is None else self._shown(scene, draw)
        picture, intensity, midline = self._seen(shown, turned=turned)
        found = {
            "picture": picture,
            "intensity": intensity,
            "target": self._target(draw),
            "midline": midline,
            "mix": np.asarray(draw.random(), np.float32),
        }
        if self.known:
            true, asked, _ = self._seen(index, turned=turned)
            from_rest = scene is not None and not intensity.any()
            found |= {
                "true": true,
                "is_known": np.asarray(scene is not None, np.float32),
                "motion": self._motion(index, turned=turned),
                "from_rest": np.asarray(from_rest, np.float32),
            }
            if scene is not None:
                found["target"] = asked
        return found | self._clip(draw) if self.clip_length else found

    def _seen(self, index: int, *, turned: bool) -> tuple[NDArray[np.float32], Floats, Floats]:
        """Picture, intensity and midline of a face, perhaps mirrored."""
        faces = self.faces
        picture, midline = faces.pictures[index], faces.midline[index]
        intensity = faces.intensity[index]
        if turned:
            picture = picture[:, ::-1]
            intensity, midline = mirrored(intensity, midline, faces.size)
        return in_network_range(picture), intensity, midline

    def _motion(self, index: int, *, turned: bool) -> NDArray[np.float32]:
        motion = np.array(self.faces.motion[index], np.float32)
        if turned:
            motion = motion[..., ::-1] * np.array([-1, 1], np.float32)[:, None, None]
        return np.ascontiguousarray(motion)

    def _shown(self, scene: _Scene, draw: np.random.Generator) -> int:
        rest = len(scene.still) and draw.random() < self.at_rest
        rows = scene.still if rest else scene.rows
        return int(rows[draw.integers(len(rows))])

    def _target(self, draw: np.random.Generator) -> Floats:
        other: Floats = self.faces.intensity[self.rows[draw.integers(len(self.rows))]]
        if self.mirror and draw.random() < 0.5:
            other = other[::-1]
        sides = 1 if np.array_equal(other[0], other[1]) else 2  # equal sides stay equal
        noise = draw.uniform(-self.noise, self.noise, (sides, other.shape[1]))
        return (other + noise).astype(np.float32)

    def _clip(self, draw: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        """A run of real frames, and the AUs of another one."""
        real, asked = (
            np.arange(first, first + self.clip_length)
            for first in self.runs[draw.integers(len(self.runs), size=2)]
        )
        clip = in_network_range(self.faces.pictures[real])
        return {
            "clip": np.ascontiguousarray(clip.transpose(1, 0, 2, 3)),
            "curve": self.faces.intensity[asked],
            "clip_mix": np.asarray(draw.random(), np.float32),
        }


class _Scene(NamedTuple):
    """Rows of a scene, and those of them at rest."""

    rows: NDArray[np.int64]
    still: NDArray[np.int64]


def _scenes(faces: FaceSet, rows: NDArray[np.int64]) -> dict[int, _Scene]:
    """Scenes by number, of `rows` alone."""
    order = rows[np.argsort(faces.scene[rows], kind="stable")]
    numbers, first = np.unique(faces.scene[order], return_index=True)
    found = {}
    for number, mine in zip(numbers.tolist(), np.split(order, first[1:]), strict=True):
        if number != LOOSE:
            found[number] = _Scene(mine, mine[~faces.intensity[mine].any((1, 2))])
    return found


def _runs(faces: FaceSet, rows: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Those of `rows` at which `length` consecutive frames of one clip begin, all among `rows`."""
    used = np.zeros(len(faces) + length, bool)
    used[rows] = True
    first = rows[rows + length <= len(faces)]
    last = first + length - 1
    whole = np.lib.stride_tricks.sliding_window_view(used, length)[first].all(1)
    same = (faces.clip[first] == faces.clip[last]) & (faces.clip[first] != LOOSE)
    runs: NDArray[np.int64] = first[
        whole & same & (faces.frame[last] - faces.frame[first] == length - 1)
    ]
    return runs


def in_network_range(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 `... H W 3` to float32 `... 3 H W` in [-1, 1]."""
    values = np.asarray(pictures, np.float32) / 127.5 - 1
    return np.ascontiguousarray(np.moveaxis(values, -1, -3))
