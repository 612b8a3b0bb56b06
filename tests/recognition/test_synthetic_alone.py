"""Training on synthetic clips alone: all the way, at the beginning, and in an ablation."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from famaug.errors import InputError
from famaug.recognition.ablation import Setting, run_ablation, verdict
from famaug.recognition.ablation_report import write_ablation
from famaug.recognition.one_fold import SingleFold
from famaug.recognition.pool import SyntheticPool
from famaug.recognition.problem import Problem
from famaug.recognition.runs import run_all
from famaug.recognition.samples import Samples, make_splits, splits_alone
from famaug.recognition.schedule import Schedule
from famaug.recognition.training import FoldResult, train
from famaug.types import Provenance
from tests.recognition.test_training import (
    Stopped,
    alone,
    assert_same,
    problem_of,
    together,
)
from tests.recognition.training_samples import CLASSES, made_inputs, made_pool, made_samples


def outside_pool(count: int = 12, dataset: str = "elsewhere") -> SyntheticPool:
    """Clips of people who are in no test, `count` of them, all classes in turn."""
    labels = np.arange(count) % len(CLASSES)
    (story, *_) = made_pool().provenances
    names = [f"{dataset}/p{i % 3}" for i in range(count)]
    stories = tuple(Provenance(story.plan, n, n, "x", "driver") for n in names)
    others = frozenset(names)
    return SyntheticPool(made_inputs(labels, 9), labels, stories, others=others)


def only(samples: Samples, pool: SyntheticPool, **options: Any) -> Problem:
    problem = replace(problem_of("ststnet", 0.0, **options), samples=samples, pool=pool)
    return replace(problem, splits=splits_alone(samples, pool), only=True)


def test_nobody_who_is_tested() -> None:
    samples, inside, outside = made_samples(), made_pool(), outside_pool()
    both = SyntheticPool(
        np.concatenate([inside.inputs, outside.inputs]),
        np.concatenate([inside.labels, outside.labels]),
        inside.provenances + outside.provenances,
    )
    (split,) = splits_alone(samples, both)
    assert split.test.all()
    assert not split.train.any()
    assert split.allowed.tolist() == [False] * len(inside) + [True] * len(outside)
    schedule = Schedule([split], batch_size=5, only=True, seed=3)
    for epoch in range(2):  # each once, no real one
        items, member = schedule.epoch(epoch)
        assert sorted(items) == [len(samples) + i for i in np.flatnonzero(split.allowed)]
        assert member.all()


def test_scores_of_synthetic_clips_alone(tmp_path: Path) -> None:
    samples, pool = made_samples(), outside_pool()
    problem = only(samples, pool, steps=60, learning_rate=1e-2)
    problem.check()
    value = run_all(problem, tmp_path, seeds=[0, 1])
    assert value is not None
    assert len([*(tmp_path / "runs").rglob("*.json")]) == 2  # one training a seed
    part = value["parts"]["all"]
    assert (part["clips"], part["subjects"]) == (len(samples), 4)
    assert part["uf1_interval"][0] <= part["uf1"] <= part["uf1_interval"][1]
    assert part["accuracy"] > 0.7  # the spots of the clips alone teach the real ones' classes
    assert json.loads((tmp_path / "scores.json").read_text())["trained_on"] == (
        "synthetic clips alone"
    )
    assert "Trained on synthetic clips alone" in (tmp_path / "scores.md").read_text()


def test_no_real_pixel_or_label_is_learnt_from() -> None:
    samples, pool = made_samples(), outside_pool()
    other = replace(samples, inputs=255 - samples.inputs, labels=2 - samples.labels)
    options = {"steps": 5, "class_weights": True}
    states = [
        train(problem, SingleFold(problem, 0))[0].state
        for problem in (only(samples, pool, **options), only(other, pool, **options))
    ]
    assert all(torch.equal(v, states[1][k]) for k, v in states[0].items())


def test_class_weights_of_synthetic_clips() -> None:
    pool = outside_pool()
    rare = replace(pool, labels=np.asarray([0] * 8 + [1] * 3 + [2]))
    weights = only(made_samples(), rare, class_weights=True).class_weights([0])
    assert weights[0].tolist() == pytest.approx([12 / 24, 12 / 9, 12 / 3])


def test_what_cannot_be_trained_alone() -> None:
    samples = made_samples()
    with pytest.raises(InputError, match="synthetic clips alone and the guard allows none"):
        only(samples, made_pool()).check()
    pool = outside_pool()
    lacking = replace(pool, labels=np.minimum(pool.labels, 1))
    with pytest.raises(InputError, match="none of its 12 synthetic clips is surprise"):
        only(samples, lacking).check()
    with pytest.raises(InputError, match="needs synthetic clips"):
        replace(problem_of(pretrain_steps=1), pool=None, ratio=0.0).check()
    with pytest.raises(InputError, match="pretrain_steps is 4 of 4 steps"):
        problem_of(steps=4, pretrain_steps=4).check()
    with pytest.raises(InputError, match=r"pretrain_steps is 0 \(none\) or more; got -1"):
        problem_of(pretrain_steps=-1)


def test_steps_that_begin_without_real_clips() -> None:
    samples, pool = made_samples(), made_pool()
    splits = make_splits(samples, pool)
    schedule = Schedule(splits, batch_size=8, ratio=0.5, seed=1, pretrain=3)
    steps = [*schedule.run(10)]
    assert [s.step for s in steps] == [*range(10)]
    for step in steps:
        real = step.items < len(samples)
        assert not real.any() if step.step < 3 else real.any()
    assert [s.epoch for s in steps[:5]] == [0, 0, 1, 2, 2]  # 12 clips: 2 batches, and 1
    assert [s.last for s in steps[:4]] == [False, True, True, False]
    again = [*schedule.run(10, start=3)]
    assert all(np.array_equal(a.items, b.items) for a, b in zip(steps[3:], again, strict=True))
    for split, row in zip(splits, steps[0].member | False, strict=True):  # the guard of each fold
        seen = steps[0].items[row] - len(samples)
        assert split.allowed[seen].all()
    plain = [*Schedule(splits, batch_size=8, ratio=0.5, seed=1).run(4)]
    assert all((s.items < len(samples)).any() for s in plain)


def test_pretraining_needs_no_ratio_and_changes_the_outcome() -> None:
    options = {"steps": 8, "learning_rate": 1e-2}
    first, pure, bare = (
        train(p, SingleFold(p, 1))[0].state
        for p in (
            problem_of(ratio=0.0, pretrain_steps=4, **options),
            problem_of(ratio=0.0, **options),
            replace(problem_of(ratio=0.0, **options), pool=None),
        )
    )
    assert torch.equal(pure["fc.weight"], bare["fc.weight"])
    assert not torch.equal(first["fc.weight"], pure["fc.weight"])
    assert problem_of(ratio=0.0, pretrain_steps=1).trained_on == "real and synthetic clips"
    assert problem_of(ratio=0.0).trained_on == "real clips"


def test_pretraining_at_once_like_one_after_another() -> None:
    problem = problem_of(pretrain_steps=3, steps=6)
    assert_same(alone(problem), together(problem), atol=2e-4)


@pytest.mark.parametrize("cut", [1, 2, 3])
@pytest.mark.parametrize("one_by_one", [True, False])
def test_pretraining_stops_and_goes_on(tmp_path: Path, cut: int, one_by_one: bool) -> None:
    problem = problem_of(
        pretrain_steps=2, steps=8, checkpoint_every=1, schedule="one-cycle", mirror=True, shift=1
    )
    file = tmp_path / "state.safetensors"

    def run(**how: Any) -> list[FoldResult]:
        return (
            train(problem, SingleFold(problem, 1), **how)
            if one_by_one
            else together(problem, **how)
        )

    def stop(record: dict[str, Any]) -> None:
        if record["epoch"] == cut + 1:
            raise Stopped

    whole = run()
    with pytest.raises(Stopped):
        run(checkpoint=file, log=stop)
    assert file.is_file()
    for one, two in zip(whole, run(checkpoint=file), strict=True):
        assert all(torch.equal(v, two.state[k]) for k, v in one.state.items())
        assert np.array_equal(one.logits, two.logits)


@pytest.fixture
def watch() -> tuple[dict[str, int], Callable[[Setting], Any]]:
    steps: dict[str, int] = {}

    def of(setting: Setting) -> Callable[[dict[str, Any]], None]:
        return lambda record: steps.__setitem__(setting.name, record["step"])

    return steps, of


def test_rows_of_an_ablation(tmp_path: Path, watch: Any) -> None:
    steps, of = watch
    samples = made_samples(6, 4)
    base = replace(problem_of(epochs=2, pretrain_steps=2), samples=samples)
    pools = {"own": made_pool(6, 3), "others": outside_pool()}
    done = run_ablation(base, pools, [0, 1], tmp_path, seeds=[0], watch=of)
    assert done is not None
    names = ["no synthetic clips", "own at ratio 1", "others at ratio 1", "synthetic only: others"]
    assert [r.setting.name for r in done.rows if r.part == "all"] == names
    assert steps == dict.fromkeys(names, done.steps)
    why = "somebody who is tested went into each of its clips"
    assert done.notes == (f"No row of own alone: {why}.",)
    row = next(r for r in done.rows if r.setting.alone)
    assert row.comparison is not None
    assert row.p_corrected == row.comparison.p  # a family of its own
    assert row.clips == len(samples)
    value = json.loads((tmp_path / "others" / "alone" / "scores.json").read_text())
    assert value["trained_on"] == "synthetic clips alone"
    assert value["parts"]["all"]["uf1"] == pytest.approx(row.scores["uf1"][0])
    assert "synthetic only" not in verdict(done)
    assert "corrected for 2 comparison(s)" in verdict(done)

    write_ablation(done, tmp_path)
    text = (tmp_path / "ablation.md").read_text()
    assert "| synthetic only: others | all |" in text
    assert "No row of own alone" in text
    assert ",others,,all," in (tmp_path / "ablation.csv").read_text()
    without = run_ablation(base, pools, [0, 1], tmp_path, seeds=[0], alone=False)
    assert without is not None
    assert not any(r.setting.alone for r in without.rows)
