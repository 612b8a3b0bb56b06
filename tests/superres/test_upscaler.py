"""Sharpening pictures and clips: tiles, reuse, sizes, and input that is refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from famaug.errors import InputError, MediaError
from famaug.media.clips import read_picture
from famaug.seeding import keyed_generator
from famaug.superres.engines import PictureNet
from famaug.superres.regions import Region, changed_regions, tiles
from famaug.superres.rrdb import RRDBNet
from famaug.superres.upscale import Temporal, Upscaler
from famaug.types import Frames, Picture


@pytest.fixture(scope="module")
def compact() -> Upscaler:
    return Upscaler()


@pytest.fixture(scope="module")
def small_rrdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An RRDB network of 2 blocks that changes the picture by a seeded detail."""
    net = RRDBNet(blocks=2, features=8, growth=4)
    draw = torch.Generator().manual_seed(3)
    state = {k: torch.randn(v.shape, generator=draw) * 0.1 for k, v in net.state_dict().items()}
    path = tmp_path_factory.mktemp("rrdb") / "small.safetensors"
    save_file(state, path)
    return path


def noise(*shape: int, seed: int = 0) -> Picture:
    return keyed_generator(seed, "noise").integers(0, 256, shape, dtype=np.uint8)


def test_a_face_comes_back_near_itself(compact: Upscaler, astronaut_picture: Picture) -> None:
    """Downscaled by four and sharpened it is near the source: no shift, no swapped channels."""
    small = cv2.resize(astronaut_picture, (128, 128), interpolation=cv2.INTER_AREA)
    made = compact.picture(small)
    assert made.shape == (512, 512, 3)
    apart = np.abs(made.astype(float) - astronaut_picture).mean()
    assert apart < 10
    again = cv2.resize(made, (128, 128), interpolation=cv2.INTER_AREA)
    assert np.abs(again.astype(float) - small).mean() < 7


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9, 3), (5, 3, 3), (33, 17, 3)])
def test_any_size(compact: Upscaler, shape: tuple[int, int, int]) -> None:
    made = compact.picture(noise(*shape))
    assert made.shape == (4 * shape[0], 4 * shape[1], 3)
    assert compact.picture(noise(*shape), size=(7, 5)).shape == (7, 5, 3)


def test_tiles_give_the_same_picture(astronaut_picture: Picture) -> None:
    """With overlap as far as the network reaches there is no seam."""
    picture = astronaut_picture[100:250, 150:330]
    whole, tiled = Upscaler(), Upscaler(memory=9_000_000)
    assert tiled.pixels < 150 * 180 // 3
    a, b = whole.picture(picture), tiled.picture(picture)
    assert np.abs(a.astype(int) - b).max() <= 1
    assert (a != b).mean() < 1e-4


@pytest.mark.parametrize(("height", "width"), [(1, 1), (40, 300), (257, 64), (111, 112)])
def test_tiles_cover_once(height: int, width: int) -> None:
    seen = np.zeros((height, width), int)
    whole = Region(0, height, 0, width)
    for tile in tiles(whole, (height, width), most=48 * 48, overlap=8):
        y, x = tile.kept.slices
        seen[y, x] += 1
        assert tile.seen.area <= 48 * 48 or height * width <= 48 * 48
        for inner, outer, low, high in (
            (tile.kept[:2], tile.seen[:2], 0, height),
            (tile.kept[2:], tile.seen[2:], 0, width),
        ):
            assert outer == (max(low, inner[0] - 8), min(high, inner[1] + 8))
    assert (seen == 1).all()


def test_memory_too_small() -> None:
    with pytest.raises(InputError, match="at least 2704 are needed"):
        Upscaler(memory=3_000_000).picture(noise(100, 100, 3))


