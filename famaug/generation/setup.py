"""From a configuration to the plain values of a generation: data set, fold, synthesizer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

from famaug.clip_options import Size
from famaug.data import folds
from famaug.data.following import follow
from famaug.data.protocols import refs_of
from famaug.data.readers import find_reader, open_named, options_of
from famaug.datasets import dataset_name
from famaug.errors import InputError, MediaError
from famaug.generation.config import (
    DatasetConfig,
    FoldConfig,
    GenerationConfig,
    has_dataset,
    strength_of,
)
from famaug.generation.report import Skip
from famaug.generation.resources import Resources
from famaug.generation.settings import Generation
from famaug.look.look import load_look
from famaug.modulation.modulate import Modulation
from famaug.packages import need
from famaug.people import find_people, in_order, who_is
from famaug.pipeline.synthesizer import Synthesizer
from famaug.quality.gate import Gate
from famaug.seeding import digest
from famaug.settings import unknown_keys


def open_generation(config: GenerationConfig) -> tuple[Generation, Resources]:
    """Opens the data set and checks every value; reads no pixels.

    Raises:
        InputError: a reader, an option or a fold that does not exist, or values out of range.
        MediaError: the data set is not there.
        MissingPackageError: the engine ray without ray.
    """
    if config.work.engine == "ray":
        need("ray", "the engine ray")  # told now, not when all is measured
    options = {f.name for f in fields(Modulation)}
    wrong = list(unknown_keys(config.render.modulation, options, "render.modulation."))
    wrong += unknown_keys(config.gate.limits, {f.name for f in fields(Gate)}, "gate.limits.")
    wrong += _wrong_options(config.dataset)
    if wrong:
        raise InputError("the configuration is wrong:\n" + "\n".join(f"  {w}" for w in wrong))
    dataset, skipped = open_dataset(config.dataset)
    drivers, faces, render = config.drivers, config.identities, config.render
    synthesizer = Synthesizer(
        generator=render.generator,
        skin=render.skin,
        halves=render.halves,
        superres=render.superres,
        size=_size(render.size),
        modulation=Modulation(**render.modulation),
        estimator=render.estimator,
        sizes=render.sizes,
        fps=render.fps,
        peak=render.peak,
        look=None if render.look is None else load_look(render.look),
    )
    settings = Generation(
        out=Path(config.out),
        dataset=dataset,
        clips=drivers.clips,
        annotations=drivers.annotations,
        strength=strength_of(drivers),
        rules=drivers.rules,
        tables=[Path(t) for t in drivers.tables],
        clip_tables=drivers.clip_tables,
        as_is=drivers.as_is,
        own_faces=faces.own,
        faces_per_subject=faces.per_subject,
        pictures=[Path(p) for p in faces.pictures],
        per_driver=drivers.per_clip,
        per_rule=drivers.per_rule,
        synthesizer=synthesizer,
        seed=config.seed,
        codec=cast(Any, config.cache.codec),
        quality=config.cache.quality,
        measured=None if config.measured is None else Path(config.measured),
        tag=digest([config.dataset.reader, config.dataset.options]),
        gate=Gate(**config.gate.limits) if config.gate.enabled else None,
        tries=config.gate.tries,
        licence=config.licence,
        skipped=skipped,
    )
    work = config.work
    resources = Resources(
        engine=cast(Any, work.engine),
        workers=work.workers,
        batch=work.batch,
        device=work.device,
        clip_limit_s=work.clip_limit_s,
        copy_shards=work.copy_shards,
        ray_address=work.ray.address,
        ray_cpus=work.ray.cpus,
        ray_gpus=work.ray.gpus,
    )
    return settings, resources


def _size(size: str | int | None) -> Size:
    """`render.size`: "auto", a number of pixels, or null or 0 for every picture's own size."""
    if size == "auto" or size is None:
        return size  # type: ignore[return-value]
    try:
        return int(size) or None
    except ValueError as error:
        raise InputError(
            f"render.size is auto, null, or a number of pixels; got {size!r}"
        ) from error


def _wrong_options(config: DatasetConfig) -> list[str]:
    if not has_dataset(config):
        return ["dataset.options need a dataset.root"] if config.options else []
    known = options_of(find_reader(config.reader, "dataset.reader"))
    if known is None:
        return []
    return list(unknown_keys(config.options, sorted(known), "dataset.options."))


def open_dataset(config: DatasetConfig) -> tuple[Any, list[Skip]]:
    """The data set, or the part of it that is asked for; None without a root.

    Returns:
        also the subjects that were asked for and have no clips.
    """
    if not has_dataset(config):
        return None, []
    dataset = open_named(config.reader, config.root, config.options, "dataset")
    if config.fold.by != "none":
        dataset = _fold(dataset, config.fold).train
    people = follow(dataset).people
    if config.held_out:
        dataset = folds.without_people(dataset, config.held_out, what="dataset.held_out")
    if not config.subjects:
        return dataset, []
    wanted = {s: who_is(s, people) for s in config.subjects}
    every = frozenset().union(*wanted.values())
    dataset = _subset(dataset, every.__contains__)
    found = {r.person for r in refs_of(dataset) or ()}
    lost = [s for s, names in wanted.items() if not names & found]
    if not len(dataset):
        where = config.root or config.reader
        raise MediaError(f"{where}: none of the subjects {config.subjects} has a clip left")
    return dataset, [Skip("subject", s, "it has no clips in this part") for s in lost]


def _people(names: Sequence[str], among: Collection[str], key: str) -> frozenset[str]:
    return frozenset().union(*find_people(names, among, what=key).values())


def _subset(dataset: Any, keep: Callable[[str], bool]) -> folds.SubjectSubset:
    indices = [i for i, ref in enumerate(refs_of(dataset) or ()) if keep(ref.person)]
    return folds.SubjectSubset(dataset, indices)


def _fold(dataset: Any, config: FoldConfig) -> folds.Fold:
    made = {
        "subject": lambda: folds.leave_one_subject_out(dataset),
        "dataset": lambda: folds.leave_one_dataset_out(dataset),
        "parts": lambda: folds.k_fold_by_subject(dataset, config.parts, seed=config.seed),
    }
    if config.by not in made:
        raise InputError(f"dataset.fold.by is none, {', '.join(made)}; got {config.by!r}")
    every = {f.name: f for f in made[config.by]()}
    name = config.name
    if config.by == "subject":
        hits = _people([name], every, "dataset.fold.name")
        if len(hits) > 1:
            raise InputError(f"dataset.fold.name: {name!r} could be {', '.join(in_order(hits))}")
        (name,) = hits
    elif config.by == "dataset":
        name = dataset_name(name)
    if name not in every:
        (line,) = unknown_keys([name], every, "")
        raise InputError(f"dataset.fold.name: {line}")
    return every[name]
