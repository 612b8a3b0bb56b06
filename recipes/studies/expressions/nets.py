"""Two expression classifiers of other people's making, as networks and as weights files.

`DenseExpressionNet` is face-api.js's; `XceptionExpressionNet` is mini-Xception of Arriaga,
Valdenegro-Toro and Plöger (2017), trained on FER2013, as the project Human carries it.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from expressions.tfjs import read_tfjs_weights

OUTPUTS = 7
_MEANS = (122.782, 117.001, 104.298)
_GREY = (0.2989, 0.587, 0.114)


class DenseExpressionNet(nn.Module):
    """face-api.js's FaceExpressionNet: four blocks of separable convolutions, each layer fed with
    the sum of those before it. Input float `B 3 112 112`, RGB in [-1, 1]; output `B 7`."""

    means: Tensor

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 32, 64, 128, 256)
        for i, (ins, outs) in enumerate(pairwise(widths)):
            first = nn.Conv2d(ins, outs, 3, 2) if i == 0 else _separable(ins, outs, 2)
            layers = [first, *(_separable(outs, outs, 1) for _ in range(3))]
            self.add_module(f"dense{i}", nn.ModuleList(layers))
        self.fc = nn.Linear(widths[-1], OUTPUTS)
        self.register_buffer("means", torch.tensor(_MEANS).view(1, 3, 1, 1), persistent=False)

    def forward(self, crops: Tensor) -> Tensor:
        x = ((crops + 1) * 127.5 - self.means) / 255
        for i in range(4):
            x = self._block(self.get_submodule(f"dense{i}"), x)
        out: Tensor = self.fc(x.mean(dim=(2, 3)))  # 7 x 7 are left
        return out

    @staticmethod
    def _block(layers: nn.Module, x: Tensor) -> Tensor:
        first, *others = layers.children()
        # TensorFlow's "same": of an even side, a stride of 2 pads behind alone
        total = torch.relu(first(F.pad(x, (0, 1, 0, 1))))
        summed = total
        for layer in others:
            total = summed + layer(F.pad(total, (1, 1, 1, 1)))
            summed = total
            total = torch.relu(total)
        return total


class XceptionExpressionNet(nn.Module):
    """Mini-Xception (Arriaga, Valdenegro-Toro and Plöger 2017), its normalisations folded in.
    Input float `B 3 64 64`, RGB in [-1, 1], read in grey; output `B 7`."""

    grey: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 32, 3, 2)
        self.second = nn.Conv2d(32, 64, 3)
        self.beside = nn.ModuleList([nn.Conv2d(64, 128, 1, 2), nn.Conv2d(128, 256, 1, 2)])
        self.through = nn.ModuleList(
            nn.ModuleList([_separable(a, b, 1), _separable(b, b, 1)])
            for a, b in ((64, 128), (128, 256))
        )
        self.last = nn.Conv2d(256, OUTPUTS, 3, padding=1)
        self.register_buffer("grey", torch.tensor(_GREY).view(1, 3, 1, 1), persistent=False)

    def forward(self, crops: Tensor) -> Tensor:
        return self.of_grey((crops * self.grey).sum(1, keepdim=True))

    def of_grey(self, x: Tensor) -> Tensor:
        x = torch.relu(self.second(torch.relu(self.first(x))))
        x = self._stage(0, x)
        x = self._stage(1, x)
        out: Tensor = self.last(x).mean(dim=(2, 3))
        return out

    def _stage(self, i: int, x: Tensor) -> Tensor:
        first, second = self.through[i].children()
        y = torch.relu(x) if i else x
        y = torch.relu(first(F.pad(y, (1, 1, 1, 1))))
        y = F.max_pool2d(second(F.pad(y, (1, 1, 1, 1))), 3, 2, 1)
        out: Tensor = y + self.beside[i](x)
        return out


def _separable(ins: int, outs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(ins, ins, 3, stride, groups=ins, bias=False), nn.Conv2d(ins, outs, 1)
    )


def read_dense(path: Path) -> dict[str, Tensor]:
    """State dict of `DenseExpressionNet` out of the archive that `fetch` stores.

    Raises:
        WeightsError: not that archive.
    """
    folder = "package/model/face_expression_model"
    stored = read_tfjs_weights(path, f"{folder}-weights_manifest.json", f"{folder}.bin")
    out = {}
    for name, values in stored.items():
        block, layer, *part = name.split("/")
        if block == "fc":
            out[f"fc.{'weight' if layer == 'weights' else 'bias'}"] = torch.from_numpy(values.T)
            continue
        at = f"{block}.{layer.removeprefix('conv')}"
        plain = f"{block}/{layer}/filters" in stored
        place = {
            "filters": f"{at}.weight",
            "depthwise_filter": f"{at}.0.weight",
            "pointwise_filter": f"{at}.1.weight",
            "bias": f"{at}.bias" if plain else f"{at}.1.bias",
        }[part[0]]
        out[place] = _kernel(values, depthwise=part[0] == "depthwise_filter")
    return out


_GRAPH = "StatefulPartitionedCall/model_1/"
_XCEPTION = {
    "first": "conv2d_1/Conv2D", "second": "conv2d_2/Conv2D",
    "beside.0": "conv2d_3/Conv2D", "beside.1": "conv2d_4/Conv2D",
    "through.0.0.1": "separable_conv2d_1/separable_conv2d",
    "through.0.1.1": "separable_conv2d_2/separable_conv2d",
    "through.1.0.1": "separable_conv2d_3/separable_conv2d",
    "through.1.1.1": "separable_conv2d_4/separable_conv2d",
}  # fmt: skip
_XCEPTION_DEPTH = {
    "through.0.0.0": "unknown_9", "through.0.1.0": "unknown_15",
    "through.1.0.0": "unknown_26", "through.1.1.0": "unknown_32",
}  # fmt: skip


def read_xception(path: Path) -> dict[str, Tensor]:
    """State dict of `XceptionExpressionNet` out of the archive that `fetch` stores; of another
    graph, the arrays that it has.

    Raises:
        WeightsError: not such an archive.
    """
    stored = read_tfjs_weights(path, "package/models/emotion.json", "package/models/emotion.bin")
    places = {f"{at}.weight": (f"{_GRAPH}{name}_weights", False) for at, name in _XCEPTION.items()}
    places |= {f"{at}.bias": (f"{_GRAPH}{name}_bn_offset", False) for at, name in _XCEPTION.items()}
    places |= {f"{at}.weight": (name, True) for at, name in _XCEPTION_DEPTH.items()}
    places |= {"last.weight": ("unknown_43", False), "last.bias": ("unknown_44", False)}
    return {
        at: _kernel(stored[name], depthwise=depthwise)
        for at, (name, depthwise) in places.items()
        if name in stored
    }


def _kernel(values: NDArray[np.float32], *, depthwise: bool) -> Tensor:
    """`H W in out` to `out in H W`; `H W channels 1` to `channels 1 H W`."""
    tensor = torch.from_numpy(values)
    if tensor.ndim != 4:
        return tensor
    return tensor.permute(*((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))).contiguous()
