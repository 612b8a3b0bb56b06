"""Train GANimation's generator, as published or with left and right, motion and clips.

    python recipes/train_generator.py recipes/configs/generator/ganimation-paper.yaml
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
import sys
import warnings
from pathlib import Path

import torch

from famaug.errors import CollapseWarning, FamaugError
from famaug.generator.training.ganimation_config import GanimationConfig, open_ganimation_training
from famaug.recognition.config import load_settings, to_yaml
from famaug.weights.tensor_files import write_whole


def main() -> int:
    arguments = parse_arguments()
    warnings.simplefilter("always", CollapseWarning)

    # 1. The settings; every mistake in them is told at once.
    config = load_settings(GanimationConfig, arguments.config, arguments.overrides)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    out = Path(config.out)

    # 2. Faces (cut out and measured once), networks and losses; nothing trains before all fits.
    training = open_ganimation_training(config, watch=show, progress=say)
    if training.engine.is_main:
        write_whole(out / "config.yaml", to_yaml(config))

    # 3. Train, from the checkpoint where there is one.
    done = training.run()
    if training.engine.is_main:
        say(f"{done} of {training.options.steps} steps; {out / 'generator.safetensors'}")
    return 0


def show(record: dict[str, object]) -> None:
    say(json.dumps(record))


def say(text: str) -> None:
    print(text, flush=True)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("overrides", nargs="*", help="as training.epochs=5")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FamaugError as error:
        sys.exit(f"train_generator: {error}")
