"""Converted weights against the `ncnn` package itself, on a photograph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from famaug.bench.ncnn_net import NcnnNet
from famaug.superres.models import MODELS, load_model
from famaug.types import Floats, Picture


@pytest.mark.media
@pytest.mark.parametrize(
    ("model", "weights", "side"),
    [
        ("compact", "realesr_animevideov3", 64),
        ("realsr", "realsr_df2k", 12),
        ("realesrgan", "realesrgan_x4plus", 12),
    ],
)
def test_agrees_with_ncnn(
    astronaut_picture: Picture,
    fetched: Callable[[str], Path],
    model: str,
    weights: str,
    side: int,
) -> None:
    small = cv2.resize(astronaut_picture, (side, side), interpolation=cv2.INTER_AREA)
    x: Floats = np.ascontiguousarray(small.transpose(2, 0, 1), np.float32) / np.float32(255)
    theirs = NcnnNet(fetched(weights), MODELS[model].kind, exact=True)(x)
    with torch.inference_mode():
        ours = load_model(model)(torch.from_numpy(x)[None])[0].numpy()
    assert ours.shape == theirs.shape == (3, 4 * side, 4 * side)
    assert np.abs(ours - theirs).max() < 1e-5
