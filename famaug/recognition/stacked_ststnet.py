"""STSTNet for many folds at once, on the stacked first block: compiled (stacked_native.py) where
there is a C compiler, else with torch alone (stacked_conv.py)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from famaug.errors import InputError
from famaug.recognition.dropout import MaskSource
from famaug.recognition.schedule import Step
from famaug.recognition.stacked import StackedAdam, found_losses, weighted_losses
from famaug.recognition.stacked_conv import CELLS, FILTERS, Batch, StackedBlock, patch_table
from famaug.recognition.stacked_native import NativeBatch, NativeBlock, native_table, open_library
from famaug.recognition.ststnet import STSTNet
from famaug.recognition.training import Problem
from famaug.types import Floats

_STREAMS = [3, 5, 8]
_EPS, _MOMENTUM, _MAP = 1e-5, 0.1, 900


class StackedSTSTNet:
    """Same outcome as `SerialTrainer` fold by fold, within float tolerance. On the CPU.

    Batch norm takes each fold's statistics over the clips that fold sees. Patches of all samples
    are laid out once (27 kB a sample).

    Args:
        problem: its network must be STSTNet, with inputs whose 0 stays 0.
        folds: which of its folds.
        pool: threads that compute (`stacked_conv.workers`).

    Raises:
        InputError: another network, input or device.
    """

    def __init__(self, problem: Problem, folds: Sequence[int], pool: ThreadPoolExecutor) -> None:
        self.folds, self.seed, self.pool = list(folds), problem.seed, pool
        nets = []
        for fold in self.folds:
            net, spec = problem.build(fold)
            if not isinstance(net, STSTNet) or spec.low != 0 or problem.options.device != "cpu":
                raise InputError("StackedSTSTNet trains STSTNet on the CPU, with inputs from 0 on")
            nets.append(net)
            self.scale, self.p = spec.high / 255, net.dropout.p
        inputs, self.labels = problem.data()
        self.native = open_library() is not None
        self.space: dict[str, Tensor] = {}
        self.table = native_table(inputs) if self.native else patch_table(inputs)
        self.weights = problem.class_weights(self.folds)
        self.params = _stacked([n.state_dict() for n in nets])
        count = len(self.folds)
        self.mean, self.var = torch.zeros(count, FILTERS), torch.ones(count, FILTERS)
        self.seen = torch.zeros(count, dtype=torch.int64)
        self.adam = StackedAdam(
            self.params,
            learning_rate=problem.options.learning_rate,
            weight_decay=problem.options.weight_decay,
        )

    def step(self, step: Step) -> Floats:
        items = torch.from_numpy(step.items)
        member = torch.from_numpy(step.member[self.folds])
        masks, sign = self._masks(step), self._sign()
        batch: Batch | NativeBatch
        if self.native:
            batch = NativeBatch(self.table, items, member, masks, sign, self.space)
        else:
            batch = Batch.of(self.table[items], member, masks, sign)
        leaves = {k: v.detach().requires_grad_() for k, v in self.params.items()}
        logits, mean, var = self._forward(leaves, batch)
        losses = weighted_losses(logits, self.labels[items], member, self.weights)
        found = torch.autograd.grad(losses.sum(), [*leaves.values()])
        active = member.sum(1) >= 2
        self.adam.step(dict(zip(leaves, found, strict=True)), active)
        self._follow(mean, var, active)
        return found_losses(losses, active)

    def _forward(
        self, p: dict[str, Tensor], batch: Batch | NativeBatch
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Logits `F B C`, and mean and unbiased variance `F 16` of the batch norm."""
        # inputs are raw bytes here, so the filters take their scale; the bias does not
        filters = torch.cat([p["conv"][..., :27] * self.scale, p["conv"][..., 27:]], -1)
        block = NativeBlock if self.native else StackedBlock
        pooled, total, squares = block.apply(filters, batch, self.pool)
        folds, samples = pooled.shape[:2]
        count = (batch.member.sum(1, keepdim=True) * _MAP).clamp(min=1).double()
        mean = total.double() / count
        var = (squares / count - mean**2).clamp(min=0)
        scale = p["gamma"] / (var + _EPS).sqrt().float()
        shift = p["beta"] - mean.float() * scale
        linear = p["fc"].view(folds, -1, FILTERS, CELLS)
        # batch norm is affine, so it moves behind the pooling, into the linear layer
        features = pooled.flatten(2)
        scaled = (linear * scale[:, None, :, None]).flatten(2).transpose(1, 2)
        logits = _FoldProduct.apply(features, scaled, self.pool)
        kept = batch.dropout.mean(2).permute(1, 0, 2).reshape(samples, -1)
        moved = (linear * shift[:, None, :, None]).flatten(2)
        logits = logits + kept @ moved.transpose(1, 2) + p["bias"][:, None]
        unbiased = var * count / (count - 1).clamp(min=1)
        return logits, mean.detach().float(), unbiased.detach().float()

    def _masks(self, step: Step) -> Tensor:
        """Dropout masks `16 B 4 25`, drawn stream by stream as the network does."""
        samples = len(step.items)
        if not self.p:
            return torch.ones(FILTERS, samples, 4, CELLS)
        source = MaskSource(self.seed, step.epoch, step.step, samples=samples)
        maps = torch.cat([source.draw((n, 10, 10), self.p) for n in _STREAMS], 1)
        parts = maps.view(samples, FILTERS, 5, 2, 5, 2).permute(1, 0, 3, 5, 2, 4)
        return parts.reshape(FILTERS, samples, 4, CELLS)

    def _sign(self) -> Tensor:
        return torch.where(self.params["gamma"] >= 0, 1.0, -1.0)

    def _follow(self, mean: Tensor, var: Tensor, active: Tensor) -> None:
        step = torch.where(active[:, None], _MOMENTUM, 0.0)
        self.mean = torch.lerp(self.mean, mean, step)
        self.var = torch.lerp(self.var, var, step)
        self.seen += active

    def state(self, place: int) -> dict[str, Tensor]:
        one = {k: v[place] for k, v in self.params.items()}
        filters, state = torch.split(one["conv"], _STREAMS), {}
        norm = [torch.split(t, _STREAMS) for t in (one["gamma"], one["beta"])]
        stats = [torch.split(t[place], _STREAMS) for t in (self.mean, self.var)]
        for i in range(len(_STREAMS)):
            state[f"conv{i + 1}.weight"] = filters[i][:, :27].reshape(-1, 3, 3, 3)
            state[f"conv{i + 1}.bias"] = filters[i][:, 27]
            state[f"bn{i + 1}.weight"], state[f"bn{i + 1}.bias"] = norm[0][i], norm[1][i]
            state[f"bn{i + 1}.running_mean"] = stats[0][i]
            state[f"bn{i + 1}.running_var"] = stats[1][i]
            state[f"bn{i + 1}.num_batches_tracked"] = self.seen[place]
        state["fc.weight"], state["fc.bias"] = one["fc"], one["bias"]
        return {k: v.clone() for k, v in state.items()}

    def tensors(self) -> dict[str, Tensor]:
        own = {"mean": self.mean, "var": self.var, "seen": self.seen}
        net = {f"net.{k}": v for k, v in self.params.items()}
        return {**net, **own, **self.adam.tensors()}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        for name, value in self.params.items():
            value.copy_(tensors[f"net.{name}"])
        self.mean, self.var, self.seen = (tensors[k] for k in ("mean", "var", "seen"))
        self.adam.restore(tensors)


