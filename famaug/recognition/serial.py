"""One fold after another: any network."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from famaug.recognition.dropout import MaskSource, given_masks
from famaug.recognition.recognisers import scaled
from famaug.recognition.schedule import Step
from famaug.recognition.training import Problem
from famaug.seeding import keyed_generator
from famaug.types import Floats


class SerialTrainer:
    """Trains one fold with torch's own modules and AdamW."""

    def __init__(self, problem: Problem, fold: int) -> None:
        self.folds = [fold]
        self.seed, self.device = problem.seed, torch.device(problem.options.device)
        self.amp = problem.options.amp
        net, self.spec = problem.build(fold)
        self.net = net.to(self.device)
        self.inputs, self.labels = problem.data()
        self.weights = problem.class_weights([fold])[0].to(self.device)
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(),
            lr=problem.options.learning_rate,
            weight_decay=problem.options.weight_decay,
        )

    def step(self, step: Step) -> Floats:
        rows = torch.from_numpy(np.flatnonzero(step.member[self.folds[0]]))
        if len(rows) < 2:
            return np.asarray([np.nan], np.float32)
        items = torch.from_numpy(step.items)[rows]
        masks = MaskSource(self.seed, step.epoch, step.step, samples=len(step.items), rows=rows)
        x = scaled(self.inputs[items].to(self.device), self.spec)
        truth = self.labels[items].to(self.device)
        self.net.train()
        # layers of other libraries draw from torch's own stream: give it a key of its own
        with torch.random.fork_rng(), given_masks(self.net, masks):
            name = f"fold{self.folds[0]}"
            key = keyed_generator(self.seed, step.epoch, step.step, name).integers(2**62)
            torch.manual_seed(int(key))
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.amp):
                logits = self.net(x)
            loss = nn.functional.cross_entropy(logits.float(), truth, self.weights)
            self.optimizer.zero_grad()
            torch.autograd.backward([loss])
            self.optimizer.step()
        return np.asarray([float(loss.detach())], np.float32)

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
