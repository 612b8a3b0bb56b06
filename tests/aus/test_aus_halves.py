from __future__ import annotations

import numpy as np
import pytest

from famaug.aus.halves import mirror_halves, side_of
from famaug.errors import InputError
from famaug.faces.midline import MIDLINE_POINTS, midline_of
from famaug.seeding import keyed_generator

UPRIGHT = np.array([[30.0, 5.0], [30.0, 55.0]])


def face_mesh(tilt: float = 0.0, turn: float = 0.0) -> np.ndarray:
    """Midline points down a line through (40, 50), the others anywhere; `478 3`."""
    mesh = keyed_generator(0, "mesh").uniform(0, 100, (478, 3))
    down = np.linspace(-30, 30, len(MIDLINE_POINTS))
    mesh[list(MIDLINE_POINTS), 0] = 40 + down * np.sin(tilt) + turn
    mesh[list(MIDLINE_POINTS), 1] = 50 + down * np.cos(tilt)
    return mesh


@pytest.mark.parametrize("tilt", [-0.4, 0.0, 0.3])
def test_midline_follows_the_face_not_the_picture(tilt: float) -> None:
    top, bottom = midline_of(face_mesh(tilt))
    assert np.allclose(top, [40 - 30 * np.sin(tilt), 50 - 30 * np.cos(tilt)], atol=1e-9)
    assert np.allclose(bottom, [40 + 30 * np.sin(tilt), 50 + 30 * np.cos(tilt)], atol=1e-9)
    many = midline_of(np.stack([face_mesh(tilt), face_mesh(0.1)]))
    assert np.allclose(many[0], [top, bottom])


def test_the_persons_left_is_the_viewers_right() -> None:
    distance = side_of((60, 60), UPRIGHT)
    assert distance[10, 45] == 15
    assert distance[10, 10] == -20
    tilted = side_of((60, 60), np.array([[10.0, 10.0], [50.0, 50.0]]))
    assert np.isclose(tilted[10, 50], 40 / np.sqrt(2))
    assert np.allclose(np.diag(tilted), 0)


def test_halves_upright() -> None:
    picture = keyed_generator(0, "p").integers(0, 256, (60, 61, 3)).astype(np.uint8)
    left, right = mirror_halves(picture, UPRIGHT)
    assert np.array_equal(left[:, 30:], picture[:, 30:])
    assert np.array_equal(left[:, :31], picture[:, 30:][:, ::-1])
    assert np.array_equal(right[:, :31], picture[:, :31])
    assert np.array_equal(right[:, 30:], picture[:, :31][:, ::-1])


def test_halves_of_a_tilted_face_are_symmetric_about_its_midline() -> None:
    rows, columns = np.mgrid[:100, :100]
    smooth = 127 + 60 * np.sin(rows / 9) + 60 * np.cos(columns / 7)
    picture = np.repeat(smooth[..., None], 3, axis=2).astype(np.uint8)
    mesh = face_mesh(0.25)
    for half in mirror_halves(picture, mesh):
        again = mirror_halves(half, mesh)
        inner = (slice(25, 75), slice(15, 65))
        for other in again:
            assert np.abs(other[inner].astype(int) - half[inner]).max() <= 4


def test_bad_input() -> None:
    picture = np.zeros((60, 60, 3), np.uint8)
    for line in (np.zeros((2, 2)), np.zeros((3, 2)), np.full((2, 2), np.nan), np.zeros((477, 3))):
        with pytest.raises(InputError, match="two points apart"):
            mirror_halves(picture, line)
    with pytest.raises(InputError, match="leaves no half"):
        mirror_halves(picture, UPRIGHT + np.array([200, 0]))
    with pytest.raises(InputError, match=r"mesh must be"):
        midline_of(np.full((478, 3), np.nan))
