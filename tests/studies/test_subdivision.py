from __future__ import annotations

import numpy as np
from head.subdivision import Subdivision

CUBE = np.array(
    [[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]]
)
CORNERS = np.array(
    [[x, y, z] for z in (-1, 1) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))], float
)


def test_a_cube_becomes_rounder_and_keeps_its_corners() -> None:
    refined = Subdivision(CUBE, 8)
    points = refined.smooth(CORNERS)
    assert points.shape == (8 + 12 + 6, 3)
    assert refined.quads.shape == (24, 4)
    np.testing.assert_array_equal(points[:8], CORNERS)
    middles = np.linalg.norm(points[8:20], axis=1)
    assert middles.min() > np.sqrt(2) * 1.02  # flat edges would give exactly sqrt(2)
    assert np.ptp(middles) < 1e-9


def test_the_rule_is_linear_and_keeps_constants() -> None:
    refined = Subdivision(CUBE, 8)
    np.testing.assert_allclose(refined.smooth(np.full((8, 1), 2.5)), 2.5, atol=1e-12)
    np.testing.assert_allclose(
        refined.smooth(3 * CORNERS + 1), 3 * refined.smooth(CORNERS) + 1, atol=1e-12
    )
    np.testing.assert_allclose(refined.linear(CORNERS)[8:20], refined.linear(CORNERS)[8:20])


def test_orientation_is_kept() -> None:
    refined = Subdivision(CUBE, 8)
    points = refined.smooth(CORNERS)
    a, b, c = (points[refined.quads[:, k]] for k in range(3))
    outward = (np.cross(b - a, c - a) * (a + c)).sum(axis=1)
    assert (outward > 0).all() or (outward < 0).all()


def test_a_flat_sheet_with_a_border_stays_flat() -> None:
    grid = np.arange(16).reshape(4, 4)
    quads = np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]], axis=-1)
    points = np.stack([grid % 4, grid // 4, 0 * grid], axis=-1).reshape(-1, 3).astype(float)
    smooth = Subdivision(quads.reshape(-1, 4), 16).smooth(points)
    np.testing.assert_array_equal(smooth[:, 2], 0)
    assert smooth[:, :2].min() > -0.2
    assert smooth[:, :2].max() < 3.2
