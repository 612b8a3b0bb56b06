"""From a config to the problem it describes; everything that can be wrong is found here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from famaug.data.readers import find_reader
from famaug.errors import InputError
from famaug.recognition.config import DataConfig, RecogniserConfig, shard_of
from famaug.recognition.flow_folder import in_order, read_flow_folder
from famaug.recognition.inputs import InputSpec
from famaug.recognition.recognisers import build_recogniser
from famaug.recognition.samples import (
    Samples,
    SyntheticPool,
    make_splits,
    real_samples,
    synthetic_pool,
)
from famaug.recognition.training import Problem, TrainingOptions
from famaug.store.reader import ClipCache

KINDS = ("composite", "flow-folder", "reader")


def open_problem(config: RecogniserConfig, *, progress: bool = False) -> Problem:
    """Reads or computes all inputs and checks that data, network and training fit.

    Raises:
        InputError: something does not fit; training has not begun.
        MediaError, CacheError: clips, pictures or the cache cannot be read.
        LeakageError: a subject would be in two folds.
    """
    shard_of(config.shard)
    if config.missing_class not in ("zero", "skip"):
        raise InputError(f"missing_class is 'zero' or 'skip'; got {config.missing_class!r}")
    options = TrainingOptions(**asdict(config.training))
    spec = input_of(config)
    samples = open_samples(config, spec, progress=progress)
    pool = None
    if config.synthetic.ratio:
        if not config.synthetic.cache:
            raise InputError("synthetic.ratio is above 0, so synthetic.cache must name a cache")
        pool = open_pool(config, config.synthetic.cache, spec, progress=progress)
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


def open_samples(config: RecogniserConfig, spec: InputSpec, *, progress: bool = False) -> Samples:
    """The real clips of a config."""
    data = config.data
    if data.kind not in KINDS:
        raise InputError(f"data.kind is one of {', '.join(KINDS)}; got {data.kind!r}")
    if data.kind == "flow-folder":
        if spec.kind != "flow":
            raise InputError(
                f"{config.network.name} wants {spec.kind!r} inputs, a flow folder holds flow "
                "pictures"
            )
        if not data.root or not data.table:
            raise InputError("data.kind flow-folder needs data.root and data.table")
        return read_flow_folder(
            data.root,
            data.table,
            classes=data.classes,
            pattern=data.pattern,
            channels=data.channels,  # type: ignore[arg-type]
            size=spec.size,
            origin=data.origin,
        )
    return real_samples(
        open_clips(data),
        spec,
        classes=data.classes,
        label_of=data.labels or None,
        origin=data.origin,
        **_how(config, progress),
    )


def open_pool(
    config: RecogniserConfig, cache: str, spec: InputSpec, *, progress: bool = False
) -> SyntheticPool:
    """The synthetic clips of a cache as inputs of the same kind as the real ones."""
    pool = synthetic_pool(
        ClipCache(cache),
        spec,
        classes=config.data.classes,
        label_of=_labels(config.synthetic.labels or config.data.labels),
        **_how(config, progress),
    )
    if config.data.kind == "flow-folder" and config.data.channels == "bgr":
        turned = in_order(pool.inputs, "bgr")
        return SyntheticPool(turned, pool.labels, pool.provenances, pool.left_out)
    return pool


def _how(config: RecogniserConfig, progress: bool) -> dict[str, Any]:
    return {"folder": config.features, "workers": config.workers, "progress": progress}


def _labels(table: Mapping[str, Any]) -> Any:
    """Synthetic labels by the same table as the real ones; those it lacks are left out."""
    return (lambda provenance: table.get(str(provenance.label))) if table else None


def open_clips(data: DataConfig) -> Any:
    """The clip dataset of a config (not of a flow folder)."""
    if data.kind == "composite":
        from famaug.data.megc2019 import Megc2019

        return Megc2019(
            smic=data.smic,
            casme2=data.casme2,
            samm=data.samm,
            missing=data.missing,  # type: ignore[arg-type]
        )
    make = find_reader(data.reader, "data.reader")
    try:
        return make(Path(data.root), **data.options)
    except TypeError as error:
        raise InputError(f"data.options do not fit {data.reader}: {error}") from error
