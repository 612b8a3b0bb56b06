"""Checkpoints of the public implementations become ours, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from typer.testing import CliRunner

from famaug.cli import app
from famaug.errors import WeightsError
from famaug.generator.networks.ganimation import GanimationGenerator
from famaug.generator.networks.layouts import import_state_dict
from famaug.generator.networks.saved import import_file, load_generator, save_generator
from famaug.seeding import keyed_generator
from tests.generator.networks.public_nets import PublicCritic, PublicGenerator, shaken

LAYOUTS = ("official", "donydchen", "vipermu")
State = dict[str, Tensor]


def drawn(*shape: int) -> Tensor:
    return torch.from_numpy(keyed_generator(1, "public").uniform(-1, 1, shape)).float()


def state_of(layout: str, **sizes: int | bool) -> State:
    return dict(shaken(PublicGenerator(layout, **sizes), 3).state_dict())  # type: ignore[arg-type]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_public_generator_draws_the_same(layout: str, prefix: str) -> None:
    net = shaken(PublicGenerator(layout, width=8, blocks=3), 7)
    found = import_state_dict({f"{prefix}{k}": v for k, v in net.state_dict().items()})
    assert (found.kind, found.layout) == ("ganimation", layout)
    assert found.settings["blocks"] == 3
    assert found.settings["affine"] is (layout != "donydchen")
    picture, units = drawn(2, 3, 32, 32), drawn(2, 17).abs()
    net.train()  # these projects never switch it, so statistics of the picture are what they use
    colour, attention = net(picture, units)
    ours = found.network(picture, units[:, :, None, None].expand(-1, -1, 32, 32))
    assert torch.allclose(ours.colour, colour, atol=2e-5)
    assert torch.allclose(ours.attention, attention, atol=2e-5)
    assert float(colour.detach().std()) > 0.01


def test_what_has_no_effect_is_named() -> None:
    assert not import_state_dict(state_of("official")).left_out
    assert any(k.startswith("debug4.") for k in import_state_dict(state_of("vipermu")).left_out)
    left = import_state_dict(state_of("donydchen")).left_out
    assert left
    assert all(k.endswith(".bias") for k in left)


def test_blocks_with_dropout() -> None:
    net = shaken(PublicGenerator("donydchen", dropout=True), 2)
    picture, units = drawn(1, 3, 16, 16), drawn(1, 17)
    ours = import_state_dict(net.state_dict()).network(
        picture, units[:, :, None, None].expand(-1, -1, 16, 16)
    )
    assert torch.allclose(ours.colour, net(picture, units)[0], atol=2e-5)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_public_critic_judges_the_same(layout: str) -> None:
    net = shaken(PublicCritic(layout), 5)
    found = import_state_dict(net.state_dict())
    assert found.kind == "ganimation-critic"
    assert found.settings == {"width": 4, "layers": 4, "size": 32, "units": 17}
    picture = drawn(2, 3, 32, 32)
    for ours, theirs in zip(found.network(picture), net(picture), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


def _changed(change: Callable[[State], object]) -> State:
    state = state_of("official")
    change(state)
    return state


NAN = torch.full((3, 8, 7, 7), float("nan"))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "no layout .* none of the keys .*attetion_reg.0.weight.* seen: none"),
        ({"conv.weight": torch.zeros(1)}, "seen: conv.weight"),
        (_changed(lambda s: s.pop("main.3.weight")), r"1 keys are missing \(main.3.weight\)"),
        (_changed(lambda s: s.update(extra=NAN)), r"1 unknown \(extra\); expected 29"),
        (_changed(lambda s: s.pop("main.9.main.0.weight")), "keys are missing"),
        (
            _changed(lambda s: s.update({"main.3.weight": torch.zeros(16, 8, 3, 3)})),
            r"main.3.weight: \(16, 8, 3, 3\) seen, \(16, 8, 4, 4\) expected",
        ),
        (_changed(lambda s: s.update({"img_reg.0.weight": NAN})), "no finite numbers: img_reg"),
        (_changed(lambda s: s.update({"main.0.weight": torch.zeros(8)})), "four axes"),
        (_changed(lambda s: s.update({"main.0.weight": torch.zeros(999, 20, 1, 1)})), "up to 256"),
        (state_of("official", units=12), "takes 15 channels; 20 are asked for"),
    ],
)
def test_state_dicts_that_do_not_fit(state: State, words: str) -> None:
    with pytest.raises(WeightsError, match=words):
        import_state_dict(state)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_import_command(tmp_path: Path, suffix: str) -> None:
    source, out = tmp_path / f"net{suffix}", tmp_path / "net-ours.safetensors"
    state = state_of("donydchen", width=4, blocks=1)
    torch.save(state, source) if suffix == ".pth" else save_file(state, source)
    command = ["weights", "import", str(source), "--kind", "ganimation", "--out", str(out)]
    dry = CliRunner().invoke(app, [*command, "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert "donydchen" in dry.output
    assert not out.exists()
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "donydchen" in done.output
    net, note = load_generator(out)
    assert note["layout"] == "donydchen"
    assert torch.equal(net.colour.weight, state["color_top.0.weight"])
    assert not any(p.requires_grad for p in net.parameters())


def test_import_command_refuses(tmp_path: Path) -> None:
    source = tmp_path / "x.pth"
    torch.save({"a": torch.zeros(1)}, source)
    with pytest.raises(WeightsError, match="no layout of a GANimation"):
        import_file(source)
    out = str(tmp_path / "x.safetensors")
    done = CliRunner().invoke(
        app, ["weights", "import", str(source), "--kind", "ganimatoin", "--out", out]
    )
    assert done.exit_code != 0
    assert not Path(out).exists()


def test_saved_generators(tmp_path: Path) -> None:
    net = GanimationGenerator(width=4, blocks=1, flow=True, seed=5)
    save_generator(tmp_path / "g.safetensors", net, steps=7)
    again, note = load_generator(tmp_path / "g.safetensors")
    assert note["steps"] == 7
    assert again.settings == net.settings
    assert all(torch.equal(v, net.state_dict()[k]) for k, v in again.state_dict().items())


@pytest.mark.parametrize(
    "note",
    [
        {"kind": "other", "settings": {}},
        {"kind": "ganimation", "settings": {"width": 4}},
        {"kind": "ganimation", "settings": {"width": 10**9, "blocks": 1, "affine": True,
                                            "units": 17, "flow": False}},
        {"kind": "ganimation", "settings": {"width": 8, "blocks": 1, "affine": True,
                                            "units": 17, "flow": False}},
    ],
)  # fmt: skip
def test_files_that_are_not_what_they_say(tmp_path: Path, note: dict[str, object]) -> None:
    path = tmp_path / "g.safetensors"
    net = GanimationGenerator(width=4, blocks=1)
    save_file(net.state_dict(), path, metadata={"famaug": json.dumps(note)})
    with pytest.raises(WeightsError):
        load_generator(path)