class _FoldProduct(torch.autograd.Function):
    """`torch.bmm` of `F B N` and `F N C`, the folds shared out over the pool's threads."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, pool: ThreadPoolExecutor) -> Tensor:
        ctx.save_for_backward(a, b)
        ctx.pool = pool
        return _product(a, b, pool)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        a, b = ctx.saved_tensors
        up = grads[0].contiguous()
        one = _product(up, b.transpose(1, 2), ctx.pool)
        return one, _product(a.transpose(1, 2), up, ctx.pool), None


def _product(a: Tensor, b: Tensor, pool: ThreadPoolExecutor) -> Tensor:
    out = torch.empty(len(a), a.shape[1], b.shape[2])
    parts = [slice(r, r + 17) for r in range(0, len(a), 17)]

    def work(part: slice) -> None:
        with torch.no_grad():  # threads have a gradient mode of their own
            torch.bmm(a[part], b[part], out=out[part])

    list(pool.map(work, parts))
    return out


def _stacked(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    def joined(state: dict[str, Tensor], names: str) -> Tensor:
        return torch.cat([state[names.format(i)] for i in (1, 2, 3)])

    def filters(state: dict[str, Tensor]) -> Tensor:
        weight, bias = joined(state, "conv{}.weight"), joined(state, "conv{}.bias")
        return torch.cat([weight.flatten(1), bias[:, None]], 1)

    return {
        "conv": torch.stack([filters(s) for s in states]),
        "gamma": torch.stack([joined(s, "bn{}.weight") for s in states]),
        "beta": torch.stack([joined(s, "bn{}.bias") for s in states]),
        "fc": torch.stack([s["fc.weight"] for s in states]).clone(),
        "bias": torch.stack([s["fc.bias"] for s in states]).clone(),
    }


def default_threads() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
