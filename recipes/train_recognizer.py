"""Train a recogniser leaving one subject out, and score it.

    famaug recognise CONFIG                                             (the same, as a command)
    python recipes/train_recognizer.py composite                   (a name that ships, or a file)
    python recipes/train_recognizer.py flow_folder data.root=flow data.table=flow.csv seeds=[0,1,2]
    python recipes/train_recognizer.py CONFIG.yaml --weights DIR        (no training)
    python recipes/train_recognizer.py CONFIG.yaml shard=0/4            (one process of four)

Start it again after an interruption: it goes on. The results folder (`out`) holds config.yaml,
log.jsonl, every fold's weights and predictions, predictions.csv, scores.json and scores.md.
"""

from __future__ import annotations

import argparse

from famaug.commands.terminal import bars, run_script, say
from famaug.config.experiments import open_problem, run_recogniser
from famaug.config.recognition import RECOGNITION
from famaug.configs import find_config
from famaug.recognition.results import markdown
from famaug.recognition.watching import describe, waiting


def main(given: argparse.Namespace) -> None:
    # 1. The config. All that is wrong with it is told at once.
    path = find_config(given.config, "recognition")
    config = RECOGNITION.read(path, given.overrides, weights=given.weights)

    # 2. Inputs of every clip, the network and the folds; nothing trains before all of it fits.
    with bars() as progress:
        problem = open_problem(config, progress=progress)
    say(describe(problem, len(config["seeds"])))

    # 3. Train (or evaluate) what is not finished yet.
    with bars() as progress:
        scores = run_recogniser(config, problem, progress=progress)

    # 4. The scores, with what must be said beside them.
    say(markdown(scores) if scores else waiting(config["out"]))


if __name__ == "__main__":
    run_script(main, __doc__, weights={"help": "folder of one state dict a fold: evaluate only"})
