"""Many folds at once: parameters with an axis for the fold in front, one Adam for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from famaug.recognition.networks.dropout import GivenDropout, MaskSource, given_masks
from famaug.recognition.problem import Problem
from famaug.recognition.recognisers import scaled
from famaug.recognition.schedule import Step
from famaug.types import Floats

Tensors = dict[str, Tensor]


class StackedAdam:
    """AdamW over tensors `folds ...`; a fold that waits in a step is left exactly as it is.

    Same update as torch.optim.AdamW with its default betas and epsilon.
    """

    def __init__(self, params: Tensors, *, learning_rate: float, weight_decay: float) -> None:
        self.params, self.rate, self.decay = params, learning_rate, weight_decay
        self.first = {k: torch.zeros_like(v) for k, v in params.items()}
        self.second = {k: torch.zeros_like(v) for k, v in params.items()}
        self.count = torch.zeros(len(next(iter(params.values()))), dtype=torch.float64)

    def step(self, grads: Tensors, active: Tensor) -> None:
        """One update with the learning rate `rate`; `active` is bool `folds`, on the CPU."""
        self.count += active
        everyone = bool(active.all())
        # folds that have not begun are not active, whatever this gives for them
        count = self.count.clamp(min=1)
        big = (1 - 0.999**count).sqrt().float()
        size = (self.rate / (1 - 0.9**count)).float()
        for name, param in self.params.items():
            shape = (-1, *[1] * (param.ndim - 1))
            root, rate, moves = (t.to(param.device).view(shape) for t in (big, size, active))
            grad, first, second = grads[name], self.first[name], self.second[name]
            old = None if everyone else [t.clone() for t in (param, first, second)]
            param.mul_(1 - self.rate * self.decay)
            first.lerp_(grad, 0.1)
            second.mul_(0.999).addcmul_(grad, grad, value=0.001)
            scale = (second.sqrt() / root).add_(1e-8)
            param.sub_(first / scale * rate)
            for now, before in zip((param, first, second), old or (), strict=False):
                now.copy_(torch.where(moves, now, before))

    def tensors(self) -> Tensors:
        found = {f"first.{k}": v for k, v in self.first.items()}
        found |= {f"second.{k}": v for k, v in self.second.items()}
        return {**found, "count": self.count}

    def restore(self, tensors: Tensors) -> None:
        for name in self.params:
            self.first[name].copy_(tensors[f"first.{name}"])
            self.second[name].copy_(tensors[f"second.{name}"])
        self.count.copy_(tensors["count"])


class AllFolds:
    """Trains many folds of one network at once, on any device, with the outcome of `SingleFold`
    fold by fold within float tolerance.

    This class takes networks without buffers whose dropout is `GivenDropout` (OFF-ApexNet,
    dual-stream): `torch.func` runs them over the stacked parameters.

    Args:
        problem: what.
        folds: which of its folds.
        at_once: how many share one computation, which bounds memory; what `together` says if None.
            The outcome does not depend on it.
    """

    def __init__(
        self, problem: Problem, folds: Sequence[int], *, at_once: int | None = None
    ) -> None:
        self.folds, self.seed = list(folds), problem.seed
        self.device = torch.device(problem.options.device)
        built = [problem.build(f) for f in self.folds]
        self.net, self.spec = built[0][0].to(self.device).train(), built[0][1]
        self.at_once = at_once
        self.params = _stacked([dict(net.named_parameters()) for net, _ in built], self.device)
        self.buffers = _stacked([dict(net.named_buffers()) for net, _ in built], self.device)
        self.inputs, self.labels = problem.data()
        self.weights = problem.class_weights(self.folds).to(self.device)
        self.augmented, self.rates = problem.augmentation(self.spec), problem.learning_rates()
        self.smoothing = problem.options.label_smoothing
        self.adam = StackedAdam(
            self.params,
            learning_rate=problem.options.learning_rate,
            weight_decay=problem.options.weight_decay,
        )

    def step(self, step: Step) -> Floats:
        member = torch.from_numpy(step.member[self.folds])
        items = torch.from_numpy(step.items)
        active, seen = member.sum(1) >= 2, member.to(self.device)
        x = scaled(self.augmented(self.inputs[items].to(self.device), step), self.spec)
        truth = self.labels[items].to(self.device)
        batch = self.prepared(x, step)
        grads: dict[str, list[Tensor]] = {k: [] for k in self.params}
        losses: list[Tensor] = []
        count = self.at_once or self.together(len(items))
        for start in range(0, len(self.folds), count):
            part = slice(start, start + count)
            leaves = {k: v[part].detach().requires_grad_() for k, v in self.params.items()}
            logits = self.logits(leaves, batch, seen[part], part)
            each = weighted_losses(logits, truth, seen[part], self.weights[part], self.smoothing)
            found = torch.autograd.grad(each.sum(), [*leaves.values()])
            for name, grad in zip(leaves, found, strict=True):
                grads[name].append(grad)
            losses.append(each.detach())
        self.adam.rate = self.rates[step.step]
        self.adam.step({k: torch.cat(v) for k, v in grads.items()}, active)
        shown = torch.where(active, torch.cat(losses).cpu(), torch.nan)
        return np.asarray(shown.numpy(), np.float32)

    def together(self, samples: int) -> int:
        """How many folds share one computation of a batch of `samples`."""
        return 8

    def prepared(self, x: Tensor, step: Step) -> Any:
        """What all folds need of a batch `B ...` of inputs; given to `logits` for each part."""
        return x, step

    def logits(self, p: Tensors, batch: Any, member: Tensor, part: slice) -> Tensor:
        """Of some folds in training, float `F B C`, from their parameters `F ...`."""
        x, step = batch
        masks = MaskSource(self.seed, step.epoch, step.step, samples=len(x))
        with given_masks(self.net, masks):
            found = torch.func.vmap(lambda one: torch.func.functional_call(self.net, one, (x,)))(p)
        return torch.as_tensor(found)

    def state(self, place: int) -> Tensors:
        both = {**self.params, **self.buffers}
        return {k: v[place].cpu().clone() for k, v in both.items()}

    def tensors(self) -> Tensors:
        both = {**self.params, **self.buffers}
        return {**{f"net.{k}": v for k, v in both.items()}, **self.adam.tensors()}

    def restore(self, tensors: Tensors) -> None:
        for name, value in {**self.params, **self.buffers}.items():
            value.copy_(tensors[f"net.{name}"])
        self.adam.restore(tensors)


def _stacked(states: Sequence[Tensors], device: torch.device) -> Tensors:
    return {k: torch.stack([s[k].detach() for s in states]).to(device) for k in states[0]}


def weighted_losses(
    logits: Tensor, truth: Tensor, member: Tensor, weights: Tensor, smoothing: float = 0.0
) -> Tensor:
    """Cross entropy of each fold over the clips it sees, float `F`.

    Args:
        logits: `F B C`; truth: `B`; member: bool `F B`; weights: class weights `F C`.
        smoothing: share of the truth spread over all classes, weighted as torch's cross entropy
            does it.
    """
    folds, batch, classes = logits.shape
    flat = logits.reshape(-1, classes)
    each = nn.functional.cross_entropy(flat, truth.repeat(folds), reduction="none")
    share = weights[:, truth] * member
    wrong = each.view(folds, batch) * share
    if smoothing:
        spread = -(logits.log_softmax(-1) * weights[:, None]).sum(-1) * member / classes
        wrong = (1 - smoothing) * wrong + smoothing * spread
    total = share.sum(1).clamp(min=torch.finfo(share.dtype).tiny)
    return wrong.sum(1) / total


def can_stack(net: nn.Module) -> bool:
    """Whether `AllFolds` gives what training alone gives: no state but parameters (batch norm would
    mix held-out clips in), and no dropout that draws for itself."""
    plain = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)
    own = any(isinstance(m, plain) and not isinstance(m, GivenDropout) for m in net.modules())
    return not own and not any(True for _ in net.buffers())
