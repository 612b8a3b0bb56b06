"""From Google's `face_landmarker.task` to safetensors that `famaug.faces` loads.

A `.task` file is a zip of three TFLite graphs. Each graph is walked in execution order; the
weights met on the way are, one by one, the tensors of our module in its own order. A graph that
differs anywhere (another number of tensors, another shape) is refused.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from famaug.errors import WeightsError
from famaug.faces.nets import BlendshapeNet, FaceDetectorNet, FaceMeshNet
from famaug.files.limits import member, opened_zip, translated
from famaug.packages import need

MEMBERS: dict[str, tuple[str, type[nn.Module]]] = {
    "detector": ("face_detector.tflite", FaceDetectorNet),
    "mesh": ("face_landmarks_detector.tflite", FaceMeshNet),
    "blendshapes": ("face_blendshapes.tflite", BlendshapeNet),
}
_LARGEST = 32 << 20
_MOST_OPERATIONS = 5000
_DTYPES: dict[int, type] = {0: np.float32, 1: np.float16, 2: np.int32}


def convert_task(path: Path) -> dict[str, Tensor]:
    """All tensors of the three nets, named `detector.*`, `mesh.*`, `blendshapes.*`, as fp16.

    Raises:
        WeightsError: not a face_landmarker task file, or a graph of another version.
    """
    out: dict[str, Tensor] = {}
    with (
        translated(f"{path}: asked for a face_landmarker.task (a zip)", WeightsError),
        opened_zip(path, at_most=_LARGEST, unpacked=_LARGEST, error=WeightsError) as archive,
    ):
        for part, (name, net) in MEMBERS.items():
            found = convert_graph(_read(archive, name), net())
            out |= {f"{part}.{name}": t for name, t in found.items()}
    return out


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.namelist():
        raise WeightsError(
            f"asked for a face_landmarker.task holding {name}; it holds {archive.namelist()[:8]}"
        )
    return member(archive, name)


def convert_graph(graph: bytes, net: nn.Module) -> dict[str, Tensor]:
    """The state dict of `net` out of one TFLite graph, as fp16."""
    if graph[4:8] != b"TFL3":
        raise WeightsError(f"{type(net).__name__}: expected a TFLite graph, got {graph[:8]!r}")
    names = _execution_order(net)
    shapes = {k: v.shape for k, v in net.state_dict().items()}
    try:
        found = list(islice(_weights(graph), len(names) + 1))
    except (struct.error, IndexError, KeyError, TypeError, ValueError) as e:
        raise WeightsError(f"{type(net).__name__}: damaged TFLite graph: {e}") from e
    if len(found) != len(names):
        raise WeightsError(
            f"{type(net).__name__} has {len(names)} tensors, this graph has {len(found)}: "
            "it is another version of face_landmarker"
        )
    out: dict[str, Tensor] = {}
    array: NDArray[Any]
    for name, array in zip(names, found, strict=True):
        tensor = torch.from_numpy(array).reshape(-1) if array.ndim == 0 else torch.from_numpy(array)
        if tensor.numel() != shapes[name].numel():
            raise WeightsError(
                f"{type(net).__name__}.{name}: expected {tuple(shapes[name])}, "
                f"the graph has {tuple(tensor.shape)}"
            )
        out[name] = tensor.reshape(shapes[name]).to(torch.float16).contiguous()
    return out


def _execution_order(net: nn.Module) -> list[str]:
    names = list(net.state_dict())
    if isinstance(net, BlendshapeNet):
        loose = {"class_token", "scale"}
        rest = [n for n in names if n not in loose]
        return ["scale", *rest[:4], "class_token", *rest[4:]]
    return names


def _weights(graph: bytes) -> Iterator[NDArray[Any]]:
    """Constant float tensors in execution order, in PyTorch layout."""
    tflite = need("tflite", "reading a .task file")
    model = tflite.Model.GetRootAsModel(graph, 0)
    sub = model.Subgraphs(0)
    names = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}
    stored: dict[int, int] = {}  # output of a DEQUANTIZE -> the fp16 constant behind it

    def constant(index: int) -> NDArray[Any] | None:
        tensor = sub.Tensors(stored.get(index, index))
        buffer = model.Buffers(tensor.Buffer())
        if not buffer.DataLength() or tensor.Type() not in (0, 1):
            return None
        shape = tensor.ShapeAsNumpy() if tensor.ShapeLength() else ()
        if buffer.DataLength() > len(graph):
            raise ValueError("a tensor ends beyond the file")
        raw: NDArray[Any] = np.frombuffer(buffer.DataAsNumpy().tobytes(), _DTYPES[tensor.Type()])
        return raw.astype(np.float32).reshape(shape)

    if sub.OperatorsLength() > _MOST_OPERATIONS:
        raise ValueError(f"{sub.OperatorsLength()} operations; the graphs have some hundred")
    for i in range(sub.OperatorsLength()):
        op = sub.Operators(i)
        code = model.OperatorCodes(op.OpcodeIndex())
        kind = names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        if kind == "DEQUANTIZE":
            stored[int(op.Outputs(0))] = int(op.Inputs(0))
            continue
        if kind == "ADD":
            continue  # its constants are the norms' epsilon
        for k in op.InputsAsNumpy():
            found = constant(int(k)) if k >= 0 else None
            if found is not None:
                yield _torch_layout(kind, found)


def _torch_layout(kind: str, array: NDArray[Any]) -> NDArray[Any]:
    if array.ndim == 4 and kind == "CONV_2D":
        return np.ascontiguousarray(array.transpose(0, 3, 1, 2))
    if array.ndim == 4 and kind == "DEPTHWISE_CONV_2D":
        return np.ascontiguousarray(array.transpose(3, 0, 1, 2))
    return array
