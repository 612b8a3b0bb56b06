"""TV-L1 flow beside scikit-image's, which it follows step by step."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch

from famaug.bench.flow import agreement, rendered_pairs, run, skimage_flow
from famaug.errors import InputError
from famaug.flow import tvl1
from famaug.flow.pictures import optical_flow, optical_flows
from famaug.testing import make_clip
from famaug.types import Picture

SIZES = [(16, 16), (17, 33), (45, 53), (131, 97), (150, 260)]


def pair_of(
    seed: int, size: tuple[int, int], shift: tuple[float, float]
) -> tuple[Picture, Picture]:
    frames = make_clip(seed, frames=2, size=size, shift=shift).frames
    noise = np.random.default_rng(seed).normal(0, 1.5, frames.shape)
    noisy = np.rint(frames + noise).clip(0, 255).astype(np.uint8)
    return noisy[0], noisy[1]


@pytest.mark.parametrize("size", SIZES)
def test_as_scikit_image(size: tuple[int, int]) -> None:
    for seed, shift in enumerate([(0.05, 0.02), (0.6, -0.4), (3.0, 2.0)]):
        pair = pair_of(seed, size, shift)
        ours, theirs = optical_flow(*pair), skimage_flow(*pair)
        assert np.hypot(*(ours - theirs)).mean() < 2e-4
        assert np.abs(theirs).mean() > 0.01


def test_pictures_of_expressions_as_scikit_image() -> None:
    found = agreement(rendered_pairs(120, 160, ["stats:positive"], count=3))
    assert found["apart_px_thousandths"] < 0.1
    assert found["apart_grey"] < 0.01
    assert found["apart_grey_max"] <= 1
    assert found["correlation_min"] > 0.9999


def test_stops_where_scikit_image_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pair that hardly moves is done after few warps; beside others it keeps its flow."""
    turns: list[list[int]] = []
    warp = tvl1._Level._warp

    def counted(level: Any) -> list[int]:
        still = warp(level)
        turns.append(still)
        return still

    monkeypatch.setattr(tvl1._Level, "_warp", counted)
    calm = make_clip(5, frames=1, size=(64, 64)).frames[0]
    calm = cv2.GaussianBlur(calm, (0, 0), 3)
    matrix = np.array([[1, 0, 0.05], [0, 1, 0]])
    weak = calm, cv2.warpAffine(calm, matrix, (64, 64), borderMode=cv2.BORDER_REPLICATE)
    alone = optical_flow(*weak)
    assert len(turns) < 3 * tvl1.WARPS
    assert np.hypot(*(alone - skimage_flow(*weak))).mean() < 2e-4
    turns.clear()
    together = optical_flows([pair_of(1, (64, 64), (2, 1)), weak])
    assert [0] in turns  # the first goes on without the second
    assert np.array_equal(together[1], alone)


@pytest.mark.parametrize("size", SIZES)
def test_no_flow_depends_on_company_or_threads(size: tuple[int, int]) -> None:
    pairs = [pair_of(seed, size, (0.4 * seed, -0.1 * seed)) for seed in range(5)]
    still = pairs[0][0], pairs[0][0]
    other = pair_of(9, (40, 31), (1, 1))
    alone = [optical_flow(*pair) for pair in pairs]
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            for chosen in ([0, 1, 2, 3, 4], [3, 1], [2]):
                made = optical_flows([still, other, *(pairs[i] for i in chosen)])
                assert not made[0].any()
                assert np.array_equal(made[1], optical_flow(*other))
                for i, flow in zip(chosen, made[2:], strict=True):
                    assert np.array_equal(flow, alone[i])
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_no_pair_depends_on_how_many_fit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [pair_of(seed, (45, 53), (0.4 * seed, 0.2)) for seed in range(4)]
    before = optical_flows(pairs)
    for pixels in (1, 5000, 1 << 20):
        monkeypatch.setattr(tvl1, "_TOGETHER", pixels)
        assert all(np.array_equal(a, b) for a, b in zip(before, optical_flows(pairs), strict=True))


def test_defaults_of_torch_change_nothing() -> None:
    pair = pair_of(2, (30, 40), (1, 0.5))
    before = optical_flow(*pair)
    try:
        torch.set_default_dtype(torch.float64)
        after = optical_flow(*pair)
    finally:
        torch.set_default_dtype(torch.float32)
    assert after.dtype == np.float32
    assert np.array_equal(before, after)


def test_any_device() -> None:
    pair = pair_of(2, (30, 40), (1, 0.5))
    with pytest.raises(InputError, match="'dis' runs on the cpu only; got device 'cuda'"):
        optical_flows([pair], method="dis", device="cuda")
    if torch.cuda.is_available():
        there = optical_flows([pair], device="cuda")[0]
        assert np.abs(there - optical_flow(*pair)).mean() < 1e-3


def test_bench() -> None:
    found = run(1, sizes=[(64, 80)], pairs=2)
    figures = found["figures"]
    ratio = figures["skimage_cpu_ms_80x64"] / figures["one_cpu_ms_80x64"]
    assert found["ratios"]["one_vs_skimage_80x64"] == pytest.approx(ratio)
    assert set(found["ratios"]) == {"one_vs_skimage_80x64", "together_vs_skimage_80x64"}
    assert figures["apart_grey_max_80x64"] <= 1
    assert 0 < figures["mean_strain_no_noise"] < figures["mean_strain_noise"] < 255
    with pytest.raises(InputError, match="1 to 8 pairs; got 1 and 9"):
        run(1, pairs=9)
