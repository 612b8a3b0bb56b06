"""What a sharpener is trained for: pixels, features and a patch discriminator (RealSR, eq. 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from famaug.errors import InputError
from famaug.perception.features import FeatureTrunk
from famaug.seeding import keyed_generator
from famaug.training.loop.engine import Engine, frozen
from famaug.training.loop.objective import Batch


@dataclass(frozen=True, kw_only=True)
class SuperresLossWeights:
    """pixel: mean absolute difference. feature: MobileNet feature distance. adversarial: least
    squares against the patch discriminator. None below 0, and not all 0."""

    pixel: float = 1.0
    feature: float = 0.1
    adversarial: float = 0.005

    def __post_init__(self) -> None:
        values = (self.pixel, self.feature, self.adversarial)
        if min(values) < 0 or max(values) <= 0:
            raise InputError(f"weights of losses are at least 0, not all 0; got {self}")


class PatchDiscriminator(nn.Module):
    """A score for each patch of about 50 pixels, `B 3 H W` to `B 1 h w`."""

    def __init__(self, features: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for width, stride in ((1, 2), (2, 2), (4, 2), (4, 1)):
            conv = nn.Conv2d(before, width * features, 4, stride, 1)
            layers += [spectral_norm(conv), nn.LeakyReLU(0.2)]
            before = width * features
        self.layers = nn.Sequential(*layers, nn.Conv2d(before, 1, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return out


class SuperresObjective:
    """Trains a sharpener; see `famaug.training.loop.objective.Objective`.

    Args:
        net: float `B 3 H W` in [0, 1] to four times the size.
        engine: where.
        trunk: frozen features; may be None where the feature weight is 0.
        weights: of the losses.
        learning_rate: of both networks.
        seed: of the discriminator's start.
    """

    averaged: Sequence[str] = ("sharpener",)

    def __init__(
        self,
        net: nn.Module,
        engine: Engine,
        *,
        trunk: FeatureTrunk | None,
        weights: SuperresLossWeights | None = None,
        learning_rate: float = 1e-4,
        seed: int = 0,
    ) -> None:
        self.weights = weights or SuperresLossWeights()
        if self.weights.feature and trunk is None:
            raise InputError("the feature loss needs a trunk")
        self.engine, self.trunk = engine, trunk
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(int(keyed_generator(seed, "discriminator").integers(2**62)))
            judge = PatchDiscriminator()
        self.net = net.train().requires_grad_(True).to(engine.device)
        self.judge = judge.train().to(engine.device)
        self.networks: Mapping[str, nn.Module] = {
            "sharpener": self.net,
            "discriminator": self.judge,
        }
        self.optimizers: Mapping[str, torch.optim.Optimizer] = {
            name: torch.optim.Adam(n.parameters(), lr=learning_rate, betas=(0.9, 0.99))
            for name, n in self.networks.items()
        }

    def step(self, batch: Batch, number: int) -> dict[str, Tensor]:
        """One step of both networks."""
        sharp, w = batch["sharp"], self.weights
        with self.engine.autocast():
            made = self.net(batch["small"]).float()
        terms = {"pixel": w.pixel * (made - sharp).abs().mean()}
        if self.trunk is not None and w.feature:
            with self.engine.autocast():
                apart = self.trunk.distance(2 * made - 1, 2 * sharp - 1).float().mean()
            terms["feature"] = w.feature * apart
        if w.adversarial:
            with self.engine.autocast(), frozen(self.judge):
                score = self.judge(made).float()
            terms["adversarial"] = w.adversarial * (score - 1).square().mean()
        loss = torch.stack([*terms.values()]).sum()
        self.engine.minimise(loss, self.optimizers["sharpener"], name="sharpener")
        if w.adversarial:
            terms["discriminator"] = self._judge_step(sharp, made.detach())
        return {name: value.detach() for name, value in terms.items()}

    def _judge_step(self, sharp: Tensor, made: Tensor) -> Tensor:
        with self.engine.autocast():
            real, fake = self.judge(torch.cat([sharp, made])).float().chunk(2)
        loss: Tensor = (real - 1).square().mean() + fake.square().mean()
        self.engine.minimise(loss, self.optimizers["discriminator"], name="discriminator")
        return loss
