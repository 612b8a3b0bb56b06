"""Train a recogniser leaving one subject out, and score it.

    python recipes/train_recognizer.py recipes/configs/recognition/composite.yaml
    python recipes/train_recognizer.py recipes/configs/recognition/flow_folder.yaml \\
        data.root=flow data.table=flow.csv data.channels=bgr seeds=[0,1,2]
    python recipes/train_recognizer.py CONFIG.yaml --weights DIR          (no training)
    python recipes/train_recognizer.py CONFIG.yaml --shard 0/4            (one process of four)
    python recipes/train_recognizer.py CONFIG.yaml --select best-test     (to reproduce papers)
    accelerate launch --num_processes 4 recipes/train_recognizer.py CONFIG.yaml   (4 GPUs)
    torchrun --nproc-per-node 2 recipes/train_recognizer.py CONFIG.yaml           (CPUs)

Start it again after an interruption: it goes on. The results folder (`out`) holds config.yaml,
log.jsonl, every fold's weights and predictions, predictions.csv, scores.json and scores.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from famaug.errors import FamaugError
from famaug.files import write_whole
from famaug.packages import need
from famaug.recognition.config import RecogniserConfig, shard_of
from famaug.recognition.results import markdown
from famaug.recognition.runs import run_all
from famaug.recognition.setup import open_problem
from famaug.recognition.shared import processes
from famaug.settings import load_settings, to_yaml


def main() -> int:
    arguments = parse_arguments()

    # 1. The config. All that is wrong with it is told at once.
    config = load_settings(RecogniserConfig, arguments.config, overrides(arguments))
    out = Path(config.out)

    # 2. Inputs of every clip, the network and the folds; nothing trains before all of it fits.
    problem = open_problem(config, progress=True)
    pool = 0 if problem.pool is None else len(problem.pool)
    print(
        f"{len(problem.samples)} real clips of {len(set(problem.samples.subjects))} subjects, "
        f"{pool} synthetic, {len(problem.splits)} folds, {len(config.seeds)} seeds"
    )
    write_whole(out / "config.yaml", to_yaml(config))

    # 3. Train (or evaluate) what is not finished yet.
    value = run_all(
        problem,
        out,
        seeds=config.seeds,
        shard=shard_of(config.shard),
        threads=config.threads,
        missing=config.missing_class,  # type: ignore[arg-type]
        weights=None if config.weights is None else Path(config.weights),
        watch=watcher(config),
    )

    # 4. The scores, with what must be said beside them.
    if processes()[0]:
        return 0  # another process writes
    if value is None:
        print(f"this share is finished; scores come when all shards of {out} are")
        return 0
    print(markdown(value))
    return 0


def watcher(config: RecogniserConfig) -> Any:
    """A line every hundred epochs, and TensorBoard if it is asked for."""
    board: Any = None
    if config.tensorboard:
        need("tensorboard", "tensorboard: true")
        from torch.utils.tensorboard import SummaryWriter

        board = SummaryWriter(str(Path(config.out) / "tensorboard"))

    def watch(record: dict[str, Any]) -> None:
        loss = sum(record["loss"].values()) / len(record["loss"])
        if record["epoch"] % 100 == 0 or record["epoch"] == 1:
            print(
                f"seed {record['seed']} epoch {record['epoch']}: mean loss of "
                f"{len(record['loss'])} folds {loss:.4f}",
                flush=True,
            )
        if board is not None:
            board.add_scalar(f"loss/seed{record['seed']}", loss, record["step"])

    return watch


def overrides(arguments: argparse.Namespace) -> list[str]:
    found = list(arguments.overrides)
    if arguments.select:
        found.append(f"training.select={arguments.select}")
    given = {"weights": arguments.weights, "shard": arguments.shard}
    return found + [f"{name}={value}" for name, value in given.items() if value]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("overrides", nargs="*", help="as training.epochs=20")
    parser.add_argument("--weights", help="folder of one state dict a fold: evaluate only")
    parser.add_argument("--shard", help="k/n: do every n-th fold from the k-th on")
    parser.add_argument("--select", choices=["last", "best-test"])
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FamaugError as error:
        sys.exit(f"train_recognizer: {error}")
