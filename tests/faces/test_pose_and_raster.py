"""Geometry with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from famaug.faces import regions as rg
from famaug.faces.pose import Similarity, angles, fit_similarity, turn
from famaug.faces.raster import rasterize


def _about(axis: int, degrees: float) -> np.ndarray:
    a = np.radians(degrees)
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    r = np.eye(3)
    r[i, i] = r[j, j] = np.cos(a)
    r[i, j], r[j, i] = -np.sin(a), np.sin(a)
    return r


def test_a_known_similarity_is_found() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(40, 3))
    known = Similarity(2.5, _about(1, 20) @ _about(0, -10), np.array([3.0, -4.0, 5.0]))
    found = fit_similarity(points, known.apply(points), np.ones(40))
    assert found.scale == pytest.approx(2.5)
    assert np.allclose(found.rotation, known.rotation)
    assert np.allclose(found.inverse.apply(known.apply(points)), points)


def test_points_without_weight_do_not_count() -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(size=(30, 3))
    target = points + 1.0
    target[:5] += 100
    weight = np.ones(30)
    weight[:5] = 0
    found = fit_similarity(points, target, weight)
    assert np.allclose(found.shift, 1.0)
    assert found.scale == pytest.approx(1.0)


@pytest.mark.parametrize(("axis", "place", "sign"), [(1, 0, 1), (0, 1, -1), (2, 2, 1)])
def test_angles(axis: int, place: int, sign: int) -> None:
    found = angles(_about(axis, 12.0))
    assert found[place] == pytest.approx(sign * 12.0)
    assert np.abs(np.delete(found, place)).max() < 1e-9
    assert turn(_about(axis, 12.0)) == pytest.approx(12.0)


def test_raster_interpolates_and_hides() -> None:
    """Two squares, the nearer one smaller: its pixels win, values are linear."""
    points = np.array([[1, 1], [17, 1], [17, 17], [1, 17], [5, 5], [9, 5], [9, 9], [5, 9]], float)
    triangles = np.array([[0, 2, 1], [0, 3, 2], [4, 6, 5], [4, 7, 6]])
    near = np.array([0, 0, 0, 0, 1, 1, 1, 1.0])
    raster = rasterize(points, near, triangles, (20, 20))
    assert raster.mask.sum() == 17 * 17
    assert set(raster.triangle[5:10, 5:10].ravel()) == {2, 3}
    values = raster.interpolate(points, triangles)
    y, x = np.nonzero(raster.mask)
    assert np.allclose(values[y, x], np.stack([x, y], 1), atol=1e-4)


def test_raster_leaves_out_the_back() -> None:
    points = np.array([[1, 1], [17, 1], [17, 17]], float)
    back = np.array([[0, 1, 2]])
    assert not rasterize(points, np.zeros(3), back, (20, 20)).mask.any()
    assert rasterize(points, np.zeros(3), back, (20, 20), cull=False).mask.any()


def test_raster_of_nothing_in_the_picture() -> None:
    points = np.array([[100, 100], [120, 120], [120, 100]], float)
    assert not rasterize(points, np.zeros(3), np.array([[0, 1, 2]]), (20, 20)).mask.any()


def test_crop_maps_centre_to_centre() -> None:
    region = np.array([[50.0, 30.0, 64.0, 0.3]])
    matrix = rg.crop_matrix(region, 128)[0]
    assert np.allclose(matrix @ [63.5, 63.5, 1], [50, 30])
    corner = matrix @ [127.5, 63.5, 1] - [50, 30]
    assert np.hypot(*corner) == pytest.approx(32)
    assert np.arctan2(corner[1], corner[0]) == pytest.approx(0.3)


def test_regions_far_apart() -> None:
    base = np.array([100.0, 100, 80, 0])
    assert not rg.far_apart(base, base + np.array([2, 2, 2, 0.02]))
    for change in ([8, 0, 0, 0], [0, 0, 20, 0], [0, 0, 0, 0.2]):
        assert rg.far_apart(base, base + change)
    turned = np.array([0, 0, 0, np.pi])
    assert not rg.far_apart(base + turned, base - turned)
