"""The networks: sizes, names, inputs; and errors before any training."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from famaug.errors import InputError
from famaug.recognition.inputs import InputSpec
from famaug.recognition.networks.dropout import GivenDropout, MaskSource, given_masks
from famaug.recognition.recognisers import build_recogniser, scaled

# names and shapes in the public per-fold files of STSTNet (github.com/christy1206/STSTNet)
PUBLIC = {
    **{f"conv{i}.weight": (n, 3, 3, 3) for i, n in ((1, 3), (2, 5), (3, 8))},
    **{f"conv{i}.bias": (n,) for i, n in ((1, 3), (2, 5), (3, 8))},
    **{
        f"bn{i}.{k}": (n,)
        for i, n in ((1, 3), (2, 5), (3, 8))
        for k in ("weight", "bias", "running_mean", "running_var")
    },
    **{f"bn{i}.num_batches_tracked": () for i in (1, 2, 3)},
    "fc.weight": (3, 400),
    "fc.bias": (3,),
}


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_ststnet_is_the_published_one() -> None:
    net, spec = build_recogniser("ststnet", classes=3)
    assert count(net) == 1683
    assert {k: tuple(v.shape) for k, v in net.state_dict().items()} == PUBLIC
    assert (spec.shape, spec.low, spec.high) == ((3, 28, 28), 0, 255)


def test_ststnet_against_its_formula() -> None:
    net, spec = build_recogniser("ststnet", classes=3, seed=4)
    x = scaled(torch.randint(0, 256, (5, 3, 28, 28), dtype=torch.uint8), spec)
    state = net.state_dict()
    maps = []
    for i in (1, 2, 3):
        y = torch.conv2d(x, state[f"conv{i}.weight"], state[f"conv{i}.bias"], padding=2).relu()
        y = (y - y.mean((0, 2, 3), True)) / (
            y.var((0, 2, 3), unbiased=False, keepdim=True) + 1e-5
        ) ** 0.5
        maps.append(torch.max_pool2d(y, 3, 3, 1))
    pooled = nn.functional.avg_pool2d(torch.cat(maps, 1), 2).flatten(1)
    want = pooled @ state["fc.weight"].T + state["fc.bias"]
    net.dropout.p = 0.0  # type: ignore[union-attr, assignment]
    assert torch.allclose(net(x), want, atol=1e-4)


def test_off_apexnet() -> None:
    net, _ = build_recogniser("off-apexnet", classes=3)
    assert count(net) == 2_664_475
    net.eval()
    x = torch.rand(2, 3, 28, 28)
    other = x.clone()
    other[:, 2] = 0
    assert torch.equal(net(x), net(other))  # strain is not looked at
    other[:, 1] = 0
    assert not torch.equal(net(x), net(other))


def test_flow_cnn() -> None:
    net, spec = build_recogniser("flow-cnn", classes=3)
    assert count(net) == 61_459
    assert (spec.shape, spec.low, spec.high) == ((3, 28, 28), -1, 1)
    wide, _ = build_recogniser("flow-cnn", classes=5, options={"width": 8, "depth": 6})
    kernels = [m.weight.shape[:2] for m in wide.modules() if isinstance(m, nn.Conv2d)]
    assert kernels == [(8, 3), (16, 8), (32, 16), (32, 32), (32, 32), (32, 32)]
    larger, spec = build_recogniser("flow-cnn", classes=3, input_spec={"size": 56})
    assert larger.eval()(torch.rand(1, *spec.shape)).shape == (1, 3)
    maps = net.maps(torch.rand(2, 3, 28, 28))  # type: ignore[operator, union-attr]
    assert maps.shape == (2, 64, 7, 7)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"width": 3}, "width is a whole number from 4 to 128; got 3"),
        ({"width": 32.0}, "width is a whole number"),
        ({"depth": 7}, "depth is a whole number from 2 to 6; got 7"),
        ({"dropout": 1}, "dropout is 0 to below 1; got 1"),
        ({"dropout": "no"}, "dropout is 0 to below 1; got 'no'"),
        ({"widht": 8}, r"no option \['widht'\]"),
    ],
)
def test_options_of_flow_cnn(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        build_recogniser("flow-cnn", classes=3, options=options)


@pytest.mark.parametrize(
    ("name", "options", "shape"),
    [
        ("dual-stream", {}, (3, 112, 112)),
        ("two-branch", {"backbone": "resnet10t", "size": 64}, (6, 64, 64)),
        ("video", {"architecture": "mc3_18", "frames": 4, "size": 32}, (3, 4, 32, 32)),
    ],
)
def test_other_networks(name: str, options: dict[str, object], shape: tuple[int, ...]) -> None:
    net, spec = build_recogniser(name, classes=5, options=options)
    assert spec.shape == shape
    assert net(torch.rand(2, *shape)).shape == (2, 5)


def test_weights_follow_seed_and_key() -> None:
    state = torch.random.get_rng_state()
    a, _ = build_recogniser("ststnet", classes=3, seed=1, key="fold")
    b, _ = build_recogniser("ststnet", classes=3, seed=1, key="fold")
    c, _ = build_recogniser("ststnet", classes=3, seed=1, key="other")
    assert torch.equal(a.fc.weight, b.fc.weight)  # type: ignore[arg-type, union-attr]
    assert not torch.equal(a.fc.weight, c.fc.weight)  # type: ignore[arg-type, union-attr]
    assert torch.equal(state, torch.random.get_rng_state())


class MyNet(nn.Module):
    """A user's network without a description of its input."""

    def __init__(self, *, classes: int, width: int = 4) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Flatten(), nn.Linear(3 * 8 * 8, width), nn.Linear(width, classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.net(x)
        return out


def test_own_network() -> None:
    own = f"{__name__}:MyNet"
    described = {"kind": "flow", "size": 8}
    net, spec = build_recogniser(own, classes=4, options={"width": 7}, input_spec=described)
    assert net.net[1].out_features == 7  # type: ignore[index, union-attr]
    assert spec == InputSpec(kind="flow", size=8)
    with pytest.raises(InputError, match="input is not described"):
        build_recogniser(own, classes=4)
    with pytest.raises(InputError, match=r"does not take its input, flow of shape \(3, 9, 9\)"):
        build_recogniser(own, classes=4, input_spec={"kind": "flow", "size": 9})
    with pytest.raises(InputError, match=r"no option \['wdth'\]"):
        build_recogniser(own, classes=4, options={"wdth": 7}, input_spec=described)


def test_names() -> None:
    with pytest.raises(InputError, match="did you mean ststnet"):
        build_recogniser("stsnet", classes=3)
    with pytest.raises(InputError, match="no_such_module"):
        build_recogniser("no_such_module:Net", classes=3)
    with pytest.raises(InputError, match="no backbone 'resnet_99'"):
        build_recogniser("two-branch", classes=3, options={"backbone": "resnet_99"})


def test_given_masks() -> None:
    layer, x = GivenDropout(0.25), torch.ones(40, 50)
    full = MaskSource(1, 2, 3, samples=40)
    some = MaskSource(1, 2, 3, samples=40, rows=torch.tensor([3, 5]))
    with given_masks(layer, full):
        first, second = layer(x), layer(x)
    with given_masks(layer, some):
        assert torch.equal(layer(x[:2]), first[[3, 5]])
        assert torch.equal(layer(x[:2]), second[[3, 5]])
    assert not torch.equal(first, second)
    assert first.unique().tolist() == pytest.approx([0, 4 / 3])
    assert float((first == 0).float().mean()) == pytest.approx(0.25, abs=0.03)
    assert torch.equal(layer.eval()(x), x)
