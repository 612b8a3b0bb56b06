"""GANimation's networks: published sizes, first weights, and the motion head beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from famaug.errors import InputError
from famaug.generator.networks.compose import compose, warp
from famaug.generator.networks.critics import PatchCritic, SequenceCritic
from famaug.generator.networks.ganimation import REACH, GanimationGenerator
from famaug.generator.networks.saved import load_generator, save_generator
from famaug.seeding import keyed_generator


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


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (lambda: small()(drawn(1, 3, 30, 32), drawn(1, 17, 30, 32)), "multiples of 4"),
        (lambda: small()(drawn(1, 3, 32, 32), drawn(1, 12, 32, 32)), "maps B 17 H W"),
        (lambda: GanimationGenerator(width=0), "at least 1"),
        (lambda: PatchCritic(size=100), r"multiple of 2\^6"),
        (lambda: SequenceCritic(layers=1), "2 layers"),
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


def test_what_is_asked_for_reaches_a_published_network_by_its_border_alone() -> None:
    """Without a border (pictures closed to a ring) it makes the same of every expression; maps
    inside are heard."""
    picture = drawn(1, 3, 32, 32)
    asked = [torch.full((1, 17, 32, 32), v) for v in (0.0, 0.9)]
    heard = []
    for inside in (False, True):
        net = small(maps_inside=inside)
        for layer in net.modules():
            if isinstance(layer, torch.nn.Conv2d) and layer.kernel_size != (1, 1):
                layer.padding_mode = "circular"
                layer._reversed_padding_repeated_twice = [layer.padding[0]] * 4
        with torch.inference_mode():
            first, second = (net(picture, maps).attention for maps in asked)
        heard.append(float((first - second).abs().max()))
    assert heard[0] < 1e-6
    assert heard[1] > 1e-4


def test_maps_inside_are_told_in_a_file_and_left_out_of_older_ones(tmp_path: Path) -> None:
    for inside in (False, True):
        net = small(maps_inside=inside)
        save_generator(tmp_path / "net.safetensors", net)
        again, _ = load_generator(tmp_path / "net.safetensors")
        assert again.settings == net.settings
    old = small()
    del old.settings["maps_inside"]
    save_generator(tmp_path / "old.safetensors", old)
    again, _ = load_generator(tmp_path / "old.safetensors")
    assert again.settings["maps_inside"] is False
