"""From a config to the problem it describes; everything that can be wrong is found here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from famaug.data.readers import open_named
from famaug.data.sources import LabelOf
from famaug.errors import InputError
from famaug.recognition.config import DataConfig, RecogniserConfig, check_config, check_data
from famaug.recognition.feature_cache import Progress
from famaug.recognition.flow_folder import in_order, read_flow_folder
from famaug.recognition.inputs import InputSpec
from famaug.recognition.options import TrainingOptions
from famaug.recognition.recognisers import build_recogniser
from famaug.recognition.samples import (
    Samples,
    SyntheticPool,
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
        LeakageError: a subject would be in two folds.
    """
    check_config(config)
    options = TrainingOptions(**asdict(config.training))
    cache = config.synthetic.cache if config.synthetic.ratio else None
    spec = input_of(config)
    if cache:
        ClipCache(cache)  # told before inputs are made
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
    config: RecogniserConfig, cache: str, samples: Samples, *, progress: Progress | None = None
) -> SyntheticPool:
    """The synthetic clips of a cache as inputs of the same kind as the real ones.

    Their labels become classes by `synthetic.labels`, else `data.labels`, else as the data set
    itself sorts published emotions; those that are no class are left out and counted.
    """
    pool = synthetic_pool(
        ClipCache(cache),
        input_of(config),
        classes=config.data.classes,
        label_of=_labels(config, samples),
        **_how(config, progress),
    )
    _tell(f"synthetic clips of {cache}", pool.left_out)
    if config.data.is_flow_folder and config.data.channels == "bgr":
        turned = in_order(pool.inputs, "bgr")
        return SyntheticPool(turned, pool.labels, pool.provenances, pool.left_out)
    return pool


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
