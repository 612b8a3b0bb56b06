"""Many folds at once: parameters with an axis for the fold in front, one Adam for all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from famaug.recognition.dropout import GivenDropout, MaskSource, given_masks
from famaug.recognition.recognisers import scaled
from famaug.recognition.schedule import Step
from famaug.recognition.training import Problem
from famaug.types import Floats


class StackedAdam:
    """AdamW over tensors `folds ...`; a fold that waits in a step is left exactly as it is.

    Same update as torch.optim.AdamW with its default betas and epsilon.
    """

    def __init__(
        self, params: dict[str, Tensor], *, learning_rate: float, weight_decay: float
    ) -> None:
        self.params, self.rate, self.decay = params, learning_rate, weight_decay
        self.first = {k: torch.zeros_like(v) for k, v in params.items()}
        self.second = {k: torch.zeros_like(v) for k, v in params.items()}
        some = next(iter(params.values()))
        self.count = torch.zeros(len(some), dtype=torch.float64, device=some.device)

    def step(self, grads: dict[str, Tensor], active: Tensor) -> None:
        """One update; `active` is bool `folds`."""
        self.count += active
        everyone = bool(active.all())
        # folds that have not begun are not active, whatever this gives for them
        count = self.count.clamp(min=1)
        big = (1 - 0.999**count).sqrt()
        size = self.rate / (1 - 0.9**count)
        for name, param in self.params.items():
            shape = (-1, *[1] * (param.ndim - 1))
            grad, first, second = grads[name], self.first[name], self.second[name]
            old = None if everyone else [t.clone() for t in (param, first, second)]
            param.mul_(1 - self.rate * self.decay)
            first.lerp_(grad, 0.1)
            second.mul_(0.999).addcmul_(grad, grad, value=0.001)
            scale = (second.sqrt() / big.to(param.dtype).view(shape)).add_(1e-8)
            param.sub_(first / scale * size.to(param.dtype).view(shape))
            for now, before in zip((param, first, second), old or (), strict=False):
                now.copy_(torch.where(active.view(shape), now, before))

    def tensors(self) -> dict[str, Tensor]:
        found = {f"first.{k}": v for k, v in self.first.items()}
        found |= {f"second.{k}": v for k, v in self.second.items()}
        return {**found, "count": self.count}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        for name in self.params:
            self.first[name].copy_(tensors[f"first.{name}"])
            self.second[name].copy_(tensors[f"second.{name}"])
        self.count.copy_(tensors["count"])


def weighted_losses(logits: Tensor, truth: Tensor, member: Tensor, weights: Tensor) -> Tensor:
    """Cross entropy of each fold over the clips it sees, float `F`.

    Args:
        logits: `F B C`; truth: `B`; member: bool `F B`; weights: class weights `F C`.
    """
    folds, batch, classes = logits.shape
    flat = logits.reshape(-1, classes)
    each = nn.functional.cross_entropy(flat, truth.repeat(folds), reduction="none")
    share = weights[:, truth] * member
    total = share.sum(1).clamp(min=torch.finfo(share.dtype).tiny)
    return (each.view(folds, batch) * share).sum(1) / total


class StackedTrainer:
    """Any network without batch norm whose dropout is `GivenDropout` (OFF-ApexNet, dual-stream),
    through torch.func over stacked parameters, some folds at a time.

    Args:
        problem: what.
        folds: which of its folds.
        at_once: how many share one computation; bounds memory.
    """

    def __init__(self, problem: Problem, folds: Sequence[int], *, at_once: int = 8) -> None:
        self.folds, self.seed, self.at_once = list(folds), problem.seed, at_once
        self.device = torch.device(problem.options.device)
        built = [problem.build(f) for f in self.folds]
        self.net, self.spec = built[0][0].to(self.device), built[0][1]
        states = [dict(net.named_parameters()) for net, _ in built]
        self.params = {
            k: torch.stack([s[k].detach() for s in states]).to(self.device) for k in states[0]
        }
        self.inputs, self.labels = problem.data()
        self.weights = problem.class_weights(self.folds).to(self.device)
        self.adam = StackedAdam(
            self.params,
            learning_rate=problem.options.learning_rate,
            weight_decay=problem.options.weight_decay,
        )

    def step(self, step: Step) -> Floats:
        member = torch.from_numpy(step.member[self.folds]).to(self.device)
        items = torch.from_numpy(step.items)
        x = scaled(self.inputs[items].to(self.device), self.spec)
        truth = self.labels[items].to(self.device)
        self.net.train()

        def loss(params: dict[str, Tensor], seen: Tensor, weights: Tensor) -> Tensor:
            logits = torch.func.functional_call(self.net, params, (x,))
            return weighted_losses(logits[None], truth, seen[None], weights[None])[0]

        compute = torch.func.vmap(torch.func.grad_and_value(loss))
        grads: list[dict[str, Tensor]] = []
        losses: list[Tensor] = []
        for start in range(0, len(self.folds), self.at_once):
            part = slice(start, start + self.at_once)
            masks = MaskSource(self.seed, step.epoch, step.step, samples=len(items))
            with given_masks(self.net, masks):
                some = {k: v[part] for k, v in self.params.items()}
                grad, value = compute(some, member[part], self.weights[part])
            grads.append(grad)
            losses.append(value)
        active = member.sum(1) >= 2
        self.adam.step({k: torch.cat([g[k] for g in grads]) for k in self.params}, active)
        return found_losses(torch.cat(losses), active)

    def state(self, place: int) -> dict[str, Tensor]:
        return {k: v[place].cpu().clone() for k, v in self.params.items()}

    def tensors(self) -> dict[str, Tensor]:
        return {**{f"net.{k}": v for k, v in self.params.items()}, **self.adam.tensors()}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        for name, value in self.params.items():
            value.copy_(tensors[f"net.{name}"])
        self.adam.restore(tensors)


def found_losses(losses: Tensor, active: Tensor) -> Floats:
    """float32 `F`, NaN for folds that wait."""
    shown = torch.where(active, losses.detach(), torch.nan)
    return np.asarray(shown.cpu().numpy(), np.float32)


def can_stack(net: nn.Module) -> bool:
    """Whether `StackedTrainer` gives what training alone gives: no state but parameters (batch norm
    would mix held-out clips in), and no dropout that draws for itself."""
    plain = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)
    own = any(isinstance(m, plain) and not isinstance(m, GivenDropout) for m in net.modules())
    return not own and not any(True for _ in net.buffers())
