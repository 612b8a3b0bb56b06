"""Maps of left and right AUs over a face."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from famaug.aus.halves import side_of
from famaug.errors import InputError
from famaug.faces.align import crop_face
from famaug.faces.landmarks import LEFT_BROW, LEFT_EYE_CORNERS, RIGHT_BROW, RIGHT_EYE_CORNERS
from famaug.faces.mesher import FaceMesher
from famaug.faces.midline import midline_of
from famaug.generator.networks.au_maps import au_maps, midlines, mirrored, side_distance
from famaug.seeding import keyed_generator
from famaug.types import AU_INDEX, LEFT, RIGHT

UPRIGHT = torch.tensor([[[31.5, 0.0], [31.5, 63.0]]])


def one(side: int, au: int, value: float) -> torch.Tensor:
    out = torch.zeros(1, 2, 17)
    out[0, side, AU_INDEX[au]] = value
    return out


def test_a_side_lies_on_its_own_half_of_a_face(mesher: FaceMesher, astronaut_picture) -> None:
    """On a photograph: the left brow and eye have the left's value, the right ones the right's."""
    _, mesh, _ = crop_face(astronaut_picture, mesher.find(astronaut_picture), 128)
    for side, own, other in (
        (LEFT, LEFT_EYE_CORNERS + LEFT_BROW, RIGHT_EYE_CORNERS + RIGHT_BROW),
        (RIGHT, RIGHT_EYE_CORNERS + RIGHT_BROW, LEFT_EYE_CORNERS + LEFT_BROW),
    ):
        maps = au_maps(one(side, 2, 5.0), midlines(mesh[None]), 128)
        plane = maps[0, AU_INDEX[2]].numpy()
        places = mesh[:, :2].round().astype(int)
        assert all(plane[places[p, 1], places[p, 0]] > 0.8 for p in own)
        assert all(plane[places[p, 1], places[p, 0]] < 0.2 for p in other)
    assert float(maps.sum()) == pytest.approx(float(maps[0, AU_INDEX[2]].sum()))


def test_intensities_are_divided_by_five() -> None:
    maps = au_maps(one(LEFT, 12, 2.0), UPRIGHT, 64)
    plane = maps[0, AU_INDEX[12]]
    assert torch.allclose(plane[:, 60], torch.full((64,), 0.4))
    assert float(plane[:, 4].max()) == 0
    assert float(maps.sum()) == float(plane.sum())


def test_the_ramp_is_smooth_and_as_wide_as_asked() -> None:
    line = au_maps(one(LEFT, 1, 5.0), UPRIGHT, 64, ramp=0.25)[0, 0, 30]
    assert bool((line.diff() >= 0).all())
    assert float(line.diff().max()) < 1.6 / 16
    inside = (line > 0) & (line < 1)
    assert int(inside.sum()) == 16
    assert torch.allclose(line, 1 - line.flip(0), atol=1e-6)
    hard = au_maps(one(LEFT, 1, 5.0), UPRIGHT, 64, ramp=0)[0, 0]
    assert set(hard.unique().tolist()) == {0.0, 1.0}


def test_equal_sides_are_the_broadcast_vector_exactly() -> None:
    draw = keyed_generator(0, "maps").uniform(0, 5, (3, 1, 17)).astype(np.float32)
    both = torch.from_numpy(np.repeat(draw, 2, 1))
    lines = torch.tensor([[[20.0, 0], [40, 63]], [[31.5, 0], [31.5, 63]], [[50.0, 10], [9, 60]]])
    maps = au_maps(both, lines, 64)
    assert torch.equal(maps, (both[:, 0] / 5)[:, :, None, None].expand_as(maps))


def test_distances_are_those_of_the_halves(mesher: FaceMesher, astronaut_picture) -> None:
    line = midline_of(mesher.find(astronaut_picture))
    ours = side_distance(torch.from_numpy(line)[None], (512, 512))[0, 0]
    assert np.allclose(ours.numpy(), side_of((512, 512), line))


def test_the_mirrored_face_has_mirrored_maps() -> None:
    sides = keyed_generator(0, "mirror").uniform(0, 5, (1, 2, 17)).astype(np.float32)
    line = np.array([[[28.0, 1.0], [36.0, 60.0]]], np.float32)
    maps = au_maps(torch.from_numpy(sides), torch.from_numpy(line), 64)
    other, flipped = mirrored(sides, line, 64)
    again = au_maps(torch.from_numpy(other), torch.from_numpy(flipped), 64)
    assert torch.allclose(again, maps.flip(-1), atol=1e-6)


@pytest.mark.parametrize(
    ("sides", "line", "ramp", "words"),
    [
        ((1, 17), (1, 2, 2), 0.1, "B 2 17"),
        ((1, 2, 17), (2, 2), 0.1, "B 2 2"),
        ((1, 2, 17), (1, 2, 2), -1.0, "at least 0"),
        ((1, 2, 17), None, 0.1, "must be apart"),
    ],
)
def test_errors_of_maps(sides, line, ramp: float, words: str) -> None:
    where = torch.ones(1, 2, 2) if line is None else torch.rand(line)
    with pytest.raises(InputError, match=words):
        au_maps(torch.zeros(sides), where, 32, ramp=ramp)
