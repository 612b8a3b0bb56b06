"""From OpenCV Zoo's SFace file (ONNX, 8 bits in blocks) to the tensors `famaug.perception.identity`
loads.

The graph is MobileNetV1: blocks `conv_1` to `conv_14`, then one linear layer. Every weight is
looked up by its name, brought back from 8 bits, and joined with the batch normalisation behind
it, so that the network needs convolutions and slopes alone.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from famaug.errors import WeightsError
from famaug.files.limits import read_bytes, translated
from famaug.packages import need
from famaug.weights.registry import find_entry

BLOCKS = 14
_LARGEST_FILE = 16 << 20
_BLOCK_EPSILON, _END_EPSILON = 1e-3, 2e-5
Array = NDArray[np.float64]


def convert_sface(path: Path) -> dict[str, Tensor]:
    """State dict of `SFaceNet` out of `face_recognition_sface_2021dec_int8bq.onnx`, float32.

    Raises:
        WeightsError: not that file. MissingPackageError: onnx is not installed.
    """
    stored = _Stored(_initializers(path), path)
    out: dict[str, Array] = {}
    for i in range(1, BLOCKS + 1):
        depthwise = [] if i == 1 else [(f"conv_{i}_dw", f"blocks.{i - 1}.depth")]
        for name, target in [*depthwise, (f"conv_{i}", f"blocks.{i - 1}.point")]:
            weight = stored.weight(f"{name}_conv2d_weight")
            scale, shift = stored.norm(f"{name}_batchnorm", _BLOCK_EPSILON)
            out[f"{target}.conv.weight"] = weight * scale[:, None, None, None]
            out[f"{target}.conv.bias"] = shift
            out[f"{target}.slope.weight"] = stored.plain(f"{name}_relu_gamma").reshape(-1)
    out |= _end(stored)
    return {k: torch.from_numpy(np.ascontiguousarray(v, np.float32)) for k, v in out.items()}


def _end(stored: _Stored) -> dict[str, Array]:
    """The linear layer with the normalisations before and behind it."""
    weight, bias = stored.weight("pre_fc1_weight"), stored.weight("pre_fc1_bias")
    before, before_shift = stored.norm("bn1", _END_EPSILON)
    behind, behind_shift = stored.norm("fc1", _END_EPSILON)
    places = weight.shape[1] // len(before)
    bias = bias + weight @ np.repeat(before_shift, places)
    weight = weight * np.repeat(before, places)
    return {"end.weight": weight * behind[:, None], "end.bias": bias * behind + behind_shift}


class _Stored:
    """The file's arrays by name."""

    def __init__(self, arrays: dict[str, NDArray[Any]], path: Path) -> None:
        self.arrays, self.path = arrays, path

    def plain(self, name: str) -> Array:
        if name not in self.arrays:
            raise WeightsError(
                f"{self.path}: asked for the SFace network of OpenCV Zoo "
                f"(face_recognition_sface_2021dec_int8bq.onnx); it has no {name}"
            )
        return np.asarray(self.arrays[name], np.float64)

    def weight(self, name: str) -> Array:
        """Brought back from 8 bits: `(value - zero) * scale`, in blocks along the last axis."""
        value, scale, zero = (
            self.plain(f"{name}_{p}") for p in ("quantized", "scales", "zero_point")
        )
        if value.ndim > 1:
            times = -(-value.shape[1] // scale.shape[1])
            scale, zero = (np.repeat(a, times, axis=1)[:, : value.shape[1]] for a in (scale, zero))
        else:
            times = -(-len(value) // len(scale))
            scale, zero = (np.repeat(a, times)[: len(value)] for a in (scale, zero))
        shape = self.arrays.get(f"{name}_shape")
        out: Array = (value - zero) * scale
        return out if shape is None else out.reshape([int(n) for n in shape])

    def norm(self, name: str, epsilon: float) -> tuple[Array, Array]:
        """Batch normalisation in use, as scale and shift of each channel."""
        gamma, beta, mean, var = (
            self.plain(f"{name}_{p}") for p in ("gamma", "beta", "moving_mean", "moving_var")
        )
        scale = gamma / np.sqrt(var + epsilon)
        return scale, beta - mean * scale


def _initializers(path: Path) -> dict[str, NDArray[Any]]:
    onnx = need("onnx", "reading the SFace file")
    to_array = need("onnx.numpy_helper", "reading the SFace file").to_array
    data = read_bytes(path, at_most=_LARGEST_FILE, error=WeightsError)
    if hashlib.sha256(data).hexdigest() != find_entry("sface").sha256:
        # a message of a few bytes can ask its reader for gigabytes of objects
        raise WeightsError(
            f"{path}: asked for the SFace network of OpenCV Zoo (face_recognition_sface_"
            "2021dec_int8bq.onnx), which has another sha256"
        )
    with translated(f"{path}: not a readable ONNX file", WeightsError):
        graph = onnx.load_model_from_string(data).graph
        return {each.name: to_array(each) for each in graph.initializer}
