"""The stacked first block in C (stacked_block.c), compiled once on this machine (famaug.native).

Where there is no C compiler, `open_library` is None and stacked_conv.py computes the same with
torch alone, some three times slower.
"""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from famaug.native import open_native
from famaug.recognition.stacked_conv import (
    CELLS,
    FILTERS,
    WINDOWS,
    arrangement,
    patch_table,
)

SOURCE = Path(__file__).with_name("stacked_block.c")
_GROUP = 4


class _Batch(ctypes.Structure):
    """As `batch` in the C file."""

    _fields_ = (
        ("table", ctypes.c_void_p),
        ("items", ctypes.c_void_p),
        ("member", ctypes.c_void_p),
        ("dropout", ctypes.c_void_p),
        ("inside", ctypes.c_void_p),
        ("sign", ctypes.c_void_p),
        ("samples", ctypes.c_int64),
        ("first", ctypes.c_int64),
        ("last", ctypes.c_int64),
    )


def native_table(inputs: Tensor) -> Tensor:
    """Patches of every sample, uint8 `N 28 959`, from inputs uint8 `N 3 28 28`."""
    return patch_table(inputs).transpose(1, 2).contiguous()


@dataclass(frozen=True, eq=False)
class NativeBatch:
    """A batch of samples as all trainings see it.

    Attributes:
        table: uint8 `N 28 959`, as `native_table`.
        items: int64 `n`, which rows of it make the batch.
        member: bool `R n`; dropout: float32 `16 n 4 25`; sign: float32 `R 16`; as in
            `stacked_conv.Batch`.
        space: memory for the outcome, used again for the next batch that is given it: asking the
            system each time costs some per cent. The outcome is valid until then.
    """

    table: Tensor
    items: Tensor
    member: Tensor
    dropout: Tensor
    sign: Tensor
    space: dict[str, Tensor] = field(default_factory=dict)

    def room(self, name: str, shape: tuple[int, ...], kind: torch.dtype) -> Tensor:
        """An empty tensor."""
        found = self.space.get(name)
        if found is None or found.shape != shape:
            found = self.space[name] = torch.empty(shape, dtype=kind)
        return found

    def tensors(self) -> tuple[Tensor, ...]:
        """Contiguous, in the order of the C structure."""
        inside = torch.from_numpy(arrangement()[: 9 * WINDOWS] >= 0)
        kinds = (torch.uint8, torch.int64, torch.uint8, torch.float32, torch.uint8, torch.float32)
        own = (self.table, self.items, self.member, self.dropout, inside, self.sign)
        return tuple(t.to(k).contiguous() for t, k in zip(own, kinds, strict=True))


class NativeBlock(torch.autograd.Function):
    """As `stacked_conv.StackedBlock`, with a `NativeBatch`: (weights `R 16 28`, batch, pool) to
    pooled `R n 16 25`, total and squares float64 `R 16`."""

    @staticmethod
    def forward(
        ctx: Any, weights: Tensor, batch: NativeBatch, pool: ThreadPoolExecutor
    ) -> tuple[Tensor, Tensor, Tensor]:
        runs, samples = batch.member.shape
        groups = -(-samples // _GROUP)
        fixed, given = weights.detach().contiguous(), batch.tensors()
        pooled = batch.room("pooled", (runs, samples, FILTERS, CELLS), torch.float32)
        taps = batch.room("taps", (runs, FILTERS, groups, _GROUP * WINDOWS), torch.int8)
        total, squares = (torch.zeros(runs, FILTERS, dtype=torch.float64) for _ in range(2))
        _call("forward", given, samples, runs, pool, (fixed, pooled, taps, total, squares))
        ctx.save_for_backward(fixed, taps, *given)
        ctx.pool = pool
        return pooled.view_as(pooled), total, squares

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        weights, taps, *given = ctx.saved_tensors
        up = grads[0].float().contiguous()
        lift, slope = (g.float().contiguous() for g in (grads[1], 2 * grads[2]))
        found = torch.zeros(weights.shape, dtype=torch.float64)
        runs, samples = up.shape[:2]
        _call("backward", given, samples, runs, ctx.pool, (weights, taps, up, lift, slope, found))
        return found.float(), None, None


def _call(
    name: str,
    given: tuple[Tensor, ...] | list[Tensor],
    samples: int,
    runs: int,
    pool: ThreadPoolExecutor,
    rest: tuple[Tensor, ...],
) -> None:
    """Runs a C function over all trainings, a share in each thread."""
    library = open_library()
    if library is None:
        raise RuntimeError("the compiled block is not here; ask open_library first")
    function, pointers = getattr(library, name), [t.data_ptr() for t in given]
    size = library.space_bytes()

    def work(first: int, last: int) -> None:
        space = np.empty(size + 64, np.uint8)
        aligned = (space.ctypes.data + 63) // 64 * 64
        batch = _Batch(*pointers, samples, first, last)
        others = [ctypes.c_void_p(t.data_ptr()) for t in rest]
        function(ctypes.byref(batch), *others, ctypes.c_void_p(aligned))

    threads = getattr(pool, "_max_workers", 1)
    edges = np.linspace(0, runs, min(threads, runs) + 1).astype(int).tolist()
    list(pool.map(work, edges[:-1], edges[1:]))


def open_library() -> ctypes.CDLL | None:
    """The compiled C file; None where `famaug.native` has none."""
    library = open_native(SOURCE)
    if library is not None:
        library.space_bytes.restype = ctypes.c_int64
        for function in (library.forward, library.backward):
            function.restype = None
    return library
