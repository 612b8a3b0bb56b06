"""The compact generator's promises, whatever its weights."""

from __future__ import annotations

import pytest
import torch

from famaug.errors import InputError
from famaug.generator.networks.compact import REACH, CompactGenerator
from famaug.generator.networks.compose import compose, warp


@pytest.fixture(scope="module")
def loud() -> CompactGenerator:
    """Weights far from those it begins with."""
    net = CompactGenerator(width=8, seed=3)
    with torch.no_grad():
        net.head.weight.mul_(500)
    return net.eval()


def inputs(seed: int = 0, count: int = 2, side: int = 32) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    rand = lambda *shape: torch.rand(*shape, generator=draw)  # noqa: E731
    return {
        "picture": rand(count, 3, side, side) * 2 - 1,
        "maps": rand(count, 17, side, side) * 0.5,
        "prior": (rand(count, 2, side, side) - 0.5) * 0.05,
        "support": torch.ones(count, 1, side, side),
    }


def test_no_intensity_gives_the_picture_back(loud):
    x = inputs()
    x["maps"].zero_()
    x["prior"].zero_()
    out = compose(x["picture"], loud(**x))
    assert torch.allclose(out, x["picture"], atol=1e-6)
    x["maps"] += 0.1
    assert (compose(x["picture"], loud(**x)) - x["picture"]).abs().max() > 0.05


def test_nothing_changes_outside_the_support(loud):
    x = inputs()
    x["prior"].zero_()
    x["support"][..., :16] = 0
    out = compose(x["picture"], loud(**x))
    assert torch.allclose(out[..., :16], x["picture"][..., :16], atol=1e-6)
    assert not torch.allclose(out[..., 16:], x["picture"][..., 16:], atol=1e-2)


def test_a_new_network_is_close_to_the_known_motion():
    x = inputs()
    fresh = CompactGenerator(width=8).eval()
    with torch.no_grad():
        out = compose(x["picture"], fresh(**x))
    assert (out - warp(x["picture"], x["prior"])).abs().max() < 0.05


def test_rows_do_not_depend_on_each_other(loud):
    x = inputs(count=3)
    whole = compose(x["picture"], loud(**x))
    for i in range(3):
        one = {k: v[i : i + 1] for k, v in x.items()}
        assert torch.allclose(compose(one["picture"], loud(**one)), whole[i : i + 1], atol=1e-5)


def test_learned_motion_is_bounded(loud):
    x = inputs()
    flow = loud(**x).flow
    assert flow is not None
    assert (flow - x["prior"]).abs().max() <= REACH + 1e-6


def test_first_weights_are_a_function_of_the_seed_and_draw_nothing_global():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, two, other = (CompactGenerator(width=4, seed=s) for s in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert not torch.equal(one.enter.weight, other.enter.weight)


def test_inputs_that_do_not_fit_are_named():
    net = CompactGenerator(width=4)
    x = inputs()
    with pytest.raises(InputError, match=r"maps \(2, 5.*not \(2, 17"):
        net(**{**x, "maps": x["maps"][:, :5]})
    with pytest.raises(InputError, match="multiples of 8"):
        net(**inputs(side=20))
    with pytest.raises(InputError, match="at least 4"):
        CompactGenerator(width=2)
