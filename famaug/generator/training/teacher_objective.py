"""The compact generator's training step: to paint what the teacher shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from famaug.errors import InputError
from famaug.generator.networks.compact import CompactGenerator
from famaug.generator.networks.compose import compose
from famaug.generator.training.engine import Engine
from famaug.generator.training.objective import Batch


@dataclass(frozen=True, kw_only=True)
class TeacherOptions:
    """Weights of the losses.

    Attributes:
        learning_rate: of AdamW.
        pixels: of the difference to the teacher's picture, over the change asked for.
        edges: of the difference of its gradients, over theirs: furrows are thin.
        paint: of what is painted rather than moved.
        floor: change (mean absolute, [-1, 1]) below which a lesson is not amplified further.
    """

    learning_rate: float = 6e-4
    pixels: float = 1.0
    edges: float = 1.0
    paint: float = 0.02
    floor: float = 0.002

    def __post_init__(self) -> None:
        if not self.learning_rate > 0 or min(self.pixels, self.edges, self.paint) < 0:
            raise InputError(f"rates are above 0 and weights at least 0; got {self}")


class TeacherObjective:
    """Each lesson's error is divided by the change that it asks for, so that a lifted lid counts
    as much as a dropped jaw: small AUs vanish in a plain L1 loss.

    Batches as of `TeacherBatches`.

    Args:
        engine: where.
        generator: the network.
        options: weights.
    """

    def __init__(
        self, engine: Engine, generator: CompactGenerator, *, options: TeacherOptions
    ) -> None:
        self.engine, self.options = engine, options
        self.generator = generator.train().to(engine.device)
        self.networks: Mapping[str, nn.Module] = {"generator": generator}
        self.averaged: Sequence[str] = ("generator",)
        self.optimizers: Mapping[str, Optimizer] = {
            "generator": AdamW(
                generator.parameters(), lr=options.learning_rate, betas=(0.9, 0.98),
                weight_decay=1e-4,
            )
        }  # fmt: skip

    def step(self, batch: Batch, number: int) -> dict[str, Tensor]:
        """One step; logs the error over the change asked for (1: as bad as no motion)."""
        picture, target, o = batch["picture"], batch["target"], self.options
        with self.engine.autocast():
            outputs = self.generator(picture, batch["maps"], batch["prior"], batch["support"])
        out = compose(picture, type(outputs)(*(v if v is None else v.float() for v in outputs)))
        losses = {
            "pixels": relative_error(out, target, picture, floor=o.floor).mean(),
            "edges": relative_error(
                _slopes(out), _slopes(target), _slopes(picture), floor=o.floor
            ).mean(),
            "paint": (1 - outputs.attention.float()).mean()
            / batch["support"].mean().clamp(min=0.05),
        }
        weights = {"pixels": o.pixels, "edges": o.edges, "paint": o.paint}
        weighted = {k: weights[k] * v for k, v in losses.items()}
        total = torch.stack([*weighted.values()]).sum()
        self.engine.minimise(total, self.optimizers["generator"], name=", ".join(losses))
        return {k: v.detach().float() for k, v in losses.items()}


def relative_error(out: Tensor, target: Tensor, before: Tensor, *, floor: float) -> Tensor:
    """`B`: mean absolute difference to the target over the change from before to the target."""
    wrong = (out - target).abs().mean((1, 2, 3))
    change = (target - before).abs().mean((1, 2, 3))
    return wrong / change.clamp(min=floor)


def _slopes(x: Tensor) -> Tensor:
    """Differences along x and y, `B 2C H-1 W-1`."""
    dx = x[..., :-1, 1:] - x[..., :-1, :-1]
    dy = x[..., 1:, :-1] - x[..., :-1, :-1]
    return torch.cat([dx, dy], 1)
