"""From a configuration of recognition to inputs, trained networks and scores."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import nn

from famaug.config.datasets import RealClips
from famaug.config.read import Config
from famaug.config.recognition import FIT, is_flow_folder, shard_of
from famaug.data.labels import LabelOf
from famaug.data.readers import open_named
from famaug.errors import InputError
from famaug.files.whole import write_whole
from famaug.look.files import load_look
from famaug.look.look import Look
from famaug.look.mixture import AnyLook
from famaug.recognition.ablation import (
    Ablation,
    Setting,
    ablation_problems,
    run_ablation,
    settings_of,
)
from famaug.recognition.ablation_sources import fill_sources
from famaug.recognition.drawn import DrawnClips, Draws, drawn_pool, find_faces
from famaug.recognition.feature_cache import Progress
from famaug.recognition.flow_folder import in_order, read_flow_folder
from famaug.recognition.inputs import InputSpec
from famaug.recognition.options import DRAWN_SOURCES, TrainingOptions
from famaug.recognition.pool import SyntheticPool, synthetic_pool
from famaug.recognition.problem import Problem
from famaug.recognition.recognisers import build_recogniser
from famaug.recognition.runs import run_all
from famaug.recognition.samples import (
    ALONE,
    Samples,
    Split,
    check_untested,
    held_out_by_fold,
    make_splits,
    real_samples,
    splits_alone,
)
from famaug.recognition.start import read_start
from famaug.recognition.watching import open_board, watching
from famaug.store.decisions import decisions_of
from famaug.store.reader import ClipCache

log = logging.getLogger(__name__)


def open_problem(config: Config, *, progress: Progress | None = None) -> Problem:
    """Reads or computes all inputs and checks that data, network and training fit.

    Raises:
        InputError: something does not fit; training has not begun.
        MediaError, CacheError: clips, pictures or the cache cannot be read.
        WeightsError, FetchError: the weights to begin from.
        LeakageError: a subject would be in two folds, or somebody who is tested went into the look
            or into the weights to begin from.
    """
    problem = _problem(config, progress)
    problem.check()
    return problem


def _problem(config: Config, progress: Progress | None) -> Problem:
    """As `open_problem`, unchecked."""
    ratio, only = config["synthetic.ratio"], config["synthetic.only"]
    used = ratio or only or config["training.pretrain_steps"]
    cache = config["synthetic.cache"] if used else None
    net, spec = _network(config)
    start = None if config["training.start"] is None else read_start(config["training.start"])
    if start is not None:
        start.fill(net, config["network.name"])  # told before inputs are made
    if cache:
        ClipCache(cache)  # told before inputs are made
        fixed_look(config)
    samples = open_samples(config, spec, progress=progress)
    pool = open_pool(config, cache, samples, progress=progress) if cache else None
    if only and pool is not None:
        splits = splits_alone(samples, pool)
    else:
        splits = make_splits(samples, pool, folds=config["folds"])
    seed = config["seeds"][0]
    return problem_of(config, samples, pool, splits, seed=seed, ratio=ratio, only=only, start=start)


def problem_of(
    config: Config,
    samples: Samples,
    pool: SyntheticPool | None,
    splits: Sequence[Split],
    *,
    seed: int,
    **how: Any,
) -> Problem:
    """The network and the training of a config on these clips.

    Args:
        samples, pool, splits, seed: as of `Problem`.
        how: its `ratio`, `only` and `start`.
    """
    return Problem(
        network=config["network.name"],
        network_options=config["network.options"],
        input_spec=config["network.input"],
        samples=samples,
        pool=pool,
        splits=splits,
        options=TrainingOptions(**config.arguments(TrainingOptions)),
        seed=seed,
        **how,
    )


def input_of(config: Config) -> InputSpec:
    """What the network of a config wants to see."""
    return _network(config)[1]


def _network(config: Config) -> tuple[nn.Module, InputSpec]:
    return build_recogniser(
        config["network.name"],
        classes=len(config["data.classes"]),
        options=config["network.options"],
        input_spec=config["network.input"],
    )


def open_clips(config: Config) -> Any:
    """The real clips (not of a flow folder).

    Raises:
        InputError, MediaError: as `famaug.data.readers.open_named`.
    """
    clips = RealClips(**config.arguments(RealClips))
    return open_named(clips.reader, clips.root, clips.options, "data")


def open_samples(config: Config, spec: InputSpec, *, progress: Progress | None = None) -> Samples:
    """The real clips of a config; those whose label is no class are left out and counted."""
    if is_flow_folder(config["data.reader"]):
        if spec.kind != "flow":
            raise InputError(
                f"{config['network.name']} wants {spec.kind!r} inputs, a flow folder holds flow "
                "pictures"
            )
        samples = read_flow_folder(
            config["data.root"],
            config["data.table"],
            classes=config["data.classes"],
            pattern=config["data.pattern"],
            channels=config["data.channels"],
            size=spec.size,
            origin=config["data.origin"],
        )
    else:
        samples = real_samples(
            open_clips(config),
            spec,
            classes=config["data.classes"],
            label_of=config["data.labels"] or None,
            origin=config["data.origin"],
            **_how(config, progress),
        )
    _tell("real clips", samples.no_class)
    return samples


def open_pool(
    config: Config,
    cache: Any,
    samples: Samples,
    *,
    looks: Mapping[str, Look] | None = None,
    progress: Progress | None = None,
) -> SyntheticPool:
    """The synthetic clips of a cache as inputs of the same kind as the real ones.

    Their labels become classes by `synthetic.labels`, else `data.labels`, else as the data set
    itself sorts published emotions; those that are no class are left out and counted. With
    `synthetic.look` they look like real clips.

    Args:
        cache: its folder.
        looks: what `own_looks` gave for these samples; fitted here where it is None.

    Raises:
        LeakageError: the look was fitted on people whom a fold tests.
    """
    fixed = fixed_look(config)
    look: AnyLook | Mapping[str, AnyLook] | None = fixed
    if fixed is not None:
        what = f"synthetic.look {config['synthetic.look']} was fitted on"
        instead = "synthetic.look=fit fits one look on each fold's training clips"
        check_untested(fixed.subjects, samples, what, instead)
    elif config["synthetic.look"] == FIT:
        look = own_looks(config, samples, progress=progress) if looks is None else looks
    pool = synthetic_pool(
        ClipCache(cache),
        input_of(config),
        classes=config["data.classes"],
        folds={ALONE: frozenset(samples.subjects)}
        if config["synthetic.only"]
        else held_out_by_fold(samples, config["folds"]),
        people=samples.subjects,
        label_of=_labels(config, samples),
        look=look,
        decisions=decisions_of(config["synthetic.decisions"]),
        **_how(config, progress),
    )
    _tell(f"synthetic clips of {cache}", pool.left_out)
    lacking = [name for i, name in enumerate(samples.classes) if i not in pool.labels]
    if lacking:
        log.warning("synthetic clips of %s: none is %s", cache, " or ".join(lacking))
    if config["data.channels"] == "bgr":
        pool = replace(pool, inputs=in_order(pool.inputs, "bgr"))
    return pool


def own_looks(
    config: Config, samples: Samples, *, progress: Progress | None = None
) -> dict[str, Look]:
    """With `synthetic.look: fit` the look of each fold's training clips, by fold; else none.

    Raises:
        InputError: a fold has no clip that shows a face.
    """
    if config["synthetic.look"] != FIT:
        return {}
    from famaug.recognition.looks import fold_looks

    splits = make_splits(samples, folds=config["folds"])
    return fold_looks(open_clips(config), samples, splits, progress=progress)


def fixed_look(config: Config) -> AnyLook | None:
    """The look of `synthetic.look: FILE` or a profile's name, or None."""
    named = config["synthetic.look"]
    return None if named in (None, FIT) else load_look(named)


