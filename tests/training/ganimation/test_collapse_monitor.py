"""The monitor tells each collapse from health, samples are drawn, held-out faces are measured."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from famaug.errors import CollapseWarning
from famaug.faces.align import crop_face
from famaug.faces.mesher import FaceMesher
from famaug.generator.networks.au_maps import midlines
from famaug.generator.networks.ganimation import GanimationGenerator, Outputs
from famaug.generator.warp import WarpRenderer
from famaug.media.clips import read_picture
from famaug.seeding import keyed_generator
from famaug.training.ganimation.evaluation import EvaluationOptions, HeldOutEvaluation
from famaug.training.ganimation.face_batches import in_network_range
from famaug.training.ganimation.monitor import CollapseMonitor, Probe
from famaug.training.ganimation.samples import SampleSheets
from famaug.types import AU_NAMES, Picture


class Painted(nn.Module):
    """Keeps a share of the picture, and paints the mean of some of the maps."""

    def __init__(self, keep: float, deaf: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.keep = nn.Parameter(torch.tensor(keep))
        self.heard = [i for i in range(17) if i not in deaf]

    def forward(self, picture: Tensor, maps: Tensor) -> Outputs:
        colour = maps[:, self.heard].mean(1, keepdim=True).expand_as(picture)
        return Outputs(colour, self.keep.expand(len(picture), 1, *picture.shape[2:]))


@pytest.fixture(scope="module")
def probe() -> Probe:
    pictures = keyed_generator(0, "probe").uniform(-1, 1, (3, 3, 32, 32))
    line = torch.tensor([[16.0, 0], [16, 31]]).expand(3, 2, 2)
    return Probe(torch.from_numpy(pictures).float(), line)


@pytest.mark.parametrize(
    ("net", "words"),
    [
        (Painted(1.0), "output is the input .*100.0% .*raise weights.attention"),
        (Painted(0.0), "everything is painted anew .*lower weights.attention"),
        (Painted(0.5, (2, 8)), "no response to AU04, AU12 .*raise weights.units"),
    ],
)
def test_each_collapse_is_told_with_what_to_turn(probe: Probe, net: Painted, words: str) -> None:
    monitor = CollapseMonitor(probe, every=10, patience=100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        monitor.look(50, {"generator": net})  # too early to judge
    with pytest.warns(CollapseWarning, match=f"step 100: .*{words}"):
        monitor.look(100, {"generator": net})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        monitor.look(110, {"generator": net})  # told once
        monitor.look(120, {"generator": Painted(0.5)})  # over
    with pytest.warns(CollapseWarning):
        monitor.look(130, {"generator": net})  # and again


def test_health_is_silent_and_measured(probe: Probe) -> None:
    values = CollapseMonitor(probe, every=10).measure(Painted(0.5, (0,)))
    assert values["mean_attention"] == pytest.approx(0.5)
    assert values["spread_attention"] == pytest.approx(0, abs=1e-6)
    assert values["unchanged"] < 0.1
    assert values["response/AU01"] == 0
    assert values["response/AU12"] == pytest.approx(127.5 * 0.5 * 0.5 / 16, rel=1e-4)
    assert len([v for v in values if v.startswith("response/")]) == len(AU_NAMES)


def test_sample_sheets(probe: Probe, tmp_path: Path) -> None:
    net = GanimationGenerator(width=4, blocks=1, flow=True)
    before = [p.clone() for p in net.parameters()]
    SampleSheets(probe, tmp_path, every=5).look(25, {"generator": net})
    sheet = read_picture(tmp_path / "step000025.png")
    assert sheet.shape == (14 + 3 * 32, 10 * 32, 3)  # picture, 6 expressions, A, C, motion
    first = sheet[14:46, :32].astype(float) / 127.5 - 1
    assert np.abs(first - probe.picture[0].permute(1, 2, 0).numpy()).max() < 0.01
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
    assert not (sheet[:14] == 255).all()


class Warped(nn.Module):
    """The warp renderer in a generator's place: what is asked for is what is shown."""

    def __init__(self, renderer: WarpRenderer) -> None:
        super().__init__()
        self.renderer, self.none = renderer, nn.Parameter(torch.zeros(1))

    def forward(self, picture: Tensor, maps: Tensor) -> Outputs:
        sides = torch.stack([maps[..., 64, -1], maps[..., 64, 0]], 1) * 5
        frames = self.renderer.render(sides.numpy())
        colour = torch.from_numpy(in_network_range(frames))
        return Outputs(colour, torch.zeros_like(colour[:, :1]))


def test_held_out_faces_are_measured(mesher: FaceMesher, astronaut_picture: Picture) -> None:
    """A renderer that shows what is asked for scores high; one that does nothing does not."""
    crop, mesh, _ = crop_face(astronaut_picture, mesher.find(astronaut_picture), 256)
    probe = Probe(torch.from_numpy(in_network_range(crop[None])), midlines(mesh[None]))
    options = EvaluationOptions(draws=8, units=1, low=1.5)
    evaluation = HeldOutEvaluation(probe, every=1, options=options)
    good = evaluation.measure(Warped(WarpRenderer(crop, mesh)))
    still = evaluation.measure(Painted(1.0))
    assert good["r"] > 0.7
    assert good["r_sides"] > 0.6
    assert good["lost"] == still["lost"] == 0
    assert not still.get("r", 0) > 0.3
    assert good["error"] < still["error"]


def test_a_face_that_is_lost_is_counted(probe: Probe) -> None:
    larger = Probe(F.interpolate(probe.picture, size=64), probe.midline * 2)
    assert HeldOutEvaluation(larger, every=1).measure(Painted(0.5)) == {"lost": 1.0}
