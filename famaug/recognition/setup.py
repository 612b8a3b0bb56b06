"""From a config to the problem it describes; everything that can be wrong is found here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from famaug.data.labels import LabelOf
from famaug.data.readers import open_named
from famaug.errors import InputError
from famaug.look.look import Look, load_look
from famaug.recognition.config import FIT, DataConfig, RecogniserConfig, check_config, check_data
from famaug.recognition.feature_cache import Progress
from famaug.recognition.flow_folder import in_order, read_flow_folder
from famaug.recognition.inputs import InputSpec
from famaug.recognition.options import TrainingOptions
from famaug.recognition.recognisers import build_recogniser
from famaug.recognition.samples import (
    Samples,
    SyntheticPool,
    check_untested,
    make_splits,
    real_samples,
    synthetic_pool,
)
from famaug.recognition.training import Problem
from famaug.store.reader import ClipCache

log = logging.getLogger(__name__)


def open_problem(config: RecogniserConfig, *, progress: Progress | None = None) -> Problem:
    """Reads or computes all inputs and checks that data, network and training fit.

    Raises:
        InputError: something does not fit; training has not begun.
        MediaError, CacheError: clips, pictures or the cache cannot be read.
        LeakageError: a subject would be in two folds, or the look was fitted on one that is tested.
    """
    check_config(config)
    options = TrainingOptions(**asdict(config.training))
    cache = config.synthetic.cache if config.synthetic.ratio else None
    spec = input_of(config)
    if cache:
        ClipCache(cache)  # told before inputs are made
        fixed_look(config)
    samples = open_samples(config, spec, progress=progress)
    pool = open_pool(config, cache, samples, progress=progress) if cache else None
    problem = Problem(
        network=config.network.name,
        network_options=config.network.options,
        input_spec=config.network.input,
        samples=samples,
        pool=pool,
        splits=make_splits(samples, pool, folds=config.folds),
        ratio=config.synthetic.ratio,
        options=options,
        seed=config.seeds[0] if config.seeds else 0,
    )
    problem.schedule()
    return problem


def input_of(config: RecogniserConfig) -> InputSpec:
    """What the network of a config wants to see."""
    _, spec = build_recogniser(
        config.network.name,
        classes=len(config.data.classes),
        options=config.network.options,
        input_spec=config.network.input,
    )
    return spec


def open_samples(
    config: RecogniserConfig, spec: InputSpec, *, progress: Progress | None = None
) -> Samples:
    """The real clips of a config; those whose label is no class are left out and counted."""
    data = config.data
    check_data(data)
    made = _flow_folder(config, spec) if data.is_flow_folder else None
    samples = made or real_samples(
        open_clips(data),
        spec,
        classes=data.classes,
        label_of=data.labels or None,
        origin=data.origin,
        **_how(config, progress),
    )
    _tell("real clips", samples.no_class)
    return samples


def _flow_folder(config: RecogniserConfig, spec: InputSpec) -> Samples:
    data = config.data
    if spec.kind != "flow":
        raise InputError(
            f"{config.network.name} wants {spec.kind!r} inputs, a flow folder holds flow pictures"
        )
    return read_flow_folder(
        data.root,
        data.table,
        classes=data.classes,
        pattern=data.pattern,
        channels=data.channels,  # type: ignore[arg-type]
        size=spec.size,
        origin=data.origin,
    )


def open_pool(
    config: RecogniserConfig,
    cache: str,
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
        looks: what `own_looks` gave for these samples; fitted here where it is None.

    Raises:
        LeakageError: the look was fitted on people whom a fold tests.
    """
    spec, label_of = input_of(config), _labels(config, samples)
    if config.synthetic.look == FIT:
        from famaug.recognition.looks import fold_pool  # loads the face nets' code

        own = own_looks(config, samples, progress=progress) if looks is None else looks
        splits, how = make_splits(samples, folds=config.folds), _how(config, progress)
        pool = fold_pool(ClipCache(cache), spec, own, splits, samples, label_of=label_of, **how)
        _tell(f"synthetic clips of {cache}", pool.left_out)
        return pool
    look = fixed_look(config)
    if look is not None:
        check_untested(look, samples, str(config.synthetic.look))
    pool = synthetic_pool(
        ClipCache(cache),
        spec,
        classes=config.data.classes,
        label_of=label_of,
        look=look,
        **_how(config, progress),
    )
    _tell(f"synthetic clips of {cache}", pool.left_out)
    if config.data.is_flow_folder and config.data.channels == "bgr":
        turned = in_order(pool.inputs, "bgr")
        return SyntheticPool(turned, pool.labels, pool.provenances, pool.left_out)
    return pool


def own_looks(
    config: RecogniserConfig, samples: Samples, *, progress: Progress | None = None
) -> dict[str, Look]:
    """With `synthetic.look: fit` the look of each fold's training clips, by fold; else none.

    Raises:
        InputError: a fold has no clip that shows a face.
    """
    if config.synthetic.look != FIT:
        return {}
    from famaug.recognition.looks import fold_looks

    splits = make_splits(samples, folds=config.folds)
    return fold_looks(open_clips(config.data), samples, splits, progress=progress)


def fixed_look(config: RecogniserConfig) -> Look | None:
    """The look of `synthetic.look: FILE`, or None."""
    named = config.synthetic.look
    return None if named in (None, FIT) else load_look(str(named))


def _how(config: RecogniserConfig, progress: Progress | None) -> dict[str, Any]:
    return {"folder": config.features, "workers": config.workers, "progress": progress}


def _labels(config: RecogniserConfig, samples: Samples) -> LabelOf | None:
    table = config.synthetic.labels or config.data.labels
    if not table:
        return samples.label_of
    return lambda provenance: table.get(str(provenance.label), provenance.label)


def _tell(what: str, left_out: Mapping[str, int]) -> None:
    for why, count in left_out.items():
        log.warning("%s: %d left out: %s", what, count, why)


def open_clips(data: DataConfig) -> Any:
    """The clip dataset of a config (not of a flow folder).

    Raises:
        InputError, MediaError: as `famaug.data.readers.open_named`.
    """
    return open_named(data.reader, data.root, data.options, "data")
