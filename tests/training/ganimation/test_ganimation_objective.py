"""GANimation's losses and training step."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from famaug.errors import InputError
from famaug.generator.networks.critics import PatchCritic
from famaug.seeding import keyed_generator
from famaug.training.ganimation.face_batches import FaceBatches
from famaug.training.ganimation.losses import (
    GanimationLossWeights,
    gradient_penalty,
    total_variation,
    units_error,
    wasserstein,
)
from famaug.training.ganimation.objective import GanimationObjective
from famaug.training.loop.engine import Engine
from famaug.training.loop.log import read_log
from famaug.training.loop.objective import Batch
from famaug.training.loop.training import CHECKPOINT
from famaug.weights.tensor_files import load_tensors
from tests.training.ganimation.ganimation_builders import (
    SIZE,
    made_faces,
    made_objective,
    made_training,
)

JOB = Path(__file__).with_name("ganimation_builders.py")


def drawn(*shape: int) -> Tensor:
    return torch.from_numpy(keyed_generator(2, "losses").uniform(0, 1, shape)).float()


def first_batch(**changes: object) -> Batch:
    return FaceBatches(made_faces(), batch_size=4, **changes).batch(0, range(4))  # type: ignore[arg-type]


def copied(network: nn.Module) -> list[Tensor]:
    return [p.detach().clone() for p in network.parameters()]


def unchanged(network: nn.Module, before: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(network.parameters(), before, strict=True))


def test_effective_weights_are_those_of_the_published_code() -> None:
    """4000 x MSE / B at its batch of 25; 1e-5 x the sum of the variation at 25 x 128 x 128."""
    predicted, wanted = drawn(25, 17), drawn(25, 17).flip(0)
    coded = 4000 * nn.MSELoss()(predicted, wanted) / 25
    assert torch.allclose(GanimationLossWeights().units * units_error(predicted, wanted), coded)
    mask = drawn(25, 1, 128, 128)
    by_sum = GanimationLossWeights().smoothness * total_variation(mask, "sum")
    assert torch.allclose(by_sum, 4.064 * total_variation(mask, "mean"), rtol=1e-3)
    across, down = np.abs(np.diff(mask, axis=3)), np.abs(np.diff(mask, axis=2))
    assert float(by_sum) == pytest.approx(1e-5 * float(across.sum() + down.sum()), rel=1e-5)


def test_gradient_penalty_of_a_linear_critic() -> None:
    """Its slope is its weights everywhere; the patches' gradients add up."""
    linear = nn.Conv2d(3, 1, 8, bias=False)
    nn.init.constant_(linear.weight, 0.5)
    real, fake, mix = drawn(2, 3, 8, 8), drawn(2, 3, 8, 8).flip(0), drawn(2)
    found = gradient_penalty(linear, real, fake, mix)
    assert float(found.detach()) == pytest.approx((0.5 * 192**0.5 - 1) ** 2, rel=1e-5)
    torch.autograd.backward([found])
    assert float(linear.weight.grad.abs().min()) > 0


def test_a_critic_wants_real_above_fake() -> None:
    assert float(wasserstein(torch.ones(3), torch.zeros(3))) == -1


def test_the_generator_moves_every_fifth_step() -> None:
    objective, batch = made_objective(), first_batch()
    generator, critic = copied(objective.generator), copied(objective.critic)
    for number in range(4):
        losses = objective.step(batch, number)
        assert set(losses) == {"critic/wasserstein", "critic/units", "critic/penalty"}
    assert unchanged(objective.generator, generator)
    assert not unchanged(objective.critic, critic)
    losses = objective.step(batch, 4)
    assert {"generator/adversarial", "generator/units", "generator/cycle", "generator/attention",
            "generator/smoothness", "mean_attention"} < set(losses)  # fmt: skip
    assert not unchanged(objective.generator, generator)
    assert all(v.ndim == 0 and not v.requires_grad for v in losses.values())


def test_the_generator_step_leaves_the_critic() -> None:
    objective, batch = made_objective(generator_every=1, sequence=True), first_batch(clip_length=4)
    objective._critic_step(batch)
    before, clips = copied(objective.critic), copied(objective.sequence_critic)
    slopes = [p.grad.clone() for p in objective.critic.parameters()]
    objective._generator_step(batch)
    assert unchanged(objective.critic, before)
    after = [p.grad for p in objective.critic.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(slopes, after, strict=True))
    assert unchanged(objective.sequence_critic, clips)
    assert all(p.requires_grad for p in objective.critic.parameters())


