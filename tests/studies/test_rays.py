from __future__ import annotations

import numpy as np
import pytest
from head.rays import Camera, Pose, RayScene

from famaug.errors import InputError
from famaug.faces.pose import angles


@pytest.mark.parametrize("asked", [(20.0, 0.0, 0.0), (0.0, -12.0, 0.0), (7.0, -5.0, 9.0)])
def test_angles_are_those_of_the_face_room(asked: tuple[float, float, float]) -> None:
    np.testing.assert_allclose(angles(Pose(*asked).rotation), asked, atol=1e-9)


def test_a_ray_hits_where_the_point_projects() -> None:
    """The ray of the pixel a triangle's corner projects to meets that corner."""
    camera = Camera(64, 0.3, 9.0)
    origins, directions = camera.rays(1)
    pixel = 20 * 64 + 41
    corner = origins[pixel] + 8.6 * directions[pixel]
    np.testing.assert_allclose(
        camera.project(corner[None].astype(float))[0, :2], [41, 20], atol=1e-3
    )
    triangle = corner + np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    scene = RayScene(triangle - [1e-3, 1e-3, 0], np.array([[0, 1, 2]], np.int32))
    hits = scene.first_hits(origins, directions)
    assert hits.triangle[pixel] == 0
    np.testing.assert_allclose(hits.weights[pixel], [1, 0, 0], atol=3e-3)
    assert hits.depth[pixel] == pytest.approx(8.6, abs=1e-3)
    assert hits.triangle[0] == -1
    assert scene.blocked(origins, directions)[[pixel, 0]].tolist() == [True, False]


def test_four_rays_a_pixel_surround_its_centre() -> None:
    camera = Camera(32)
    _, one = camera.rays(1)
    _, four = camera.rays(2)
    mean = four.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(mean.reshape(-1, 3), one, atol=1e-6)


def test_an_impossible_camera_is_refused() -> None:
    with pytest.raises(InputError, match="size 32-4096"):
        Camera(8)
