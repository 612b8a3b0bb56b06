"""Tiny GANimation trainings on made faces; also as a process of its own:

python ganimation_builders.py FOLDER STEPS
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from famaug.generator.networks.critics import PatchCritic, SequenceCritic
from famaug.generator.networks.ganimation import GanimationGenerator
from famaug.seeding import keyed_generator
from famaug.training.ganimation.face_batches import FaceBatches
from famaug.training.ganimation.faces import LOOSE, FaceSet
from famaug.training.ganimation.losses import GanimationLossWeights
from famaug.training.ganimation.objective import GanimationObjective, GanimationOptions
from famaug.training.loop.engine import Engine
from famaug.training.loop.training import LoopOptions, Training

SIZE = 32


def made_faces(count: int = 24, *, clips: int = 2, sided: bool = True) -> FaceSet:
    """Noise with a bar whose place tells AU12, in `clips` clips of equal length."""
    draw = keyed_generator(0, "made faces")
    intensity = draw.uniform(0, 4, (count, 2, 17)).astype(np.float32)
    if not sided:
        intensity[:, 1] = intensity[:, 0]
    pictures = draw.integers(0, 60, (count, SIZE, SIZE, 3)).astype(np.uint8)
    for i in range(count):
        place = int(intensity[i, :, 8].mean() * 6)
        pictures[i, place : place + 4] += 150
    line = np.array([[16.0, 0.0], [15.0, 31.0]], np.float32)
    length = count // clips
    return FaceSet(
        pictures,
        intensity,
        np.repeat(line[None], count, 0),
        np.arange(count, dtype=np.int64) // length,
        np.arange(count, dtype=np.int64) % length,
        np.full(count, LOOSE),
        np.zeros((0, 2, SIZE // 2, SIZE // 2), np.float16),
        tuple(f"clip{i // length}#{i % length}" for i in range(count)),
        "famaug",
        {},
    )


def made_objective(
    *,
    both_sides: bool = True,
    sequence: bool = False,
    flow: bool = True,
    engine: Engine | None = None,
    **options: object,
) -> GanimationObjective:
    return GanimationObjective(
        engine or Engine(device="cpu"),
        GanimationGenerator(width=4, blocks=1, flow=flow),
        PatchCritic(width=4, layers=3, size=SIZE, units=34 if both_sides else 17),
        sequence_critic=SequenceCritic(width=4, layers=2) if sequence else None,
        options=GanimationOptions(size=SIZE, **options),  # type: ignore[arg-type]
    )


def made_training(folder: Path, steps: int, **options: object) -> Training:
    engine = Engine(device="cpu")
    weights = GanimationLossWeights(smoothness=1e-2)  # by sum, and large enough to be seen
    return Training(
        made_objective(
            sequence=True, engine=engine, weights=weights, learning_rate=1e-3, generator_every=2
        ),
        FaceBatches(made_faces(), batch_size=4, clip_length=4),
        engine,
        LoopOptions(
            steps=steps, batch_size=4, log_every=2, checkpoint_every=6, ema_decay=0.9,
            tensorboard=False, **options,  # type: ignore[arg-type]
        ),
        folder,
        {"name": "made"},
    )  # fmt: skip


if __name__ == "__main__":
    torch.set_num_threads(1)
    training = made_training(Path(sys.argv[1]), int(sys.argv[2]))
    print(f"one of {training.engine.processes} processes", flush=True)
    training.run()
