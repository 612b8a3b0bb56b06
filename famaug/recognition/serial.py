"""One fold after another: any network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

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
    """Trains one fold with torch's own modules and AdamW.

    Args:
        problem: what.
        fold: which of its folds.
        device: another one than the problem's.
    """

    def __init__(self, problem: Problem, fold: int, *, device: str | None = None) -> None:
        self.folds = [fold]
        self.seed, self.device = problem.seed, torch.device(device or problem.options.device)
        self.amp = problem.options.amp
        net, self.spec = problem.build(fold)
        self.net = net.to(self.device)
        self.inputs, self.labels = problem.data(fold)
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
        self.net.train()
        loss = self.learn(torch.from_numpy(step.items), rows, (step.epoch, step.step))
        return np.asarray([float(loss)], np.float32)

    def learn(self, items: Tensor, rows: Tensor, at: tuple[int, int]) -> Tensor:
        """One update from rows `rows` of the samples `items`; the mean loss, detached."""
        x, truth = self.batch(items[rows])
        logits = self.logits(self.net, x, at, len(items), rows)
        loss = nn.functional.cross_entropy(logits, truth, self.weights)
        self.optimizer.zero_grad()
        torch.autograd.backward([loss])
        self.optimizer.step()
        return loss.detach()

    def batch(self, items: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and labels of samples, on the device."""
        x = scaled(self.inputs[items].to(self.device), self.spec)
        return x, self.labels[items].to(self.device)

    def logits(
        self, net: nn.Module, x: Tensor, at: tuple[int, int], samples: int, rows: Tensor
    ) -> Tensor:
        """float32 `n C` of the network in training, with the dropout of this step (`at`: epoch and
        step) for rows `rows` of a batch of `samples`."""
        masks = MaskSource(self.seed, *at, samples=samples, rows=rows)
        with self._keyed(at), given_masks(self.net, masks):
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.amp):
                found: Tensor = net(x)
            return found.float()

    def _keyed(self, at: tuple[int, int], *more: int) -> AbstractContextManager[None]:
        """Layers of other libraries draw from torch's own stream: it gets a key of its own."""
        name = f"fold{self.folds[0]}"
        return keyed_torch(int(keyed_generator(self.seed, *at, name, *more).integers(2**62)))

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


@contextmanager
def keyed_torch(key: int) -> Iterator[None]:
    """Within, torch's own random stream starts at `key`; afterwards it is as before."""
    with torch.random.fork_rng():
        torch.manual_seed(key)
        yield
