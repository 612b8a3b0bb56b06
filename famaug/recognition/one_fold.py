"""One fold after another: any network."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from famaug.recognition.networks.dropout import MaskSource, given_masks
from famaug.recognition.problem import Problem
from famaug.recognition.recognisers import scaled
from famaug.recognition.schedule import Step
from famaug.seeding import keyed_generator
from famaug.types import Floats


class SingleFold:
    """Trains one fold with torch's own modules and AdamW.

    Args:
        problem: what.
        fold: which of its folds.
    """

    def __init__(self, problem: Problem, fold: int) -> None:
        self.folds = [fold]
        self.seed, self.device = problem.seed, torch.device(problem.options.device)
        self.amp = problem.options.amp
        net, self.spec = problem.build(fold)
        self.net = net.to(self.device)
        self.inputs, self.labels = problem.data(fold)
        self.weights = problem.class_weights([fold])[0].to(self.device)
        self.augmented, self.rates = problem.augmentation(self.spec), problem.learning_rates()
        self.smoothing = problem.options.label_smoothing
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(),
            lr=problem.options.learning_rate,
            weight_decay=problem.options.weight_decay,
        )

    def step(self, step: Step) -> Floats:
        rows = torch.from_numpy(np.flatnonzero(step.member[self.folds[0]]))
        if len(rows) < 2:
            return np.asarray([np.nan], np.float32)
        self.net.train()
        items = torch.from_numpy(step.items)[rows]
        pictures = self.augmented(self.inputs[items].to(self.device), step, rows)
        x = scaled(pictures, self.spec)
        logits = self._logits(x, step, rows)
        truth = self.labels[items].to(self.device)
        loss = nn.functional.cross_entropy(
            logits, truth, self.weights, label_smoothing=self.smoothing
        )
        for group in self.optimizer.param_groups:
            group["lr"] = self.rates[step.step]
        self.optimizer.zero_grad()
        torch.autograd.backward([loss])
        self.optimizer.step()
        return np.asarray([float(loss.detach())], np.float32)

    def _logits(self, x: Tensor, step: Step, rows: Tensor) -> Tensor:
        """float32 `n C` of the network in training, with the dropout of this step for the rows `n`
        of its batch."""
        at = (step.epoch, step.step)
        masks = MaskSource(self.seed, *at, samples=len(step.items), rows=rows)
        with torch.random.fork_rng(), given_masks(self.net, masks):
            # layers of other libraries draw from torch's own stream: it gets a key of its own
            key = keyed_generator(self.seed, *at, f"fold{self.folds[0]}")
            torch.manual_seed(int(key.integers(2**62)))
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.amp):
                found: Tensor = self.net(x)
            return found.float()

    def state(self, place: int) -> dict[str, Tensor]:
        return {k: v.detach().cpu().clone() for k, v in self.net.state_dict().items()}

    def tensors(self) -> dict[str, Tensor]:
        found = {f"net.{k}": v for k, v in self.net.state_dict().items()}
        for i, slot in self.optimizer.state_dict()["state"].items():
            found |= {f"adam.{i}.{k}": v for k, v in slot.items()}
        return found

    def restore(self, tensors: dict[str, Tensor]) -> None:
        net = {k[4:]: v for k, v in tensors.items() if k.startswith("net.")}
        self.net.load_state_dict(net)
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("adam."):
                _, i, name = key.split(".")
                slots.setdefault(int(i), {})[name] = value
        state = self.optimizer.state_dict()
        self.optimizer.load_state_dict({**state, "state": slots})
