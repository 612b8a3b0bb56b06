"""The first block of all folds against torch's own layers in double precision."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from famaug.recognition import all_folds_ststnet as af

FOLDS, CLIPS = 9, 5


def by_layers(x: Tensor, weights: Tensor, masks: Tensor, sign: Tensor) -> tuple[Tensor, Tensor]:
    """relu(y) `n 16 30 30` and the dropped, averaged maxima `n 25 16` of one fold."""
    y = torch.conv2d(x, weights[:, :27].view(16, 3, 3, 3), weights[:, 27], padding=2).relu()
    turn = sign.view(1, 16, 1, 1)
    top = torch.nn.functional.max_pool2d(y * turn, 3, 3, 1) * turn
    mask = masks.transpose(1, 2).view(len(x), 16, 10, 10)
    return y, torch.nn.functional.avg_pool2d(top * mask, 2).flatten(2).transpose(1, 2)


def made(clips: int) -> dict[str, Any]:
    draw = torch.Generator().manual_seed(3)
    x = torch.randint(0, 256, (clips, 3, 28, 28), generator=draw).float()
    x[0, :, 5:20, 5:20] = 99  # a flat patch: windows with several equal maxima
    patches = torch.nn.functional.unfold(x, 3, padding=2).transpose(1, 2)
    return {
        "x": x,
        "patches": torch.cat([patches, torch.ones(clips, 900, 1)], 2),
        "weights": torch.randn(FOLDS, 16, 28, generator=draw) * 0.02,
        "member": torch.rand(FOLDS, clips, generator=draw) > 0.3,
        "masks": (torch.rand(clips, 100, 16, generator=draw) > 0.5).float() * 2,
        "draw": draw,
    }


@pytest.mark.parametrize("turned", [False, True], ids=["plain", "turned"])
@pytest.mark.parametrize("at_a_time", [1, 2, CLIPS])
def test_like_torch(turned: bool, at_a_time: int, monkeypatch: pytest.MonkeyPatch) -> None:
    room = at_a_time * 900 * FOLDS * 16 * 4
    monkeypatch.setattr(af, "_MAPS_BYTES", {"cpu": room})
    given = made(CLIPS)
    sign = torch.ones(FOLDS, 16)
    if turned:
        sign[:, ::3] = -1
    filters = given["weights"].flatten(0, 1).T.contiguous().requires_grad_()
    member = given["member"]
    found = af.FirstBlock.apply(
        filters, given["patches"], member.T.contiguous(), given["masks"], sign.flatten() < 0
    )
    ups = [torch.randn(f.shape, generator=given["draw"]) for f in found]
    ups[0] = ups[0] * member[:, :, None, None]
    grad = torch.autograd.grad(sum((f * u).sum() for f, u in zip(found, ups, strict=True)), filters)
    exact = given["weights"].double().requires_grad_()
    loss = torch.zeros((), dtype=torch.float64)
    for fold in range(FOLDS):
        y, pooled = by_layers(
            given["x"].double(), exact[fold], given["masks"].double(), sign[fold].double()
        )
        seen = member[fold].double()
        want = pooled * seen[:, None, None]
        assert torch.allclose(found[0][fold].double(), want, rtol=1e-5, atol=1e-5)
        for power, got, up in zip((1, 2), found[1:], ups[1:], strict=True):
            total = (y**power * seen.view(-1, 1, 1, 1)).sum((0, 2, 3))
            assert torch.allclose(got.view(FOLDS, 16)[fold].double(), total, rtol=1e-5)
            loss = loss + (up.view(FOLDS, 16)[fold] * total).sum()
        loss = loss + (ups[0][fold] * want).sum()
    (want,) = torch.autograd.grad(loss, exact)
    scale = want.abs().amax(-1, keepdim=True)
    got = grad[0].T.view(FOLDS, 16, 28)
    assert float(((got - want) / scale).abs().max()) < 2e-5
