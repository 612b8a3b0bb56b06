"""One midline: where a renderer joins halves is where the seam is looked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from famaug.aus.basis import load_basis
from famaug.generator.networks.au_maps import midlines, side_distance
from famaug.quality.pixels import midline_strip


@pytest.mark.parametrize("yaw", [-25, 0, 15, 25])
def test_the_seams_judge_looks_where_renderers_join(yaw: float) -> None:
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    head = load_basis().neutral @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T
    head = (head - head.mean(0)) * [9, -9, 9]
    mesh = (head + 128).astype(np.float32)
    strip = midline_strip(mesh)
    rows, columns = strip.shape[:2]
    line = strip[:, columns // 2 - 1 : columns // 2 + 1].mean(1)
    distance = side_distance(midlines(mesh[None]), (256, 256))[0, 0]
    x, y = torch.from_numpy(line.round().astype(int)).unbind(-1)
    assert rows > 100
    assert distance[y, x].abs().max() < 0.75, "half a pixel's diagonal"
    assert distance[y, torch.from_numpy(strip[:, -1].round().astype(int))[:, 0]].min() > 5
