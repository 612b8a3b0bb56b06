from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data

from famaug.errors import FaceError, InputError
from famaug.faces.align import CropTransform, crop_face, crop_with


@pytest.fixture(scope="module")
def picture():
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def mesh(picture, mesher):
    return mesher.find(picture)


@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("size", [96, 160, 400])
def test_the_mesh_goes_with_the_crop(picture, mesh, mesher, size, upright):
    crop, moved, transform = crop_face(picture, mesh, size, upright=upright)
    assert crop.shape == (size, size, 3)
    assert np.allclose(transform.to_picture(moved), mesh, atol=1e-3)
    found = mesher.find(crop)
    error = np.linalg.norm(found[:468, :2] - moved[:468, :2], axis=-1)
    assert np.median(error) < 0.02 * size


def test_upright_levels_the_eyes(picture, mesh):
    tilted = cv2.warpAffine(
        picture, cv2.getRotationMatrix2D((224, 120), 20, 1.0), (512, 512), flags=cv2.INTER_LINEAR
    )
    turn = cv2.getRotationMatrix2D((224, 120), 20, 1.0)
    moved = mesh.copy()
    moved[:, :2] = mesh[:, :2] @ turn[:, :2].T + turn[:, 2]
    _, crop_mesh, _ = crop_face(tilted, moved.astype(np.float32), 200, upright=True)
    left, right = crop_mesh[[263, 362], :2].mean(0), crop_mesh[[33, 133], :2].mean(0)
    assert abs(left[1] - right[1]) < 0.01 * (left[0] - right[0])


def test_shrinking_averages_over_areas():
    """Stripes of one pixel become grey instead of a moire."""
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[:, ::2] = 200
    crop = crop_with(stripes, CropTransform(6.3, 0.0, 10.2, 11.7, 100))
    assert np.abs(crop.astype(int) - 100).max() < 25
    assert crop.std() < 10


def test_crop_is_sub_pixel():
    y, x = np.mgrid[:100, :100]
    ramp = np.repeat((2 * x + 0 * y)[..., None], 3, -1).astype(np.uint8)
    crop = crop_with(ramp, CropTransform(1.0, 0.0, 10.5, 20.0, 40))
    assert (crop[:, :, 0] == 2 * np.arange(40) + 21).all()


def test_a_crop_of_whole_pixels_is_the_picture(picture):
    transform = CropTransform(1.0, 0.0, 150.0, 40.0, 180)
    crop = crop_with(picture, transform)
    assert (crop == picture[40:220, 150:330]).all()


def test_crop_beyond_the_picture_repeats_its_border(picture, mesh):
    crop, moved, transform = crop_face(picture, mesh, 120, margin=6)
    assert crop.shape == (120, 120, 3)
    assert np.allclose(transform.to_picture(moved), mesh, atol=1e-2)


def test_bad_input(picture, mesh):
    for args, error in (
        ((picture.astype(float), mesh, 64), InputError),
        ((picture, mesh[:5], 64), InputError),
        ((picture, mesh * np.nan, 64), InputError),
        ((picture, mesh, 2), InputError),
        ((picture, mesh + 900, 64), FaceError),
    ):
        with pytest.raises(error):
            crop_face(*args)
    with pytest.raises(InputError):
        crop_face(picture, mesh, 64, margin=0)