def open_ablation(
    config: Config, *, progress: Progress | None = None
) -> tuple[Problem, dict[str, SyntheticPool], list[Setting]]:
    """Inputs of the real clips and of every source's, once for all settings, and these.

    Raises:
        InputError: ratios, sources or anything of `open_problem` do not fit.
    """
    sources = config["sources"]
    drawn = config["drawn"] if config["faces"] is not None else ()
    settings_of(config["ratios"], [*sources, *drawn])
    fixed_look(config)  # told before inputs are made
    for cache in sources.values():
        ClipCache(cache)
    base = _problem(config, progress)
    replace(base, options=replace(base.options, pretrain_steps=0)).check()
    looks = own_looks(config, base.samples, progress=progress) if sources else {}
    pools = {
        name: open_pool(config, cache, base.samples, looks=looks, progress=progress)
        for name, cache in sources.items()
    }
    pools |= {name: draw_pool(config, name, progress=progress) for name in drawn}
    problems, _ = ablation_problems(
        base, pools, config["ratios"], folds=config["folds"], alone=config["alone"]
    )
    return base, pools, [*problems]


def draw_pool(config: Config, name: str, *, progress: Progress | None = None) -> SyntheticPool:
    """Expressions drawn on the pictures of `faces`, as inputs: `rules`, `stats` or `drawn`, which
    is both.

    Raises:
        InputError: no face can be used, or the network wants more than onset and apex.
    """
    spec, features = input_of(config), config["features"]
    classes = tuple(config["data.classes"])
    measured = None if features is None else features / "faces"
    faces = find_faces(config["faces"], measured=measured, progress=progress)
    draws = Draws(
        kinds=DRAWN_SOURCES[name],
        classes=classes,
        clips_per_face=-(-config["per_class"] * len(classes) // len(faces)),
        look=config["synthetic.look"],
    )
    how = _how(config, progress)
    pool = drawn_pool(DrawnClips(faces, draws, config["faces"]), spec, **how)
    if config["data.channels"] == "bgr":
        return replace(pool, inputs=in_order(pool.inputs, "bgr"))
    return pool


def make_sources(config: Config, *, per_clip: int, progress: Progress) -> dict[str, dict[str, int]]:
    """Fills caches under `sources` from the real clips (`fill_sources`).

    Raises:
        InputError: as that, or there are no frames of real clips.
    """
    if is_flow_folder(config["data.reader"]):
        raise InputError(
            "--per-clip makes clips of the real ones, and a flow-folder has no frames; give "
            "`faces`, a folder of pictures, on which expressions are drawn"
        )
    how: dict[str, Any] = {"workers": config["workers"], "progress": progress}
    return fill_sources(open_clips(config), config["sources"], per_clip=per_clip, **how)


def run_recogniser(
    config: Config, problem: Problem, *, progress: Progress | None = None
) -> dict[str, Any] | None:
    """Trains (or evaluates) what is not finished yet, into the folder `out`, which gets the config.

    Args:
        config: of the run.
        problem: `open_problem(config)`.
        progress: is told how training goes.

    Returns:
        The scores; None while other shards are not finished.

    Raises:
        InputError: the folder holds results of another config.
        MissingPackageError: TensorBoard is asked for and not installed.
    """
    board = open_board(config["out"]) if config["tensorboard"] else None
    write_whole(config["out"] / "config.yaml", config.to_yaml())
    return run_all(
        problem,
        config["out"],
        weights=config["weights"],
        watch=watching(problem, progress, board=board),
        **_run(config),
    )


def run_ratios(
    config: Config,
    base: Problem,
    pools: Mapping[str, SyntheticPool],
    *,
    progress: Progress | None = None,
) -> Ablation | None:
    """Trains every setting that is not finished yet; see `run_ablation`.

    Returns:
        The ablation; None while other shards are not finished.
    """
    write_whole(config["out"] / "config.yaml", config.to_yaml())

    def watch(setting: Setting) -> Callable[[dict[str, Any]], None]:
        board = open_board(config["out"] / setting.folder) if config["tensorboard"] else None
        return watching(base, progress, f"{setting.name}, ", board)

    return run_ablation(
        base,
        pools,
        config["ratios"],
        config["out"],
        folds=config["folds"],
        alone=config["alone"],
        watch=watch,
        **_run(config),
    )


def _run(config: Config) -> dict[str, Any]:
    return {
        "seeds": config["seeds"],
        "shard": shard_of(config["shard"]),
        "threads": config["threads"],
        "missing": config["missing_class"],
    }


def _how(config: Config, progress: Progress | None) -> dict[str, Any]:
    return {"folder": config["features"], "workers": config["workers"], "progress": progress}


def _labels(config: Config, samples: Samples) -> LabelOf | None:
    table = config["synthetic.labels"] or config["data.labels"]
    if not table:
        return samples.label_of
    return lambda provenance: table.get(str(provenance.label), provenance.label)


def _tell(what: str, left_out: Mapping[str, int]) -> None:
    for why, count in left_out.items():
        log.warning("%s: %d left out: %s", what, count, why)
