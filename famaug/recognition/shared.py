"""One network trained by several processes at once, a device each, under Hugging Face accelerate.

    accelerate launch --num_processes 4 recipes/train_recognizer.py CONFIG.yaml training.device=cuda
    torchrun --nproc-per-node 2 recipes/train_recognizer.py CONFIG.yaml

Each process takes its share of every batch, and gradients are averaged so that the outcome is that
of one process on the whole batch, within float tolerance. Batch norm takes its statistics over all
shares on GPUs; on the CPU, where PyTorch cannot do that, over each share alone.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from famaug.packages import need
from famaug.recognition.serial import SerialTrainer
from famaug.recognition.training import Problem


def processes() -> tuple[int, int]:
    """Which process this is, and how many a launcher started (0 and 1 without one)."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


class SharedTrainer(SerialTrainer):
    """`SerialTrainer` over the processes of a launcher; call it in all of them alike.

    Args:
        problem: what; `options.device` is "cpu", or "cuda" for a GPU a process.
        fold: which of its folds.

    Raises:
        MissingPackageError: accelerate is not installed.
    """

    def __init__(self, problem: Problem, fold: int) -> None:
        accelerate = need("accelerate", "training in several processes")
        self.accelerator = accelerate.Accelerator(cpu=problem.options.device == "cpu")
        super().__init__(problem, fold, device=str(self.accelerator.device))
        if self.device.type == "cuda":
            # before DDP wraps it; parameters stay the same objects, so the optimizer holds
            convert: Any = nn.SyncBatchNorm.convert_sync_batchnorm
            self.net = convert(self.net)
        self.rank, self.world = processes()
        self._joined: Any = None

    def learn(self, items: Tensor, rows: Tensor, at: tuple[int, int]) -> Tensor:
        if self._joined is None:
            # only now, when a checkpoint was read by all, and before any writes another
            self._joined = self.accelerator.prepare(self.net)
            self.accelerator.wait_for_everyone()
        # a batch too small to be shared is done by all: the average of equals is the same
        alone = len(rows) < 2 * self.world
        share = rows if alone else rows[self.rank :: self.world]
        x, truth = self.batch(items[share])
        logits = self.logits(self._joined, x, at, len(items), share)
        total = nn.functional.cross_entropy(logits, truth, self.weights, reduction="sum")
        whole = self.weights[self.labels[items[rows]].to(self.device)].sum()
        loss = total / whole * (1 if alone else self.world)  # gradients will be averaged
        self.optimizer.zero_grad()
        self.accelerator.backward(loss)
        self.optimizer.step()
        mean = self.accelerator.reduce(loss.detach(), reduction="mean")
        return torch.as_tensor(mean)

    def _keyed(self, at: tuple[int, int], *more: int) -> AbstractContextManager[None]:
        return super()._keyed(at, *more, self.rank)
