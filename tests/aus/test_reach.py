"""Units move the skin where real micro-expressions do."""

from __future__ import annotations

import numpy as np

from famaug.aus.basis import load_basis
from famaug.aus.reach import narrowed
from famaug.types import AU_INDEX

LEFT_CORNER, RIGHT_CORNER, CHIN = 291, 61, 152


def test_a_dimple_draws_the_corners_in_and_a_smile_out() -> None:
    basis = load_basis()
    for side, (corner, sign) in enumerate(((LEFT_CORNER, 1), (RIGHT_CORNER, -1))):
        dimple = basis.motion[AU_INDEX[14], side]
        assert dimple[corner, 0] * sign < -0.3
        assert not dimple[basis.neutral[:, 0] * sign < 0].any()
        assert basis.motion[AU_INDEX[12], side][corner, 0] * sign > 0.3


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
