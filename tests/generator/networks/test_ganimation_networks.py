"""GANimation's networks: published sizes, first weights, and the motion head beside them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from famaug.errors import InputError
from famaug.generator.networks.compose import compose, generate, render_at, warp
from famaug.generator.networks.critics import PatchCritic, SequenceCritic
from famaug.generator.networks.ganimation import REACH, GanimationGenerator, Outputs
from famaug.seeding import keyed_generator

LINE = torch.tensor([[[16.0, 2.0], [15.0, 30.0]]])


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(keyed_generator(seed, "net").uniform(-1, 1, shape)).float()


def small(**changes: object) -> GanimationGenerator:
    return GanimationGenerator(width=8, blocks=2, **changes).eval()  # type: ignore[arg-type]


def test_published_sizes() -> None:
    """Counted by hand from the published layers."""
    net = GanimationGenerator()
    trunk = 20 * 64 * 49 + 64 * 128 * 16 + 128 * 256 * 16 + 12 * 256 * 256 * 9
    trunk += 256 * 128 * 16 + 128 * 64 * 16
    norms = 2 * (64 + 128 + 256 + 12 * 256 + 128 + 64)
    assert sum(p.numel() for p in net.parameters()) == trunk + norms + 4 * 64 * 49 == 8_471_296
    critic = PatchCritic()
    convs = 3 * 64 * 16 + sum((64 << i) * (128 << i) * 16 for i in range(5))
    biases = sum(64 << i for i in range(6))
    heads = 2048 * 9 + 17 * 2048 * 4
    assert sum(p.numel() for p in critic.parameters()) == convs + biases + heads
    real, units = critic(torch.zeros(2, 3, 128, 128))
    assert real.shape == (2, 1, 2, 2)
    assert units.shape == (2, 17)


def test_first_weights_are_those_of_the_paper_and_of_the_seed() -> None:
    before = torch.random.get_rng_state()
    first, again, other = (GanimationGenerator(width=32, blocks=1, seed=s) for s in (1, 1, 2))
    weights = first.blocks[0].conv.weight.detach()
    assert float(weights.std()) == pytest.approx(0.02, rel=0.02)
    assert abs(float(weights.mean())) < 2e-4
    assert torch.equal(weights, again.blocks[0].conv.weight)
    assert not torch.equal(weights, other.blocks[0].conv.weight)
    assert torch.equal(first.enter.norm.weight, torch.ones(32))
    assert all(not bool(layer.bias.any()) for layer in PatchCritic(width=2, size=64).layers)
    assert torch.equal(before, torch.random.get_rng_state())


def test_outputs_and_composition() -> None:
    net, picture = small(), drawn(2, 3, 32, 24)
    out = net(picture, drawn(2, 17, 32, 24, seed=1).abs())
    assert out.colour.shape == (2, 3, 32, 24)
    assert out.attention.shape == (2, 1, 32, 24)
    assert out.flow is None
    want = out.attention * picture + (1 - out.attention) * out.colour
    assert torch.equal(compose(picture, out), want)


def test_without_motion_it_is_ganimation_bit_for_bit() -> None:
    plain, moving = small(), small(flow=True)
    moving.load_state_dict({**moving.state_dict(), **plain.state_dict()})
    picture, maps = drawn(1, 3, 32, 32), drawn(1, 17, 32, 32, seed=1)
    a, b = plain(picture, maps), moving(picture, maps)
    assert torch.equal(a.colour, b.colour)
    assert torch.equal(a.attention, b.attention)
    assert torch.equal(b.flow, torch.zeros(1, 2, 32, 32))  # the head starts at no motion
    assert torch.equal(compose(picture, a), compose(picture, b._replace(flow=None)))
    assert torch.allclose(compose(picture, a), compose(picture, b), atol=1e-5)


def test_motion_stays_within_reach() -> None:
    net = small(flow=True)
    torch.nn.init.constant_(net.flow.weight, 9.0)
    assert net(drawn(1, 3, 32, 32), drawn(1, 17, 32, 32)).flow.abs().max() <= REACH


def test_warp_takes_pixels_from_where_the_flow_points() -> None:
    picture = drawn(1, 3, 16, 32)
    flow = torch.zeros(1, 2, 16, 32)
    flow[:, 0] = 3 * 2 / 32  # three pixels to the right, in half sides
    moved = warp(picture, flow)
    assert torch.allclose(moved[..., :-3], picture[..., 3:], atol=1e-5)
    assert torch.allclose(moved[..., -3:], picture[..., -1:].expand(-1, -1, -1, 3), atol=1e-5)


def test_rendering_at_a_larger_size() -> None:
    """The large picture moves by the same share of its side, and keeps detail that the small one
    does not have."""
    big = drawn(1, 3, 128, 128)
    low = F.avg_pool2d(big, 4)
    flow = torch.full((1, 2, 32, 32), 2 * 2 / 128)
    still = Outputs(torch.zeros_like(low), torch.ones(1, 1, 32, 32), flow)
    moved = render_at(big, low, still)
    assert torch.allclose(moved[..., :-4, :-4], big[..., 2:-2, 2:-2], atol=1e-4)
    painted = Outputs(low + 0.1, torch.full((1, 1, 32, 32), 0.25))
    assert torch.allclose(render_at(big, low, painted), (big + 0.075).clamp(-1, 1), atol=1e-5)
    equal = Outputs(
        drawn(1, 3, 32, 32, seed=3), drawn(1, 1, 32, 32).abs(), 0.1 * drawn(1, 2, 32, 32)
    )
    assert torch.equal(render_at(low, low, equal), compose(low, equal))
    with pytest.raises(InputError, match="not those of a small"):
        render_at(big, big, equal)


def test_motion_and_paint_together_at_a_larger_size() -> None:
    """Made smaller again, the large picture is the small one."""
    low = F.interpolate(drawn(1, 3, 5, 5), (32, 32), mode="bicubic")
    big = F.interpolate(low, (128, 128), mode="bicubic")
    flow = F.interpolate(0.2 * drawn(1, 2, 4, 4, seed=2), (32, 32), mode="bicubic")
    mask = F.interpolate(drawn(1, 1, 4, 4, seed=3).abs(), (32, 32), mode="bilinear")
    paint = F.interpolate(drawn(1, 3, 4, 4, seed=4), (32, 32), mode="bicubic")
    out = Outputs(paint, mask, flow)
    error = (F.avg_pool2d(render_at(big, low, out), 4) - compose(low, out)).abs()
    assert float(error.mean()) < 0.01
    assert float((compose(low, out) - low).abs().mean()) > 0.2


def test_splines_keep_what_bilinear_sampling_blurs() -> None:
    from famaug.faces.sampling import as_source, spline_coefficients

    x = np.linspace(0, 20, 64)
    wave = np.broadcast_to(np.sin(x)[None, :, None], (64, 64, 3)).astype(np.float32)
    picture = torch.from_numpy(np.ascontiguousarray(wave.transpose(2, 0, 1)))[None]
    half = Outputs(
        torch.zeros(1, 3, 16, 16), torch.ones(1, 1, 16, 16), torch.full((1, 2, 16, 16), 1 / 64)
    )
    source = as_source(spline_coefficients(wave))
    low = F.avg_pool2d(picture, 4)
    want = torch.from_numpy(np.sin(x + 0.5 * (x[1] - x[0]))).float()
    by_spline = render_at(picture, low, half, spline=source)[0, 0, 32]
    bilinear = render_at(picture, low, half)[0, 0, 32]
    inner = slice(4, -4)
    assert (by_spline - want)[inner].abs().max() < 2e-3
    assert (bilinear - want)[inner].abs().max() > 1e-2


def test_paper_halves_are_two_passes_joined_at_the_midline() -> None:
    net, picture = small(), drawn(1, 3, 32, 32)
    sides = drawn(1, 2, 17, seed=5).abs() * 5
    alone = [generate(net, picture, sides[:, [s, s]], LINE, halves="paper") for s in (0, 1)]
    hard = generate(net, picture, sides, LINE, halves="paper")
    assert torch.equal(hard[..., 20:], alone[0][..., 20:])  # the person's left: the viewer's right
    assert torch.equal(hard[..., :12], alone[1][..., :12])
    from_either = torch.isclose(hard, alone[0]) | torch.isclose(hard, alone[1])
    assert bool(from_either.all())
    soft = generate(net, picture, sides, LINE, halves="paper", feather=0.2)
    assert not torch.isclose(soft[..., 15:17], alone[0][..., 15:17]).all()
    assert torch.equal(soft[..., 24:], alone[0][..., 24:])


def test_equal_sides_are_the_same_in_one_pass_or_two() -> None:
    net, picture = small(), drawn(1, 3, 32, 32)
    both = drawn(1, 1, 17, seed=5).abs().expand(-1, 2, -1) * 5
    one, two = (generate(net, picture, both, LINE, halves=h) for h in ("maps", "paper"))
    assert torch.equal(one, two)


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (lambda: small()(drawn(1, 3, 30, 32), drawn(1, 17, 30, 32)), "multiples of 4"),
        (lambda: small()(drawn(1, 3, 32, 32), drawn(1, 12, 32, 32)), "maps B 17 H W"),
        (lambda: GanimationGenerator(width=0), "at least 1"),
        (lambda: PatchCritic(size=100), r"multiple of 2\^6"),
        (lambda: SequenceCritic(layers=1), "2 layers"),
        (
            lambda: generate(small(), drawn(1, 3, 32, 32), drawn(1, 2, 17), LINE, halves="thirds"),
            "'maps' or 'paper'",
        ),
    ],
)
def test_errors(work, words: str) -> None:
    with pytest.raises(InputError, match=words):
        work()


def test_sequence_critic_sees_time() -> None:
    critic = SequenceCritic(width=4, layers=3)
    clip = drawn(2, 3, 8, 32, 32)
    assert critic(clip).shape == (2, 1, 2, 4, 4)
    assert not torch.allclose(critic(clip), critic(clip[:, :, [0, 2, 1, 3, 5, 4, 7, 6]]))
