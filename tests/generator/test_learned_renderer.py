"""Learned generators on a face: what holds whatever the weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from famaug.errors import InputError, RenderError, WeightsError
from famaug.generator.learned import LearnedGenerator, LearnedRenderer, open_generator
from famaug.generator.networks.compact import CompactGenerator
from famaug.generator.networks.ganimation import GanimationGenerator
from famaug.generator.networks.saved import save_generator
from famaug.generator.renderers import find_setting
from famaug.generator.warp import WarpRenderer
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
    net = CompactGenerator(width=4, seed=1)
    with torch.no_grad():
        net.head.weight.mul_(20)
    return LearnedGenerator("compact", net.eval().requires_grad_(False), 64, "00")


@pytest.fixture(scope="module")
def rendered(astronaut, tiny) -> LearnedRenderer:
    return LearnedRenderer(*astronaut, generator=tiny)


def test_zero_gives_the_picture(rendered):
    assert (rendered.render(track())[0] == rendered.picture).all()


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
    assert np.abs(paper.render(both)[0].astype(int) - maps.render(both)[0]).max() <= 1
    left = paper.render(track(au12l=2))[0]
    middle = int(paper.mesh[[10, 152], 0].mean())
    assert (left[:, : middle - 12] == paper.picture[:, : middle - 12]).all()
    assert (left[:, middle:] != paper.picture[:, middle:]).any()


def test_a_trained_file_renders_through_the_synthesizer(tmp_path, tiny, astronaut):
    path = tmp_path / "generator.safetensors"
    note = {"kind": "compact", "settings": tiny.network.settings, "size": 64}
    save_tensors(path, tiny.network.state_dict(), note)
    maker = Synthesizer(generator=str(path), size=96)
    plan = maker.plan("aus:12=2", astronaut[0], keyed_generator(0, "test"))
    assert plan.generator == f"compact/2+{WarpRenderer.name}"
    frames = maker.render([plan])[0]
    assert frames.shape[1:] == (96, 96, 3)
    assert (frames[len(frames) // 2] != frames[0]).any()
    with pytest.raises(RenderError, match="the plan asks for compact/2"):
        Synthesizer(size=96).render([plan])
    with pytest.raises(RenderError, match="halves"):
        Synthesizer(generator=str(path), halves="paper", size=96).render([plan])


def test_skin_is_drawn_on_what_the_network_makes(astronaut, tiny):
    bare, folded = (LearnedRenderer(*astronaut, generator=tiny, skin=s) for s in (0, 1))
    asked = track(au4=2.5)
    shade = folded.render(asked)[0].astype(int) - bare.render(asked)[0]
    assert shade.min() < -10
    row, column = np.unravel_index(shade.sum(2).argmin(), shade.shape[:2])
    brows = bare.mesh[[107, 336, 9], :2]
    assert brows[:, 0].min() - 4 < column < brows[:, 0].max() + 4
    assert abs(row - brows[:, 1].mean()) < 20


def test_ganimation_files_render_too(tmp_path, astronaut):
    path = tmp_path / "ganimation.safetensors"
    save_generator(path, GanimationGenerator(width=4, blocks=1), size=64)
    generator = open_generator(path)
    assert (generator.kind, generator.size) == ("ganimation", 64)
    renderer = LearnedRenderer(*astronaut, generator=generator)
    out = renderer.render(track(au12=2))[0]
    assert (out == renderer.picture)[~renderer.changed].all()
    assert (out != renderer.picture).any()


def test_other_files_and_options_are_refused(tmp_path, astronaut):
    path = tmp_path / "other.safetensors"
    save_tensors(path, {"x": torch.zeros(1)}, {"kind": "compact", "settings": {"width": 4}})
    with pytest.raises(WeightsError, match="missing"):
        open_generator(path)
    save_tensors(path, {"x": torch.zeros(1)}, {"kind": "compact", "size": 7})
    open_generator.cache_clear()
    with pytest.raises(WeightsError, match="size 7"):
        open_generator(path)
    with pytest.raises(InputError, match=r"no generator 'gan'.*warp, compact"):
        find_setting("gan")
    with pytest.raises(InputError, match="maps"):
        find_setting("compact", halves="both")
    with pytest.raises(InputError, match="skin"):
        Synthesizer(skin=9)
