"""The solver and the basis on motions with a known answer."""

from __future__ import annotations

import numpy as np

from famaug.aus.basis import COLUMNS, load_basis
from famaug.aus.fit import fit_person
from famaug.aus.point_solver import PointSolver
from famaug.aus.solver import Prior, UnitSolver
from famaug.faces.pose import FLIP
from famaug.types import AU_INDEX, AUS


def test_a_mixture_is_taken_apart() -> None:
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(400, COLUMNS + 2))
    truth = np.zeros(COLUMNS + 2)
    truth[[4, 9, COLUMNS]] = [0.4, 0.2, 0.7]
    rigid = rng.normal(size=(400, 3))
    solver = UnitSolver(columns, rigid, np.ones(400), Prior(ridge=1e-6), axes=2)
    found = solver.solve(columns @ truth + rigid @ np.array([3.0, -2, 1]))
    assert np.allclose(found.intensity.ravel(), truth[:COLUMNS] * 5, atol=1e-3)
    assert found.explained > 0.999


def test_another_shape_of_a_unit_counts_towards_it() -> None:
    rng = np.random.default_rng(4)
    columns = rng.normal(size=(400, COLUMNS + 3))  # a nuisance, then others of units 4 and 9
    solver = UnitSolver(
        columns, rng.normal(size=(400, 2)), np.ones(400), Prior(ridge=1e-6), axes=2,
        also=np.array([4, 9]),
    )  # fmt: skip
    truth = np.zeros(COLUMNS + 3)
    truth[[4, COLUMNS, COLUMNS + 1, COLUMNS + 2]] = [0.1, 0.9, 0.3, 0.2]
    expected = np.zeros(COLUMNS)
    expected[[4, 9]] = [0.4, 0.2]
    found = solver.solve(columns @ truth).intensity.ravel()
    assert np.allclose(found, expected * 5, atol=1e-3)


def test_nothing_seen_is_nothing_shown() -> None:
    rng = np.random.default_rng(1)
    solver = UnitSolver(
        rng.normal(size=(200, COLUMNS)), rng.normal(size=(200, 2)), np.ones(200),
        Prior(ridge=0.01), axes=2,
    )  # fmt: skip
    assert (solver.solve(np.zeros(200)).intensity == 0).all()


def test_sides_mirror_each_other_in_the_basis() -> None:
    """Side 0 is the person's left, x > 0, and side 1 its mirror image."""
    basis = load_basis()
    assert basis.motion.shape == (len(AUS), 2, 478, 3)
    for unit in range(len(AUS)):
        left, right = basis.motion[unit, 0, :468], basis.motion[unit, 1, :468]
        assert np.abs(left[basis.mirror] * [-1, 1, 1] - right).max() < 0.02
        energy = np.square(left).sum(1)
        assert energy[basis.neutral[:468, 0] > 0].sum() > 0.6 * energy.sum()


def test_landmarks_moved_by_the_basis_are_read_back() -> None:
    basis = load_basis()
    mesh = (basis.neutral * 12) * FLIP + [200, 200, 0]
    person = fit_person(mesh.astype(np.float32))
    for au in (1, 4, 12, 26):
        moved = mesh + (person.seen[AU_INDEX[au]].sum(0) * (1.5 / 5) * 12) * FLIP
        found = PointSolver(person).solve(moved.astype(np.float32)).intensity
        assert found.mean(1).argmax() == AU_INDEX[au]
        assert 0.8 < found[AU_INDEX[au]].mean() < 2.0


def test_the_basis_fits_the_person() -> None:
    """A face twice as wide as the mean moves twice as far sideways, not up."""
    basis = load_basis()
    wide = basis.neutral * [1.4, 1, 1]
    person = fit_person(((wide * 10) * FLIP).astype(np.float32))
    ratio = np.abs(person.motion[AU_INDEX[20], 0]).sum(0) / np.abs(
        basis.motion[AU_INDEX[20], 0]
    ).sum(0)
    assert ratio[0] > 1.15 * ratio[1]
