"""The first block of STSTNet for many trainings at once, as a few large matrix products.

The trainings (folds) see the same samples, so the 3 x 3 patches of a sample are laid out once, as a
table 28 x positions (27 values and a row of ones for the bias), and one product with the stacked
filters of all trainings gives every convolution. All that batch norm and the gradient need of the
900 outputs of a filter are sums of patches over the positions where the output is positive:

    S2 = sum relu(y) patch      S1 = sum 1[y > 0] patch      (28 values each)

since the sum of relu(y) is the last value of S2 and, with y = w . patch, the sum of relu(y)^2 is
w . S2; their gradients are S1 and 2 S2. The gradient through max pooling touches one position a
window: a weighted sum of table rows. So no output is kept and nothing is convolved backwards.

Positions are arranged as 9 taps x 100 pooling windows (4 x 25 by the cells of the average pooling);
taps outside the map are empty patches, whose output is 0, and the 59 positions that no window sees
stand at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from famaug.errors import InputError

FILTERS = 16
SIDE = 28
MAP = 30
VALUES = 28
WINDOWS = 100
CELLS = 25
POSITIONS = 959
"""9 taps x 100 windows, 59 of them empty, and 59 positions that no window sees: 900 real ones."""
_TAP_BITS = 15
_SAMPLES, _RUNS = 4, 17
"""In one product: larger ones leave the processor's cache, smaller ones are all overhead."""


def patch_table(inputs: Tensor) -> Tensor:
    """Patches of every sample, uint8 `N 959 28`, from inputs uint8 `N 3 28 28`.

    Values run over channel, row, column of the 3 x 3 filter, then the one for the bias.

    Raises:
        InputError: another shape or type.
    """
    if inputs.dtype != torch.uint8 or inputs.shape[1:] != (3, SIDE, SIDE):
        raise InputError(
            f"this takes uint8 N x 3 x {SIDE} x {SIDE}; got {inputs.dtype} {tuple(inputs.shape)}"
        )
    padded = torch.nn.functional.pad(inputs, (2, 2, 2, 2))
    patches = padded.unfold(2, 3, 1).unfold(3, 3, 1).permute(0, 2, 3, 1, 4, 5)
    flat = patches.reshape(len(inputs), MAP * MAP, 27)
    table = torch.zeros(len(inputs), POSITIONS, VALUES, dtype=torch.uint8)
    where = torch.from_numpy(arrangement())
    real = where >= 0
    table[:, real, :27] = flat[:, where[real]]
    table[:, real, 27] = 1
    return table


def arrangement() -> np.ndarray[Any, np.dtype[np.int64]]:
    """For each of the 959 places the position (row * 30 + column) in the map, or -1."""
    places = np.full((9, 4, CELLS), -1, np.int64)
    for row in range(10):
        for column in range(10):
            cell, part = row // 2 * 5 + column // 2, row % 2 * 2 + column % 2
            for tap in range(9):
                y, x = row * 3 - 1 + tap // 3, column * 3 - 1 + tap % 3
                if 0 <= y < MAP and 0 <= x < MAP:
                    places[tap, part, cell] = y * MAP + x
    rest = np.setdiff1d(np.arange(MAP * MAP), places)
    return np.concatenate([places.ravel(), rest])


@dataclass(eq=False)
class Batch:
    """A batch of samples as all trainings see it.

    Attributes:
        values: float32 `28 (n 959)`; rows: the same as float32 `(n 959) 28`.
        small: int8 `(n 959) 32`, values - 128, for the integer product; None without one.
        member: bool `R n`: which training sees which sample.
        dropout: float32 `16 n 4 25`, the same for all trainings: 0, or 1 / (1 - p).
        sign: float32 `R 16`, +1 or -1: whether pooling takes the largest or the smallest, which
            is the sign of the batch norm's weight.
    """

    values: Tensor
    rows: Tensor
    small: Tensor | None
    member: Tensor
    dropout: Tensor
    sign: Tensor

    @staticmethod
    def of(table: Tensor, member: Tensor, dropout: Tensor, sign: Tensor) -> Batch:
        """From patches uint8 `n 959 28`."""
        flat = table.reshape(-1, VALUES)
        small = None
        if _HAS_INTEGER_PRODUCT:
            small = torch.zeros(len(flat), 32, dtype=torch.int8)
            small[:, :27] = (flat[:, :27] ^ 128).view(torch.int8)  # x - 128
            small[:, 27] = flat[:, 27].view(torch.int8)
        rows = flat.float()
        return Batch(rows.T.contiguous(), rows, small, member, dropout, sign)


