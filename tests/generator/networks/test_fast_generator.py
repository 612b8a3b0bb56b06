"""The fast way gives what the network gives."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from famaug.errors import InputError
from famaug.generator.networks.compose import generate
from famaug.generator.networks.fast import FastFace, FastGenerator, choose_precision
from famaug.generator.networks.ganimation import GanimationGenerator
from famaug.seeding import keyed_generator

LINE = torch.tensor([[[18.0, 2.0], [13.0, 30.0]]])


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(keyed_generator(seed, "fast").uniform(-1, 1, shape)).float()


def lively(**settings: bool) -> GanimationGenerator:
    """Weights that let a signal through, so that errors would show."""
    net = GanimationGenerator(width=8, blocks=2, **settings)  # type: ignore[arg-type]
    with torch.no_grad():
        for i, (name, p) in enumerate(net.named_parameters()):
            if p.ndim == 4:
                p.copy_(drawn(*p.shape, seed=i) * (6 / p[0].numel()) ** 0.5)
            elif name.endswith("bias"):
                p.copy_(0.3 * drawn(*p.shape, seed=i))
    return net.eval()


def asked(count: int) -> Tensor:
    out = torch.zeros(count, 2, 17)
    out[:, :, [2, 8, 14]] = drawn(count, 2, 3, seed=9).abs() * 4
    return out


@pytest.mark.parametrize("settings", [{}, {"flow": True}, {"affine": False}])
@pytest.mark.parametrize(("precision", "most"), [("fp32", 0.05), ("bf16", 12.0)])
def test_the_same_pictures(settings: dict[str, bool], precision, most: float) -> None:
    net, sides = lively(**settings), asked(5)
    picture = F.interpolate(drawn(1, 3, 5, 5), (32, 32), mode="bilinear")  # no noise to be moved
    if net.flow is not None:
        nn.init.normal_(net.flow.weight, std=0.05, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        want = generate(net, picture.expand(5, -1, -1, -1), sides, LINE.expand(5, -1, -1))
    face = FastFace(FastGenerator(net, precision=precision, batch=2), picture, LINE)
    found = face.render(sides)
    assert found.shape == want.shape
    assert float(want.std()) > 0.1
    error = 127.5 * (found - want).abs()
    assert float(error.max()) < most
    assert float(error.mean()) < most / 8


def test_no_expression_and_other_sizes() -> None:
    net, picture = lively(), drawn(1, 3, 24, 32)
    with torch.no_grad():
        want = generate(net, picture, torch.zeros(1, 2, 17), LINE)
    found = FastFace(FastGenerator(net), picture, LINE).render(torch.zeros(3, 2, 17))
    assert found.shape == (3, 3, 24, 32)
    assert torch.allclose(found, want.expand(3, -1, -1, -1), atol=1e-4)


def test_it_chooses_by_the_clock() -> None:
    assert choose_precision(lively(), size=16) in ("fp32", "bf16")


def test_errors_of_the_fast_way() -> None:
    fast = FastGenerator(lively())
    with pytest.raises(InputError, match="'fp32' or 'bf16'"):
        FastGenerator(lively(), precision="int8")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="multiples of 4"):
        FastFace(fast, drawn(1, 3, 30, 32), LINE)
    with pytest.raises(InputError, match="T 2 17"):
        FastFace(fast, drawn(1, 3, 32, 32), LINE).render(torch.zeros(17))
