"""Converted weights against the `ncnn` package itself, on a photograph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from famaug.bench.superres import ncnn_net
from famaug.superres.upscale import Upscaler
from famaug.types import Picture


@pytest.mark.media
@pytest.mark.parametrize(
    ("model", "graph", "weights", "side"),
    [
        ("compact", "realesr_animevideov3_graph", "realesr_animevideov3", 64),
        ("realsr", "realsr_df2k_graph", "realsr_df2k", 12),
        ("realesrgan", "realsr_df2k_graph", "realesrgan_x4plus", 12),
    ],
)
def test_agrees_with_ncnn(
    astronaut_picture: Picture,
    fetched: Callable[[str], Path],
    model: str,
    graph: str,
    weights: str,
    side: int,
) -> None:
    small = cv2.resize(astronaut_picture, (side, side), interpolation=cv2.INTER_AREA)
    theirs = ncnn_net(fetched(graph), fetched(weights), exact=True)(small)
    ours = Upscaler(model, fast=False).picture(small)
    assert ours.shape == theirs.shape == (4 * side, 4 * side, 3)
    apart = np.abs(ours.astype(int) - theirs)
    assert apart.max() <= 1  # where a value lies between two grey levels
    assert (apart > 0).mean() < 2e-4
