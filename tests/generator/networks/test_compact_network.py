"""The compact generator's promises, whatever its weights."""

from __future__ import annotations

import pytest
import torch

from famaug.errors import InputError
from famaug.generator.networks.compact import REACH, CompactGenerator
from famaug.generator.networks.compose import compose


@pytest.fixture(scope="module")
def loud() -> CompactGenerator:
    """Weights far from those it begins with."""
    net = CompactGenerator(width=8, seed=3)
    with torch.no_grad():
        net.head.weight.mul_(100)
    return net.eval()


def inputs(seed: int = 0, count: int = 2, side: int = 32) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    rand = lambda *shape: torch.rand(*shape, generator=draw)  # noqa: E731
    picture = rand(count, 3, side, side) * 2 - 1
    return {
        "picture": picture,
        "known": (picture + (rand(count, 3, side, side) - 0.5) * 0.2).clamp(-1, 1),
        "inside": rand(count, 1, side, side),
        "maps": rand(count, 17, side // 2, side // 2) * 0.5,
        "support": torch.ones(count, 1, side, side),
    }


def test_no_intensity_gives_the_known_picture_back(loud):
    x = inputs()
    x["maps"].zero_()
    out = compose(x["known"], loud(**x))
    assert torch.allclose(out, x["known"], atol=1e-6)
    x["maps"] += 0.1
    assert (compose(x["known"], loud(**x)) - x["known"]).abs().max() > 0.05


def test_nothing_changes_outside_the_support(loud):
    x = inputs()
    x["support"][..., :16] = 0
    out = compose(x["known"], loud(**x))
    assert torch.allclose(out[..., :16], x["known"][..., :16], atol=1e-6)
    assert not torch.allclose(out[..., 16:], x["known"][..., 16:], atol=1e-2)


def test_a_new_network_is_close_to_the_known_picture():
    x = inputs()
    fresh = CompactGenerator(width=8).eval()
    with torch.no_grad():
        out = compose(x["known"], fresh(**x))
    assert (out - x["known"]).abs().mean() < 0.06  # noise, for a picture


def test_every_input_is_read(loud):
    x = inputs()
    out = compose(x["known"], loud(**x))
    for name in ("picture", "inside", "maps"):
        other = {**x, name: x[name] * 0.5}
        assert (compose(x["known"], loud(**other)) - out).abs().max() > 1e-3, name


def test_rows_do_not_depend_on_each_other(loud):
    x = inputs(count=3)
    whole = compose(x["known"], loud(**x))
    for i in range(3):
        one = {k: v[i : i + 1] for k, v in x.items()}
        assert torch.allclose(compose(one["known"], loud(**one)), whole[i : i + 1], atol=1e-5)


def test_learned_motion_is_bounded(loud):
    x = inputs()
    flow = loud(**x).flow
    assert flow is not None
    assert flow.abs().max() <= REACH + 1e-6


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
