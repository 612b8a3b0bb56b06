"""GANimation's generator in use: one face, many frames, on a CPU several times as fast.

The network and its weights are those of `GanimationGenerator`; what differs is how they are run.
Both sides go through in one pass, frames in batches, in channels-last order. The first layer is
linear, so the face and each unit's plane pass through it once a clip and not once a frame. All
heads are one convolution. Instance norm is computed as group norm of one channel a group, which
PyTorch does well in this order. And bfloat16 where that is faster.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from famaug.errors import InputError
from famaug.generator.networks.au_maps import RAMP, SCALE, left_share
from famaug.generator.networks.compose import compose
from famaug.generator.networks.ganimation import (
    REACH,
    GanimationGenerator,
    Outputs,
    Residual,
    Stage,
)

Precision = Literal["fp32", "bf16"]
LAYOUT = torch.channels_last


class FastGenerator:
    """A frozen copy of a generator's weights, ready to run.

    Args:
        generator: of any size.
        precision: "bf16" is off by some grey levels (on random weights under 12, tested).
        batch: frames in one pass.

    Raises:
        InputError: an unknown precision, or a batch below 1.
    """

    def __init__(
        self, generator: GanimationGenerator, *, precision: Precision = "fp32", batch: int = 8
    ) -> None:
        if precision not in ("fp32", "bf16") or batch < 1:
            raise InputError(
                f"precision is 'fp32' or 'bf16' and batch at least 1; got {precision!r}, {batch}"
            )
        self.generator, self.batch = generator, batch
        self.dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        g = generator
        self.enter = g.enter.conv.weight.detach().float()
        self._first = _Norm(g.enter.norm, self.dtype)
        self._layers: list[_Stage | _Residual] = [
            _Stage(m, self.dtype) if isinstance(m, Stage) else _Residual(m, self.dtype)
            for m in (*g.down, *g.blocks, *g.up)
            if isinstance(m, Stage | Residual)
        ]
        heads = [h.weight.detach() for h in (g.colour, g.attention, g.flow) if h is not None]
        self._heads = torch.cat(heads).to(self.dtype).contiguous(memory_format=LAYOUT)

    @torch.inference_mode()
    def after_enter(self, x: Tensor) -> Outputs:
        """Outputs, float32, of what the first convolution gave."""
        x = self._first(x)
        for layer in self._layers:
            x = layer(x)
        y = F.conv2d(x, self._heads, padding=self._heads.shape[-1] // 2).float()
        flow = REACH * torch.tanh(y[:, 4:]) if y.shape[1] > 4 else None
        return Outputs(torch.tanh(y[:, :3]), torch.sigmoid(y[:, 3:4]), flow)


class FastFace:
    """One face, to be rendered with many expressions.

    Args:
        generator: how.
        picture: `1 3 H W`, [-1, 1].
        midline: `1 2 2`, pixels of the picture.
        ramp: of the AU maps.
    """

    def __init__(
        self, generator: FastGenerator, picture: Tensor, midline: Tensor, *, ramp: float = RAMP
    ) -> None:
        self.fast, self.picture = generator, picture
        size = (picture.shape[2], picture.shape[3])
        if picture.shape[:2] != (1, 3) or any(n % GanimationGenerator.size_multiple for n in size):
            raise InputError(
                "one picture 1 3 H W is asked for, with sides that are multiples of "
                f"{GanimationGenerator.size_multiple}; got {tuple(picture.shape)}"
            )
        share = left_share(midline.float(), size, ramp=ramp)
        self._planes = torch.cat([torch.ones_like(share), share])
        self._face = _flat(_entered(picture.float(), generator.enter[:, :3]), generator.dtype)

    def render(self, intensity: Tensor) -> Tensor:
        """Pictures `T 3 H W` of intensities `T 2 17` (0-5)."""
        pictures = [
            compose(self.picture.expand(len(out.attention), -1, -1, -1), out)
            for out in self.outputs(intensity)
        ]
        return torch.cat(pictures)

    @torch.inference_mode()
    def outputs(self, intensity: Tensor) -> Iterator[Outputs]:
        """Outputs of the network for intensities `T 2 17`, in batches.

        Raises:
            InputError: another shape.
        """
        units = self.fast.enter.shape[1] - 3
        if intensity.ndim != 3 or intensity.shape[1:] != (2, units):
            raise InputError(f"intensities must be T 2 {units}; got {tuple(intensity.shape)}")
        scaled = intensity.float() / SCALE
        used = scaled.abs().amax((0, 1)).nonzero()[:, 0]
        planes = self._planes_of(used)
        both = torch.cat([scaled[:, 1, used], scaled[:, 0, used] - scaled[:, 1, used]], 1)
        both = both.to(planes.dtype)
        height, width = self.picture.shape[2:]
        for part in torch.split(both, self.fast.batch):
            x = (
                torch.addmm(self._face, part, planes)
                if len(used)
                else self._face.expand(len(part), -1).contiguous()
            )
            yield self.fast.after_enter(x.view(len(part), height, width, -1).permute(0, 3, 1, 2))

    def _planes_of(self, used: Tensor) -> Tensor:
        """What the first layer makes of a plane of ones, and of one of the left's share, for each
        unit in use: `2 U` by `H W channels`."""
        weight = self.fast.enter[:, 3:][:, used]
        channels = weight.shape[0]
        if not len(used):
            return self._face[:0]
        kernels = weight.transpose(0, 1).flatten(0, 1)[:, None]
        found = _entered(self._planes, kernels)  # 2, U x channels, H, W
        found = found.view(2 * len(used), channels, *found.shape[2:])
        return _flat(found, self.fast.dtype)


@torch.inference_mode()
def choose_precision(
    generator: GanimationGenerator, *, size: int = 128, frames: int = 2
) -> Precision:
    """The faster of the two here and now by the clock: batches of each, after a warm one."""
    picture, maps = torch.zeros(frames, 3, size, size), torch.zeros(frames, 17, size, size)
    x = F.conv2d(torch.cat([picture, maps], 1), generator.enter.conv.weight, padding=3)
    best: dict[Precision, float] = {}
    kinds: tuple[Precision, ...] = ("fp32", "bf16")
    for kind in kinds:
        fast = FastGenerator(generator, precision=kind, batch=frames)
        given = x.to(fast.dtype).contiguous(memory_format=LAYOUT)
        times = []
        for _ in range(3):
            start = time.perf_counter()
            fast.after_enter(given.clone(memory_format=torch.preserve_format))
            times.append(time.perf_counter() - start)
        best[kind] = min(times[1:])
    return min(kinds, key=lambda k: best[k])


class _Norm:
    """Instance norm and ReLU."""

    def __init__(self, norm: nn.InstanceNorm2d, dtype: torch.dtype, *, relu: bool = True) -> None:
        self.weight = None if norm.weight is None else norm.weight.detach().to(dtype)
        self.bias = None if norm.bias is None else norm.bias.detach().to(dtype)
        self.eps, self.relu = norm.eps, relu

    def __call__(self, x: Tensor) -> Tensor:
        out = F.group_norm(x, x.shape[1], self.weight, self.bias, self.eps)
        return torch.relu_(out) if self.relu else out


class _Stage:
    """Convolution, norm, ReLU."""

    def __init__(self, stage: Stage, dtype: torch.dtype) -> None:
        conv = stage.conv
        self.weight = _ordered(conv.weight, dtype)
        self.stride, self.padding = conv.stride[0], (conv.kernel_size[0] - 1) // 2
        self.up = isinstance(conv, nn.ConvTranspose2d)
        self.norm = _Norm(stage.norm, dtype)

    def __call__(self, x: Tensor) -> Tensor:
        apply = F.conv_transpose2d if self.up else F.conv2d
        return self.norm(apply(x, self.weight, stride=self.stride, padding=self.padding))


class _Residual:
    def __init__(self, block: Residual, dtype: torch.dtype) -> None:
        self.first = _Stage(block.first, dtype)
        self.weight = _ordered(block.conv.weight, dtype)
        self.norm = _Norm(block.norm, dtype, relu=False)

    def __call__(self, x: Tensor) -> Tensor:
        return x + self.norm(F.conv2d(self.first(x), self.weight, padding=1))


def _ordered(weight: Tensor, dtype: torch.dtype) -> Tensor:
    return weight.detach().to(dtype).contiguous(memory_format=LAYOUT)


def _entered(planes: Tensor, weight: Tensor) -> Tensor:
    return F.conv2d(planes, weight, padding=weight.shape[-1] // 2)


def _flat(planes: Tensor, dtype: torch.dtype) -> Tensor:
    """`N C H W` to `N (H W C)`."""
    return planes.to(dtype).permute(0, 2, 3, 1).flatten(1).contiguous()