@pytest.mark.parametrize(("how", "steps"), [("separate", 2), ("joint", 1)])
def test_the_penalty_has_a_step_of_its_own_or_not(how: str, steps: int) -> None:
    objective = made_objective(penalty_step=how)
    objective.step(first_batch(), 0)
    slots = objective.optimizers["critic"].state.values()
    assert {int(slot["step"]) for slot in slots} == {steps}  # the AUs' head too, as published


def test_what_is_reported_is_what_is_minimised() -> None:
    """The weighted terms, computed again here from the networks before the step."""
    objective, batch = made_objective(generator_every=1, penalty_step="joint"), first_batch()
    with torch.no_grad():
        fake, _ = objective._rendered(batch["picture"], batch["target"], batch["midline"])
        real, units = objective.critic(batch["picture"])
        judged, _ = objective.critic(fake)
        want = 160 * ((units - batch["intensity"].flatten(1) / 5) ** 2).mean()
    losses = objective.step(batch, 1)
    assert float(losses["critic/units"]) == pytest.approx(float(want), rel=1e-5)
    assert float(losses["critic/wasserstein"]) == pytest.approx(
        float(judged.mean() - real.mean()), abs=1e-6
    )


def test_a_critic_of_17_reads_the_mean_of_both_sides() -> None:
    objective, batch = made_objective(both_sides=False), first_batch()
    wanted = objective._wanted(batch["intensity"])
    assert torch.allclose(wanted, batch["intensity"].mean(1) / 5)
    assert made_objective()._wanted(batch["intensity"]).shape == (4, 34)


def test_it_learns_to_read_and_to_cycle(tmp_path: Path) -> None:
    objective = made_objective(learning_rate=2e-3, generator_every=2)
    source = FaceBatches(made_faces(), batch_size=8)
    seen = [objective.step(source.batch(n, range(8)), n) for n in range(60)]
    for name in ("critic/units", "generator/cycle"):
        values = [float(s[name]) for s in seen if name in s]
        assert np.mean(values[-5:]) < 0.7 * np.mean(values[:5])


def test_half_precision(tmp_path: Path) -> None:
    engine = Engine(device="cpu", precision="bf16")
    objective = made_objective(engine=engine, generator_every=1, sequence=True)
    exact = made_objective(generator_every=1, sequence=True)
    batch = first_batch(clip_length=4)
    half, full = objective.step(batch, 0), exact.step(batch, 0)
    assert half["critic/units"] != full["critic/units"]
    for name, value in full.items():
        assert float(half[name]) == pytest.approx(float(value), rel=0.1, abs=0.05), name


def test_resumed_is_as_if_never_stopped(tmp_path: Path) -> None:
    made_training(tmp_path / "whole", 18).run()
    made_training(tmp_path / "parts", 6).run()
    made_training(tmp_path / "parts", 18).run()
    whole, parts = (load_tensors(tmp_path / n / CHECKPOINT)[0] for n in ("whole", "parts"))
    assert {k.split("/")[1] for k in whole} == {"generator", "critic", "sequence_critic"}
    assert all(torch.equal(v, parts[k]) for k, v in whole.items())


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path: Path) -> None:
    """Same total batch: the same losses within rounding. `accelerate launch --cpu` starts one
    process however many are asked for; PyTorch's launcher starts them, accelerate joins them."""
    launch = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        str(JOB), str(tmp_path / "two"), "12",
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(launch, env=environment, timeout=120, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("one of 2 processes") == 2
    made_training(tmp_path / "one", 12).run()
    one, two = (read_log(tmp_path / n) for n in ("one", "two"))
    assert len(one) == len(two) == 6
    for mine, theirs in zip(one, two, strict=True):
        for name in mine.keys() - {"seconds_per_step"}:
            assert theirs[name] == pytest.approx(mine[name], rel=2e-3, abs=2e-4), name


def test_networks_that_do_not_fit() -> None:
    o, critic = made_objective(), PatchCritic(width=4, layers=3, size=SIZE, units=5)
    with pytest.raises(InputError, match="must regress 17 AUs"):
        GanimationObjective(o.engine, o.generator, critic, options=o.options)
    with pytest.raises(InputError, match="'separate' or 'joint'"):
        made_objective(penalty_step="none")
    with pytest.raises(InputError, match="at least 0; units are not"):
        GanimationLossWeights(units=-1)
