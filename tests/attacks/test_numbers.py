"""Numbers that are not numbers never become pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from famaug import Synthesizer
from famaug.errors import RenderError, WeightsError
from famaug.limits import check_finite
from famaug.seeding import keyed_generator
from famaug.types import Picture
from famaug.weights.shipped import shipped_path

NOTE = {"famaug": json.dumps({"kind": "compact", "settings": {"width": 16}, "size": 128})}


def _damaged(path: Path, value: float, times: float = 1.0) -> str:
    tensors = {
        k: v.float() * times for k, v in load_file(shipped_path("compact_generator")).items()
    }
    if value:
        next(iter(tensors.values())).view(-1)[0] = value
    save_file(tensors, path, metadata=NOTE)
    return str(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_a_generator_of_such_weights_is_refused(tmp_path: Path, value: float) -> None:
    with pytest.raises(WeightsError, match="holds"):
        Synthesizer(generator=_damaged(tmp_path / "g.safetensors", value), size=96)


def test_weights_that_overflow_make_no_frames(tmp_path: Path, astronaut_picture: Picture) -> None:
    maker = Synthesizer(generator=_damaged(tmp_path / "g.safetensors", 0, 1e7), size=96, fps=40)
    plan = maker.plan("aus:12=2", astronaut_picture, keyed_generator(0, "a"))
    with pytest.raises(RenderError, match="no picture"):
        maker.render([plan])


def test_a_note_of_another_size_builds_nothing(tmp_path: Path) -> None:
    tensors = load_file(shipped_path("compact_generator"))
    for width in (512, 17, "16", True, None):
        note = {"famaug": json.dumps({"kind": "compact", "settings": {"width": width}})}
        save_file(tensors, tmp_path / f"{width}.safetensors", metadata=note)
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
