"""A tiny adversarial training for the tests of the loop, also as a process of its own:

python toy_training.py FOLDER STEPS [pause seconds] [poison step]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from famaug.seeding import keyed_generator
from famaug.training.loop.engine import Engine, frozen
from famaug.training.loop.objective import Batch
from famaug.training.loop.training import LoopOptions, Training


class ToySource:
    """Points on a line, drawn by step and row."""

    def __init__(self, poison: int | None = None) -> None:
        self.poison = poison

    def batch(self, number: int, rows: range) -> Batch:
        draws = [keyed_generator(0, "toy", number, row).normal(size=6) for row in rows]
        x = torch.from_numpy(np.stack(draws)).float()
        if number == self.poison:
            x[-1, 0] = float("nan")
        return {"x": x[:, :4], "y": x[:, 4:]}


class ToyObjective:
    """A generator against a critic, each with Adam; the generator moves every third step."""

    def __init__(self, engine: Engine, *, wait: float = 0.0) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.generator = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
            self.critic = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
        self.engine, self.wait = engine, wait
        self.networks = {"generator": self.generator, "critic": self.critic}
        self.averaged = ("generator",)
        self.optimizers = {
            name: torch.optim.Adam(net.parameters(), lr=1e-2) for name, net in self.networks.items()
        }
        for net in self.networks.values():
            net.to(engine.device)

    def step(self, batch: Batch, number: int) -> dict[str, Tensor]:
        time.sleep(self.wait)
        made = self.generator(batch["x"])
        critic = (self.critic(made.detach()) - self.critic(batch["y"])).mean()
        critic = critic + 10 * (self.critic(batch["y"]) ** 2).mean()
        self.engine.minimise(critic, self.optimizers["critic"], name="critic")
        losses = {"critic": critic}
        if (number + 1) % 3 == 0:
            with frozen(self.critic):
                losses["generator"] = -self.critic(made).mean() + (made**2).mean()
                self.engine.minimise(
                    losses["generator"], self.optimizers["generator"], name="generator"
                )
        return losses


class ToyWatcher:
    name, every = "toy", 20

    def look(self, number: int, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        return {"weight": float(networks["generator"][0].weight.sum())}  # type: ignore[index]


def toy_training(
    folder: Path,
    steps: int,
    *,
    wait: float = 0.0,
    poison: int | None = None,
    setting: str = "toy",
    tensorboard: bool = False,
    workers: int = 0,
    checkpoint_every: int = 20,
    seconds: float | None = None,
) -> Training:
    engine = Engine(device="cpu")
    return Training(
        ToyObjective(engine, wait=wait),
        ToySource(poison),
        engine,
        LoopOptions(
            steps=steps,
            batch_size=8,
            log_every=10,
            checkpoint_every=checkpoint_every,
            ema_decay=0.9,
            tensorboard=tensorboard,
            workers=workers,
            seconds=seconds,
        ),
        folder,
        {"name": setting},
        rate=lambda number: 1 - number / 1000,
        watchers=[ToyWatcher()],
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    pause = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
    bad = int(sys.argv[4]) if len(sys.argv) > 4 else None
    training = toy_training(Path(sys.argv[1]), int(sys.argv[2]), wait=pause, poison=bad)
    print("ready", flush=True)
    training.run()
    print("done", flush=True)
