"""Networks against spandrel's, public layouts of weights, and files that must not load."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import spandrel
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from famaug.errors import InputError, WeightsError
from famaug.superres.models import MODELS, Foreign, build, load_model
from famaug.superres.ncnn import convert_ncnn
from famaug.superres.rrdb import RRDBNet
from famaug.superres.srvgg import SRVGG


def picture(size: tuple[int, int] = (17, 22), seed: int = 0) -> Tensor:
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed))


def seeded(net: nn.Module) -> nn.Module:
    draw = torch.Generator().manual_seed(1)
    for p in net.parameters():
        p.data = torch.randn(p.shape, generator=draw) * 0.05
    return net.eval().requires_grad_(False)


@pytest.mark.parametrize(
    "net", [RRDBNet(blocks=2, features=16), SRVGG(convs=3), SRVGG(convs=2, scale=2)]
)
def test_spandrel_gives_the_same_bits(net: nn.Module) -> None:
    seeded(net)
    other = spandrel.ModelLoader().load_from_state_dict(dict(net.state_dict()))
    x = picture()
    assert torch.equal(net(x), other.model.eval()(x))


def test_the_shipped_net_is_spandrels_too() -> None:
    net = load_model("compact")
    assert sum(p.numel() for p in net.parameters()) == 621_424
    other = spandrel.ModelLoader().load_from_state_dict(dict(net.state_dict()))
    x = picture()
    with torch.inference_mode():
        assert torch.equal(net(x), other.model.eval()(x))


@pytest.mark.parametrize("net", [RRDBNet(blocks=1, features=8, growth=4), SRVGG(convs=2)])
def test_reach(net: nn.Module) -> None:
    """A changed pixel changes the output no farther than `reach` says."""
    seeded(net)
    reach = int(net.reach)  # type: ignore[arg-type]
    side = 2 * reach + 9
    a = picture((side, side))
    b = a.clone()
    b[..., side // 2, side // 2] += 1
    changed = (net(a) != net(b)).any(1)[0].nonzero()
    s = int(net.scale)  # type: ignore[arg-type]
    low, high = (side // 2 - reach) * s, (side // 2 + reach + 1) * s
    assert changed.min() >= low
    assert changed.max() < high


def old_names(tensors: dict[str, Tensor], style: str) -> dict[str, Tensor]:
    """RRDB weights as RealSR (2020) or ESRGAN (2018) named them."""
    out = {}
    tail = {"conv_up1": "3", "conv_up2": "6", "conv_hr": "8", "conv_last": "10"}
    for key, value in tensors.items():
        part, *rest = key.split(".")
        if part == "body":
            block, dense, conv, kind = rest
            number = dense[-1]
            name = f"RRDB_trunk.{block}.RDB{number}.{conv}.{kind}"
            if style == "esrgan":
                name = f"model.1.sub.{block}.RDB{number}.{conv}.0.{kind}"
        elif style == "esrgan":
            where = {"conv_first": "0", "conv_body": "1.sub.2"} | tail
            name = f"model.{where[part]}.{rest[0]}"
        else:
            names = {"conv_body": "trunk_conv", "conv_up1": "upconv1", "conv_up2": "upconv2"}
            name = f"{({'conv_hr': 'HRconv'} | names).get(part, part)}.{rest[0]}"
        out[name] = value
    return out


@pytest.mark.parametrize("style", ["realsr", "esrgan"])
def test_older_names(style: str) -> None:
    net = seeded(RRDBNet(blocks=2, features=8, growth=4))
    other = build(old_names(net.state_dict(), style))
    assert isinstance(other, RRDBNet)
    assert torch.equal(net(picture()), other(picture()))


@pytest.mark.parametrize("within", ["params_ema", "params", None])
def test_files_of_ones_own(tmp_path: Path, within: str | None) -> None:
    net = seeded(SRVGG(features=8, convs=2, scale=3))
    state = dict(net.state_dict())
    torch.save({within: state} if within else state, tmp_path / "own.pth")
    save_file(state, tmp_path / "own.safetensors")
    for name in ("own.pth", "own.safetensors"):
        assert torch.equal(load_model(tmp_path / name)(picture()), net(picture()))


def test_other_networks_come_by_spandrel(tmp_path: Path) -> None:
    from spandrel.architectures.SPAN import SPAN

    span = SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2)
    torch.save(span.state_dict(), tmp_path / "span.pth")
    net = load_model(tmp_path / "span.pth")
    assert isinstance(net, Foreign)
    assert net.scale == 2
    assert net(picture((16, 16))).shape == (1, 3, 32, 32)


def stored_by_ncnn(net: nn.Module) -> bytes:
    data = b""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            weights = module.weight.numpy().astype("<f2").tobytes()
            data += b"\x47\x6b\x30\x01" + weights + bytes(len(weights) % 4)
            data += module.bias.numpy().astype("<f4").tobytes()  # type: ignore[union-attr]
        elif isinstance(module, nn.PReLU):
            data += module.weight.numpy().astype("<f4").tobytes()
    return data


def test_ncnn_files(tmp_path: Path) -> None:
    net = seeded(SRVGG(features=5, convs=2))
    good = stored_by_ncnn(net)
    path = tmp_path / "net.bin"
    path.write_bytes(good)
    found = convert_ncnn(path, SRVGG(features=5, convs=2))
    assert found.keys() == net.state_dict().keys()
    for name, value in net.state_dict().items():
        assert torch.equal(found[name].float(), value.half().float() if found[name].dtype ==
                           torch.float16 else value)  # fmt: skip
    for bad, words in (
        (good[:-7], "ends within body.6"),
        (good + bytes(4), "belongs to another network"),
        (b"\x47\x6b\x30\x02" + good[4:], "quantised weights"),
        (good[:4] + b"\xff\x7f" + good[6:], "NaN"),
        (b"", "ends within"),
    ):
        path.write_bytes(bad)
        with pytest.raises(WeightsError, match=words):
            convert_ncnn(path, SRVGG(features=5, convs=2))
    path.write_bytes(good)
    with pytest.raises(WeightsError, match=r"begins with|another network"):
        load_model(path)


def test_weights_that_do_not_load(tmp_path: Path) -> None:
    good = dict(seeded(SRVGG(features=8, convs=2)).state_dict())
    nan = {k: v.clone() for k, v in good.items()}
    nan["body.2.weight"][0, 0, 0, 0] = np.nan
    huge = torch.zeros(1).expand(1 << 20, 3, 3, 3)
    short = {k: v for k, v in good.items() if k != "body.2.bias"}
    for name, state, words in (
        ("nan", nan, "NaN"),
        ("wide", good | {"body.0.weight": torch.zeros(1 << 12, 3, 3, 3)}, "limits are"),
        ("bomb", good | {"body.0.weight": huge}, "larger than what is stored"),
        ("deep", good | {"body.9999.weight": good["body.2.weight"]}, "more than 999 layers"),
        ("gaps", good | {"body.99.weight": good["body.2.weight"]}, "no picture of scale"),
        ("short", short, "missing"),
        ("shape", good | {"body.2.weight": torch.zeros(8, 8, 1, 1)}, "seen, wanted"),
        ("other", {"fc.weight": torch.zeros(3)}, "spandrel knows no such network"),
        ("empty", {}, "spandrel knows no such network"),
    ):  # fmt: skip
        torch.save(state, tmp_path / f"{name}.pth")
        with pytest.raises(WeightsError, match=words):
            load_model(tmp_path / f"{name}.pth")
    (tmp_path / "text.safetensors").write_text("no")
    with pytest.raises(WeightsError, match="not a readable safetensors"):
        load_model(tmp_path / "text.safetensors")
    with pytest.raises(WeightsError, match="no such file"):
        load_model(tmp_path / "none.pth")
    with pytest.raises(InputError, match=f"a name .{', '.join(MODELS)}"):
        load_model("compcat")
