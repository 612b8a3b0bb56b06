"""GANimation at work: one face's AUs, at any resolution."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from famaug.aus.basis import BASIS
from famaug.errors import WeightsError
from famaug.faces.align import crop_face
from famaug.files.limits import check_finite
from famaug.generator.motion.inverse import at_nodes, to_grid
from famaug.generator.moving import MovingRenderer
from famaug.generator.networks.au_maps import au_maps, left_share, midlines
from famaug.generator.networks.compose import warp
from famaug.generator.networks.ganimation import GanimationGenerator
from famaug.generator.networks.saved import load_generator
from famaug.generator.options import Choice, Options, Range, chosen
from famaug.processes import one_torch_thread
from famaug.seeding import digest
from famaug.types import Floats, Picture
from famaug.weights.shipped import sha256_of
from famaug.weights.tensor_files import subjects_of

SIZE = 128
"""Side of the picture that a network sees, unless its file says another."""
_PAINTED = 0.3
"""Attention up to which the picture's own detail goes; at twice of it all stays."""
_RIM = 2
"""Pixels at the border of the network's picture that it never changes."""


@dataclass(frozen=True, eq=False)
class LearnedGenerator:
    """A trained network, frozen, on the CPU.

    Attributes:
        network: it.
        size: side of the pictures it was trained on.
        weights: digest of all that its pictures depend on.
        subjects: "dataset/subject" of everybody whom its file names as trained on.
    """

    name: ClassVar[str] = "ganimation/3"
    options: ClassVar[Options] = {
        "halves": Choice("maps", "paper"),
        "feather": Range(0, 1, 0),
        "precision": Choice("fp32", "bf16"),
    }
    network: GanimationGenerator
    size: int
    weights: str
    subjects: tuple[str, ...] = ()

    def __call__(
        self,
        picture: Picture,
        mesh: Floats,
        *,
        device: str | torch.device = "cpu",
        **options: Any,
    ) -> LearnedRenderer:
        """One face; see `LearnedRenderer`."""
        return LearnedRenderer(picture, mesh, generator=self, device=device, **options)

    @staticmethod
    def open(path: Path) -> LearnedGenerator:
        """See `open_generator`."""
        return open_generator(path)


@cache
def open_generator(path: Path) -> LearnedGenerator:
    """A generator's file, as a training or `famaug weights import` wrote it.

    Raises:
        WeightsError: missing, damaged, of an unknown kind, or not fitting its own note.
    """
    network, note = load_generator(path)
    size = note.get("size", SIZE)
    if type(size) is not int or not 32 <= size <= 1024 or size % 8:
        raise WeightsError(f"{path}: its note says size {size!r}; 32 to 1024 by 8 are possible")
    # a face's support comes from the AU basis
    weights = digest([sha256_of(path), BASIS])
    return LearnedGenerator(network, size, weights, subjects_of(path))


