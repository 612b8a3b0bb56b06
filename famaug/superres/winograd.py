"""Our networks on the CPU by Winograd's convolutions (winograd.c), compiled once on this machine.

PyTorch multiplies 3 x 3 convolutions out; this way takes a quarter of the multiplications. Results
differ from PyTorch's by rounding only, and do not depend on the number of threads.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from famaug.native import open_native
from famaug.superres.rrdb import RESIDUAL, SLOPE, RRDBNet
from famaug.superres.srvgg import SRVGG
from famaug.types import Floats, Picture

SOURCE = Path(__file__).with_name("winograd.c")
LANES = 16
"""Channels are padded to a multiple of it."""
TILE = 4
AT_ONCE = 4
"""Frames whose tiles are computed together: each layer's weights are read once for all of them."""
_LOW, _HIGH = 0.5**0.5, 2**0.5
_SPREAD = np.array(
    [
        [1, 0, 0],
        [-2 / 3, -2 / 3 * _LOW, -1 / 3],
        [-2 / 3, 2 / 3 * _LOW, -1 / 3],
        [1 / 6, 1 / 6 * _HIGH, 1 / 3],
        [1 / 6, -1 / 6 * _HIGH, 1 / 3],
        [0, 0, 1],
    ]
)
"""G of F(4, 3) (Lavin and Gray, 2016) for the points that winograd.c names."""


