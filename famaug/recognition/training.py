"""The loop around every training: epochs, log, resume, and predictions of the held-out clips.

A trainer (one_fold.py: one fold; all_folds.py: many at once) makes a step; everything else is the
same for all and lives here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from famaug.errors import InputError, TrainingError
from famaug.recognition.augmentation import Augmentation, mirrored
from famaug.recognition.inputs import InputSpec
from famaug.recognition.learning_rates import learning_rates
from famaug.recognition.options import TrainingOptions
from famaug.recognition.pool import SyntheticPool
from famaug.recognition.recognisers import build_recogniser, scaled
from famaug.recognition.samples import Samples, Split, check_classes, check_untested
from famaug.recognition.schedule import Schedule, Step
from famaug.recognition.start import Start
from famaug.types import Floats
from famaug.weights.tensor_files import load_tensors, save_tensors

Log = Callable[[dict[str, Any]], None]
SYNTHETIC_ALONE = "synthetic clips alone"
"""What is trained on, in the words of the scores."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """What is trained: one network, one seed, all folds.

    Attributes:
        network, network_options, input_spec: as `build_recogniser`.
        samples, pool, splits: the data; the pool may be None.
        ratio: synthetic clips for each real one.
        options: how.
        seed: of weights, orders, masks and draws.
        only: trained on the pool alone (`splits` are then those of `splits_alone`).
        start: weights that every fold begins from; its own draws if None.
    """

    network: str
    network_options: Mapping[str, Any]
    input_spec: Mapping[str, Any]
    samples: Samples
    pool: SyntheticPool | None
    splits: Sequence[Split]
    ratio: float
    options: TrainingOptions
    seed: int
    only: bool = False
    start: Start | None = None

    def build(self, fold: int) -> tuple[nn.Module, InputSpec]:
        """The fold's network with its first weights.

        Raises:
            WeightsError: the weights it is to begin from are of another network.
        """
        net, spec = build_recogniser(
            self.network,
            classes=len(self.samples.classes),
            options=self.network_options,
            input_spec=self.input_spec,
            seed=self.seed,
            key=self.splits[fold].name,
        )
        if self.start is not None:
            self.start.fill(net, self.network)
        return net, spec

    def schedule(self) -> Schedule:
        return Schedule(
            self.splits,
            batch_size=self.options.batch_size,
            ratio=self.ratio,
            seed=self.seed,
            only=self.only,
            pretrain=0 if self.pool is None else self.options.pretrain_steps,
        )

    @property
    def uses_pool(self) -> bool:
        """Whether any synthetic clip is trained on."""
        alone = self.only or self.options.pretrain_steps > 0
        return self.pool is not None and bool(self.ratio or alone)

    @property
    def trained_on(self) -> str:
        """What is trained on, in words."""
        if self.only:
            return SYNTHETIC_ALONE
        return "real and synthetic clips" if self.uses_pool else "real clips"

    @property
    def steps(self) -> int:
        """Of the whole training."""
        return self.options.steps or self.options.epochs * self.schedule().steps_per_epoch()

    def check(self) -> None:
        """Looks at everything that can be told before training.

        Raises:
            InputError: a fold lacks synthetic clips, or some of their classes where it sees them
                alone; or the training's options do not fit its length or its pictures.
            WeightsError: the weights to begin from are of another network.
            LeakageError: they were trained on somebody who is tested.
        """
        alone = self.only or self.options.pretrain_steps > 0
        if alone and self.pool is None:
            raise InputError("training on synthetic clips alone needs synthetic clips")
        self.schedule()
        if self.options.pretrain_steps >= self.steps:
            raise InputError(
                f"training.pretrain_steps is {self.options.pretrain_steps} of {self.steps} steps; "
                "real clips need some as well (synthetic.only: true goes without them)"
            )
        if self.pool is not None and alone:
            check_classes(self.samples, self.pool, self.splits)
        if self.start is not None:
            what = f"training.start {self.start.name} was trained on"
            check_untested(self.start.subjects, self.samples, what, "begin from other weights")
        _, spec = self.build(0)
        if 2 * self.options.shift >= spec.size:
            raise InputError(
                f"training.shift is {self.options.shift} pixels of pictures that have {spec.size}; "
                "shift by less than half a side"
            )

    def learning_rates(self) -> tuple[float, ...]:
        """Of every step."""
        return learning_rates(self.options.schedule, self.options.learning_rate, self.steps)

    def augmentation(self, spec: InputSpec) -> Augmentation:
        """What changes the training pictures."""
        options = self.options
        return Augmentation(
            self.seed, spec.kind, mirror=options.mirror, shift=options.shift, u=self.samples.u
        )

    @property
    def shared(self) -> bool:
        """Whether all folds see the same inputs: no fold has synthetic ones of its own."""
        return self.pool is None or self.pool.own is None or not self.uses_pool

    def data(self, fold: int | None = None) -> tuple[Tensor, Tensor]:
        """Inputs uint8 and labels of the real clips, then the pool's.

        Raises:
            InputError: the folds have inputs of their own, and none is named.
        """
        parts = [(self.samples.inputs, self.samples.labels)]
        if self.pool is not None and self.uses_pool:
            inputs = self.pool.inputs
            if self.pool.own is not None:
                if fold is None:
                    raise InputError("each fold has synthetic inputs of its own: train one by one")
                inputs = self.pool.own[self.splits[fold].name]
            parts.append((inputs, self.pool.labels))
        inputs, labels = (np.concatenate(x) for x in zip(*parts, strict=True))
        return torch.from_numpy(inputs), torch.from_numpy(labels)

    def class_weights(self, folds: Sequence[int]) -> Tensor:
        """float32 `folds C`: n / (C n_c) over the fold's real training clips (its synthetic ones,
        where it has no real ones), or ones."""
        count = len(self.samples.classes)
        rows = np.ones((len(folds), count), np.float32)
        if self.options.class_weights:
            for row, fold in zip(rows, folds, strict=True):
                split = self.splits[fold]
                labels = self.samples.labels[split.train]
                if self.only and self.pool is not None:
                    labels = self.pool.labels[split.allowed]
                found = np.bincount(labels, minlength=count)
                row[found > 0] = found.sum() / (count * found[found > 0])
        return torch.from_numpy(rows)


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
