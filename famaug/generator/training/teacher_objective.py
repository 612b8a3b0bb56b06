"""The compact generator's training step: to paint what the lessons show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW, Optimizer

from famaug.errors import InputError
from famaug.generator.networks.compact import CompactGenerator
from famaug.generator.networks.compose import compose
from famaug.generator.networks.critics import PatchCritic
from famaug.generator.training.teacher_judges import IdentityJudge, MeshJudge
from famaug.training.engine import Engine, frozen
from famaug.training.objective import Batch


@dataclass(frozen=True, kw_only=True)
class TeacherOptions:
    """Weights of the losses; one of weight 0 is not computed.

    Attributes:
        learning_rate: of AdamW.
        pixels: of the difference to the picture of the lesson, over that of the known picture.
        edges: of the difference of its gradients, over theirs: teeth and furrows are thin.
        mouth: how many times more a pixel counts where the mouth is uncovered: that is small,
            and most of what is to be learnt.
        paint: of what is painted rather than moved.
        identity: of 1 - cosine to the face at rest (`IdentityJudge`).
        mesh: of the mesh's way from where it was asked to go (`MeshJudge`).
        judged_every: steps between those two, which are costly.
        judged_rows: rows of a batch that they look at.
        adversarial: of a critic of patches that tells the pictures made from those of the lessons
            (hinge loss).
        critic_rate: of its AdamW.
        floor: difference (mean absolute, [-1, 1]) of the known picture below which a lesson is not
            amplified further.
    """

    learning_rate: float = 6e-4
    pixels: float = 1.0
    edges: float = 1.0
    mouth: float = 20.0
    paint: float = 0.02
    identity: float = 0.0
    mesh: float = 0.0
    judged_every: int = 4
    judged_rows: int = 4
    adversarial: float = 0.0
    critic_rate: float = 2e-4
    floor: float = 0.002

    def __post_init__(self) -> None:
        weights = (
            self.pixels,
            self.edges,
            self.mouth,
            self.paint,
            self.identity,
            self.mesh,
            self.adversarial,
        )
        if not min(self.learning_rate, self.critic_rate) > 0 or min(weights) < 0:
            raise InputError(f"rates are above 0 and weights at least 0; got {self}")
        if min(self.judged_every, self.judged_rows) < 1:
            raise InputError(f"judges look at 1 row or more, every step or fewer; got {self}")


class TeacherObjective:
    """Each lesson's error is divided by that of the known picture, so that the little that is to
    be painted between lips just parted counts as much as a real laugh.

    Batches as of `TeacherBatches`.

    Args:
        engine: where.
        generator: the network.
        options: weights.
        size: side of the pictures, for the critic.
        seed: of the critic's first weights.
    """

    def __init__(
        self,
        engine: Engine,
        generator: CompactGenerator,
        *,
        options: TeacherOptions,
        size: int = 128,
        seed: int = 0,
    ) -> None:
        self.engine, self.options = engine, options
        self.generator = generator.train().to(engine.device)
        networks: dict[str, nn.Module] = {"generator": generator}
        optimizers: dict[str, Optimizer] = {
            "generator": _adam(generator, options.learning_rate, (0.9, 0.98))
        }
        self.critic: PatchCritic | None = None
        if options.adversarial > 0:
            self.critic = PatchCritic(width=16, layers=4, size=size, units=1, seed=seed)
            networks["critic"] = self.critic.train().to(engine.device)
            optimizers["critic"] = _adam(self.critic, options.critic_rate, (0.5, 0.99))
        self.networks: Mapping[str, nn.Module] = networks
        self.optimizers: Mapping[str, Optimizer] = optimizers
        self.averaged: Sequence[str] = ("generator",)
        device = str(engine.device)
        self.judges: dict[str, IdentityJudge | MeshJudge] = {}
        if options.identity > 0:
            self.judges["identity"] = IdentityJudge(device=device)
        if options.mesh > 0:
            self.judges["mesh"] = MeshJudge(device=device)

    def step(self, batch: Batch, number: int) -> dict[str, Tensor]:
        """One step; logs the error over that of the known picture (1: as good as saying nothing),
        that of real frames apart."""
        o = self.options
        with self.engine.autocast():
            outputs = self.generator(*(batch[k] for k in INPUTS))
        outputs = type(outputs)(*(v if v is None else v.float() for v in outputs))
        out = compose(batch["known"], outputs)
        target, known = batch["target"], batch["known"]
        weight = 1 + o.mouth * batch["inside"]
        errors = relative_error(out, target, known, floor=o.floor, weight=weight)
        losses = {
            "pixels": errors.mean(),
            "edges": relative_error(
                _slopes(out),
                _slopes(target),
                _slopes(known),
                floor=o.floor,
                weight=weight[..., :-1, :-1],
            ).mean(),
            "paint": (1 - outputs.attention).mean() / batch["support"].mean().clamp(min=0.05),
            **self._judged(batch, out, number),
        }
        if self.critic is not None:
            with frozen(self.critic):
                losses["adversarial"] = -self.critic(out)[0].mean()
        total = torch.stack([getattr(o, k) * v for k, v in losses.items()]).sum()
        self.engine.minimise(total, self.optimizers["generator"], name=", ".join(losses))
        losses |= self._teach_critic(target, out.detach()) | _apart(errors, batch["real"])
        return {k: v.detach().float() for k, v in losses.items()}

    def _judged(self, batch: Batch, out: Tensor, number: int) -> dict[str, Tensor]:
        """Identity and mesh, at the steps at which they are looked at."""
        if number % self.options.judged_every:
            return {}
        rows = slice(self.options.judged_rows)
        inputs = [v[rows] for v in (out, *(batch[k] for k in ("picture", "mesh", "moved")))]
        return {name: judge(*inputs).mean() for name, judge in self.judges.items()}

    def _teach_critic(self, real: Tensor, made: Tensor) -> dict[str, Tensor]:
        if self.critic is None:
            return {}
        told, missed = self.critic(real)[0], self.critic(made)[0]
        loss = F.relu(1 - told).mean() + F.relu(1 + missed).mean()
        self.engine.minimise(loss, self.optimizers["critic"], name="critic")
        return {"critic": loss}


INPUTS = ("picture", "known", "inside", "maps", "support")
"""Of the network, by their names in a batch."""


def _adam(network: nn.Module, rate: float, betas: tuple[float, float]) -> AdamW:
    return AdamW(network.parameters(), lr=rate, betas=betas, weight_decay=1e-4)


def _apart(errors: Tensor, real: Tensor) -> dict[str, Tensor]:
    """Errors of the teacher's lessons and of real frames, where there are any."""
    kinds = {"taught": errors[real < 0.5], "real": errors[real >= 0.5]}
    return {name: values.mean() for name, values in kinds.items() if len(values)}


def relative_error(
    out: Tensor, target: Tensor, before: Tensor, *, floor: float, weight: Tensor | None = None
) -> Tensor:
    """`B`: mean absolute difference to the target, over that of what was there before; with
    weights `B 1 H W` of the pixels."""
    share = 1.0 if weight is None else weight
    wrong = ((out - target).abs() * share).mean((1, 2, 3))
    change = ((target - before).abs() * share).mean((1, 2, 3))
    return wrong / change.clamp(min=floor)


def _slopes(x: Tensor) -> Tensor:
    """Differences along x and y, `B 2C H-1 W-1`."""
    dx = x[..., :-1, 1:] - x[..., :-1, :-1]
    dy = x[..., 1:, :-1] - x[..., :-1, :-1]
    return torch.cat([dx, dy], 1)