class LearnedRenderer(MovingRenderer):
    """Renders one face's AUs with a network.

    The network sees the face in a small crop; its motion and what it changes in colour are applied
    at the picture's own resolution, so the picture's own detail stays where it is not painted over.

    Args:
        picture: uint8 `H W 3`, the neutral face.
        mesh: `478 3`, its mesh in pixels of the picture.
        generator: which.
        halves: "maps": both sides in one pass. "paper": a pass for each side, joined at the
            midline, as FAMGAN does.
        feather: width of that joint in sides of the crop; 0 is a hard seam, as published.
        precision: of the network's numbers. "bf16" takes about a quarter of the time on CPUs that
            have it and on GPUs, and is off by some grey levels.
        device: where the network runs.

    Raises:
        InputError: picture or mesh of the wrong shape or type, or an option out of range.
        FaceError: the mesh lies outside the picture, is too small, or is turned too far away.
    """

    def __init__(
        self,
        picture: Picture,
        mesh: Floats,
        *,
        generator: LearnedGenerator,
        halves: str = "maps",
        feather: float = 0.0,
        precision: str = "fp32",
        device: str | torch.device = "cpu",
    ) -> None:
        given = {"halves": halves, "feather": feather, "precision": precision}
        chosen(generator.name, generator.options, given)
        super().__init__(picture, mesh, device=device)
        self.generator, self.halves, self.size = generator, halves, generator.size
        self._dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self._network = _ready(generator, self.device, self._dtype)
        self._see()
        if halves == "paper":
            share = left_share(self._midline, self.size, ramp=feather)
            whole = self._up(share)
            self._share = whole.clamp(0, 1) if feather else (whole > 0.5).to(whole)

    def _see(self) -> None:
        """The crop that the network sees, and the way back from it."""
        crop, mesh, transform = crop_face(self.picture, self.mesh, self.size)
        g, step = self.motion.grid, transform.scale
        values = torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1))).float()
        self._small = (values[None] / 127.5 - 1).to(self.device)
        self._midline = midlines(mesh[None]).to(self.device)
        self._pixels = step * self.size / 2  # half a side of the crop, in pixels of the picture
        starts = (transform.cx, g.x0, g.x1), (transform.cy, g.y0, g.y1)
        self._up_x, self._up_y = (
            torch.from_numpy(_cubic(c - low, step, self.size, high - low + 1)).to(self.device)
            for c, low, high in starts
        )
        nodes = [
            (np.arange(self.size) * step + c - low) / each
            for (c, low, _), each in zip(starts, g.step, strict=True)
        ]
        at = np.stack(np.meshgrid(*nodes), -1)[None].astype(np.float32)
        self._support = self._reach(torch.from_numpy(at).to(self.device))
        y, x = (torch.arange(s.stop - s.start, device=self.device) for s in self._box)
        self._x, self._y = x.float()[None, None], y.float()[None, :, None]

    def _reach(self, at: Tensor) -> Tensor:
        """`1 1 S S`: 1 where any AU moves anything, falling to 0 over the ring round it, of the
        crop's pixels, given their places among the nodes `1 S S 2`."""
        motion = self.motion
        reach = motion.field.abs().amax((0, 1))[None, None]
        grid = to_grid(at, motion.grid.lines, motion.grid.columns)
        inside = (grid.abs() <= 1).all(-1)[:, None]
        inside[..., :_RIM, :] = inside[..., -_RIM:, :] = False
        inside[..., :, :_RIM] = inside[..., :, -_RIM:] = False
        return (at_nodes(reach, grid) * 12).clamp(0, 1) * inside

    def _up(self, planes: Tensor) -> Tensor:
        """Planes `B C S S` over the crop at the pixels of the box, `B C h w`."""
        return self._up_y @ planes @ self._up_x.mT

    def show(self, track: Floats) -> Tensor:
        if self.halves == "maps":
            return self._painted(track)
        sides = [self._painted(np.repeat(track[:, k : k + 1], 2, 1)) for k in (0, 1)]
        return self._share * sides[0] + (1 - self._share) * sides[1]

    def _painted(self, track: Floats) -> Tensor:
        """The picture moved where the network has a motion, and what it changes added; what is
        painted over takes its detail with it."""
        picture = self._small.expand(len(track), -1, -1, -1)
        intensity = torch.from_numpy(track).to(self.device)
        maps = au_maps(intensity, self._midline.expand(len(track), -1, -1), self.size)
        with one_torch_thread():  # several sum in another order
            outputs = self._network(self._given(picture), self._given(maps))
        flow = outputs.flow
        flow = picture.new_zeros((len(track), 2, *picture.shape[2:])) if flow is None else flow
        flow = flow * self._support
        attention = 1 - self._support * (1 - outputs.attention)
        small = warp(picture, flow)
        kept = ((attention - _PAINTED) / _PAINTED).clamp(0, 1)
        change = (1 - attention) * (outputs.colour - small)
        planes = self._up(torch.cat([flow * self._pixels, change, small, kept], 1))
        check_finite(planes)
        moved = self._moved(planes[:, :2])
        share = planes[:, 8:].clamp(0, 1)
        moved = share * moved + (1 - share) * (planes[:, 5:8] + 1) * 127.5
        return moved + planes[:, 2:5] * 127.5

    def _given(self, planes: Tensor) -> Tensor:
        return planes.to(self._dtype, memory_format=torch.channels_last)

    def _moved(self, flow: Tensor) -> Tensor:
        """The box's colours `B 3 h w`, each pixel from where `flow` (`B 2 h w`, pixels) points."""
        h, w = flow.shape[2:]
        x = (self._x + flow[:, 0]) * (2 / (w - 1)) - 1
        y = (self._y + flow[:, 1]) * (2 / (h - 1)) - 1
        return F.grid_sample(
            self._rest.expand(len(flow), -1, -1, -1), torch.stack([x, y], -1),
            mode="bicubic", padding_mode="border", align_corners=True,
        )  # fmt: skip


@cache
def _ready(
    generator: LearnedGenerator, device: torch.device, dtype: torch.dtype
) -> GanimationGenerator:
    """The network as it runs; one for all faces. In this order of channels a CPU takes two thirds
    of the time."""
    network = copy.deepcopy(generator.network).to(device, dtype)
    return network.to(memory_format=torch.channels_last)


def _cubic(start: float, step: float, size: int, count: int) -> NDArray[np.float32]:
    """`count size`: the picture's pixels by cubic convolution (Catmull and Rom) from the crop's;
    beyond the crop as at its border."""
    place = np.clip((np.arange(count) - start) / step, 0, size - 1)
    d = np.abs(place[:, None] - np.arange(size)[None])
    near = (1.5 * d - 2.5) * d**2 + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    table = np.where(d <= 1, near, np.where(d < 2, far, 0.0))
    out: NDArray[np.float32] = (table / table.sum(1, keepdims=True)).astype(np.float32)
    return out
