"""Our networks as OpenVINO computes them: on a CPU, without PyTorch's copies between layers.

The graph is written down from the network's own weights in memory, in milliseconds; no file is
made or read.
"""

from __future__ import annotations

import functools
import os
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from famaug.errors import MissingPackageError
from famaug.packages import need
from famaug.superres.rrdb import RESIDUAL, SLOPE, RRDBNet
from famaug.superres.srvgg import SRVGG


@functools.cache
def _core() -> tuple[Any, int]:
    """OpenVINO and the process that began it; None and 0 where it is not installed."""
    try:
        return need("openvino", "fast sharpening").Core(), os.getpid()
    except MissingPackageError:
        return None, 0


class OpenVinoNet:
    """One of our networks, compiled for pictures of any size, on as many threads as PyTorch uses
    now. The bits of a picture depend neither on their number nor on what is given with it.

    Args:
        net: an `SRVGG` or `RRDBNet`.
        half: multiply in bfloat16.

    Raises:
        ValueError: ask `fits` first.
    """

    def __init__(self, net: nn.Module, *, half: bool = False) -> None:
        if not self.fits(net, half=half):
            raise ValueError("ask OpenVinoNet.fits first")
        settings = {
            "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,  # several processes would share the first cores
        }
        self._compiled = _core()[0].compile_model(_graph(net), "CPU", settings)

    @staticmethod
    def fits(net: nn.Module, *, half: bool = False) -> bool:
        """Whether it can be computed this way in this process.

        One forked from a process that has begun OpenVINO runs what was compiled there; to compile
        more would wait for threads that it does not have.
        """
        core, process = _core()
        if not isinstance(net, SRVGG | RRDBNet) or process != os.getpid():
            return False
        return not half or "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")

    def __call__(self, x: Tensor) -> Tensor:
        """float32 RGB `B 3 H W` in [0, 1] to `B 3 sH sW`."""
        request = self._compiled.create_infer_request()
        (made,) = request.infer({0: x.contiguous().numpy()}).values()
        return torch.from_numpy(np.asarray(made, np.float32))


def _graph(net: nn.Module) -> Any:
    picture = _ops().parameter([-1, 3, -1, -1], np.float32)
    out = _srvgg(picture, net) if isinstance(net, SRVGG) else _rrdb(picture, net)
    return need("openvino", "fast sharpening").Model([out], [picture], type(net).__name__)


def _srvgg(picture: Any, net: SRVGG) -> Any:
    x = picture
    for layer in net.body:
        x = _conv(x, layer) if isinstance(layer, nn.Conv2d) else _slope(x, layer.weight)
    detail = _ops().depth_to_space(x, "depth_first", net.scale)
    return _ops().add(detail, _enlarged(picture, net.scale))


def _rrdb(picture: Any, net: Any) -> Any:
    ops, residual = _ops(), np.float32(RESIDUAL)

    def leaky(x: Any, conv: Any) -> Any:
        return _slope(_conv(x, conv), torch.tensor([SLOPE]))

    first = x = _conv(picture, net.conv_first)
    for block in net.body:
        began = x
        for dense in (block.rdb1, block.rdb2, block.rdb3):
            seen = [x]
            for conv in (dense.conv1, dense.conv2, dense.conv3, dense.conv4):
                seen.append(leaky(ops.concat(seen, 1), conv))
            x = ops.add(ops.multiply(_conv(ops.concat(seen, 1), dense.conv5), residual), x)
        x = ops.add(ops.multiply(x, residual), began)
    x = ops.add(first, _conv(x, net.conv_body))
    for conv in (net.conv_up1, net.conv_up2):
        x = leaky(_enlarged(x, 2), conv)
    return _conv(leaky(x, net.conv_hr), net.conv_last)


def _ops() -> Any:
    return need("openvino.opset13", "fast sharpening")


def _conv(x: Any, conv: Any) -> Any:
    made = _ops().convolution(x, conv.weight.detach().numpy(), *[[1, 1]] * 4)
    return _ops().add(made, conv.bias.detach().numpy().reshape(1, -1, 1, 1))


def _slope(x: Any, slope: Any) -> Any:
    return _ops().prelu(x, slope.detach().numpy())


def _enlarged(x: Any, by: int) -> Any:
    return _ops().interpolate(
        x,
        np.array([by, by], np.float32),
        mode="nearest",
        shape_calculation_mode="scales",
        axes=np.array([2, 3]),
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