def test_reuse_is_full_where_it_follows_changes_to_the_end(brow_clip: Frames) -> None:
    full = Upscaler().frames(brow_clip[:6])
    reuse = Upscaler(temporal="reuse", follow=18).frames(brow_clip[:6])
    assert np.abs(full.astype(int) - reuse).max() <= 1
    assert (full != reuse).mean() < 1e-4  # a part of another size is rounded otherwise


def test_reuse_leaves_still_what_is_still(brow_clip: Frames) -> None:
    """Where nothing changed near by the reference's pixels stay bit for bit; the rest is within
    four grey levels of full computation."""
    clip = brow_clip[::3]  # both ends are still
    full = Upscaler().frames(clip)
    reuse = Upscaler(temporal="reuse")
    made = reuse.frames(clip)
    assert np.array_equal(made[0], full[0])
    assert np.array_equal(made[-1], made[0])
    assert 1 / 6 < reuse.computed < 0.6
    for frame, out in zip(clip, made, strict=True):
        still = np.ones(frame.shape[:2], bool)
        for region in changed_regions(frame, clip[0]):
            still[region.slices] = False
        still = still.repeat(4, 0).repeat(4, 1)
        assert still.mean() > 0.5
        assert np.array_equal(out[still], made[0][still])
    apart = np.abs(made.astype(int) - full)
    assert apart.max() <= 4
    assert (apart > 0).mean() < 0.008
    assert (apart > 1).mean() < 5e-5


