"""The loop around every training of a generator: batches, rates, averages, log, checkpoints.

A training is a function of its objective's first state, its source and the step number. Batches
hold all that is random, so a run that was cut off and taken up again ends as if nothing had been.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from famaug.errors import InputError, TrainingError
from famaug.files.whole import clear_parts
from famaug.processes import end_with_parent
from famaug.seeding import digest
from famaug.training.loop.checkpoints import (
    network_tensors,
    optimizer_tensors,
    restore_networks,
    restore_optimizers,
)
from famaug.training.loop.ema import ModelAverage
from famaug.training.loop.engine import Engine, NotFiniteError
from famaug.training.loop.log import Record, TrainingLog
from famaug.training.loop.objective import Batch, BatchSource, Objective, Watcher
from famaug.weights.tensor_files import load_tensors, save_tensors

logger = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True, kw_only=True)
class LoopOptions:
    """How long and how often.

    Attributes:
        steps: in all.
        batch_size: rows of a batch, over all processes.
        log_every: steps that one line of the log averages.
        checkpoint_every: steps between checkpoints; a multiple of log_every.
        ema_decay: of the moving averages.
        workers: processes that make batches; 0: the training's own.
        tensorboard: write TensorBoard files beside log.jsonl.
        seconds: stop (with a checkpoint) when this run has taken so long; None: never.
    """

    steps: int
    batch_size: int = 25
    log_every: int = 50
    checkpoint_every: int = 500
    ema_decay: float = 0.999
    workers: int = 0
    tensorboard: bool = True
    seconds: float | None = None

    def __post_init__(self) -> None:
        counts = (self.steps, self.batch_size, self.log_every, self.checkpoint_every)
        wrong = []
        if min(counts) < 1 or self.workers < 0:
            wrong.append(f"steps, sizes and intervals are at least 1; got {self}")
        elif self.checkpoint_every % self.log_every:
            wrong.append(
                f"checkpoint_every ({self.checkpoint_every}) must be a multiple of log_every "
                f"({self.log_every}), so that a checkpoint never cuts a line of the log"
            )
        if self.seconds is not None and not self.seconds > 0:
            wrong.append(f"seconds is above 0, or None; got {self.seconds}")
        if wrong:
            raise InputError("; ".join(wrong))


@dataclass(eq=False)
class Training:
    """One training in one folder.

    Args:
        objective: what is trained.
        source: its batches.
        engine: where.
        options: how long.
        folder: of checkpoint.safetensors, log.jsonl, tensorboard/ and NAME.safetensors for each
            averaged network.
        setting: JSON-able; a checkpoint of another setting is refused.
        rate: share of the full learning rate at a step.
        watchers: look at the averages now and then.
        notes: JSON-able note of each averaged network's file, by name.
        watch: gets every record of the log.
    """

    objective: Objective
    source: BatchSource
    engine: Engine
    options: LoopOptions
    folder: Path
    setting: Mapping[str, Any]
    rate: Callable[[int], float] = field(default=lambda number: 1.0)
    watchers: Sequence[Watcher] = ()
    notes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    watch: Callable[[Record], None] | None = None

    def __post_init__(self) -> None:
        unknown = [n for n in self.objective.averaged if n not in self.objective.networks]
        if unknown:
            raise InputError(
                f"averages of {unknown} are asked for; networks: {[*self.objective.networks]}"
            )
        self._averages = {
            name: ModelAverage(self.objective.networks[name], decay=self.options.ema_decay)
            for name in self.objective.averaged
        }
        self._full = {
            name: [float(g["lr"]) for g in optimizer.param_groups]
            for name, optimizer in self.objective.optimizers.items()
        }
        self._key = digest(dict(self.setting))

    @property
    def averaged(self) -> dict[str, nn.Module]:
        """The moving averages by name."""
        return {name: average.network for name, average in self._averages.items()}

    def run(self) -> int:
        """Trains to the end, from the checkpoint where there is one; returns the steps done.

        Raises:
            InputError: the folder holds a checkpoint of another setting.
            TrainingError: a loss or gradient that is no number; the batch is saved beside the
                checkpoint, which is the last good one.
            WeightsError: the checkpoint is damaged.
        """
        start, began = self._resume(), time.monotonic()
        log = self._open_log(start)
        window = _Window()
        done = start
        try:
            for number, batch in self._batches(start):
                window.add(self._step(number, self.engine.put(batch)))
                done = number + 1
                late = self._late(began, done)
                if done % self.options.log_every == 0 or done == self.options.steps:
                    self._log(log, done, window)
                    window = _Window()
                self._look(log, done)
                if done % self.options.checkpoint_every == 0 or done == self.options.steps or late:
                    self._save(done)
                if late:
                    break
        finally:
            if log is not None:
                log.close()
        return done

    def _step(self, number: int, batch: Batch) -> dict[str, Tensor]:
        share = self.rate(number)
        for name, optimizer in self.objective.optimizers.items():
            for group, full in zip(optimizer.param_groups, self._full[name], strict=True):
                group["lr"] = full * share
        try:
            losses = self.objective.step(batch, number)
        except NotFiniteError as error:
            raise TrainingError(self._failed(number, batch, error)) from error
        for name, average in self._averages.items():
            average.update(self.objective.networks[name], number)
        return losses

    def _failed(self, number: int, batch: Batch, error: Exception) -> str:
        rank = "" if self.engine.is_main else f"-{self.engine.rows(self.options.batch_size).start}"
        path = self.folder / f"failed-step{number}{rank}.safetensors"
        save_tensors(path, batch, {"step": number, "rate": self.rate(number), "error": str(error)})
        return (
            f"step {number}, learning rate {self.rate(number):.3g}: {error}. The batch is in "
            f"{path}; {self.folder / CHECKPOINT} is the "
            "last good state. Lower the learning rate, use precision fp32, set clip, or look for "
            "broken pictures in that batch"
        )

    def _batches(self, start: int) -> Iterator[tuple[int, Batch]]:
        numbers = range(start, self.options.steps)
        rows = self.engine.rows(self.options.batch_size)
        loader: DataLoader[Batch] = DataLoader(
            _Numbered(self.source, rows),
            batch_size=None,
            sampler=numbers,
            num_workers=self.options.workers,
            worker_init_fn=_one_thread,
            pin_memory=self.engine.device.type == "cuda",
        )
        return zip(numbers, loader, strict=True)

    def _late(self, began: float, done: int) -> bool:
        """Whether to stop here: at a line of the log, so that it is whole after a resume."""
        if self.options.seconds is None or done % self.options.log_every:
            return False
        passed = torch.tensor(time.monotonic() - began)
        return self.engine.mean({"passed": passed})["passed"] > self.options.seconds

    def _open_log(self, start: int) -> TrainingLog | None:
        if not self.engine.is_main:
            return None
        return TrainingLog(
            self.folder,
            start=start,
            tensorboard=self.options.tensorboard,
            watch=self.watch,
        )

    def _log(self, log: TrainingLog | None, done: int, window: _Window) -> None:
        values = self.engine.mean(window.means())
        if log is not None:
            speed = {"seconds_per_step": window.seconds_per_step()}
            log.write(done, {**values, "rate": self.rate(done - 1), **speed})

    def _look(self, log: TrainingLog | None, done: int) -> None:
        for watcher in self.watchers:
            if done % watcher.every == 0 or done == self.options.steps:
                if log is not None:
                    seen = watcher.look(done, self.averaged)
                    if seen:
                        log.write(done, {f"{watcher.name}/{k}": v for k, v in seen.items()})
                self.engine.wait()

    def _save(self, done: int) -> None:
        if self.engine.is_main:
            tensors = {
                **network_tensors("network", self.objective.networks),
                **network_tensors("average", self.averaged),
                **optimizer_tensors(self.objective.optimizers),
            }
            for name, network in self.averaged.items():
                note = {**self.notes.get(name, {}), "steps": done, "setting": self._key}
                save_tensors(self.folder / f"{name}.safetensors", network.state_dict(), note)
            note = {"step": done, "key": self._key, "setting": dict(self.setting)}
            save_tensors(self.folder / CHECKPOINT, tensors, note)
        self.engine.wait()

    def _resume(self) -> int:
        """Every process reads the checkpoint; returns the steps done."""
        path = self.folder / CHECKPOINT
        if self.engine.is_main:
            clear_parts(path)
        self.engine.wait()
        if not path.is_file():
            return 0
        tensors, note = load_tensors(path, own=True)
        if note.get("key") != self._key:
            changed = _changed(note.get("setting", {}), self.setting)
            raise InputError(
                f"{self.folder} holds a training of another setting (differs in {changed}); "
                "choose another folder, or delete it"
            )
        restore_networks("network", self.objective.networks, tensors)
        restore_networks("average", self.averaged, tensors)
        restore_optimizers(self.objective.optimizers, tensors)
        logger.info("%s: goes on after step %d", self.folder, int(note["step"]))
        return int(note["step"])


class _Numbered(Dataset[Batch]):
    """Batches by number, for a loader with worker processes."""

    def __init__(self, source: BatchSource, rows: range) -> None:
        self.source, self.rows = source, rows

    def __getitem__(self, number: int) -> Batch:
        return self.source.batch(number, self.rows)


class _Window:
    """Means of the losses since the last line of the log."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}
        self.steps, self.began = 0, time.monotonic()

    def add(self, losses: Mapping[str, Tensor]) -> None:
        self.steps += 1
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, torch.zeros_like(value)) + value.detach()
            self.counts[name] = self.counts.get(name, 0) + 1

    def means(self) -> dict[str, Tensor]:
        return {name: total / self.counts[name] for name, total in self.sums.items()}

    def seconds_per_step(self) -> float:
        return (time.monotonic() - self.began) / max(1, self.steps)


def _one_thread(worker: int) -> None:
    end_with_parent(grace=0)
    torch.set_num_threads(1)


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    names = sorted(k for k in {*old, *new} if old.get(k) != new.get(k))
    return ", ".join(names) or "an unnamed part"
