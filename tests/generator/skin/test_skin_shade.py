"""What AUs do to skin beyond moving it."""

from __future__ import annotations

import numpy as np
import pytest

from famaug.aus.basis import load_basis
from famaug.errors import InputError
from famaug.generator.skin.creases import CREASES
from famaug.generator.skin.light import find_light, vertex_normals
from famaug.generator.skin.relief import HEIGHT, LEFT, SCALE, TOP, WIDTH, relief, side_share
from famaug.generator.warp import WarpRenderer
from famaug.types import AU_INDEX

FLAT = 170


def asked(*, left: float = 0.0, right: float = 0.0, au: int) -> np.ndarray:
    out = np.zeros((1, 2, 17), np.float32)
    out[0, :, AU_INDEX[au]] = left, right
    return out


@pytest.fixture(scope="module")
def flat(astronaut) -> WarpRenderer:
    """A face of one colour: motion alone can't be seen on it, shade can."""
    picture, mesh = astronaut
    return WarpRenderer(np.full_like(picture, FLAT), mesh)


def test_motion_alone_leaves_a_flat_face_flat(flat):
    still = WarpRenderer(flat.picture, flat.mesh, skin=0)
    for au in (4, 6):
        assert np.abs(still.render(asked(au=au, left=2, right=2)).astype(int) - FLAT).max() <= 6


@pytest.mark.parametrize("au", sorted(CREASES))
def test_every_folding_au_shades_its_own_skin(flat, au):
    what = asked(au=au, left=2.5, right=2.5)
    moved = WarpRenderer(flat.picture, flat.mesh, skin=0).render(what)[0].astype(int)
    shade = (flat.render(what)[0] - moved).sum(2)
    assert -300 < shade.min() < -2  # AU01 and AU02 faintly
    assert shade.max() < 90
    row, column = np.unravel_index(shade.argmin(), shade.shape)
    person = load_basis().neutral[:468, :2]
    nearest = np.linalg.norm(flat.mesh[:468, :2] - [column, row], axis=1).argmin()
    place = np.abs(person[nearest, 0]), person[nearest, 1]
    furrows = np.concatenate([np.array(c.points) for c in CREASES[au] if c.height < 0])
    assert np.linalg.norm(furrows - place, axis=1).min() < 1.2


def test_shade_grows_with_intensity(flat):
    for au in (4, 6, 9, 12):
        dark = [int(flat.render(asked(au=au, left=v, right=v)).min()) for v in (0, 0.5, 1, 2, 3, 5)]
        assert np.diff(dark).max() <= 1  # at the end it does not grow any more
        assert dark[0] == FLAT
        assert dark[-1] < dark[2] < FLAT


def test_one_side_shades_one_side(flat):
    left = flat.render(asked(au=12, left=2.5))[0].astype(float)
    middle = int(flat.mesh[168, 0])
    change = np.abs(left - FLAT).sum(2)
    assert change[:, middle + 5 :].sum() > 20 * change[:, : middle - 5].sum()


def test_grey_pictures_stay_grey(astronaut):
    picture, mesh = astronaut
    grey = np.repeat(picture.mean(2, keepdims=True).astype(np.uint8), 3, 2)
    out = WarpRenderer(grey, mesh).render(asked(au=4, left=3, right=3))
    assert (np.ptp(out, axis=3) == 0).all()
    coloured = WarpRenderer(picture, mesh, skin=0).render(asked(au=4, left=3, right=3))
    assert (np.ptp(coloured, axis=3) > 0).any()


def test_openings_are_not_shaded(flat):
    out = flat.render(asked(au=6, left=3, right=3))[0]
    eye = flat.mesh[[386, 374], :2].mean(0).round().astype(int)
    assert (out[eye[1], eye[0]] == FLAT).all()


def test_the_light_is_found_where_it_was_put():
    basis = load_basis()
    mesh = basis.neutral * [12, -12, -12] + [128, 110, 0]
    normals = vertex_normals(mesh, basis.triangles)
    assert normals[4, 2] < -0.8  # the tip of the nose looks at the viewer
    for side in (-1.0, 1.0):
        shown = 0.6 + normals @ np.array([0.35 * side, -0.15, -0.4])
        picture = np.zeros((256, 256), np.float32)
        for (x, y, _), value in zip(mesh[:468], shown[:468], strict=True):
            near = slice(int(y) - 6, int(y) + 7), slice(int(x) - 6, int(x) + 7)
            picture[near] = 220 * max(value, 0) ** (1 / 2.2)
        light = find_light(np.repeat(picture[..., None], 3, 2), mesh, normals, 12.0)
        assert light.directed[0] * side > 0.15
        assert light.on(np.array([0.0, 0.0, -1.0])) == pytest.approx(1)


def test_relief_is_symmetric_and_as_deep_as_it_says():
    maps = relief()
    x = LEFT + np.arange(WIDTH) / SCALE
    right_to_left = maps[:, :, 1:]  # the midline lies on the middle column of these
    assert np.allclose(right_to_left, right_to_left[:, :, ::-1], atol=5e-4)
    row = np.abs(TOP - np.arange(HEIGHT) / SCALE - 1.4).argmin()
    furrow = maps[AU_INDEX[4], row, x > 0.3].min()
    deepest = sum(c.height for c in CREASES[4] if c.height < 0) / 10
    assert deepest < furrow < -0.2  # centimetres: a line in a hollow
    assert not maps[AU_INDEX[45]].any()
    assert side_share(np.array([-2.0, 0.0, 2.0])).tolist() == [0, 0.5, 1]


def test_strength_has_bounds(astronaut):
    with pytest.raises(InputError, match="skin is 0 to 3"):
        WarpRenderer(*astronaut, skin=-1)
