"""Fine-tune a sharpener on a folder of faces, RealSR's way.

    python recipes/train_superres.py recipes/configs/superres/faces.yaml
    python recipes/train_superres.py recipes/configs/superres/faces.yaml training.seconds=2700

Blur kernels and noise are learnt from the target pictures, sharp pictures are degraded with them,
and the network learns the way back. Held-out faces are measured before and after. The same command
goes on where it was stopped. Several processes: `accelerate launch recipes/train_superres.py ...`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

from famaug.errors import FamaugError
from famaug.faces.mesher import FaceMesher
from famaug.judges.features import FeatureTrunk
from famaug.settings import load_settings, to_yaml
from famaug.superres.config import SuperresConfig, network_of, open_training
from famaug.superres.models import load_model
from famaug.weights.tensor_files import write_whole


def main() -> int:
    arguments = parse_arguments()

    # 1. The settings; every mistake in them is told at once.
    config = load_settings(SuperresConfig, arguments.config, arguments.overrides)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    out = Path(config.out)
    write_whole(out / "config.yaml", to_yaml(config))

    # 2. Pictures, the target's blur and noise, the network.
    training, held_out = open_training(config, watch=show, progress=say)
    say(f"{len(training.source.pictures)} pictures, {training.source.pools.summary()}")

    # 3. Train, from the checkpoint where there is one.
    done = training.run()
    say(f"{done} of {config.training.steps} steps; {out / 'sharpener.safetensors'}")

    # 4. Held-out faces, before and after.
    if held_out is None or not training.engine.is_main:
        return 0
    judges = {"trunk": FeatureTrunk(), "mesher": FaceMesher()}
    nets = {config.model: load_model(config.model), "trained": network_of(training)}
    scores: dict[str, dict[str, dict[str, float]]] = {"real": {}, "plain": {}}
    for kind, table in scores.items():
        for name, net in {**nets, "bicubic": None}.items():
            table[name] = values = held_out.measure(net, kind=kind, **judges)
            say(f"{kind:6s} {name:10s} " + " ".join(f"{k} {v:.4f}" for k, v in values.items()))
    write_whole(out / "scores.json", json.dumps({"steps": done, **scores}, indent=1))
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
        sys.exit(f"train_superres: {error}")
