"""Units move the skin where real micro-expressions do."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from famaug.aus.authored import DRAWN, above_mouth
from famaug.aus.basis import load_basis, modelled_basis
from famaug.aus.fit import fit_person
from famaug.aus.reach import narrowed
from famaug.faces.pose import FLIP
from famaug.types import AU_INDEX

LEFT_CORNER, RIGHT_CORNER, CHIN = 291, 61, 152
BROW_HEAD, BROW_LINE, BROW_TAIL = (336, 285), (296, 295, 334, 282), (300, 276)
UPPER_RED, LOWER_RED = ((0, 13), (269, 311), (270, 310)), ((14, 17), (402, 405), (318, 321))


def both_sides(au: int) -> NDArray[np.float64]:
    """Millimetres at intensity 5, away from the midline on the left, and up."""
    return np.asarray(10 * load_basis().motion[AU_INDEX[au], ..., :2].sum(0))


def test_a_frown_brings_the_brows_down_and_together() -> None:
    frown = both_sides(4)
    for points in (BROW_HEAD, BROW_LINE):
        assert (frown[list(points), 1] < -4).all()
        assert (frown[list(points), 1] > -6).all()
    assert (frown[list(BROW_HEAD), 0] < -4).all()
    heads, tails = frown[list(BROW_HEAD)].mean(0), frown[list(BROW_TAIL)].mean(0)
    assert (np.abs(tails) < 0.4 * np.abs(heads)).all()
    assert -1.5 < frown[386, 1] < 0  # the upper lid is crowded, not closed
    assert np.abs(frown[10]).max() < 0.1  # the top of the forehead


def test_a_raised_cheek_pushes_the_lower_lid_and_leaves_the_mouth() -> None:
    cheek = both_sides(6)
    assert cheek[347, 1] > 5  # below the eye
    assert 1.5 < cheek[374, 1] < 3
    assert np.abs(cheek[386]).max() < 0.1
    assert cheek[265, 0] < -1.5  # beside the eye's outer corner
    smile = both_sides(12)
    assert np.abs(cheek[LEFT_CORNER]).max() < 0.5 < 5 < smile[LEFT_CORNER, 1]


def test_a_wrinkled_nose_rises_beside_and_folds_at_the_root() -> None:
    nose = both_sides(9)
    assert nose[358, 1] > 4
    assert nose[437, 1] > 3
    assert nose[9, 1] < -2
    assert np.allclose(nose[13], nose[14], atol=0.2)  # the lips stay together


def test_a_raised_lip_is_highest_off_the_middle_and_takes_the_fold_with_it() -> None:
    raised = both_sides(10)
    assert raised[269, 1] > raised[0, 1] > 3
    assert raised[269, 1] > raised[409, 1] + 1.5
    assert raised[426, 1] > 3
    assert 1.5 < raised[358, 1] < 3
    assert not raised[[14, 17, 405]].any()  # the lower lip


def test_a_dimple_draws_the_corners_in_and_tightens_them() -> None:
    dimple = both_sides(14)
    assert dimple[LEFT_CORNER, 0] < -3
    assert dimple[RIGHT_CORNER, 0] > 3
    assert dimple[432, 0] < -1  # skin beside the corner comes along
    assert dimple[375, 1] > dimple[409, 1] + 1  # from below and above, the corner is squeezed
    assert np.abs(dimple[[0, 13, 17]]).max() < 0.5
    for wider in (12, 20):
        assert both_sides(wider)[LEFT_CORNER, 0] > 3


def test_a_raised_chin_lifts_the_lip_and_arches_the_mouth() -> None:
    chin = both_sides(17)
    assert chin[14, 1] > 3.5
    assert chin[17, 1] > 4.5
    assert chin[200, 1] > 5
    assert chin[LEFT_CORNER, 1] < -1
    assert chin[14, 1] - chin[LEFT_CORNER, 1] > 5
    assert np.allclose(chin[13], chin[14], atol=0.3)


@pytest.mark.parametrize("edges", [UPPER_RED, LOWER_RED])
def test_tightened_lips_lose_a_third_of_their_red_over_the_whole_width(
    edges: tuple[tuple[int, int], ...],
) -> None:
    tight, neutral = both_sides(23), load_basis().neutral
    for top, bottom in edges:
        had = neutral[top, 1] - neutral[bottom, 1]
        assert 0.3 < (tight[bottom, 1] - tight[top, 1]) / 10 / had < 0.48
    assert -3 < tight[LEFT_CORNER, 0] < -1


def test_lips_are_rolled_in_by_a_share_of_their_own_red() -> None:
    """Lips half as high roll in half as far, whatever the face round them."""
    basis = load_basis()
    thin = basis.neutral.copy()
    lips = [0, 37, 267, 17, 84, 314]
    seams = [13, 82, 312, 14, 87, 317]
    thin[lips, 1] = (thin[lips, 1] + thin[seams, 1]) / 2
    unit = AU_INDEX[23]
    own, mean = (
        fit_person(((p * 12) * FLIP + [200, 200, 0]).astype(np.float32)).motion[unit].sum(0)
        for p in (thin, basis.neutral)
    )
    np.testing.assert_allclose(own[lips, 1], mean[lips, 1] / 2, rtol=0.05)


def test_drawn_units_are_mirror_images_and_keep_to_their_place() -> None:
    basis, modelled = load_basis(), modelled_basis()
    for au in DRAWN:
        left, right = basis.motion[AU_INDEX[au], :, :468]
        np.testing.assert_allclose(left[basis.mirror] * [-1, 1, 1], right, atol=0.03)
        largest = np.abs(left + right).max()
        assert largest < 0.8
        # the rest of the face stays: what moves noticeably is less than half of the mesh
        assert (np.abs(left + right).max(1) > 0.15 * largest).sum() < 468 / 2
    untouched = [AU_INDEX[au] for au in (5, 7, 20, 26, 45)]
    np.testing.assert_array_equal(basis.motion[untouched], modelled.motion[untouched])


def test_above_the_mouth_is_told_from_below_at_the_seam() -> None:
    neutral = load_basis().neutral
    above = above_mouth(neutral)
    assert above[[13, 312, 0, 1, LEFT_CORNER, RIGHT_CORNER, 432]].all()
    assert not above[[14, 317, 17, CHIN]].any()


def test_what_moves_lies_nearer_to_the_unit() -> None:
    basis = load_basis()
    y = basis.neutral[:, 1]
    forehead, brows = y > 4, np.abs(y - 1.5) < 0.7
    for au in (1, 2, 4):
        height = np.abs(basis.motion[AU_INDEX[au], ..., 1]).sum(0)
        assert height[forehead].max() < 0.7 * height[brows].max()
    smile = basis.motion[AU_INDEX[12]].sum(0)
    below = (y < -9) & (np.abs(basis.neutral[:, 0]) < 3)
    assert np.abs(smile[below]).max() < 0.35 * np.abs(smile[LEFT_CORNER]).max()


def test_the_net_sees_of_a_change_what_it_sees_of_the_unit() -> None:
    basis = load_basis()
    motion = np.random.default_rng(0).normal(size=basis.motion.shape)
    now, seen = narrowed(motion, 0.5 * motion, basis.neutral)
    np.testing.assert_allclose(seen, 0.5 * now, atol=1e-12)
    _, blind = narrowed(motion, np.zeros_like(motion), basis.neutral)
    assert not blind.any()