def test_a_frame_that_is_held_is_computed_once(
    brow_clip: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = brow_clip[[0, 5, 5, 5, 6, 5]]
    upscaler, seen = Upscaler(temporal="reuse"), list[int]()
    run = PictureNet.__call__

    def counted(self: PictureNet, frames: Frames) -> Frames:
        seen.append(len(frames))
        return run(self, frames)

    monkeypatch.setattr(PictureNet, "__call__", counted)
    made = upscaler.frames(held)
    moved = sum(len(changed_regions(held[i], held[0])) for i in (1, 4, 5))
    assert sum(seen) == 1 + moved
    for i in (2, 3, 5):
        assert np.array_equal(made[i], made[1])
    assert not np.array_equal(made[4], made[1])


def test_a_tolerance_takes_camera_noise_for_none(brow_clip: Frames) -> None:
    still = np.repeat(brow_clip[:1], 4, 0).astype(int)
    grain = keyed_generator(0, "grain").integers(-1, 2, still.shape)
    frames = (still + grain).clip(0, 255).astype(np.uint8)
    upscaler = Upscaler(temporal="reuse", tolerance=2)
    calm = upscaler.frames(frames)
    assert (calm == calm[0]).all()
    assert upscaler.computed == 1 / 4
    assert (Upscaler(temporal="reuse").frames(frames)[1] != calm[1]).any()


def test_reuse_within_tiles(brow_clip: Frames) -> None:
    whole = Upscaler(temporal="reuse", follow=18).frames(brow_clip[:4])
    tiler = Upscaler(temporal="reuse", follow=18, memory=20_000_000)
    assert tiler.pixels < 128 * 128
    tiled = tiler.frames(brow_clip[:4])
    assert np.abs(whole.astype(int) - tiled).max() <= 1


def test_reuse_of_an_rrdb_network(small_rrdb: Path) -> None:
    """Its layers of double and fourfold size too; a region at the edge and one within."""
    frames = np.repeat(noise(1, 96, 80, 3), 2, 0)
    frames[1, 0:9, 50:64] = 255 - frames[1, 0:9, 50:64]
    full = Upscaler(small_rrdb).frames(frames)
    reuse = Upscaler(small_rrdb, temporal="reuse", follow=34)
    assert reuse.reach == 34
    apart = np.abs(reuse.frames(frames).astype(int) - full)
    assert apart.max() <= 1
    assert (apart > 0).mean() < 1e-4
    assert not np.array_equal(full[0], full[1])


def test_another_reference(brow_clip: Frames) -> None:
    clip = brow_clip[5:9]
    made = Upscaler(temporal="reuse", follow=18).frames(clip, reference=2).astype(int)
    assert np.abs(made - Upscaler().frames(clip)).max() <= 1
    with pytest.raises(InputError, match="reference 4 is not within"):
        Upscaler().frames(clip, reference=4)


def test_changed_regions() -> None:
    a = np.zeros((40, 60, 3), np.uint8)
    b = a.copy()
    assert changed_regions(b, a) == []
    b[3, 4, 1] = 2
    b[30:33, 50] = 1
    assert changed_regions(b, a) == [Region(3, 4, 4, 5), Region(30, 33, 50, 51)]
    assert changed_regions(b, a, tolerance=1, follow=5) == [Region(0, 9, 0, 10)]
    b[0:4, 0:9] = 9
    assert changed_regions(b, a) == [Region(0, 4, 0, 9), Region(30, 33, 50, 51)]
    assert changed_regions(255 - a, a) == [Region(0, 40, 0, 60)]


def test_half_precision_is_near(brow_clip: Frames) -> None:
    full = Upscaler().frames(brow_clip[:1]).astype(int)
    half = Upscaler(precision="bf16").frames(brow_clip[:1])
    assert np.abs(half - full).max() <= 8
    assert np.abs(half - full).mean() < 0.6


def test_the_same_bits_on_any_number_of_threads(compact: Upscaler) -> None:
    clip, before = noise(1, 60, 50, 3), torch.get_num_threads()
    one = compact.frames(clip)
    torch.set_num_threads(2)
    try:
        assert np.array_equal(compact.frames(clip), one)
    finally:
        torch.set_num_threads(before)


def test_the_digest_tells_settings_and_weights(compact: Upscaler, small_rrdb: Path) -> None:
    others = [
        Upscaler(small_rrdb),
        Upscaler(precision="bf16"),
        Upscaler(temporal="reuse"),
        Upscaler(temporal="reuse", tolerance=1),
    ]
    assert len({u.digest for u in [compact, *others]}) == 5
    assert Upscaler(memory=1 << 28).digest == compact.digest


def test_refused(compact: Upscaler) -> None:
    for wrong in (noise(8, 8), noise(8, 8, 4), noise(8, 8, 3).astype(np.uint16), np.zeros((0, 8, 3),
                  np.uint8)):  # fmt: skip
        with pytest.raises(InputError, match="H W 3"):
            compact.picture(wrong)
    huge = np.broadcast_to(np.uint8(0), (1, 30_000, 30_000, 3))
    with pytest.raises(InputError, match=r"would become 40\.2 GiB"):
        compact.frames(huge)
    with pytest.raises(InputError, match="size is height and width"):
        compact.picture(noise(4, 4, 3), size=(0, 4))
    for wrong_setting in ({"temporal": "some"}, {"precision": "int8"}, {"tolerance": -1}):
        with pytest.raises(InputError):
            Upscaler(**wrong_setting)  # type: ignore[arg-type]


def test_grey_rgba_and_16_bit_files(tmp_path: Path, compact: Upscaler) -> None:
    for name, picture in (
        ("grey", noise(6, 7)),
        ("rgba", noise(6, 7, 4)),
        ("deep", noise(6, 7).astype(np.uint16) * 257),
    ):
        cv2.imwrite(str(tmp_path / f"{name}.png"), picture)
        assert compact.picture(read_picture(tmp_path / f"{name}.png")).shape == (24, 28, 3)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(MediaError):
        read_picture(tmp_path / "text.png")


@pytest.mark.parametrize("temporal", ["full", "reuse"])
def test_progress_by_frames(temporal: Temporal) -> None:
    seen: list[tuple[int, int]] = []
    upscaler = Upscaler(temporal=temporal)
    upscaler.frames(noise(5, 9, 8, 3), progress=lambda *at: seen.append(at))
    assert seen[-1] == (5, 5)
    assert seen == sorted(set(seen))
    assert len(seen) >= 2
