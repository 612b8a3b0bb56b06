"""What is told of a training while it runs."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from famaug.packages import need
from famaug.recognition.feature_cache import Progress
from famaug.recognition.problem import Problem


def describe(problem: Problem, seeds: int) -> str:
    """What is going to be trained, in a line."""
    samples, pool = problem.samples, problem.pool
    if problem.only and pool is not None:
        return (
            f"{int(problem.splits[0].allowed.sum())} synthetic clips to train on, {len(samples)} "
            f"real ones of {len(set(samples.subjects))} subjects to test on, {seeds} seeds"
        )
    return (
        f"{len(samples)} real clips of {len(set(samples.subjects))} subjects, "
        f"{0 if pool is None else len(pool)} synthetic, {len(problem.splits)} folds, {seeds} seeds"
    )


def waiting(out: Path) -> str:
    """What is said where there are no scores yet."""
    return f"this share is finished; scores come when all shards of {out} are"


def watching(
    problem: Problem, progress: Progress | None, before: str = "", board: Any = None
) -> Callable[[dict[str, Any]], None]:
    """Bars by seed (and fold, where folds are trained one after another), and TensorBoard."""
    total = problem.steps

    def watch(record: dict[str, Any]) -> None:
        losses: dict[str, float] = record["loss"]
        fold = f", fold {next(iter(losses))}" if len(losses) == 1 < len(problem.splits) else ""
        if progress is not None:
            progress(f"{before}seed {record['seed']}{fold}", record["step"], total)
        if board is not None:
            mean = sum(losses.values()) / len(losses)
            board.add_scalar(f"loss/seed{record['seed']}", mean, record["step"])

    return watch


def open_board(out: Path) -> Any:
    """TensorBoard's writer below a results folder; raises MissingPackageError."""
    need("tensorboard", "tensorboard: true")
    tensorboard: Any = import_module("torch.utils.tensorboard")
    return tensorboard.SummaryWriter(str(out / "tensorboard"))
