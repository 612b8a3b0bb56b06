"""Lessons of the warp renderer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from famaug.errors import InputError
from famaug.generator.networks.compact import CompactGenerator
from famaug.generator.networks.compose import warp
from famaug.generator.training.engine import Engine
from famaug.generator.training.held_out_lessons import HeldOutLessons
from famaug.generator.training.teacher import FoundFace, TeacherBatches, draw_intensity
from famaug.generator.training.teacher_objective import (
    TeacherObjective,
    TeacherOptions,
    relative_error,
)
from famaug.seeding import keyed_generator


@pytest.fixture(scope="module")
def lessons(astronaut) -> TeacherBatches:
    return TeacherBatches([FoundFace("astronaut", *astronaut)], size=64, batch_size=6)


def test_a_batch_does_not_depend_on_who_makes_it(lessons, astronaut):
    whole = lessons.batch(3, range(6))
    again = TeacherBatches([FoundFace("astronaut", *astronaut)], size=64, batch_size=6)
    for rows in (range(2), range(2, 6)):
        part = again.batch(3, rows)
        for name, values in part.items():
            assert torch.equal(values, whole[name][rows.start : rows.stop]), name
    assert not torch.equal(lessons.batch(4, range(6))["target"], whole["target"])


def test_the_known_motion_leads_from_the_picture_to_the_target(lessons):
    b = lessons.batch(0, range(6)) | {}
    for n in range(1, 4):
        b = {k: torch.cat([v, lessons.batch(n, range(6))[k]]) for k, v in b.items()}
    error = relative_error(warp(b["picture"], b["prior"]), b["target"], b["picture"], floor=1e-3)
    assert error.median() < 0.75
    assert (error < 1).float().mean() > 0.9  # mirrored rows among them
    still = (b["prior"].abs().sum(1, keepdim=True) == 0) & (b["support"] == 0)
    assert still.any()
    same = (b["picture"] - b["target"]).abs().amax(1, keepdim=True)[still]
    assert same.max() < 0.02


def test_expressions_are_sparse_and_often_one_sided():
    drawn = np.concatenate([draw_intensity(keyed_generator(0, "test", i)) for i in range(400)])
    assert drawn.shape == (400, 2, 17)
    assert drawn.min() >= 0
    assert drawn.max() <= 3
    active = (drawn > 0).any(1).sum(1)
    assert (active.min(), active.max()) == (1, 3)
    assert 0.3 < (drawn[:, 0] != drawn[:, 1]).any(1).mean() < 0.8
    assert ((drawn > 0).any(1).sum(0) > 15).all()  # every AU is asked for


def test_learning_lowers_the_error_on_a_lesson(lessons):
    net = CompactGenerator(width=8)
    objective = TeacherObjective(
        Engine(device="cpu", clip=1.0), net, options=TeacherOptions(learning_rate=2e-3)
    )
    batch = lessons.batch(0, range(6))
    errors = [float(objective.step(batch, n)["pixels"]) for n in range(40)]
    assert np.mean(errors[-5:]) < 0.8 * np.mean(errors[:5])


def test_the_error_is_over_the_change_asked_for():
    before, target = torch.zeros(1, 1, 4, 4), torch.full((1, 1, 4, 4), 0.5)
    assert relative_error(before, target, before, floor=0.01) == 1
    assert relative_error(target, target, before, floor=0.01) == 0
    assert relative_error(
        torch.full((1, 1, 4, 4), 0.01), before, before, floor=0.01
    ) == pytest.approx(1)


def test_held_out_lessons_are_drawn(lessons, tmp_path):
    watcher = HeldOutLessons(lessons, count=3, folder=tmp_path, every=10)
    seen = watcher.look(10, {"generator": CompactGenerator(width=4).eval()})
    assert 0.1 < seen["prior"] < 0.8
    assert 0 < seen["error"] < 2
    assert 0 < seen["attention"] < 1
    assert (tmp_path / "step000010.png").stat().st_size > 1000


def test_bad_options_are_named():
    with pytest.raises(InputError, match="no face"):
        TeacherBatches([])
    with pytest.raises(InputError, match="above 0"):
        TeacherOptions(learning_rate=0)
