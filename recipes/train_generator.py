"""Train GANimation's generator, as published or with left and right, motion and clips.

    famaug train generator CONFIG.yaml                 (the same, as a command)
    python recipes/train_generator.py ganimation-paper
    python recipes/train_generator.py CONFIG.yaml faces.root=my/faces faces.table=aus.csv
    accelerate launch --multi_gpu recipes/train_generator.py CONFIG.yaml      (several GPUs)
    torchrun --nproc-per-node 2 recipes/train_generator.py CONFIG.yaml        (several on CPUs)

The same command goes on where it was stopped. The folder `out` holds config.yaml, log.jsonl,
tensorboard/, samples/, checkpoint.safetensors and generator.safetensors (the averaged weights).
Warnings say what to turn where the generator collapses.
"""

from __future__ import annotations

import argparse
import json
import warnings

from famaug.commands.terminal import echo, run_script
from famaug.config.ganimation import (
    GANIMATION,
    asks_for_known,
    divided,
    open_faces,
    open_watchers,
    setting_of,
)
from famaug.config.loop import loop_options, open_engine, run_training
from famaug.configs import find_config
from famaug.errors import CollapseWarning
from famaug.generator.networks.critics import PatchCritic, SequenceCritic
from famaug.generator.networks.ganimation import GanimationGenerator
from famaug.generator.networks.saved import note_of
from famaug.training.ganimation.face_batches import FaceBatches
from famaug.training.ganimation.losses import GanimationLossWeights
from famaug.training.ganimation.objective import GanimationObjective, GanimationOptions
from famaug.training.loop.schedule import LinearDecay
from famaug.training.loop.training import Training
from famaug.types import AUS


def main(given: argparse.Namespace) -> None:
    warnings.simplefilter("always", CollapseWarning)

    # 1. The config: `of(X)` are the arguments of X that it names, or their defaults.
    config = GANIMATION.read(find_config(given.config, "generator"), given.overrides)
    of, seed = config.arguments, config["seed"]
    engine = open_engine(config)

    # 2. Faces, cut out and measured once; of several processes the main one does it.
    with engine.main_first():
        faces = open_faces(config, progress=echo if engine.is_main else lambda text: None)
    train, held = divided(faces, config["faces.held_out"], config["faces.hold_out"])
    batches = FaceBatches(
        faces,
        rows=train,
        batch_size=config["training.batch_size"],
        seed=seed,
        known=asks_for_known(config),
        **of(FaceBatches),
    )

    # 3. A generator against a critic of pictures and, with `network.sequence`, one of clips.
    generator = GanimationGenerator(seed=seed, **of(GanimationGenerator))
    units = len(AUS) * (2 if config["network.both_sides"] else 1)
    critic = PatchCritic(seed=seed, size=faces.size, units=units, **of(PatchCritic))
    clips = SequenceCritic(seed=seed, **of(SequenceCritic)) if config["network.sequence"] else None

    # 4. What is minimised.
    weights = GanimationLossWeights(**of(GanimationLossWeights))
    options = GanimationOptions(size=faces.size, weights=weights, **of(GanimationOptions))
    objective = GanimationObjective(
        engine, generator, critic, sequence_critic=clips, options=options
    )

    # 5. The loop: full rate, then down to zero; it goes on from its checkpoint.
    full, decay = config["training.epochs"], config["training.decay_epochs"]
    rate = LinearDecay(full=full, decay=decay, epoch=batches.steps_per_epoch)
    people = faces.part(train).subjects
    training = Training(
        objective,
        batches,
        engine,
        loop_options(config, rate.steps),
        config["out"],
        setting_of(config, faces, train),
        rate=rate,
        watchers=open_watchers(config, faces, held if len(held) else train),
        notes={
            "generator": note_of(generator, scale=faces.scale, size=faces.size, subjects=people)
        },
        watch=lambda record: echo(json.dumps(record)),
    )
    done = run_training(training, config)
    if engine.is_main:
        echo(f"{done} of {training.options.steps} steps; {training.folder}")


if __name__ == "__main__":
    run_script(main, __doc__)
