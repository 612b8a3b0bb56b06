"""Numbers that are not numbers never become pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from famaug import Synthesizer
from famaug.errors import RenderError, WeightsError
from famaug.files.limits import check_finite
from famaug.generator.networks.ganimation import GanimationGenerator, Outputs
from famaug.seeding import keyed_generator
from famaug.types import Picture

NET = GanimationGenerator(width=4, blocks=1)


def _note(**changed: object) -> dict[str, str]:
    note = {"kind": "ganimation", "settings": NET.settings | changed, "size": 128}
    return {"famaug": json.dumps(note)}


def _damaged(path: Path, value: float) -> str:
    tensors = {k: v.clone() for k, v in NET.state_dict().items()}
    if value:
        next(iter(tensors.values())).view(-1)[0] = value
    save_file(tensors, path, metadata=_note())
    return str(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_a_generator_of_such_weights_is_refused(tmp_path: Path, value: float) -> None:
    with pytest.raises(WeightsError, match="holds"):
        Synthesizer(generator=_damaged(tmp_path / "g.safetensors", value), size=96)


def test_outputs_that_are_no_numbers_make_no_frames(
    tmp_path: Path, astronaut_picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = Synthesizer(generator=_damaged(tmp_path / "g.safetensors", 0), size=96, fps=40)
    plan = maker.plan("aus:12=2", astronaut_picture, keyed_generator(0, "a"))
    lost = Outputs(torch.full((1, 3, 128, 128), torch.nan), torch.full((1, 1, 128, 128), 0.5))
    monkeypatch.setattr(GanimationGenerator, "forward", lambda *given: lost)
    with pytest.raises(RenderError, match="no picture"):
        maker.render([plan])


def test_a_note_of_another_size_builds_nothing(tmp_path: Path) -> None:
    for width in (255, 5, "4", True, None):
        save_file(NET.state_dict(), tmp_path / f"{width}.safetensors", metadata=_note(width=width))
        with pytest.raises(WeightsError):
            Synthesizer(generator=str(tmp_path / f"{width}.safetensors"), size=96)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_frames_are_finite(value: float) -> None:
    frames = torch.zeros(1, 3, 4, 4)
    check_finite(frames)
    frames[0, 1, 2, 3] = value
    for each in (frames, frames.numpy(), frames.half()):
        with pytest.raises(RenderError):
            check_finite(each)
