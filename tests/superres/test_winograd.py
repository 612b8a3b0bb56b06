"""Compiled convolutions: PyTorch's pictures, whatever the size, the network, the threads or the
tiles."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from famaug.native import OFF, open_native
from famaug.seeding import keyed_generator
from famaug.superres import winograd
from famaug.superres.changes import changed_tiles
from famaug.superres.engines import NativeEngine, TorchEngine, choose_engine
from famaug.superres.models import load_model
from famaug.superres.rrdb import RRDBNet
from famaug.superres.srvgg import SRVGG
from famaug.superres.winograd import TILE, NativeNet
from famaug.types import Frames, Picture

pytestmark = pytest.mark.skipif(open_native(winograd.SOURCE) is None, reason="no C compiler here")
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
    return keyed_generator(0, "winograd", *shape).integers(40, 160, shape, dtype=np.uint8)


def by_torch(net: nn.Module, picture: Picture) -> Picture:
    made: Frames = TorchEngine(net, half=False, device=CPU).whole(picture[None], most=1 << 20)
    return np.asarray(made[0], np.uint8)


NETS = {
    "compact": lambda: lively(SRVGG()),
    "odd channels, twice": lambda: lively(SRVGG(features=21, convs=3, scale=2)),
    "no enlargement": lambda: lively(SRVGG(features=16, convs=1, scale=1)),
    "rrdb": lambda: lively(RRDBNet(blocks=2)),
    "rrdb of odd channels": lambda: lively(RRDBNet(blocks=1, features=20, growth=9)),
}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (16, 16), (31, 50)])
def test_like_torch(name: str, size: tuple[int, int]) -> None:
    net, picture = NETS[name](), noise(*size, 3)
    native = NativeNet(net)
    made, wanted = native.picture(picture), by_torch(net, picture)
    assert wanted.std() > 5 or size == (1, 1)
    apart = np.abs(made.astype(int) - wanted)
    assert made.shape == wanted.shape
    assert apart.max() <= 1
    assert (apart > 0).mean() < 1e-3  # ties of rounding
    assert np.array_equal(native.picture(picture), made)


@pytest.mark.parametrize("name", ["compact", "rrdb"])
def test_bfloat16_is_near(name: str) -> None:
    net, picture = NETS[name](), noise(40, 40, 3)
    if not NativeNet.fits(net, half=True):
        pytest.skip("this processor does not multiply bfloat16")
    apart = np.abs(NativeNet(net, half=True).picture(picture).astype(int) - by_torch(net, picture))
    assert 0 < apart.mean() < 0.5
    assert apart.max() <= 8


def test_threads_and_other_sizes_before_change_nothing() -> None:
    native, picture, before = (
        NativeNet(NETS["compact"]()),
        noise(50, 70, 3),
        torch.get_num_threads(),
    )
    found = []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            found.append(native.picture(picture))
            native.picture(noise(9, 90, 3))
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def test_tiles_of_a_frame() -> None:
    """All tiles are the whole picture; some leave the others untouched, also at a ragged edge."""
    native, one = NativeNet(NETS["compact"]()), noise(30, 41, 3)
    two = one.copy()
    two[25:, 36:] = 200 - two[25:, 36:]
    whole, still = native.picture(two), native.see(one)
    out = still.copy()
    native.changed([two], [np.ones((8, 11), bool)], [out])
    assert np.array_equal(out, whole)
    out = still.copy()
    tiles = changed_tiles(two, one, follow=1, side=TILE)
    native.changed([two], [tiles], [out])
    inside = tiles.repeat(16, 0).repeat(16, 1)[:120, :164]
    assert np.array_equal(out[~inside], still[~inside])
    assert (out[inside] != still[inside]).mean() > 0.4
    corner = np.abs(out[108:, 152:].astype(int) - whole[108:, 152:])
    assert corner.mean() < np.abs(still[108:, 152:].astype(int) - whole[108:, 152:]).mean() / 10


def test_frames_do_not_see_each_other() -> None:
    """Around a tile lies the reference, whatever was computed before."""
    native, one = NativeNet(NETS["compact"]()), noise(24, 24, 3)
    tiles = np.zeros((6, 6), bool)
    tiles[2:4, 3] = True
    still = native.see(one)
    first, second = still.copy(), still.copy()
    native.changed([one], [tiles], [first])
    native.changed([200 - one], [np.ones((6, 6), bool)], [second])
    native.changed([one], [tiles], [again := still.copy()])
    assert np.array_equal(first, still)
    assert np.array_equal(again, still)
    together = [still.copy() for _ in range(3)]
    native.changed([one, 200 - one, one], [tiles, np.ones((6, 6), bool), ~tiles], together)
    assert np.array_equal(together[0], still)
    assert np.array_equal(together[1], second)
    assert np.array_equal(together[2], still)
    assert not np.array_equal(second, still)


def test_after_a_larger_clip_the_reference_is_the_new_one() -> None:
    native, small, large = NativeNet(NETS["compact"]()), noise(12, 12, 3), noise(60, 60, 3)
    native.see(large)
    still = native.see(small)
    other = 200 - small
    out = still.copy()
    native.changed([other], [np.ones((3, 3), bool)], [out])
    assert np.array_equal(out, native.picture(other))


def test_the_shipped_network_on_a_face(astronaut_picture: Picture) -> None:
    face = astronaut_picture[50:150, 180:280]
    net = load_model("faces")
    apart = np.abs(NativeNet(net).picture(face).astype(int) - by_torch(net, face))
    assert apart.max() <= 1
    assert (apart > 0).mean() < 1e-4


def test_which_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    chain, dense = NETS["compact"](), NETS["rrdb"]()

    def kind(net: nn.Module, *, reuse: bool = False, native: bool = True) -> type:
        return type(choose_engine(net, half=False, reuse=reuse, device=CPU, native=native))

    assert kind(chain) is kind(chain, reuse=True) is kind(dense) is NativeEngine
    assert kind(dense, reuse=True) is TorchEngine  # too many layers to keep
    assert kind(chain, native=False) is TorchEngine
    assert kind(nn.Conv2d(3, 3, 3)) is TorchEngine
    monkeypatch.setattr(winograd, "open_native", open_native.__wrapped__)
    monkeypatch.setenv(OFF, "1")
    assert kind(chain) is TorchEngine
    with pytest.raises(ValueError, match="ask"):
        NativeNet(chain)
