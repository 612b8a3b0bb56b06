"""Fine-tune a sharpener on a folder of faces, RealSR's way.

    famaug train superres CONFIG.yaml                 (the same, as a command)
    python recipes/train_superres.py faces
    python recipes/train_superres.py faces training.seconds=2700

Blur kernels and noise are learnt from the target pictures, sharp pictures are degraded with them,
and the network learns the way back. Held-out faces are measured before and after. The same command
goes on where it was stopped. Several processes: `torchrun --nproc-per-node 2` before the file.
"""

from __future__ import annotations

import argparse
import json

from famaug.commands.terminal import echo, run_script
from famaug.config.loop import loop_options, open_engine, run_training
from famaug.config.superres import (
    SUPERRES,
    before_and_after,
    note_of,
    open_net,
    open_pools,
    setting_of,
    split_pictures,
)
from famaug.configs import find_config
from famaug.media.clips import read_picture
from famaug.perception.features import FeatureTrunk
from famaug.training.loop.schedule import LinearDecay
from famaug.training.loop.training import Training
from famaug.training.superres.evaluate import HeldOut
from famaug.training.superres.objective import SuperresLossWeights, SuperresObjective
from famaug.training.superres.patches import DegradedPatches


def main(given: argparse.Namespace) -> None:
    # 1. The config: `of(X)` are the arguments of X that it names, or their defaults.
    config = SUPERRES.read(find_config(given.config, "superres"), given.overrides)
    of, seed = config.arguments, config["seed"]
    engine = open_engine(config)

    # 2. Sharp pictures, and the blur and noise they are degraded with.
    kept, held = split_pictures(config["pictures.sharp"], config["pictures.hold_out"])
    sharp = [read_picture(path) for path in kept]
    with engine.main_first():
        pools = open_pools(config, sharp, echo)
    echo(f"{len(sharp)} pictures, {pools.summary()}")
    patches = DegradedPatches(sharp, pools, seed=seed, **of(DegradedPatches))
    held_out = HeldOut([read_picture(path) for path in held], pools, seed=seed) if held else None

    # 3. The network it starts from, against a judge of patches; what is minimised.
    net, weights = open_net(config["model"]), SuperresLossWeights(**of(SuperresLossWeights))
    trunk = FeatureTrunk(device=str(engine.device)) if weights.feature else None
    objective = SuperresObjective(
        net, engine, trunk=trunk, weights=weights, seed=seed, **of(SuperresObjective)
    )

    # 4. The loop; it goes on from its checkpoint.
    steps, decay = config["training.steps"], config["training.decay"]
    training = Training(
        objective,
        patches,
        engine,
        loop_options(config, steps),
        config["out"],
        setting_of(config),
        rate=LinearDecay(full=steps - decay, decay=decay),
        watchers=[held_out.watcher(config["training.look_every"])] if held_out else [],
        notes={"sharpener": note_of(config["model"], kept)},
        watch=lambda record: echo(json.dumps(record)),
    )
    done = run_training(training, config)

    # 5. Held-out faces before and after.
    if engine.is_main:
        echo(f"{done} of {steps} steps; {training.folder}")
        if held_out is not None:
            before_and_after(config["model"], training, held_out, steps=done, progress=echo)


if __name__ == "__main__":
    run_script(main, __doc__)
