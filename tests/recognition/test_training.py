"""All folds at once give what one after another gives; training can stop and go on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from famaug.errors import InputError, TrainingError, WeightsError
from famaug.recognition import all_folds_ststnet
from famaug.recognition.all_folds import AllFolds, can_stack
from famaug.recognition.all_folds_ststnet import AllFoldsOfSTSTNet
from famaug.recognition.one_fold import SingleFold
from famaug.recognition.options import TrainingOptions
from famaug.recognition.problem import Problem
from famaug.recognition.samples import make_splits
from famaug.recognition.training import FoldResult, train
from famaug.weights.tensor_files import load_tensors, save_tensors
from tests.recognition.training_samples import made_pool, made_samples


def problem_of(network: str = "ststnet", ratio: float = 1.0, **options: Any) -> Problem:
    samples, pool = made_samples(), made_pool()
    chosen = {"epochs": 2, "batch_size": 16, "learning_rate": 2e-3, **options}
    return Problem(
        network=network,
        network_options={},
        input_spec={},
        samples=samples,
        pool=pool,
        splits=make_splits(samples, pool),
        ratio=ratio,
        options=TrainingOptions(**chosen),
        seed=5,
    )


AUGMENTED = {
    "mirror": True,
    "shift": 2,
    "label_smoothing": 0.1,
    "schedule": "one-cycle",
    "test_mirror": True,
}


def alone(problem: Problem) -> list[FoldResult]:
    return [train(problem, SingleFold(problem, f))[0] for f in range(len(problem.splits))]


def together(
    problem: Problem, folds: int = 4, at_once: int | None = 3, **how: Any
) -> list[FoldResult]:
    kind = AllFoldsOfSTSTNet if problem.network == "ststnet" else AllFolds
    return train(problem, kind(problem, range(folds), at_once=at_once), **how)


def assert_same(a: list[FoldResult], b: list[FoldResult], atol: float) -> None:
    for one, two in zip(a, b, strict=True):
        assert (one.name, one.epoch) == (two.name, two.epoch)
        assert np.array_equal(one.test, two.test)
        for name, value in one.state.items():
            assert torch.allclose(value, two.state[name], rtol=1e-4, atol=atol), (one.name, name)
        assert np.allclose(one.logits, two.logits, rtol=1e-3, atol=50 * atol)


@pytest.mark.parametrize(
    ("network", "options"),
    [
        ("ststnet", {}),
        ("ststnet", {"class_weights": True, "weight_decay": 0.1}),
        ("ststnet", {**AUGMENTED, "class_weights": True, "weight_decay": 0.1}),
        ("off-apexnet", {**AUGMENTED, "learning_rate": 1e-4, "class_weights": True, "epochs": 1}),
        ("ststnet", {"batch_size": 3, "epochs": 1}),  # folds that must wait at a step
        (
            "off-apexnet",
            {"learning_rate": 1e-4, "class_weights": True, "batch_size": 11, "epochs": 1},
        ),
    ],
    ids=["plain", "weighted", "augmented", "augmented off-apexnet", "waiting", "off-apexnet"],
)
def test_at_once_like_one_after_another(network: str, options: dict[str, Any]) -> None:
    problem = problem_of(network, **options)
    if options.get("batch_size") == 3:
        steps = problem.schedule().run(99)
        assert any((s.member.sum(1) < 2).any() for s in steps)
    # Adam turns rounding of gradients near 0 into steps of the size of the learning rate
    assert_same(alone(problem), together(problem), atol=2e-4)


def test_blocks_of_folds_do_not_change_the_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(class_weights=True, weight_decay=0.1)
    whole = together(problem, at_once=None)
    monkeypatch.setattr(all_folds_ststnet, "_MAPS_BYTES", {"cpu": 1})  # a clip at a time
    for each in (together(problem, at_once=1), together(problem, at_once=3)):
        assert_same(whole, each, atol=1e-6)


def test_batch_norm_leaves_held_out_clips_out() -> None:
    problem = problem_of(ratio=0.0, epochs=1, batch_size=64)
    changed = problem.samples.inputs.copy()
    held = problem.splits[0].test
    changed[held] = 255 - changed[held]
    other = Problem(**{**problem.__dict__, "samples": _with_inputs(problem.samples, changed)})
    first, second = together(problem), together(other)
    for name, value in first[0].state.items():
        assert torch.equal(value, second[0].state[name]), name
    assert not torch.equal(first[1].state["conv1.weight"], second[1].state["conv1.weight"])


def test_batch_norm_of_flow_cnn_sees_its_fold_alone() -> None:
    chosen = {"width": 4, "depth": 3}
    problem = replace(problem_of("flow-cnn", 0.0, epochs=1, batch_size=64), network_options=chosen)
    changed = problem.samples.inputs.copy()
    changed[problem.splits[0].test] ^= 255
    other = replace(problem, samples=_with_inputs(problem.samples, changed))
    for fold, same in ((0, True), (1, False)):
        first, second = (train(p, SingleFold(p, fold))[0].state for p in (problem, other))
        assert torch.equal(first["maps.1.running_mean"], second["maps.1.running_mean"]) is same


def _with_inputs(samples: Any, inputs: np.ndarray) -> Any:
    return type(samples)(**{**samples.__dict__, "inputs": inputs})


def test_it_learns_and_a_ratio_changes_it() -> None:
    problem = problem_of(epochs=40, learning_rate=1e-2)
    results = together(problem)
    guess = np.concatenate([r.logits.argmax(1) for r in results])
    truth = np.concatenate([problem.samples.labels[r.test] for r in results])
    assert (guess == truth).mean() > 0.8
    bare = together(problem_of(ratio=0.0))
    assert not torch.equal(bare[0].state["fc.weight"], results[0].state["fc.weight"])


def test_amp_computes_in_bfloat16_and_learns_the_same() -> None:
    losses: dict[bool, list[float]] = {}
    for amp in (False, True):
        problem = problem_of("off-apexnet", amp=amp, learning_rate=1e-3, epochs=6, together="no")
        trainer = SingleFold(problem, 0)
        kinds: set[torch.dtype] = set()
        layer = next(m for m in trainer.net.modules() if isinstance(m, torch.nn.Conv2d))
        layer.register_forward_hook(lambda *x, kinds=kinds: kinds.add(x[2].dtype))
        log: list[float] = []
        train(problem, trainer, log=lambda r, log=log: log.append(*r["loss"].values()))
        losses[amp] = log
        assert kinds - {torch.float32} == ({torch.bfloat16} if amp else set())
        assert all(p.dtype == torch.float32 for p in trainer.net.parameters())
    assert losses[True] != losses[False]
    assert np.allclose(losses[True], losses[False], rtol=0.1)
    assert losses[True][-1] < losses[True][0]


class Stopped(Exception):
    pass


@pytest.mark.parametrize("more", [{}, AUGMENTED], ids=["plain", "augmented"])
@pytest.mark.parametrize(
    ("network", "select"),
    [
        ("ststnet", "last"),
        ("ststnet", "best-test"),
        ("serial", "last"),
        ("serial", "best-test"),
        ("off-apexnet", "last"),
    ],
)
def test_stop_and_go_on(tmp_path: Path, network: str, select: str, more: dict[str, Any]) -> None:
    rate = 1e-4 if network == "off-apexnet" else 1e-2
    chosen = {"epochs": 4, "select": select, "checkpoint_every": 1, "learning_rate": rate} | more
    name = "ststnet" if network == "serial" else network
    problem = problem_of(name, ratio=0.5, **chosen)
    file = tmp_path / "state.safetensors"

    def run(**how: Any) -> list[FoldResult]:
        if network == "serial":
            return train(problem, SingleFold(problem, 1), **how)
        return together(problem, folds=4 if network == "ststnet" else 1, **how)

    def stop(record: dict[str, Any]) -> None:
        if record["epoch"] == 3:
            raise Stopped

    whole = run()
    with pytest.raises(Stopped):
        run(checkpoint=file, log=stop)
    assert file.is_file()
    epochs: list[int] = []
    again = run(checkpoint=file, log=lambda record: epochs.append(record["epoch"]))
    assert epochs == [3, 4]
    assert not file.exists()
    for one, two in zip(whole, again, strict=True):
        assert one.epoch == two.epoch
        assert all(torch.equal(v, two.state[k]) for k, v in one.state.items())
        assert np.array_equal(one.logits, two.logits)


def test_the_best_epoch_survives_a_stop(tmp_path: Path) -> None:
    problem = problem_of(epochs=3, select="best-test", checkpoint_every=1)
    file = tmp_path / "state.safetensors"

    def stop(record: dict[str, Any]) -> None:
        if record["epoch"] == 2:
            raise Stopped

    with pytest.raises(Stopped):
        together(problem, checkpoint=file, log=stop)
    tensors, note = load_tensors(file)
    note["best"]["accuracy"] = [2.0] * 4  # beyond what any epoch can reach
    save_tensors(file, tensors, note)
    for place, result in enumerate(together(problem, checkpoint=file)):
        assert result.epoch == 1
        kept = tensors[f"best.{place}.conv1.weight"]
        assert torch.equal(result.state["conv1.weight"], kept)


def test_best_test_is_never_below_last() -> None:
    def right(results: list[FoldResult], problem: Problem) -> list[float]:
        labels = problem.samples.labels
        return [float((r.logits.argmax(1) == labels[r.test]).mean()) for r in results]

    last, best = problem_of(epochs=6), problem_of(epochs=6, select="best-test")
    pairs = list(zip(right(together(last), last), right(together(best), best), strict=True))
    assert all(b >= a for a, b in pairs)


def test_a_damaged_checkpoint_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    file.write_bytes(b"not this")
    with pytest.raises(WeightsError, match="delete it to start anew"):
        together(problem_of(), checkpoint=file)


def test_steps_instead_of_epochs() -> None:
    seen: list[int] = []
    together(problem_of(steps=5), log=lambda record: seen.append(record["step"]))
    assert seen[-1] == 5


def test_what_can_be_stacked() -> None:
    assert not can_stack(problem_of("ststnet").build(0)[0])
    assert can_stack(problem_of("off-apexnet").build(0)[0])
    assert not can_stack(torch.nn.Sequential(torch.nn.Dropout(0.1)))
    with pytest.raises(InputError, match="select is 'last' or 'best-test'"):
        TrainingOptions(select="best")  # type: ignore[arg-type]


@pytest.mark.parametrize("one_by_one", [True, False])
def test_a_training_without_numbers_stops_and_says_where(one_by_one: bool) -> None:
    problem = problem_of(learning_rate=1e30, epochs=3)
    said = r"seed 5, fold .*, step \d+ \(epoch \d\), learning rate 1e\+30: .* no numbers"
    with pytest.raises(TrainingError, match=said):
        (alone if one_by_one else together)(problem)