def _integer_product_works() -> bool:
    try:
        a = torch.ones(32, 64, dtype=torch.int8)
        return bool((torch._int_mm(a, a.T.contiguous()) == 64).all())
    except (AttributeError, RuntimeError, NotImplementedError):
        return False


_HAS_INTEGER_PRODUCT = _integer_product_works()


@contextmanager
def workers(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that each compute alone; torch's own threads rest meanwhile."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(before)


class StackedBlock(torch.autograd.Function):
    """Convolution, ReLU, sums for batch norm, max pooling, dropout and average pooling.

    Forward: (weights float32 `R 16 28`, batch, pool) to
        pooled  `R n 16 25`: dropped and averaged maxima of relu(y), before batch norm
        total   `R 16`: sum of relu(y) over the member samples and 900 positions
        squares float64 `R 16`: sum of its squares
    """

    @staticmethod
    def forward(
        ctx: Any, weights: Tensor, batch: Batch, pool: ThreadPoolExecutor
    ) -> tuple[Tensor, Tensor, Tensor]:
        runs, samples = batch.member.shape
        parts = [slice(r, min(r + _RUNS, runs)) for r in range(0, runs, _RUNS)]
        fixed = weights.detach()  # threads have a gradient mode of their own
        done = list(pool.map(lambda part: _forward(fixed, batch, part), parts))
        pooled, taps, positive, weighted = (torch.cat(x) for x in zip(*done, strict=True))
        ctx.save_for_backward(taps, positive, weighted)
        ctx.batch, ctx.pool, ctx.parts = batch, pool, parts
        flat = fixed.reshape(runs * FILTERS, VALUES).double()
        squares = (flat * weighted.double()).sum(-1).view(runs, FILTERS)
        total = weighted[:, -1].reshape(runs, FILTERS)
        pooled = pooled.view(runs, FILTERS, samples, CELLS).transpose(1, 2).contiguous()
        return pooled, total, squares

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        d_pooled, d_total, d_squares = grads
        taps, positive, weighted = ctx.saved_tensors
        runs, d_pooled = len(d_pooled), d_pooled.transpose(1, 2).contiguous()

        def part_gradient(part: slice) -> Tensor:
            rows = slice(part.start * FILTERS, part.stop * FILTERS)
            return _through_pooling(ctx.batch, d_pooled[part], taps[rows])

        sparse = torch.cat(list(ctx.pool.map(part_gradient, ctx.parts)))
        dense = d_total.reshape(-1, 1) * positive
        dense += (2 * d_squares.reshape(-1, 1) * weighted).float()
        return (sparse + dense).view(runs, FILTERS, VALUES), None, None


def _forward(weights: Tensor, batch: Batch, part: slice) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of some trainings: pooled `rows n 25`, taps int8 `rows n 100` (-1: no gradient), S1 and S2
    `rows 28`."""
    w = weights[part].reshape(-1, VALUES)
    member, sign = batch.member[part], batch.sign[part].reshape(-1)
    rows, samples = len(w), member.shape[1]
    pooled = torch.empty(rows, samples, CELLS)
    taps = torch.empty(rows, samples, WINDOWS, dtype=torch.int8)
    positive, weighted = torch.zeros(rows, VALUES), torch.zeros(VALUES, rows)
    space = _Space(rows)
    for start in range(0, samples, _SAMPLES):
        span = slice(start, min(start + _SAMPLES, samples))
        at = slice(span.start * POSITIONS, span.stop * POSITIONS)
        y = space.outputs(at.stop - at.start)
        torch.mm(w, batch.values[:, at], out=y)
        y.relu_()
        _clear(y, member[:, span])
        weighted.addmm_(batch.values[:, at], y.T)
        positive += _positive(y, batch, at, space)
        best, tap = _largest(y, space) if bool((sign > 0).all()) else _extreme(y, sign)
        taps[:, span] = tap
        kept = best.view(-1, FILTERS, span.stop - start, 4, CELLS) * batch.dropout[:, span]
        torch.mean(kept.view(rows, -1, 4, CELLS), 2, out=pooled[:, span])
    return pooled, taps, positive, weighted.T.contiguous()


class _Space:
    """Memory that is used again: asking the system for it each time would cost more."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._y = torch.empty(rows * _SAMPLES * POSITIONS)
        self._flag = torch.empty(rows * _SAMPLES * POSITIONS, dtype=torch.bool)

    def outputs(self, columns: int) -> Tensor:
        return self._y[: self.rows * columns].view(self.rows, columns)

    def flags(self, columns: int) -> Tensor:
        return self._flag[: self.rows * columns].view(self.rows, columns)


def _clear(y: Tensor, member: Tensor) -> None:
    """Outputs of samples that a training does not see become 0."""
    if not member.all():
        view = y.view(len(member), FILTERS, -1, POSITIONS)
        for run, sample in (~member).nonzero().tolist():
            view[run, :, sample] = 0


def _positive(y: Tensor, batch: Batch, at: slice, space: _Space) -> Tensor:
    """Sum of the patches whose output is positive, float32 `rows 28`; exact in integers."""
    flags = space.flags(y.shape[1])
    flags.copy_(y)
    if batch.small is None:
        return flags.float() @ batch.rows[at]
    found = torch._int_mm(flags.view(torch.int8), batch.small[at])[:, :VALUES]
    found[:, :27] += 128 * found[:, 27:]
    return found.float()


def _largest(y: Tensor, space: _Space) -> tuple[Tensor, Tensor]:
    """Largest of the 9 taps and which one it is; destroys y.

    The number of the tap stands in the lowest 4 bits of the value while they are compared, so the
    value keeps 20 bits; floats that are not negative compare as integers do.
    """
    bits = y.view(torch.int32).view(len(y), -1, POSITIONS)[..., : 9 * WINDOWS]
    bits = bits.view(len(y), -1, 9, WINDOWS)
    bits.bitwise_and_(~_TAP_BITS).bitwise_or_(_TAPS)
    best = bits.amax(2)
    tap = (best & _TAP_BITS).to(torch.int8)
    best.bitwise_and_(~_TAP_BITS)
    tap.masked_fill_(best == 0, -1)
    return best.view(torch.float32), tap


_TAPS = torch.arange(9, dtype=torch.int32).view(1, 1, 9, 1)


def _extreme(y: Tensor, sign: Tensor) -> tuple[Tensor, Tensor]:
    """As `_largest`, but the smallest where the sign is negative (a batch norm that turned)."""
    taps = y.view(len(y), -1, POSITIONS)[..., : 9 * WINDOWS].reshape(len(y), -1, 9, WINDOWS)
    outside = torch.from_numpy(arrangement()[: 9 * WINDOWS].reshape(9, WINDOWS) < 0)
    turned = (taps * sign.view(-1, 1, 1, 1)).masked_fill(outside, -torch.inf)
    best, tap = turned.max(2)
    best = best * sign.view(-1, 1, 1)
    return best, tap.to(torch.int8).masked_fill_(best <= 0, -1)


def _through_pooling(batch: Batch, d_pooled: Tensor, taps: Tensor) -> Tensor:
    """Gradient of the filters through the pooled maxima, float32 `rows 28`."""
    rows, samples = len(taps), d_pooled.shape[2]
    result = torch.zeros(rows, VALUES)
    window = torch.arange(WINDOWS, dtype=torch.int32)
    for start in range(0, samples, _SAMPLES):
        span = slice(start, min(start + _SAMPLES, samples))
        count = span.stop - start
        spread = d_pooled[:, :, span, None] * (batch.dropout[:, span] * 0.25)
        tap = taps[:, span]
        weight = spread.view(rows, count, WINDOWS) * (tap >= 0)
        place = tap.clamp(min=0).int() * WINDOWS + window
        place += (torch.arange(count, dtype=torch.int32) * POSITIONS).view(1, -1, 1)
        result += torch.nn.functional.embedding_bag(
            place.view(rows, -1),
            batch.rows[start * POSITIONS : span.stop * POSITIONS],
            mode="sum",
            per_sample_weights=weight.view(rows, -1),
        )
    return result
