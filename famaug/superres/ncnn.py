"""Weights of the two networks out of ncnn's `.bin` files.

A convolution is stored as a flag of four bytes (0x01306B47: fp16; 0: fp32), its weights padded to
four bytes, and its fp32 bias; a PReLU as its fp32 slopes. Layers follow one another in the order
in which the network runs, which is the order of our modules.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from famaug.errors import WeightsError
from famaug.files.limits import read_bytes

FP16, FP32 = 0x01306B47, 0


def convert_ncnn(path: Path, net: nn.Module) -> dict[str, Tensor]:
    """The state dict of `net` (float16 where stored so) out of a `.bin` file.

    Raises:
        WeightsError: missing, too large, or not the weights of this network.
    """
    most = sum(4 * p.numel() for p in net.parameters()) + 8 * len(list(net.modules()))
    data = read_bytes(path, at_most=most, error=WeightsError)
    reader = _Reader(path, data)
    out: dict[str, Tensor] = {}
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d):
            out[f"{name}.weight"] = reader.weights(name, module.weight.shape)
            if module.bias is not None:
                out[f"{name}.bias"] = reader.floats(name, module.bias.shape)
        elif isinstance(module, nn.PReLU):
            out[f"{name}.weight"] = reader.floats(name, module.weight.shape)
    if reader.at != len(data):
        raise WeightsError(
            f"{path}: {type(net).__name__} needs {reader.at} bytes, the file has {len(data)}: "
            "it belongs to another network"
        )
    return out


class _Reader:
    def __init__(self, path: Path, data: bytes) -> None:
        self.path, self.data, self.at = path, data, 0

    def weights(self, name: str, shape: torch.Size) -> Tensor:
        (flag,) = struct.unpack("<I", self._take(name, 4))
        if flag not in (FP16, FP32):
            raise WeightsError(
                f"{self.path}: {name} begins with {flag:#x}; fp16 ({FP16:#x}) and fp32 (0) are "
                "read; quantised weights and those of other networks are not"
            )
        if flag == FP32:
            return self.floats(name, shape)
        size = shape.numel() * 2
        raw = self._take(name, size + size % 4)[:size]
        return self._tensor(name, np.frombuffer(raw, "<f2"), shape)

    def floats(self, name: str, shape: torch.Size) -> Tensor:
        raw = self._take(name, shape.numel() * 4)
        return self._tensor(name, np.frombuffer(raw, "<f4"), shape)

    def _take(self, name: str, size: int) -> bytes:
        part = self.data[self.at : self.at + size]
        if len(part) < size:
            raise WeightsError(
                f"{self.path}: ends within {name} ({len(self.data)} bytes): cut off, or the "
                "weights of another network"
            )
        self.at += size
        return part

    def _tensor(self, name: str, values: NDArray[Any], shape: torch.Size) -> Tensor:
        if not np.isfinite(values).all():
            raise WeightsError(f"{self.path}: {name} holds NaN or infinity")
        return torch.from_numpy(values.copy()).reshape(shape)
