"""The stacked first block against torch's own layers in double precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from famaug.errors import InputError
from famaug.recognition import stacked_conv as sc
from famaug.recognition import stacked_native as sn

RUNS, SAMPLES = 9, 5


def by_layers(x: Tensor, weights: Tensor, drop: Tensor, sign: Tensor) -> tuple[Tensor, Tensor]:
    """relu(y) `n 16 30 30` and the dropped, averaged maxima `16 n 25` of one training."""
    y = torch.conv2d(x, weights[:, :27].view(16, 3, 3, 3), weights[:, 27], padding=2).relu()
    turn = sign.view(1, 16, 1, 1)
    top = torch.nn.functional.max_pool2d(y * turn, 3, 3, 1) * turn
    parts = drop.permute(1, 0, 2, 3).view(len(x), 16, 2, 2, 5, 5)
    mask = parts.permute(0, 1, 4, 2, 5, 3).reshape(len(x), 16, 10, 10)
    return y, torch.nn.functional.avg_pool2d(top * mask, 2).flatten(2).permute(1, 0, 2)


def block_of(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[type[torch.autograd.Function], Callable[..., Any]]:
    """A block, and how its batch is made from inputs, member, dropout and sign."""
    if kind == "compiled":
        if sn.open_library() is None:
            pytest.skip("no C compiler here")

        def native(x: Tensor, *rest: Tensor) -> sn.NativeBatch:
            shuffled = torch.cat([x, x.flip(0)])  # the batch is a choice from a larger table
            items = torch.arange(2 * len(x) - 1, len(x) - 1, -1)
            return sn.NativeBatch(sn.native_table(shuffled), items, *rest)

        return sn.NativeBlock, native
    if kind == "integers" and not sc._HAS_INTEGER_PRODUCT:
        pytest.skip("this build of torch has no integer product")
    monkeypatch.setattr(sc, "_HAS_INTEGER_PRODUCT", kind == "integers")
    return sc.StackedBlock, lambda x, *rest: sc.Batch.of(sc.patch_table(x), *rest)


KINDS = ["floats", "integers", "compiled"]


@pytest.mark.parametrize("turned", [False, True], ids=["plain", "turned"])
@pytest.mark.parametrize("samples", [SAMPLES, 8], ids=["odd", "whole groups"])
@pytest.mark.parametrize("kind", KINDS)
def test_like_torch(turned: bool, samples: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    block, batch_of = block_of(kind, monkeypatch)
    draw = torch.Generator().manual_seed(3)
    x = torch.randint(0, 256, (samples, 3, 28, 28), dtype=torch.uint8, generator=draw)
    x[0, :, 5:20, 5:20] = 99  # a flat patch: windows with several equal maxima
    weights = (torch.randn(RUNS, 16, 28, generator=draw) * 0.02).requires_grad_()
    member = torch.rand(RUNS, samples, generator=draw) > 0.3
    drop = (torch.rand(16, samples, 4, 25, generator=draw) > 0.5).float() * 2
    sign = torch.ones(RUNS, 16)
    if turned:
        sign[:, ::3] = -1
    with sc.workers(2) as pool:
        found = block.apply(weights, batch_of(x, member, drop, sign), pool)
        ups = [torch.randn(f.shape, generator=draw) for f in found]
        ups[0] = ups[0] * member[:, :, None, None]
        grad = torch.autograd.grad(
            sum((f * u).sum() for f, u in zip(found, ups, strict=True)), weights
        )
    exact = weights.detach().double().requires_grad_()
    loss = torch.zeros((), dtype=torch.float64)
    for run in range(RUNS):
        y, pooled = by_layers(x.double(), exact[run], drop.double(), sign[run].double())
        pooled = pooled.transpose(0, 1)
        seen = member[run].double()
        sums = [(y**k * seen.view(-1, 1, 1, 1)).sum((0, 2, 3)) for k in (1, 2)]
        inside = found[0][run] * member[run][:, None, None]
        want = pooled * seen[:, None, None]
        assert torch.allclose(inside.double(), want, rtol=1e-5, atol=1e-5)
        for got, total in zip(found[1:], sums, strict=True):
            assert torch.allclose(got[run].double(), total, rtol=1e-5)
        for up, value in zip(ups, (pooled, *sums), strict=True):
            loss = loss + (up[run] * value).sum()
    (want,) = torch.autograd.grad(loss, exact)
    scale = want.abs().amax(-1, keepdim=True)
    assert float(((grad[0] - want) / scale).abs().max()) < 2e-5


@pytest.mark.parametrize("kind", KINDS)
def test_threads_do_not_change_the_result(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    block, batch_of = block_of(kind, monkeypatch)
    x = torch.randint(0, 256, (4, 3, 28, 28), dtype=torch.uint8)
    weights, member = torch.randn(20, 16, 28) * 0.02, torch.ones(20, 4, dtype=torch.bool)
    batch = batch_of(x, member, torch.ones(16, 4, 4, 25), torch.ones(20, 16))
    found = []
    for threads in (1, 3):
        before = torch.get_num_threads()
        with sc.workers(threads) as pool:
            found.append(block.apply(weights, batch, pool))
        assert torch.get_num_threads() == before
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_only_flow_pictures() -> None:
    with pytest.raises(InputError, match="N x 3 x 28 x 28"):
        sc.patch_table(torch.zeros(2, 3, 32, 32, dtype=torch.uint8))
