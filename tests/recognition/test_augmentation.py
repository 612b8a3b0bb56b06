"""Mirrored and shifted pictures, softened truth, and learning rates, each against a plain way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from famaug.errors import InputError
from famaug.recognition.all_folds import AllFolds, weighted_losses
from famaug.recognition.augmentation import Augmentation, mirrored
from famaug.recognition.inputs import Kind
from famaug.recognition.learning_rates import learning_rates
from famaug.recognition.one_fold import SingleFold
from famaug.recognition.options import TrainingOptions
from famaug.recognition.schedule import Step
from famaug.recognition.training import predicted
from famaug.seeding import keyed_generator
from tests.recognition.test_training import problem_of

SHAPES: dict[Kind, tuple[int, ...]] = {
    "flow": (3, 9, 8),
    "pair": (6, 9, 8),
    "dynamic": (3, 9, 8),
    "clip": (3, 4, 9, 8),
}
COUNT = 40


def step_of(epoch: int = 1, number: int = 7) -> Step:
    return Step(epoch, number, np.arange(COUNT), np.ones((1, COUNT), bool), False)


def pictures(kind: Kind) -> torch.Tensor:
    draw = keyed_generator(0, "pictures", kind)
    return torch.from_numpy(draw.integers(0, 256, (COUNT, *SHAPES[kind]), dtype=np.uint8))


def by_hand(picture: np.ndarray, kind: Kind, turned: bool, down: int, right: int) -> np.ndarray:
    """Padded by its border, cut out, and turned by slices."""
    shift = 5
    sides = [(0, 0)] * (picture.ndim - 2) + [(shift, shift)] * 2
    padded = np.pad(picture, sides, mode="edge")
    height, width = picture.shape[-2:]
    rows = slice(shift + down, shift + down + height)
    across = [*range(width - 1, -1, -1)] if turned else [*range(width)]
    found = padded[..., rows, :][..., [shift + a + right for a in across]].copy()
    if turned and kind == "flow":
        found[0] = 255 - found[0]
    return found


@pytest.mark.parametrize("kind", SHAPES)
def test_like_slices(kind: Kind) -> None:
    given, seen = pictures(kind), set()
    made = Augmentation(3, kind, mirror=True, shift=2)(given, step_of())
    assert made.dtype == torch.uint8
    for before, after in zip(given.numpy(), made.numpy(), strict=True):
        (how,) = [
            (turned, down, right)
            for turned in (False, True)
            for down in range(-2, 3)
            for right in range(-2, 3)
            if np.array_equal(by_hand(before, kind, turned, down, right), after)
        ]
        seen.add(how)
    assert {t for t, _, _ in seen} == {False, True}
    assert {d for _, d, _ in seen} == {r for _, _, r in seen} == {-2, -1, 0, 1, 2}


def test_draws_are_of_the_slot() -> None:
    change, given = Augmentation(3, "flow", mirror=True, shift=2), pictures("flow")
    whole = change(given, step_of())
    rows = torch.tensor([30, 4, 11])
    assert torch.equal(change(given[rows], step_of(), rows), whole[rows])
    assert not torch.equal(change(given, step_of(number=8)), whole)
    assert not torch.equal(change(given, step_of(epoch=2)), whole)
    assert not torch.equal(Augmentation(4, "flow", mirror=True, shift=2)(given, step_of()), whole)
    assert torch.equal(Augmentation(3, "flow", mirror=False, shift=0)(given, step_of()), given)


def test_u_lies_where_the_data_say() -> None:
    given = pictures("flow")
    turned = mirrored(given, "flow", u=2)
    assert torch.equal(turned[:, 2], 255 - given[:, 2].flip(-1))
    assert torch.equal(turned[:, :2], given[:, :2].flip(-1))
    assert torch.equal(mirrored(turned, "flow", u=2), given)
    assert torch.equal(mirrored(pictures("clip"), "clip"), pictures("clip").flip(-1))
    change = Augmentation(0, "flow", mirror=True, shift=0, u=2)
    same = (change(given, step_of()) == turned).flatten(1).all(1)
    kept = (change(given, step_of()) == given).flatten(1).all(1)
    assert bool((same ^ kept).all())
    assert 5 < int(same.sum()) < COUNT - 5


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_softened_losses_of_folds_like_torch(smoothing: float) -> None:
    draw = torch.Generator().manual_seed(1)
    logits, truth = torch.randn(4, 10, 3, generator=draw), torch.arange(10) % 3
    member = torch.rand(4, 10, generator=draw) > 0.3
    weights = torch.rand(4, 3, generator=draw) + 0.5
    found = weighted_losses(logits, truth, member, weights, smoothing)
    for fold in range(4):
        want = torch.nn.functional.cross_entropy(
            logits[fold][member[fold]],
            truth[member[fold]],
            weights[fold],
            label_smoothing=smoothing,
        )
        assert torch.allclose(found[fold], want)


def test_rates_of_one_cycle_reach_the_optimizers() -> None:
    problem = problem_of("off-apexnet", schedule="one-cycle", learning_rate=1e-2, steps=10)
    rates = problem.learning_rates()
    assert len(rates) == 10
    assert rates[0] == pytest.approx(1e-2 / 25)
    assert max(rates) == pytest.approx(1e-2)
    assert rates[-1] == pytest.approx(1e-2 / 25 / 1e4)
    assert rates.index(max(rates)) == 2  # 30 % of the steps
    single, many = SingleFold(problem, 0), AllFolds(problem, [0, 1])
    for step in problem.schedule().run(10):
        single.step(step)
        many.step(step)
        assert single.optimizer.param_groups[0]["lr"] == rates[step.step] == many.adam.rate
    assert learning_rates("constant", 0.5, 3) == (0.5, 0.5, 0.5)
    assert len(learning_rates("one-cycle", 0.5, 1)) == 1


def test_a_tested_clip_and_its_mirror_get_the_same_logits() -> None:
    problem = problem_of("flow-cnn", test_mirror=True)
    net, spec = problem.build(0)
    given = torch.from_numpy(problem.samples.inputs)
    found = predicted(problem, net, given, spec)
    turned = predicted(problem, net, mirrored(given, "flow"), spec)
    assert np.allclose(found, turned, atol=1e-6)
    plain = replace(problem, options=TrainingOptions())
    first, second = (predicted(plain, net, x, spec) for x in (given, mirrored(given, "flow")))
    assert np.allclose(found, (first + second) / 2, atol=1e-6)
    assert not np.allclose(first, second, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"schedule": "cosine"}, "schedule is 'constant' or 'one-cycle'; got 'cosine'"),
        ({"label_smoothing": 1.0}, "label_smoothing is 0 to below 1; got 1.0"),
        ({"shift": -1}, "shift is 0 to 64 pixels; got -1"),
    ],
)
def test_bad_options(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        TrainingOptions(**options)


def test_a_shift_that_leaves_no_picture() -> None:
    with pytest.raises(InputError, match="14 pixels of pictures that have 28"):
        problem_of(shift=14).check()
    problem_of(shift=13).check()
