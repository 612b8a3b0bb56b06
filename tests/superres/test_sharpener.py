"""Super-resolution within the pipeline."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from famaug.aus import flow_and_points
from famaug.errors import InputError, RenderError, SmallFaceWarning
from famaug.generation import Generation, Resources
from famaug.generation.worker import Worker
from famaug.generator.warp import WarpRenderer
from famaug.pipeline import Synthesizer
from famaug.seeding import keyed_generator
from famaug.superres import sharpener


@pytest.fixture(scope="module")
def maker() -> Synthesizer:
    return Synthesizer(superres="compact", size=256)


def test_clips_are_rendered_small_and_sharpened_to_their_size(maker, astronaut_picture):
    plan = maker.plan("aus:12=2", astronaut_picture, keyed_generator(0, "sharp"))
    assert plan.superres is not None
    assert plan.superres.startswith("compact/")
    with pytest.warns(SmallFaceWarning, match="before sharpening"):
        frames = maker.render([plan])[0]
    with pytest.warns(SmallFaceWarning):
        still = maker.still(plan)
    assert frames.shape[1:] == still.shape == (256, 256, 3)
    assert (frames[0] == still).all()
    middle = len(frames) // 2
    changed = (frames[middle] != frames[0]).any(-1)
    assert changed.any()
    assert not changed[:8].any()  # the background holds still
    plain = Synthesizer(size=256)
    small = Synthesizer(size=64)
    other = plain.plan("aus:12=2", astronaut_picture, keyed_generator(0, "sharp"))
    assert other.key != plan.key
    shrunk = frames[0].reshape(64, 4, 64, 4, 3).mean((1, 3))
    like = small.still(small.plan("aus:12=2", astronaut_picture, keyed_generator(0, "sharp")))
    assert np.abs(shrunk - like).mean() < 6  # grey levels; teeth and lashes are redrawn


def test_a_synthesizer_says_what_computes_its_pixels(maker):
    assert Synthesizer().engine() == Synthesizer().engine("cpu:0") == "cpu"
    assert maker.engine() == f"cpu, {maker.sharpener.upscaler('cpu').engine}"


def test_a_plan_needs_the_sharpener_that_it_names(maker, astronaut_picture):
    plan = maker.plan("aus:12=2", astronaut_picture, keyed_generator(0, "sharp"))
    with pytest.raises(RenderError, match="superres is None"):
        Synthesizer(size=256).render([plan])


@pytest.mark.parametrize("device", ["cpu", "cpu:0"])
def test_one_thread_on_a_cpu_however_it_is_written(maker, monkeypatch, device):
    seen: list[int] = []

    def frames(self, small):
        seen.append(torch.get_num_threads())
        return small.repeat(4, 1).repeat(4, 2)

    monkeypatch.setattr(sharpener.Upscaler, "frames", frames)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        mesh = 300 * np.random.default_rng(0).random((478, 3), np.float32)
        maker.sharpener.sharpened(np.zeros((1, 64, 64, 3), np.uint8), mesh, device=device)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [1]


def test_another_process_gets_settings_and_no_networks(maker, astronaut_picture):
    plan = maker.plan("aus:4=2", astronaut_picture, keyed_generator(0, "sharp"))
    with pytest.warns(SmallFaceWarning):
        here = maker.render([plan])[0]
    copy = pickle.loads(pickle.dumps(maker))  # noqa: S301
    with pytest.warns(SmallFaceWarning):
        there = copy.render([plan])[0]
    assert (here == there).all()


def test_sizes_that_cannot_be_had_are_refused():
    with pytest.raises(InputError, match="multiple of 4, at least 256"):
        Synthesizer(superres="compact", size=130)
    with pytest.raises(InputError, match="at least 256; got 128"):
        Synthesizer(superres="compact", size=128)


def test_a_device_reaches_renderer_and_sharpener(maker, astronaut_picture, monkeypatch, tmp_path):
    """Without a GPU here: what a worker makes on another device is asked of both by its name."""
    asked: list[tuple[str, str]] = []

    def noted(what: str, made):
        def make(*args, device, **settings):
            asked.append((what, device))
            return made(*args, device="cpu", **settings)

        return make

    chosen = replace(maker.chosen, make=noted("renders", WarpRenderer))
    monkeypatch.setattr(maker, "chosen", chosen)
    monkeypatch.setattr(sharpener, "Upscaler", noted("sharpens", sharpener.Upscaler))
    plan = maker.plan("aus:12=2", astronaut_picture, keyed_generator(0, "sharp"))
    monkeypatch.setattr(
        flow_and_points, "FaceMesher", noted("measures", flow_and_points.FaceMesher)
    )
    settings = Generation(
        out=tmp_path / "out", rules=["aus:12=2"], pictures=[tmp_path], synthesizer=maker
    )
    worker = Worker(settings, Resources(), device="cuda:1")
    assert worker.settings.synthesizer is worker.synthesizer
    with pytest.warns(SmallFaceWarning):
        worker.synthesizer.render([plan])
    assert worker.synthesizer.mesher is not maker.mesher
    assert asked == [("renders", "cuda:1"), ("sharpens", "cuda:1"), ("measures", "cuda:1")]
    with pytest.warns(SmallFaceWarning):
        maker.render([plan], device="cuda:2")
    assert asked[3:] == [("renders", "cuda:2"), ("sharpens", "cuda:2")]
    assert maker.device == "cpu"
