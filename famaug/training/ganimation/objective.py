"""GANimation's training step, by the loop's protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from famaug.errors import InputError
from famaug.generator.networks.au_maps import RAMP, SCALE, au_maps
from famaug.generator.networks.compose import compose
from famaug.generator.networks.critics import PatchCritic, SequenceCritic
from famaug.generator.networks.ganimation import GanimationGenerator, Outputs
from famaug.training.ganimation.losses import (
    GanimationLossWeights,
    cycle_error,
    gradient_penalty,
    known_error,
    motion_error,
    total_variation,
    units_error,
    wasserstein,
)
from famaug.training.loop.engine import Engine, frozen
from famaug.training.loop.objective import Batch
from famaug.types import AUS


@dataclass(frozen=True, kw_only=True)
class GanimationOptions:
    """How GANimation is trained; the defaults are the published ones.

    Attributes:
        size: side of the pictures.
        generator_every: steps of the critic for one of the generator.
        learning_rate, betas: of every Adam.
        flow_rate: of the motion head, over the learning rate: it sums over so many features that at
            the full rate a step swings it by pixels.
        penalty_step: "separate": a step of its own for the gradient penalty, as the authors' code;
            "joint": with the critic's other terms, as the re-implementations.
        weights: of the losses.
        ramp: of the AU maps, in sides of the picture.
    """

    size: int = 128
    generator_every: int = 5
    learning_rate: float = 1e-4
    flow_rate: float = 1.0
    betas: tuple[float, float] = (0.5, 0.999)
    penalty_step: Literal["separate", "joint"] = "separate"
    weights: GanimationLossWeights = field(default_factory=GanimationLossWeights)
    ramp: float = RAMP

    def __post_init__(self) -> None:
        if self.penalty_step not in ("separate", "joint"):
            raise InputError(f"penalty_step is 'separate' or 'joint'; got {self.penalty_step!r}")
        rates = (self.learning_rate, self.flow_rate)
        if self.generator_every < 1 or not min(rates) > 0:
            raise InputError(
                "generator_every is at least 1, learning_rate and flow_rate are above 0; got "
                f"{self.generator_every}, {rates[0]} and {rates[1]}"
            )


class GanimationObjective:
    """A generator against a critic of pictures and, if there is one, a critic of clips.

    Batches hold (rows B):
        picture    `B 3 S S` in [-1, 1]
        intensity  `B 2 17`, its AUs, 0-5
        target     `B 2 17`, the AUs asked for; noise may carry them a little outside of 0-5
        midline    `B 2 2`, pixels
        mix        `B`, in 0-1, of the gradient penalty
    and for `weights.known` and `motion` also
        true       `B 3 S S`, what is to come out: `picture` with the AUs `target`
        is_known   `B`, 1 where `true` is that, 0 where it is `picture` itself
        motion     `B 2 S/2 S/2`, where places of `true` come from in the scene at rest, half sides
        from_rest  `B`, 1 where `picture` is that scene at rest
    and for a sequence critic also
        clip       `B 3 T S S`, consecutive real frames
        curve      `B T 2 17`, AUs through a clip that the generator is to render on `picture`
        clip_mix   `B`

    Args:
        engine: where.
        generator, critic: the networks. A critic of 34 units regresses both sides, one of 17 their
            mean.
        sequence_critic: or None.
        options: how.

    Raises:
        InputError: a critic of other units or of another size.
    """

    def __init__(
        self,
        engine: Engine,
        generator: GanimationGenerator,
        critic: PatchCritic,
        *,
        sequence_critic: SequenceCritic | None = None,
        options: GanimationOptions,
    ) -> None:
        units = critic.settings["units"]
        if units not in (len(AUS), 2 * len(AUS)) or critic.settings["size"] != options.size:
            raise InputError(
                f"the critic must regress {len(AUS)} AUs (or {2 * len(AUS)}, both sides) of "
                f"pictures of {options.size} pixels; got {units} of {critic.settings['size']}"
            )
        self.engine, self.options = engine, options
        self.sided = units == 2 * len(AUS)
        self.generator = generator.train().to(engine.device)
        self.critic = critic.train().to(engine.device)
        self.networks: Mapping[str, nn.Module] = {"generator": generator, "critic": critic}
        self.sequence_critic = sequence_critic
        if sequence_critic is not None:
            sequence_critic.train().to(engine.device)
            self.networks = {**self.networks, "sequence_critic": sequence_critic}
        self.averaged: Sequence[str] = ("generator",)
        self.optimizers: Mapping[str, Optimizer] = {
            name: Adam(_groups(net, options), lr=options.learning_rate, betas=options.betas)
            for name, net in self.networks.items()
        }

    def step(self, batch: Batch, number: int) -> dict[str, Tensor]:
        """The critics' step and, every `generator_every`-th time, the generator's."""
        losses = self._critic_step(batch)
        if self.sequence_critic is not None:
            losses |= self._sequence_step(self.sequence_critic, batch)
        if (number + 1) % self.options.generator_every == 0:
            losses |= self._generator_step(batch)
        return losses

    def _critic_step(self, batch: Batch) -> dict[str, Tensor]:
        weights, picture = self.options.weights, batch["picture"]
        with torch.no_grad(), self.engine.autocast():
            fake, _ = self._rendered(picture, batch["target"], batch["midline"])
        shown, intensity = _real(batch)
        with self.engine.autocast():
            real, units = self.critic(shown)
            judged, _ = self.critic(fake)
        losses = {
            "critic/wasserstein": weights.adversarial * wasserstein(real, judged),
            "critic/units": weights.units * units_error(units, self._wanted(intensity)),
        }
        alone = self.options.penalty_step == "separate"
        if alone:
            self._minimise(losses, "critic")
        mixed = gradient_penalty(self.critic, shown, fake, batch["mix"])
        penalty = {"critic/penalty": weights.penalty * mixed}
        # the published step moves the head of the AUs too, which the penalty does not reach
        self._minimise(penalty if alone else losses | penalty, "critic", all_move=alone)
        losses |= penalty
        return _detached(losses)

    def _sequence_step(self, critic: SequenceCritic, batch: Batch) -> dict[str, Tensor]:
        weights = self.options.weights
        with torch.no_grad(), self.engine.autocast():
            fake = self._rendered_clip(batch)
        with self.engine.autocast():
            realness = wasserstein(critic(batch["clip"]), critic(fake))
        mixed = gradient_penalty(critic, batch["clip"], fake, batch["clip_mix"])
        losses = {
            "sequence/wasserstein": weights.adversarial * realness,
            "sequence/penalty": weights.penalty * mixed,
        }
        self._minimise(losses, "sequence_critic")
        return _detached(losses)

    def _generator_step(self, batch: Batch) -> dict[str, Tensor]:
        weights, picture, midline = self.options.weights, batch["picture"], batch["midline"]
        judges = [n for name, n in self.networks.items() if name != "generator"]
        with frozen(*judges):
            with self.engine.autocast():
                fake, there = self._rendered(picture, batch["target"], midline)
                judged, units = self.critic(fake)
            masks, wanted = [there.attention], self._wanted(batch["target"])
            losses = {
                "generator/adversarial": -weights.adversarial * judged.mean(),
                "generator/units": weights.units * units_error(units, wanted),
            }
            if weights.cycle:  # half of the step's time
                with self.engine.autocast():
                    back, again = self._rendered(fake, batch["intensity"], midline)
                masks.append(again.attention)
                losses["generator/cycle"] = weights.cycle * cycle_error(back, picture)
            losses |= {
                "generator/attention": weights.attention
                * torch.stack([m.mean() for m in masks]).sum(),
                "generator/smoothness": weights.smoothness * self._variation(masks),
            }
            if weights.known:
                far = known_error(fake, batch["true"], batch["is_known"])
                losses["generator/known"] = weights.known * far
            if weights.motion and there.flow is not None:
                far = motion_error(there.flow, batch["motion"], batch["from_rest"])
                losses["generator/motion"] = weights.motion * far
            if self.sequence_critic is not None:
                with self.engine.autocast():
                    seen = self.sequence_critic(self._rendered_clip(batch))
                losses["generator/sequence"] = -weights.sequence * seen.mean()
            self._minimise(losses, "generator")
        return {**_detached(losses), "mean_attention": masks[0].detach().mean()}

    def _variation(self, masks: Sequence[Tensor]) -> Tensor:
        """A sum is over the batches of all processes, whose gradients are averaged."""
        how = self.options.weights.smoothness_reduction
        total = torch.stack([total_variation(m, how) for m in masks]).sum()
        return total * (self.engine.processes if how == "sum" else 1)

    def _rendered(
        self, picture: Tensor, intensity: Tensor, midline: Tensor
    ) -> tuple[Tensor, Outputs]:
        maps = au_maps(intensity, midline, self.options.size, ramp=self.options.ramp)
        found: Outputs = self.generator(picture, maps)
        flow = None if found.flow is None else found.flow.float()
        outputs = Outputs(found.colour.float(), found.attention.float(), flow)
        return compose(picture, outputs), outputs

    def _rendered_clip(self, batch: Batch) -> Tensor:
        """`B 3 T S S`: the curve's AUs on the picture, frame by frame."""
        curve = batch["curve"]
        count, length = curve.shape[:2]
        picture, midline = (batch[k].repeat_interleave(length, 0) for k in ("picture", "midline"))
        frames, _ = self._rendered(picture, curve.flatten(0, 1), midline)
        return frames.view(count, length, *frames.shape[1:]).transpose(1, 2)

    def _wanted(self, intensity: Tensor) -> Tensor:
        """What the critic is to read: `B 17` or `B 34`, AUs / 5."""
        return (intensity.flatten(1) if self.sided else intensity.mean(1)) / SCALE

    def _minimise(self, losses: Mapping[str, Tensor], name: str, *, all_move: bool = False) -> None:
        total = torch.stack([v.float() for v in losses.values()]).sum()
        names = ", ".join(losses)
        self.engine.minimise(total, self.optimizers[name], name=names, all_move=all_move)


def _groups(network: nn.Module, options: GanimationOptions) -> list[dict[str, Any]]:
    """Parameters with their rates, a motion head's by themselves."""
    head = getattr(network, "flow", None)
    if head is None:
        return [{"params": [*network.parameters()]}]
    mine = {id(p) for p in head.parameters()}
    others = [p for p in network.parameters() if id(p) not in mine]
    rate = options.flow_rate * options.learning_rate
    return [{"params": others}, {"params": [*head.parameters()], "lr": rate}]


def _real(batch: Batch) -> tuple[Tensor, Tensor]:
    """Pictures for the critic, and their AUs: what is to come out shows more of them than what is
    shown to the generator, which is often at rest."""
    if "true" not in batch:
        return batch["picture"], batch["intensity"]
    known = batch["is_known"].view(-1, 1, 1) > 0
    return batch["true"], torch.where(known, batch["target"], batch["intensity"])


def _detached(losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().float() for name, value in losses.items()}
