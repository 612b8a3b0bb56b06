"""The loop around every training: epochs, log, resume, and predictions of the held-out clips.

A trainer (one_fold.py: one fold; all_folds.py: many at once) makes a step; everything else is the
same for all and lives here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from famaug.errors import TrainingError
from famaug.recognition.augmentation import mirrored
from famaug.recognition.inputs import InputSpec
from famaug.recognition.problem import Problem
from famaug.recognition.recognisers import scaled
from famaug.recognition.schedule import Step
from famaug.types import Floats
from famaug.weights.tensor_files import load_tensors, save_tensors

Log = Callable[[dict[str, Any]], None]


class Trainer(Protocol):
    """Makes steps for one or many folds."""

    folds: list[int]

    def step(self, step: Step) -> Floats:
        """Loss of each fold; NaN where the fold has under two clips in the batch and waits."""
        ...

    def state(self, place: int) -> dict[str, Tensor]:
        """State dict of the network of `folds[place]`."""
        ...

    def tensors(self) -> dict[str, Tensor]:
        """Everything needed to go on."""
        ...

    def restore(self, tensors: dict[str, Tensor]) -> None: ...


@dataclass(frozen=True, eq=False)
class FoldResult:
    """A trained fold.

    Attributes:
        name: of the fold.
        test: which real clips, int64.
        logits: of these, float32 `n C`.
        state: of the network.
        epoch: after which epoch (counted from 1) the weights were taken.
    """

    name: str
    test: NDArray[np.int64]
    logits: Floats
    state: dict[str, Tensor]
    epoch: int


def train(
    problem: Problem,
    trainer: Trainer,
    *,
    checkpoint: Path | None = None,
    log: Log | None = None,
) -> list[FoldResult]:
    """Runs a trainer to the end, from its checkpoint where there is one.

    Args:
        problem: what.
        trainer: how.
        checkpoint: file that is written now and then and deleted at the end.
        log: called after every epoch with a JSON-able record.
    """
    options, schedule, steps = problem.options, problem.schedule(), problem.steps
    best = _Best(problem, trainer)
    start = _resume(checkpoint, trainer, best)
    losses: list[Floats] = []
    for step in schedule.run(steps, start=start):
        losses.append(trainer.step(step))
        final = step.step + 1 == steps
        if not (step.last or final):
            continue
        table = np.stack(losses)
        losses = []
        _check_finite(problem, trainer, step, table)
        best.epoch(step.epoch)
        if log is not None:
            log(_record(problem, trainer, step, table, best))
        every = options.checkpoint_every
        due = every and (step.epoch + 1) % every == 0 and not final
        if checkpoint is not None and due:
            meta = {"step": step.step + 1, "best": best.meta()}
            save_tensors(checkpoint, {**trainer.tensors(), **best.tensors()}, meta)
    results = best.results()
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return results


def _check_finite(problem: Problem, trainer: Trainer, step: Step, table: Floats) -> None:
    """Raises TrainingError where a network's weights are no numbers any more after an epoch."""
    for place, fold in enumerate(trainer.folds):
        state = trainer.state(place)
        if all(torch.isfinite(v).all() for v in state.values() if v.is_floating_point()):
            continue
        seen = np.flatnonzero(np.isfinite(table[:, place]))
        first = step.step + 2 - len(table) + (int(seen[-1]) + 1 if len(seen) else 0)
        where = f"seed {problem.seed}, fold {problem.splits[fold].name}"
        raise TrainingError(
            f"{where}, step {first} (epoch {step.epoch + 1}), learning rate "
            f"{problem.options.learning_rate:g}: the loss or the weights are no numbers any more; "
            "lower the learning rate, or look for inputs that are broken"
        )


def _resume(checkpoint: Path | None, trainer: Trainer, best: _Best) -> int:
    if checkpoint is None or not checkpoint.is_file():
        return 0
    tensors, meta = load_tensors(checkpoint, own=True)
    best.restore({k: tensors.pop(k) for k in [*tensors] if k.startswith("best.")}, meta["best"])
    trainer.restore(tensors)
    return int(meta["step"])


