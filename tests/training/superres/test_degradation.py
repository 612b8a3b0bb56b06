"""Blur kernels and noise learnt from pictures, and degrading with them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from famaug.errors import InputError, WeightsError
from famaug.seeding import keyed_generator
from famaug.training.superres.degrade import (
    Pools,
    add_noise,
    downscale,
    learn_pools,
    plain_downscale,
)
from famaug.training.superres.kernels import estimate_kernel, gaussian_kernel, kernel_width, twice
from famaug.training.superres.noise import noise_patches
from famaug.training.superres.patches import DegradedPatches
from famaug.types import Picture


def blurred_by_two(picture: Picture, sigma: float) -> Picture:
    return cv2.filter2D(picture, -1, gaussian_kernel(sigma))[::2, ::2]


def test_kernels_follow_the_true_blur(astronaut_picture: Picture) -> None:
    """Wider true kernels are found wider, within a pixel of the truth. (Narrow ones, which alias,
    are found too wide.)"""
    found = [
        kernel_width(estimate_kernel(blurred_by_two(astronaut_picture, sigma), steps=100))
        for sigma in (1.2, 2.4)
    ]
    assert found[0] + 0.3 < found[1]
    assert abs(found[0] - 1.2) < 1
    assert abs(found[1] - 2.4) < 1


def test_a_kernel_is_one(astronaut_picture: Picture) -> None:
    kernel = estimate_kernel(astronaut_picture, steps=10)
    assert kernel.shape == (13, 13)
    assert kernel.dtype == np.float32
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert kernel.min() >= 0
    assert np.array_equal(kernel, estimate_kernel(astronaut_picture, steps=10))
    assert not np.array_equal(kernel, estimate_kernel(astronaut_picture, steps=10, seed=1))
    with pytest.raises(InputError, match="at least 128 x 128; got 100 x 200"):
        estimate_kernel(np.zeros((200, 100, 3), np.uint8))


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0])
def test_twice_is_downscaling_twice(sigma: float) -> None:
    """Variances add: the second kernel works on pixels twice as large, and moving the centre
    between two taps costs a quarter of a pixel squared."""
    kernel = gaussian_kernel(sigma)
    four = twice(kernel)
    assert four.shape == (24, 24)
    assert four.sum() == pytest.approx(1, abs=1e-5)
    wide = np.sqrt(5 * kernel_width(kernel) ** 2 + 0.25)
    assert kernel_width(four) == pytest.approx(wide, rel=0.03)
    place = np.arange(24) - 11.5
    assert abs((four.sum(0) * place).sum()) < 0.01


def test_downscaled_pictures_stay_in_place() -> None:
    """A ramp's small version is the ramp at the middles of four pixels."""
    ramp = torch.arange(64.0).repeat(2, 3, 64, 1)
    small = downscale(ramp, torch.from_numpy(twice(gaussian_kernel(0.8)))[None].repeat(2, 1, 1))
    assert small.shape == (2, 3, 16, 16)
    middle = torch.arange(16) * 4 + 1.5
    assert torch.allclose(small[..., 4:12], middle[4:12].expand(2, 3, 16, 8), atol=0.02)
    assert torch.allclose(plain_downscale(ramp)[..., 4:12], small[..., 4:12], atol=0.03)


def test_noise_is_found_and_texture_is_not() -> None:
    draw = keyed_generator(0, "noise")
    flat = np.full((150, 150, 3), 120.0)
    loud = (flat + draw.normal(0, 3, flat.shape)).round().clip(0, 255).astype(np.uint8)
    patches = noise_patches(loud, most=5)
    assert patches.shape == (5, 48, 48, 3)
    assert np.abs(patches.mean(axis=(1, 2))).max() < 1e-3
    assert patches.std() == pytest.approx(3, abs=0.4)
    assert len(noise_patches(np.full((150, 150, 3), 255, np.uint8))) == 0
    checks = (np.indices((150, 150)).sum(0) % 2 * 200 + 20).astype(np.uint8)
    assert len(noise_patches(np.repeat(checks[..., None], 3, 2))) == 0


def test_noise_is_mirrored_to_any_size() -> None:
    noises = torch.from_numpy(keyed_generator(0, "n").normal(0, 5, (2, 48, 48, 3))).float()
    out = add_noise(torch.full((2, 3, 130, 60), 0.5), noises)
    assert out.shape == (2, 3, 130, 60)
    levels = out * 255
    assert torch.allclose(levels, levels.round(), atol=1e-3)
    assert float((levels - 127.5).std()) == pytest.approx(5, abs=0.5)


def test_pools_on_disk(tmp_path: Path, astronaut_picture: Picture) -> None:
    pools = learn_pools([astronaut_picture], kernels=1, steps=5)
    pools.save(tmp_path / "pools.safetensors")
    again = Pools.load(tmp_path / "pools.safetensors")
    assert np.array_equal(again.kernels, pools.kernels)
    assert again.summary() == pools.summary()
    (tmp_path / "pools.safetensors").write_bytes(b"no")
    with pytest.raises(WeightsError):
        Pools.load(tmp_path / "pools.safetensors")
    with pytest.raises(InputError, match="at least one target picture"):
        learn_pools([])


@pytest.fixture(scope="module")
def pools() -> Pools:
    noises = keyed_generator(0, "pools").normal(0, 2, (3, 48, 48, 3)).astype(np.float32)
    return Pools(np.stack([twice(gaussian_kernel(s)) for s in (0.7, 1.5)]), noises)


def test_batches_depend_on_their_number_alone(pools: Pools, astronaut_picture: Picture) -> None:
    source = DegradedPatches([astronaut_picture], pools, size=24, plain=0.5, seed=1)
    whole = source.batch(7, range(4))
    assert whole["small"].shape == (4, 3, 24, 24)
    assert whole["sharp"].shape == (4, 3, 96, 96)
    part = source.batch(7, range(2, 4))
    assert torch.equal(whole["sharp"][2:], part["sharp"])
    assert torch.equal(whole["small"][2:], part["small"])
    assert not torch.equal(whole["sharp"], source.batch(8, range(4))["sharp"])
    assert 0 <= whole["small"].min() <= whole["small"].max() <= 1
    # the small one shows what the sharp one shows
    apart = plain_downscale(whole["sharp"]) - whole["small"]
    assert apart[..., 3:-3, 3:-3].abs().mean() < 0.05


@pytest.mark.parametrize(
    ("change", "words"),
    [({"size": 8}, "size is 16 to 256"), ({"plain": 2}, "plain 0 to 1"), ({"size": 128}, "560")],
)
def test_batches_refused(
    pools: Pools, astronaut_picture: Picture, change: dict[str, int], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        DegradedPatches([astronaut_picture], pools, **change)  # type: ignore[arg-type]
