"""The same networks in the `ncnn` package: what ours are measured against."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from famaug.errors import InputError
from famaug.packages import need
from famaug.types import Floats

LEAKY = "9=2 -23310=1,2.000000e-01"


@dataclass
class _Graph:
    """Layers in ncnn's text form; a blob with several readers gets a Split."""

    layers: list[tuple[str, list[str], str, str]] = field(default_factory=list)

    def add(self, kind: str, inputs: list[str], settings: str) -> str:
        name = f"b{len(self.layers)}"
        self.layers.append((kind, inputs, name, settings))
        return name

    def conv(self, x: str, inputs: int, outputs: int, more: str = "") -> str:
        numbers = inputs * outputs * 9
        settings = f"0={outputs} 1=3 4=1 5=1 6={numbers} {more}"
        return self.add("Convolution", [x], settings)

    def text(self, output: str) -> str:
        readers = Counter(i for _, inputs, _, _ in self.layers for i in inputs)
        lines, blobs, used = ["Input data 0 1 data"], 1, Counter[str]()

        def split(blob: str) -> None:
            nonlocal blobs
            if readers[blob] > 1:
                parts = [f"{blob}_{i}" for i in range(readers[blob])]
                lines.append(f"Split s_{blob} 1 {len(parts)} {blob} {' '.join(parts)}")
                blobs += len(parts)

        split("data")
        for kind, inputs, name, settings in self.layers:
            taken = []
            for blob in inputs:
                taken.append(f"{blob}_{used[blob]}" if readers[blob] > 1 else blob)
                used[blob] += 1
            shown = "output" if name == output else name
            lines.append(f"{kind} l_{name} {len(taken)} 1 {' '.join(taken)} {shown} {settings}")
            blobs += 1
            split(name)
        return "\n".join(["7767517", f"{len(lines)} {blobs}", *lines, ""])


def srvgg_param(convs: int = 16) -> str:
    """ncnn's text of the compact network."""
    graph = _Graph()
    x = "data"
    for i in range(convs + 1):
        x = graph.add("PReLU", [graph.conv(x, 3 if i == 0 else 64, 64)], "0=64")
    detail = graph.add("PixelShuffle", [graph.conv(x, 64, 48)], "0=4")
    large = graph.add("Interp", ["data"], "0=1 1=4.0 2=4.0")
    return graph.text(graph.add("BinaryOp", [detail, large], "0=0"))


def rrdb_param(blocks: int = 23) -> str:
    """ncnn's text of the RRDB network."""
    graph = _Graph()
    first = x = graph.conv("data", 3, 64)
    add = "0=1 -23301=2,2.000000e-01,1.000000e+00"
    for _ in range(blocks):
        block = x
        for _ in range(3):
            seen = [x]
            for i in range(5):
                joined = seen[0] if i == 0 else graph.add("Concat", seen, "0=0")
                last = i == 4
                made = graph.conv(joined, 64 + 32 * i, 64 if last else 32, "" if last else LEAKY)
                seen = [*seen, made]
            x = graph.add("Eltwise", [seen[-1], x], add)
        x = graph.add("Eltwise", [x, block], add)
    x = graph.add("BinaryOp", [first, graph.conv(x, 64, 64)], "0=0")
    for _ in range(2):
        x = graph.conv(graph.add("Interp", [x], "0=1 1=2.0 2=2.0"), 64, 64, LEAKY)
    return graph.text(graph.conv(graph.conv(x, 64, 64, LEAKY), 64, 3))


class NcnnNet:
    """A network in ncnn, on the processor.

    Args:
        weights: a `.bin` file.
        kind: which network.
        threads: how many; ncnn's choice by default.
        bf16: store in bfloat16.
        exact: plain convolutions in fp32, no Winograd transform.

    Raises:
        InputError: ncnn refuses the file. MissingPackageError: it is not installed.
    """

    def __init__(
        self,
        weights: Path,
        kind: Literal["rrdb", "srvgg"],
        *,
        threads: int | None = None,
        bf16: bool = False,
        exact: bool = False,
    ) -> None:
        self.ncnn = need("ncnn", "this comparison")
        self.net = self.ncnn.Net()
        options = self.net.opt
        options.use_vulkan_compute = False
        if threads is not None:
            options.num_threads = threads
        options.use_bf16_storage = bf16
        if exact:
            options.use_winograd_convolution = options.use_fp16_storage = False
            options.use_fp16_packed = options.use_fp16_arithmetic = False
        with tempfile.TemporaryDirectory() as folder:
            param = Path(folder) / "net.param"
            param.write_text(rrdb_param() if kind == "rrdb" else srvgg_param())
            failed = self.net.load_param(str(param)) or self.net.load_model(str(weights))
        if failed:
            raise InputError(f"ncnn refuses {weights} as a network of kind {kind}")

    def __call__(self, x: Floats) -> Floats:
        """float32 `3 H W` in [0, 1] to `3 4H 4W`."""
        extractor = self.net.create_extractor()
        held = np.ascontiguousarray(x, np.float32)  # ncnn only points at it
        extractor.input("data", self.ncnn.Mat(held).clone())
        failed, out = extractor.extract("output")
        if failed:
            raise InputError(f"ncnn failed with {failed} on a picture of {x.shape}")
        return np.array(out, np.float32)
