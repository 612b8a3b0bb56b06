"""One of several processes that train together; a launcher starts it. Arguments: results folder,
then "stop" to die after the second epoch."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from test_training import problem_of

from famaug.recognition.runs import run_all
from famaug.recognition.shared import processes
from famaug.recognition.training import Problem


def shared_problem() -> Problem:
    return problem_of(
        "off-apexnet", learning_rate=1e-3, epochs=3, class_weights=True, together="no",
        checkpoint_every=1, batch_size=11,
    )  # fmt: skip


def main() -> None:
    folder, how = Path(sys.argv[1]), sys.argv[2:]

    def watch(record: dict[str, Any]) -> None:
        if how and record["epoch"] == 2:
            os._exit(7)

    run_all(shared_problem(), folder, seeds=[0], watch=watch)
    rank, world = processes()
    (folder / f"rank-{rank}-of-{world}").touch()


if __name__ == "__main__":
    main()
