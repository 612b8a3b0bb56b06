"""The three networks of Google's `face_landmarker`, written as plain PyTorch modules.

Source of architecture and weights: the face_landmarker task file (Apache-2.0): a short-range
face detector, a 478-point face mesh and a blendshape mixer. Layer order follows the published
graphs, so that the converter (`famaug.faces.convert`) can fill a module by walking one in order.
All of it is differentiable and batched.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def _grow(x: Tensor, channels: int) -> Tensor:
    """Zero channels behind the existing ones, up to `channels`."""
    missing = channels - x.shape[1]
    return F.pad(x, (0, 0, 0, 0, 0, missing)) if missing else x


class _Bottleneck(nn.Module):
    """1x1 down, depthwise 3x3, 1x1 up, residual; with stride 2 the first is 2x2."""

    def __init__(self, cin: int, mid: int, cout: int, stride: int) -> None:
        super().__init__()
        self.cout, self.stride = cout, stride
        self.reduce = nn.Conv2d(cin, mid, stride, stride)
        self.act1 = nn.PReLU(mid)
        self.depthwise = nn.Conv2d(mid, mid, 3, padding=1, groups=mid)
        self.expand = nn.Conv2d(mid, cout, 1)
        self.act2 = nn.PReLU(cout)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.expand(self.depthwise(self.act1(self.reduce(x))))
        if self.stride == 2:
            x = _grow(F.max_pool2d(x, 2), self.cout)
        out: Tensor = self.act2(x + y)
        return out


class FaceMeshNet(nn.Module):
    """Picture to mesh. Input `B 3 256 256` in [0, 1]; output mesh `B 478 3` in pixels of the
    256-px input (z on the same scale) and the face score's logit `B`."""

    size = 256
    stages = ((16, 16, 8, 1), (16, 32, 16, 2), (32, 64, 32, 2), (64, 128, 64, 2))
    tail = 3  # further stages of 128 channels, each halving the picture

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 2)
        self.stem_act = nn.PReLU(16)
        blocks: list[nn.Module] = []
        for cin, cout, mid, stride in (*self.stages, *[(128, 128, 64, 2)] * self.tail):
            down_mid = cin if cout > cin else mid
            if stride == 2:
                blocks.append(_Bottleneck(cin, down_mid, cout, 2))
            blocks += [_Bottleneck(cout, mid, cout, 1) for _ in range(4)]
        self.blocks = nn.Sequential(*blocks)
        self.tongue = nn.Conv2d(128, 1, 2)
        self.score = nn.Conv2d(128, 1, 2)
        self.points = nn.Conv2d(128, 478 * 3, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.stem_act(self.stem(F.pad(x, (0, 1, 0, 1))))
        y = self.blocks(y)
        return self.points(y).reshape(-1, 478, 3), self.score(y).reshape(-1)


class _DetectorBlock(nn.Module):
    """Depthwise 3x3, 1x1, residual, ReLU."""

    def __init__(self, cin: int, cout: int, stride: int) -> None:
        super().__init__()
        self.cout, self.stride = cout, stride
        self.depthwise = nn.Conv2d(cin, cin, 3, stride, padding=2 - stride, groups=cin)
        self.expand = nn.Conv2d(cin, cout, 1)

    def forward(self, x: Tensor) -> Tensor:
        # "same" padding of an even picture at stride 2 is one row below and one column right
        y = self.expand(self.depthwise(F.pad(x, (0, 1, 0, 1)) if self.stride == 2 else x))
        if self.stride == 2:
            x = F.max_pool2d(x, 2)
        return F.relu(_grow(x, self.cout) + y)


class FaceDetectorNet(nn.Module):
    """Picture to candidate faces. Input `B 3 128 128` in [-1, 1]; output logits `B 896` and
    boxes `B 896 16` (centre, size, six key points; pixels of the 128-px input, relative to the
    anchors)."""

    size = 128
    fine = (
        (24, 24, 1), (24, 28, 1), (28, 32, 2), (32, 36, 1), (36, 42, 1), (42, 48, 2),
        (48, 56, 1), (56, 64, 1), (64, 72, 1), (72, 80, 1), (80, 88, 1),
    )  # fmt: skip
    coarse = ((88, 96, 2), (96, 96, 1), (96, 96, 1), (96, 96, 1), (96, 96, 1))

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 24, 5, 2)
        self.to16 = nn.Sequential(*[_DetectorBlock(*b) for b in self.fine])
        self.to8 = nn.Sequential(*[_DetectorBlock(*b) for b in self.coarse])
        self.score16 = nn.Conv2d(88, 2, 1)
        self.score8 = nn.Conv2d(96, 6, 1)
        self.box16 = nn.Conv2d(88, 32, 1)
        self.box8 = nn.Conv2d(96, 96, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        n = len(x)
        a = self.to16(F.relu(self.stem(F.pad(x, (1, 2, 1, 2)))))
        b = self.to8(a)

        def flat(t: Tensor, width: int) -> Tensor:
            return t.permute(0, 2, 3, 1).reshape(n, -1, width)

        logits = torch.cat([flat(self.score16(a), 1), flat(self.score8(b), 1)], 1)
        boxes = torch.cat([flat(self.box16(a), 16), flat(self.box8(b), 16)], 1)
        return logits[:, :, 0], boxes


class _ScaleNorm(nn.Module):
    """Layer norm with a gain and no offset."""

    def __init__(self, width: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], self.weight, None, self.eps)


class _MixerBlock(nn.Module):
    """Mixes the 97 tokens, then their 64 channels, each behind a norm and a residual."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = _ScaleNorm(64)
        self.token1 = nn.Linear(97, 384)
        self.token2 = nn.Linear(384, 97)
        self.norm2 = _ScaleNorm(64)
        self.channel1 = nn.Linear(64, 256)
        self.channel2 = nn.Linear(256, 64)

    def forward(self, x: Tensor) -> Tensor:
        y = self.token2(F.relu(self.token1(self.norm1(x).transpose(1, 2))))
        x = x + y.transpose(1, 2)
        out: Tensor = x + self.channel2(F.relu(self.channel1(self.norm2(x))))
        return out


class BlendshapeNet(nn.Module):
    """Landmarks to 52 blendshapes. Input `B 146 2`, x and y of the points in `SUBSET`, any
    scale; output logits `B 52` (their sigmoid is the published probability)."""

    def __init__(self) -> None:
        super().__init__()
        self.scale: Tensor
        self.register_buffer("scale", torch.ones(1))
        self.tokens = nn.Linear(146, 96)
        self.widen = nn.Linear(2, 64)
        self.class_token = nn.Parameter(torch.zeros(64))
        self.blocks = nn.Sequential(*[_MixerBlock() for _ in range(4)])
        self.head = nn.Linear(64, 52)

    def forward(self, points: Tensor) -> Tensor:
        x = points - points.mean(1, keepdim=True)
        x = x / x.square().sum(2, keepdim=True).sqrt().mean(1, keepdim=True) * self.scale
        x = self.widen(self.tokens(x.transpose(1, 2)).transpose(1, 2))
        x = torch.cat([self.class_token.expand(len(x), 1, 64), x], 1)
        out: Tensor = self.head(self.blocks(x)[:, 0])
        return out
