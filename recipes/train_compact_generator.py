"""Train the compact generator with the warp renderer as its teacher.

    python recipes/train_compact_generator.py recipes/configs/generator/compact.yaml
    FACES=my/faces python recipes/train_compact_generator.py recipes/configs/generator/compact.yaml

Any folder of faces with neutral expressions will do: what AUs they shall show is drawn, and the
teacher shows it. The same command goes on where it was stopped. Several processes:
`accelerate launch recipes/train_compact_generator.py ...`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

from famaug.errors import FamaugError
from famaug.generator.training.compact_config import CompactConfig, open_compact_training
from famaug.settings import load_settings, to_yaml
from famaug.weights.tensor_files import write_whole


def main() -> int:
    arguments = parse_arguments()

    # 1. The settings; every mistake in them is told at once.
    config = load_settings(CompactConfig, arguments.config, arguments.overrides)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    out = Path(config.out)
    write_whole(out / "config.yaml", to_yaml(config))

    # 2. Faces, the teacher, the network; then train, from the checkpoint where there is one.
    training = open_compact_training(config, watch=show, progress=say)
    done = training.run()
    say(f"{done} of {config.training.steps} steps; {out / 'generator.safetensors'}")
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
    parser.add_argument("overrides", nargs="*", help="as training.steps=2000")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FamaugError as error:
        sys.exit(f"train_compact_generator: {error}")
