"""OpenVINO and PyTorch: one picture, one key, whatever the size, the network, the threads or the
process."""

from __future__ import annotations

import multiprocessing
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from famaug.pipeline import Synthesizer
from famaug.seeding import keyed_generator
from famaug.superres import openvino
from famaug.superres.engines import PictureNet
from famaug.superres.models import load_model
from famaug.superres.rrdb import RRDBNet
from famaug.superres.srvgg import SRVGG
from famaug.superres.upscale import Upscaler
from famaug.types import Frames, Picture

CPU = torch.device("cpu")


def lively(net: nn.Module) -> nn.Module:
    """Seeded weights whose picture is in the middle of the range and full of detail."""
    draw = torch.Generator().manual_seed(5)
    last = [m for m in net.modules() if isinstance(m, nn.Conv2d)][-1]
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.Conv2d):
                fan = module.weight[0].numel()
                module.weight.copy_(torch.randn(module.weight.shape, generator=draw) / fan**0.5)
                module.bias.copy_(torch.randn(module.bias.shape, generator=draw) * 0.1)  # type: ignore[union-attr]
            elif isinstance(module, nn.PReLU):
                module.weight.copy_(torch.rand(module.weight.shape, generator=draw) - 0.3)
        last.weight.mul_(0.6 if isinstance(net, RRDBNet) else 0.1)
        last.bias.fill_(0.4 if isinstance(net, RRDBNet) else 0.0)  # type: ignore[union-attr]
    return net.eval().requires_grad_(False)


def noise(*shape: int) -> Picture:
    return keyed_generator(0, "engines", *shape).integers(40, 160, shape, dtype=np.uint8)


def made(net: nn.Module, frames: Frames, *, fast: bool = True, half: bool = False) -> Frames:
    return PictureNet(net, half=half, device=CPU, fast=fast)(frames)


NETS = {
    "compact": lambda: lively(SRVGG()),
    "odd channels, twice": lambda: lively(SRVGG(features=21, convs=3, scale=2)),
    "no enlargement": lambda: lively(SRVGG(features=16, convs=1, scale=1)),
    "rrdb": lambda: lively(RRDBNet(blocks=2)),
    "rrdb of odd channels": lambda: lively(RRDBNet(blocks=1, features=20, growth=9)),
}


@pytest.mark.parametrize("size", [(40, 37), (1, 1), (3, 50)])
@pytest.mark.parametrize("name", NETS)
def test_like_torch(name: str, size: tuple[int, int]) -> None:
    """One grey level at most, in one value of ten thousand."""
    frames = noise(1, *size, 3)
    theirs = made(NETS[name](), frames, fast=False)
    apart = np.abs(made(NETS[name](), frames).astype(int) - theirs)
    assert apart.max() <= 1
    assert (apart > 0).mean() <= 1e-4 or (apart > 0).sum() <= 2
    assert theirs.std() > 10 or size == (1, 1)


def test_the_shipped_network_on_a_face(astronaut_picture: Picture) -> None:
    face = astronaut_picture[50:150, 180:280]
    one, other = Upscaler(), Upscaler(fast=False)
    assert (one.engine, other.engine) == ("openvino f32", "torch f32")
    apart = np.abs(one.picture(face).astype(int) - other.picture(face))
    assert apart.max() <= 1
    assert (apart > 0).mean() < 1e-4


@pytest.mark.parametrize("fast", [True, False])
def test_bfloat16_is_near(fast: bool) -> None:
    """By OpenVINO where the processor multiplies it, and by PyTorch on any."""
    frames = noise(1, 40, 40, 3)
    half = made(load_model("faces"), frames, half=True, fast=fast)
    apart = np.abs(half.astype(int) - made(load_model("faces"), frames))
    assert 0 < apart.max() <= 8
    assert apart.mean() < 1


@pytest.mark.parametrize("name", ["compact", "rrdb"])
def test_neither_threads_nor_batch_nor_sizes_before_change_a_bit(name: str) -> None:
    frames, before, made = noise(3, 50, 70, 3), torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            engine = PictureNet(NETS[name](), half=False, device=CPU, fast=True)
            engine(noise(1, 9, 8, 3))
            made += [engine(frames)[1], engine(frames[1:2])[0]]
    finally:
        torch.set_num_threads(before)
    assert all(np.array_equal(each, made[0]) for each in made)


def _in_child(engine: PictureNet, frames: Frames, queue: multiprocessing.Queue[Any]) -> None:
    torch.set_num_threads(1)  # as a DataLoader's worker does; PyTorch's own do not outlive a fork
    queue.put((engine(frames), Upscaler().engine))


def _anew(_: None, frames: Frames, queue: multiprocessing.Queue[Any]) -> None:
    engine = PictureNet(NETS["compact"](), half=False, device=CPU, fast=True)
    queue.put((engine(frames), engine.name))


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_in_another_process(start: str) -> None:
    """A forked one runs what it has and compiles nothing; a spawned one has its own."""
    frames, context = noise(1, 30, 20, 3), multiprocessing.get_context(start)
    engine = PictureNet(NETS["compact"](), half=False, device=CPU, fast=True)
    here, queue = engine(frames), context.Queue()
    child = (
        context.Process(target=_in_child, args=(engine, frames, queue))
        if start == "fork"
        else context.Process(target=_anew, args=(None, frames, queue))
    )
    child.start()
    try:
        there, name = queue.get(timeout=60)
    finally:
        child.join(20)
        child.kill()
    assert np.array_equal(there, here)
    assert name == ("torch f32" if start == "fork" else "openvino f32")


def test_which_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def name(net: nn.Module, *, half: bool = False, on: str = "cpu", fast: bool = True) -> str:
        return PictureNet(net, half=half, device=torch.device(on), fast=fast).name

    assert name(NETS["compact"](), fast=False) == "torch f32"
    assert name(nn.Conv2d(3, 3, 3), half=True) == "torch bf16"  # a stranger's network
    assert name(NETS["compact"]().to("meta"), on="meta") == "torch f32"
    assert name(NETS["compact"]()) == name(NETS["rrdb"]()) == "openvino f32"
    monkeypatch.setattr(openvino, "_core", lambda: (None, 0))
    assert name(NETS["compact"]()) == "torch f32"
    with pytest.raises(ValueError, match="fits"):
        openvino.OpenVinoNet(NETS["compact"]())


def test_the_engine_is_no_part_of_a_key(
    astronaut_picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def key() -> tuple[str, str]:
        maker = Synthesizer(superres="compact", size=256)
        plan = maker.plan("aus:12=2", astronaut_picture, keyed_generator(0, "engines"))
        return plan.key, maker.engine()

    here = key()
    monkeypatch.setattr(openvino, "_core", lambda: (None, 0))
    plain = key()
    assert plain[0] == here[0]
    assert plain[1] == "cpu, torch f32"
    assert here[1] == "cpu, openvino f32"
    assert Upscaler(fast=False).digest == Upscaler().digest
