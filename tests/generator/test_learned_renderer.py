"""Learned generators on a face: what holds whatever the weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from famaug.errors import InputError, RenderError, WeightsError
from famaug.generator.learned import LearnedGenerator, LearnedRenderer, open_generator
from famaug.generator.networks.ganimation import GanimationGenerator
from famaug.generator.networks.saved import save_generator
from famaug.generator.renderers import check_generator, find_generator
from famaug.pipeline import Synthesizer
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX
from famaug.weights.tensor_files import save_tensors


def track(**aus: float) -> np.ndarray:
    out = np.zeros((1, 2, 17), np.float32)
    for name, value in aus.items():
        side = {"l": 0, "r": 1}.get(name[-1])
        number = int(name.strip("aulr"))
        out[:, slice(None) if side is None else side, AU_INDEX[number]] = value
    return out


@pytest.fixture(scope="module")
def tiny() -> LearnedGenerator:
    """Random weights, with a motion."""
    return LearnedGenerator(network(), 64, "00")


def network() -> GanimationGenerator:
    net = GanimationGenerator(width=4, blocks=1, flow=True, seed=1)
    torch.nn.init.normal_(net.flow.weight, std=0.02, generator=torch.Generator().manual_seed(0))
    return net.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def rendered(astronaut, tiny) -> LearnedRenderer:
    return LearnedRenderer(*astronaut, generator=tiny)


def test_nothing_changes_where_nothing_moves(rendered):
    out = rendered.render(track(au12=3, au4=2))[0]
    assert (out != rendered.picture).mean() > 0.05
    assert (out == rendered.picture)[~rendered.changed].all()
    assert 0.2 < rendered.changed.mean() < 0.95


def test_the_same_pixels_whatever_the_batch_and_the_threads(rendered):
    asked = np.concatenate([track(au12=v, au1l=2 - v) for v in (0.5, 1, 1.5, 2)])
    whole = rendered.render(asked)
    one = np.concatenate([rendered.render(a[None], batch=1) for a in asked])
    assert (whole == one).all()
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert (rendered.render(asked) == whole).all()
    finally:
        torch.set_num_threads(threads)


def test_motion_is_the_same_at_any_resolution(astronaut, tiny):
    """Twice the pixels: the same picture, twice as large."""
    picture, mesh = astronaut
    large = np.repeat(np.repeat(picture, 2, 0), 2, 1)
    shift = np.array([0.5, 0.5, 0])
    big_mesh = (mesh + shift) * 2 - shift
    asked = track(au12=2.5)
    small = LearnedRenderer(picture, mesh, generator=tiny).render(asked)[0].astype(float)
    out = LearnedRenderer(large, big_mesh.astype(np.float32), generator=tiny).render(asked)[0]
    halved = out.reshape(256, 2, 256, 2, 3).mean((1, 3))
    assert np.abs(halved - small).mean() < 1.5
    assert np.abs(small - picture).mean() > 1.5


def test_paper_halves_are_two_passes_joined_at_the_midline(astronaut, tiny):
    paper = LearnedRenderer(*astronaut, generator=tiny, halves="paper")
    maps = LearnedRenderer(*astronaut, generator=tiny)
    both = track(au12=2)
    assert (paper.render(both) == maps.render(both)).mean() > 0.999
    left, one = paper.render(track(au12l=2))[0], maps.render(track())[0]
    middle = int(paper.mesh[[10, 152], 0].mean())
    assert (left[:, : middle - 20] == one[:, : middle - 20]).mean() > 0.999
    other = maps.render(both)[0]
    assert (left[:, middle + 20 :] == other[:, middle + 20 :]).mean() > 0.999


def test_half_precision_is_off_by_little(astronaut, tiny):
    asked = track(au12=2, au4l=1)
    full, half = (
        LearnedRenderer(*astronaut, generator=tiny, precision=p).render(asked).astype(int)
        for p in ("fp32", "bf16")
    )
    assert 0 < np.abs(full - half).max() < 12


def test_a_trained_file_renders_through_the_synthesizer(tmp_path, astronaut):
    path = tmp_path / "generator.safetensors"
    save_generator(path, network(), size=64)
    maker = Synthesizer(generator=str(path), size=96)
    plan = maker.plan("aus:12=2", astronaut[0], keyed_generator(0, "test"))
    assert plan.generator == LearnedGenerator.name
    frames = maker.render([plan])[0]
    assert frames.shape[1:] == (96, 96, 3)
    assert (frames[len(frames) // 2] != frames[0]).any()
    with pytest.raises(RenderError, match="the plan asks for ganimation/3"):
        Synthesizer(size=96).render([plan])
    with pytest.raises(RenderError, match="halves"):
        Synthesizer(generator=str(path), halves="paper", size=96).render([plan])


def test_other_files_and_options_are_refused(tmp_path, astronaut, tiny):
    path = tmp_path / "other.safetensors"
    settings = GanimationGenerator(width=4).settings
    save_tensors(path, {"x": torch.zeros(1)}, {"kind": "ganimation", "settings": settings})
    with pytest.raises(WeightsError, match="missing"):
        open_generator(path)
    save_generator(path, network(), size=7)
    open_generator.cache_clear()
    with pytest.raises(WeightsError, match="size 7"):
        open_generator(path)
    with pytest.raises(InputError, match=r"no generator 'gan'.*warp"):
        find_generator("gan")
    with pytest.raises(InputError, match="fp32"):
        LearnedRenderer(*astronaut, generator=tiny, precision="int8")
    with pytest.raises(InputError, match="maps"):
        check_generator(str(path), {"halves": "both"})
    with pytest.raises(InputError, match="skin"):
        Synthesizer(skin=9)
