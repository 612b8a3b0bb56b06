"""From a config to scores: what the commands `recognise` and `ablate` and the recipes run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from famaug.files import write_whole
from famaug.packages import need
from famaug.recognition.ablation import Ablation, Setting, run_ablation, settings_of
from famaug.recognition.config import AblationConfig, RecogniserConfig, shard_of
from famaug.recognition.feature_cache import Progress
from famaug.recognition.metrics import MissingClass
from famaug.recognition.runs import run_all
from famaug.recognition.samples import SyntheticPool
from famaug.recognition.setup import fixed_look, open_pool, open_problem, own_looks
from famaug.recognition.training import Problem
from famaug.settings import to_yaml


def run_recogniser(
    config: RecogniserConfig, problem: Problem, *, progress: Progress | None = None
) -> dict[str, Any] | None:
    """Trains (or evaluates) what is not finished yet, into the folder `config.out`.

    Args:
        config: of the run; it is written beside the results.
        problem: `open_problem(config)`.
        progress: is told how training goes.

    Returns:
        The scores; None while other shards are not finished.

    Raises:
        InputError: the folder holds results of another config.
        MissingPackageError: TensorBoard is asked for and not installed.
    """
    out = Path(config.out)
    write_whole(out / "config.yaml", to_yaml(config))
    return run_all(
        problem,
        out,
        seeds=config.seeds,
        shard=shard_of(config.shard),
        threads=config.threads,
        missing=cast(MissingClass, config.missing_class),
        weights=None if config.weights is None else Path(config.weights),
        watch=_watch(problem, progress, board=_board(config)),
    )


def open_ablation(
    config: AblationConfig, *, progress: Progress | None = None
) -> tuple[Problem, dict[str, SyntheticPool]]:
    """Inputs of the real clips and of every source's, once for all settings.

    Raises:
        InputError: ratios, sources or anything of `open_problem` do not fit.
    """
    settings_of(config.ratios, [*config.sources])
    config.synthetic.ratio = 0.0
    fixed_look(config)  # told before inputs are made
    base = open_problem(config, progress=progress)
    looks = own_looks(config, base.samples, progress=progress) if config.sources else {}
    pools = {
        name: open_pool(config, cache, base.samples, looks=looks, progress=progress)
        for name, cache in config.sources.items()
    }
    return base, pools


def run_ratios(
    config: AblationConfig,
    base: Problem,
    pools: Mapping[str, SyntheticPool],
    *,
    progress: Progress | None = None,
) -> Ablation | None:
    """Trains every setting that is not finished yet; see `run_ablation`.

    Returns:
        The ablation; None while other shards are not finished.
    """
    out = Path(config.out)
    write_whole(out / "config.yaml", to_yaml(config))

    def watch(setting: Setting) -> Callable[[dict[str, Any]], None]:
        return _watch(base, progress, f"{setting.name}, ")

    return run_ablation(
        base,
        pools,
        config.ratios,
        out,
        seeds=config.seeds,
        folds=config.folds,
        shard=shard_of(config.shard),
        threads=config.threads,
        missing=cast(MissingClass, config.missing_class),
        watch=watch,
    )


def describe(problem: Problem, seeds: int) -> str:
    """What is going to be trained, in a line."""
    samples, pool = problem.samples, problem.pool
    return (
        f"{len(samples)} real clips of {len(set(samples.subjects))} subjects, "
        f"{0 if pool is None else len(pool)} synthetic, {len(problem.splits)} folds, {seeds} seeds"
    )


def waiting(config: RecogniserConfig) -> str:
    """What is said where there are no scores yet."""
    return f"this share is finished; scores come when all shards of {config.out} are"


def _watch(
    problem: Problem, progress: Progress | None, before: str = "", board: Any = None
) -> Callable[[dict[str, Any]], None]:
    """Bars by seed (and fold, where folds are trained one after another), and TensorBoard."""
    options = problem.options
    total = options.steps or options.epochs * problem.schedule().steps_per_epoch()

    def watch(record: dict[str, Any]) -> None:
        losses: dict[str, float] = record["loss"]
        fold = f", fold {next(iter(losses))}" if len(losses) == 1 < len(problem.splits) else ""
        if progress is not None:
            progress(f"{before}seed {record['seed']}{fold}", record["step"], total)
        if board is not None:
            mean = sum(losses.values()) / len(losses)
            board.add_scalar(f"loss/seed{record['seed']}", mean, record["step"])

    return watch


def _board(config: RecogniserConfig) -> Any:
    if not config.tensorboard:
        return None
    need("tensorboard", "tensorboard: true")
    tensorboard: Any = import_module("torch.utils.tensorboard")
    return tensorboard.SummaryWriter(str(Path(config.out) / "tensorboard"))