class _Plane(ctypes.Structure):
    """As `plane` in the C file."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("reference", ctypes.c_void_p),
        ("fresh", ctypes.c_void_p),
        ("height", ctypes.c_int32),
        ("width", ctypes.c_int32),
        ("channels", ctypes.c_int32),
    )


class _Layer(ctypes.Structure):
    """As `layer` in the C file."""

    _fields_ = (
        ("weights", ctypes.c_void_p),
        ("bias", ctypes.c_void_p),
        ("slope", ctypes.c_void_p),
        ("inputs", ctypes.c_int32),
        ("outputs", ctypes.c_int32),
        ("source", ctypes.c_int32),
        ("target", ctypes.c_int32),
        ("at", ctypes.c_int32),
        ("twice", ctypes.c_int32),
        ("half", ctypes.c_int32),
        ("first", ctypes.c_int32),
        ("second", ctypes.c_int32),
        ("first_scale", ctypes.c_float),
        ("second_scale", ctypes.c_float),
    )


class _Chain(ctypes.Structure):
    """As `chain` in the C file."""

    _fields_ = (
        ("planes", ctypes.c_void_p),
        ("layers", ctypes.c_void_p),
        ("count", ctypes.c_int32),
        ("tiles", ctypes.c_void_p),
        ("tile_count", ctypes.c_int32),
    )


@dataclass(frozen=True)
class Step:
    """A convolution, from plane to plane.

    Attributes:
        conv: it.
        slope: what values below zero are multiplied with: a number, or one for each channel.
        source, target: planes; 0 is the picture.
        places: channels of the source that its inputs are.
        at: first channel of the target that is written.
        twice: the source is enlarged to two times first.
        plus: up to two (plane, factor): out = out x factor + plane, in turn.
    """

    conv: nn.Conv2d
    slope: float | Tensor
    source: int
    target: int
    places: tuple[int, ...]
    at: int = 0
    twice: bool = False
    plus: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Design:
    """What a network is made of.

    Attributes:
        steps: its convolutions.
        channels, enlarged: of each plane.
        result: the plane that holds it.
        adds_picture: the enlarged picture is added to it.
        is_chain: each plane is read by the next step alone.
    """

    steps: tuple[Step, ...]
    channels: tuple[int, ...]
    enlarged: tuple[int, ...]
    result: int
    adds_picture: bool
    is_chain: bool


def design_of(net: nn.Module) -> Design | None:
    """The design of one of our networks; None for others."""
    if isinstance(net, SRVGG):
        return _chain(net)
    if isinstance(net, RRDBNet):
        return _dense(net)
    return None


def _padded(channels: int) -> int:
    return -(-channels // LANES) * LANES


def _chain(net: SRVGG) -> Design:
    convs: list[Any] = [m for m in net.body if isinstance(m, nn.Conv2d)]
    slopes: list[Any] = [m.weight for m in net.body if isinstance(m, nn.PReLU)]
    steps = tuple(
        Step(conv, slope, i, i + 1, tuple(range(conv.in_channels)))
        for i, (conv, slope) in enumerate(zip(convs, [*slopes, 1.0], strict=True))
    )
    channels = (_padded(3), *(_padded(c.out_channels) for c in convs))
    return Design(steps, channels, (1,) * len(channels), len(steps), True, True)


def _dense(net: RRDBNet) -> Design:
    """Planes: 0 picture, 1 first features, 2-4 the dense blocks of a residual block in turn, 5
    trunk, 6 twice as large, 7-9 four times."""
    first: Any = net.conv_first
    blocks: list[Any] = list(net.body)
    features, growth = int(first.out_channels), int(blocks[0].rdb1.conv1.out_channels)
    wide = _padded(features)
    grown = tuple(wide + i * _padded(growth) for i in range(5))
    places = [*range(features)]
    reads = []
    for start in grown:
        reads.append(tuple(places))
        places += range(start, start + growth)
    plain = reads[0]
    # once more into the plane where the first block begins: cheaper than a way to copy
    steps = [Step(first, 1.0, 0, target, (0, 1, 2)) for target in (1, 2)]
    for block in blocks:
        for k, dense in enumerate((block.rdb1, block.rdb2, block.rdb3)):
            here = 2 + k
            grow = (dense.conv1, dense.conv2, dense.conv3, dense.conv4)
            steps += [
                Step(conv, SLOPE, here, here, reads[i], at=grown[i]) for i, conv in enumerate(grow)
            ]
            plus = ((here, RESIDUAL),) if k < 2 else ((here, RESIDUAL), (2, RESIDUAL))
            target = here + 1 if k < 2 else 2
            steps.append(Step(dense.conv5, 1.0, here, target, reads[4], plus=plus))
    last: list[Any] = [net.conv_body, net.conv_up1, net.conv_up2, net.conv_hr, net.conv_last]
    steps += [
        Step(last[0], 1.0, 2, 5, plain, plus=((1, 1.0),)),
        Step(last[1], SLOPE, 5, 6, plain, twice=True),
        Step(last[2], SLOPE, 6, 7, plain, twice=True),
        Step(last[3], SLOPE, 7, 8, plain),
        Step(last[4], 1.0, 8, 9, plain),
    ]
    channels = (_padded(3), wide, *(grown[4],) * 3, wide, wide, wide, wide, _padded(3))
    return Design(tuple(steps), channels, (1, 1, 1, 1, 1, 1, 2, 4, 4, 4), 9, False, False)


class NativeNet:
    """A network for one size of picture at a time.

    Args:
        net: of ours.
        half: multiply in bfloat16, but for the first and the last convolution: there rounding
            costs the most and time the least.

    Raises:
        ValueError: not one of ours, or no compiler; ask `fits` first.
    """

    def __init__(self, net: nn.Module, *, half: bool = False) -> None:
        design, library = design_of(net), open_native(SOURCE)
        if design is None or library is None:
            raise ValueError("ask NativeNet.fits first")
        known: Any = net
        self.design, self.scale, self.half, self._library = design, int(known.scale), half, library
        self._held = [_held(step, design, half) for step in design.steps]
        self._shape, self._frames = (0, 0), 0
        self._work: list[Floats] = []
        self._reference: list[Floats] = []

    @staticmethod
    def fits(net: nn.Module, *, half: bool = False, reuse: bool = False) -> bool:
        """Whether it can be computed this way on this machine; with `reuse`, whether parts of a
        frame can."""
        library, design = open_native(SOURCE), design_of(net)
        if library is None or design is None or (half and not library.knows_half()):
            return False
        return design.is_chain or not reuse

    def bytes_per_pixel(self, *, reuse: bool) -> int:
        """Of memory that a pixel of the input takes."""
        sizes = [c * e * e for c, e in zip(self.design.channels, self.design.enlarged, strict=True)]
        work = sizes[0] + 2 * max(sizes) if self.design.is_chain else sum(sizes)
        return 4 * (AT_ONCE * work + sum(sizes) if reuse else work) + 3 * self.scale**2

    def picture(self, picture: Picture) -> Picture:
        """uint8 RGB `H W 3`, `scale` times larger."""
        self._make_room(picture, 1)
        out = self._empty(picture)
        self._run([picture], self._work, [out])
        return out

    def see(self, reference: Picture) -> Picture:
        """As `picture`; keeps every layer for `changed`."""
        self._make_room(reference, AT_ONCE)
        if not self._reference:
            self._reference = _planes(self.design, self._shape)
        out = self._empty(reference)
        self._run([reference], self._reference, [out])
        return out

    def changed(
        self,
        pictures: Sequence[Picture],
        tiles: Sequence[NDArray[np.bool_]],
        out: Sequence[Picture],
    ) -> None:
        """Computes tiles of up to `AT_ONCE` pictures; what lies around them is the reference's.

        Args:
            pictures: uint8 RGB `H W 3`, of the reference's size.
            tiles: of each, bool, by rows and columns of 4 x 4 pixels.
            out: of each, uint8 RGB, `scale` times larger; its other tiles stay.
        """
        self._run(pictures, self._work, out, np.stack(tiles))

    def _make_room(self, picture: Picture, frames: int) -> None:
        shape = (picture.shape[0], picture.shape[1])
        if self._shape != shape:
            self._shape, self._reference, self._frames = shape, [], 0
        if self._frames < frames:
            make = _alternating if self.design.is_chain else _planes
            self._work, self._frames = make(self.design, shape, frames), frames

    def _empty(self, picture: Picture) -> Picture:
        height, width = picture.shape[0] * self.scale, picture.shape[1] * self.scale
        return np.empty((height, width, 3), np.uint8)

    def _run(
        self,
        pictures: Sequence[Picture],
        planes: list[Floats],
        out: Sequence[Picture],
        tiles: NDArray[np.bool_] | None = None,
    ) -> None:
        for picture, room in zip(pictures, planes[0], strict=False):
            np.multiply(picture, np.float32(1 / 255), out=room[..., :3], casting="unsafe")
        fresh = None if tiles is None else np.ascontiguousarray(tiles, np.uint8)
        chosen = None if tiles is None else np.flatnonzero(tiles).astype(np.int32)
        given = (_Plane * len(planes))()
        for i, plane in enumerate(planes):
            given[i] = _Plane(plane.ctypes.data, None, None, *plane.shape[1:])
            if fresh is not None and i > 0:
                given[i].reference = self._reference[i].ctypes.data
                given[i].fresh = fresh.ctypes.data
        layers = (_Layer * len(self._held))(*(h.layer for h in self._held))
        chain = _Chain(
            ctypes.addressof(given), ctypes.addressof(layers), len(layers),
            None if chosen is None else chosen.ctypes.data, 0 if chosen is None else len(chosen),
        )  # fmt: skip
        if self._library.run(ctypes.byref(chain), torch.get_num_threads()):
            raise MemoryError("too little memory for the blocks of a convolution")
        design, targets = self.design, (ctypes.c_void_p * len(out))(*(o.ctypes.data for o in out))
        self._library.finish(
            ctypes.byref(chain), design.result, int(design.adds_picture),
            self.scale // design.enlarged[design.result], targets,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Held:
    """A layer, and the memory that it points to."""

    layer: _Layer
    arrays: tuple[NDArray[Any], ...]


def _held(step: Step, design: Design, half: bool) -> _Held:
    half = half and step.source != 0 and step.target != design.result
    weight = step.conv.weight.detach().double().numpy()
    outputs, inputs = _padded(len(weight)), _padded(max(step.places) + 1)
    spread = np.einsum("ai,ocij,bj->abco", _SPREAD, weight, _SPREAD).reshape(36, -1, len(weight))
    full = np.zeros((36, inputs, outputs))
    full[:, list(step.places), : len(weight)] = spread
    bias, slope = np.zeros(outputs, np.float32), np.ones(outputs, np.float32)
    if step.conv.bias is not None:
        bias[: len(weight)] = step.conv.bias.detach().numpy()
    slope[: len(weight)] = np.asarray(step.slope)
    arrays = _aligned(_in_pairs(full) if half else full.astype(np.float32)), bias, slope
    plus = [*step.plus, (-1, 1.0), (-1, 1.0)]
    layer = _Layer(
        *(a.ctypes.data for a in arrays), inputs, outputs, step.source, step.target, step.at,
        int(step.twice), int(half), plus[0][0], plus[1][0], plus[0][1], plus[1][1],
    )  # fmt: skip
    return _Held(layer, arrays)


def _in_pairs(weights: NDArray[np.float64]) -> NDArray[np.int16]:
    """bfloat16 in pairs of inputs, `36 in/2 out 2`: what the processor multiplies at once."""
    places, inputs, outputs = weights.shape
    pairs = weights.reshape(places, inputs // 2, 2, outputs).swapaxes(2, 3)
    rounded = torch.from_numpy(np.ascontiguousarray(pairs)).bfloat16()
    return np.asarray(rounded.view(torch.int16).numpy(), np.int16)


def _planes(design: Design, shape: tuple[int, int], frames: int = 1) -> list[Floats]:
    planes = [
        _room((frames, shape[0] * e, shape[1] * e, c), np.float32)
        for c, e in zip(design.channels, design.enlarged, strict=True)
    ]
    planes[0][...] = 0  # a picture's fourth channel and on; all others are written by layers
    return planes


def _alternating(design: Design, shape: tuple[int, int], frames: int) -> list[Floats]:
    """A chain's planes in the memory of two, which stays in the cache."""
    picture = _room((frames, *shape, design.channels[0]), np.float32)
    picture[...] = 0
    pixels = frames * shape[0] * shape[1]
    two = [_room((pixels * max(design.channels),), np.float32) for _ in range(2)]
    planes = [
        two[i % 2][: pixels * c].reshape(frames, *shape, c)
        for i, c in enumerate(design.channels[1:])
    ]
    return [picture, *planes]


def _aligned(values: NDArray[Any]) -> NDArray[Any]:
    out = _room(values.shape, values.dtype)
    out[...] = values
    return out


def _room(shape: tuple[int, ...], kind: Any) -> NDArray[Any]:
    """Memory that begins at a multiple of 64 bytes, where vectors load fastest."""
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    memory = np.empty(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    out: NDArray[Any] = memory[start : start + size].view(kind).reshape(shape)
    return out
