from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data

from famaug.errors import FaceError, InputError
from famaug.faces import FaceMesher
from famaug.faces.align import CropTransform, crop_face, crop_with, paste_back


@pytest.fixture(scope="module")
def picture():
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def mesher():
    return FaceMesher()


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


def test_pixels_outside_the_mask_come_back_bit_identical(picture, mesh):
    crop, _, transform = crop_face(picture, mesh, 200, upright=True)
    mask = np.zeros((200, 200), bool)
    mask[60:140, 50:150] = True
    out = paste_back(picture, 255 - crop, transform, mask)
    y, x = np.mgrid[:512, :512]
    at = transform.to_crop(np.stack([x, y], -1))
    inside = ((at >= [49, 59]) & (at <= [150, 140])).all(-1)
    assert (out[~inside] == picture[~inside]).all()
    assert (out[inside] != picture[inside]).any(-1).mean() > 0.8


def test_an_unmoved_crop_comes_back_bit_identical(picture):
    """A whole-pixel crop of the same scale: nothing changed, so nothing changes."""
    transform = CropTransform(1.0, 0.0, 150.0, 40.0, 180)
    crop = crop_with(picture, transform)
    assert (crop == picture[40:220, 150:330]).all()
    assert (paste_back(picture, crop, transform) == picture).all()


def test_an_enlarged_crop_comes_back_nearly_the_same(picture, mesh):
    crop, _, transform = crop_face(picture, mesh, 400, upright=True)
    out = paste_back(picture, crop, transform).astype(int)
    assert transform.scale < 1
    assert np.abs(out - picture).mean() < 0.15


def test_pasting_has_no_seam(picture, mesh):
    crop, _, transform = crop_face(picture, mesh, 200)
    brighter = np.clip(crop.astype(int) + 40, 0, 255).astype(np.uint8)
    out = paste_back(picture, brighter, transform).astype(int)
    added = (out - picture).mean(-1)
    assert np.abs(np.diff(added, axis=1)).max() < 30
    assert added.max() > 30


def test_crop_beyond_the_picture_repeats_its_border(picture, mesh):
    crop, moved, transform = crop_face(picture, mesh, 120, margin=6)
    assert crop.shape == (120, 120, 3)
    assert np.allclose(transform.to_picture(moved), mesh, atol=1e-2)
    out = paste_back(picture, crop, transform)
    assert out.shape == picture.shape


def test_bad_input(picture, mesh):
    crop, _, transform = crop_face(picture, mesh, 64)
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
    with pytest.raises(InputError, match="64 x 64"):
        paste_back(picture, crop[:32], transform)
    with pytest.raises(InputError, match="mask"):
        paste_back(picture, crop, transform, np.full((64, 64), 2.0))
