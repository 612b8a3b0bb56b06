from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from famaug.faces.sampling import as_source, sample_spline, spline_coefficients


def sampled(picture, x, y):
    source = as_source(spline_coefficients(picture))
    places = (torch.from_numpy(np.asarray(v, np.float32))[None] for v in (x, y))
    return sample_spline(source, *places)[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("shape", [(40, 53, 3), (3, 3, 1), (2, 9, 3), (1, 1, 3)])
def test_whole_positions_give_the_pixels_back(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    y, x = np.mgrid[: shape[0], : shape[1]]
    assert np.abs(sampled(picture, x, y) - picture).max() < 0.1


def test_agrees_with_scipy_between_pixels():
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 256, (50, 60, 3)).astype(np.uint8)
    x, y = rng.uniform(0, 59, (20, 20)), rng.uniform(0, 49, (20, 20))
    want = map_coordinates(picture[..., 1].astype(float), [y, x], order=3, mode="mirror")
    assert np.abs(sampled(picture, x, y)[..., 1] - want).max() < 0.1


def test_small_shifts_are_neither_lost_nor_bent():
    y, x = np.mgrid[:40, :60].astype(float)
    picture = (100 + 40 * np.sin(x / 5))[..., None]
    for shift in (0.02, 0.1, 0.3):
        got = sampled(picture, x + shift, y)[..., 0]
        want = 100 + 40 * np.sin((x + shift) / 5)
        assert np.abs(got - want)[:, 6:-6].max() < 0.01


def test_beyond_the_border_is_the_border():
    picture = np.random.default_rng(2).integers(0, 256, (9, 9, 3)).astype(np.uint8)
    got = sampled(picture, [[-5.0, 20.0]], [[0.0, 8.0]])
    assert np.abs(got[0] - picture[[0, 8], [0, 8]]).max() < 0.1