def _record(
    problem: Problem, trainer: Trainer, step: Step, table: Floats, best: _Best
) -> dict[str, Any]:
    seen = np.isfinite(table)
    mean = np.where(seen, table, 0).sum(0) / np.maximum(seen.sum(0), 1)
    names = [problem.splits[f].name for f in trainer.folds]
    record = {
        "seed": problem.seed,
        "ratio": problem.ratio,
        "epoch": step.epoch + 1,
        "step": step.step + 1,
        "loss": {n: round(float(v), 6) for n, v in zip(names, mean, strict=True)},
    }
    if problem.options.select == "best-test":
        record["optimistic_best_test_accuracy"] = dict(zip(names, best.accuracy, strict=True))
    return record


class _Best:
    """Keeps the best epoch by test accuracy, or nothing with select "last"."""

    def __init__(self, problem: Problem, trainer: Trainer) -> None:
        self.problem, self.trainer = problem, trainer
        self.on = problem.options.select == "best-test"
        count = len(trainer.folds)
        self.accuracy = [-1.0] * count
        self.epochs = [0] * count
        self.states: list[dict[str, Tensor]] = [{} for _ in range(count)]
        self.last = 0
        self.inputs = torch.from_numpy(problem.samples.inputs)

    def epoch(self, number: int) -> None:
        self.last = number + 1
        for place in range(len(self.states)) if self.on else ():
            result = self._predicted(place, self.trainer.state(place))
            truth = self.problem.samples.labels[result.test]
            accuracy = float((result.logits.argmax(1) == truth).mean())
            if accuracy >= self.accuracy[place]:  # the later one of equals, as papers do
                self.accuracy[place], self.epochs[place] = accuracy, self.last
                self.states[place] = {k: v.clone() for k, v in result.state.items()}

    def results(self) -> list[FoldResult]:
        count = range(len(self.states))
        if self.on:
            return [self._predicted(p, self.states[p], self.epochs[p]) for p in count]
        return [self._predicted(p, self.trainer.state(p), self.last) for p in count]

    def _predicted(self, place: int, state: dict[str, Tensor], epoch: int = 0) -> FoldResult:
        fold = self.trainer.folds[place]
        split = self.problem.splits[fold]
        test = np.flatnonzero(split.test)
        net, spec = self._net(fold)
        net.load_state_dict(state)
        logits = predicted(self.problem, net, self.inputs[test], spec)
        return FoldResult(split.name, test, logits, state, epoch)

    def _net(self, fold: int) -> tuple[nn.Module, InputSpec]:
        if not hasattr(self, "_scratch"):
            self._scratch = self.problem.build(fold)
        return self._scratch

    def tensors(self) -> dict[str, Tensor]:
        return {f"best.{p}.{k}": v for p, s in enumerate(self.states) for k, v in s.items()}

    def meta(self) -> dict[str, Any]:
        return {"accuracy": self.accuracy, "epochs": self.epochs, "last": self.last}

    def restore(self, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
        self.accuracy, self.epochs, self.last = meta["accuracy"], meta["epochs"], meta["last"]
        for key, value in tensors.items():
            _, place, name = key.split(".", 2)
            self.states[int(place)][name] = value


def predicted(problem: Problem, net: nn.Module, inputs: Tensor, spec: InputSpec) -> Floats:
    """Logits float32 `N C` of clips that are tested, as the problem's options say."""
    device = problem.options.device
    found = predict(net, inputs, spec, device)
    if not problem.options.test_mirror:
        return found
    other = predict(net, mirrored(inputs, spec.kind, problem.samples.u), spec, device)
    return np.asarray((found + other) / 2, np.float32)


def predict(net: nn.Module, inputs: Tensor, spec: InputSpec, device: str = "cpu") -> Floats:
    """Logits float32 `N C` of uint8 inputs; the network is left in evaluation mode."""
    net = net.to(device).eval()
    with torch.no_grad():
        parts = [
            net(scaled(part.to(device), spec)).float().cpu() for part in torch.split(inputs, 64)
        ]
    return np.asarray(torch.cat(parts).numpy(), np.float32)


def to_text(record: dict[str, Any]) -> str:
    """One line of JSON."""
    return json.dumps(record, sort_keys=True, allow_nan=False)
