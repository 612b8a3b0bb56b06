"""The YAML of `famaug pregenerate`: its keys are arguments of `Generation`, `Synthesizer`,
`Modulation`, `Gate` and `Resources`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from famaug.aus.estimators import check_estimator
from famaug.clip_options import check_peak, check_size
from famaug.config.datasets import (
    OneFold,
    RealClips,
    SomePeople,
    exists,
    idle_part,
    keys_of_clips,
    keys_of_part,
    part_of,
)
from famaug.config.read import Config, Key, Schema, checked, each, keys_of
from famaug.data.readers import open_named
from famaug.errors import InputError
from famaug.generation.generation import Generation, check_person
from famaug.generation.patterns import check_pattern
from famaug.generation.report import Skip
from famaug.generation.resources import Resources
from famaug.generator.renderers import check_generator, options_of
from famaug.look.files import check_look_named
from famaug.modulation.modulate import Modulation
from famaug.modulation.rules import parse_expression
from famaug.modulation.sources import check_strength
from famaug.modulation.variation import check_chance, check_factor, read_shares
from famaug.packages import need
from famaug.pipeline.synthesizer import Synthesizer
from famaug.quality.gate import Gate
from famaug.seeding import digest


def _some(count: int | None) -> None:
    if count is not None and count < 1:
        raise InputError(f"must be 1 or more; got {count}")


def _pattern(paths: str | None) -> None:
    if paths is not None:
        check_pattern(paths)


def _generator(name: str) -> None:
    check_generator(name)


def _shares(text: str) -> None:
    read_shares(text)


DRAWN = tuple(f"drivers.{key}" for key in ("strength", "one_sided", "partial", "factor", "shares"))
"""Keys of expressions that are drawn, not measured."""
OWN = keys_of(Generation, "out", "seed", "measured", "licence")
"""Paths are relative to the folder the command is started in."""
DRIVERS = keys_of(
    Generation,
    *("clips", "annotations", "rules", "tables", "tables_of", "clip_tables"),
    *("as_is", "strength", "one_sided", "partial", "factor", "shares", "per_rule"),
    above="drivers.",
    per_clip="per_driver",
)
IDENTITIES = keys_of(
    Generation, "pictures", above="identities.", own="own_faces", per_subject="faces_per_subject"
)
RENDER = keys_of(
    Synthesizer,
    above="render.",
    but=("look", "modulation", "device", "keep", "faces", "measured"),
)
GATE = {"gate.enabled": Key(bool, True)} | keys_of(Generation, "tries", above="gate.")
WORK = keys_of(Resources, above="work.", but=("ray_address", "ray_cpus", "ray_gpus")) | keys_of(
    Resources, above="work.ray.", address="ray_address", cpus="ray_cpus", gpus="ray_gpus"
)

KEYS = {
    **OWN,
    **keys_of_clips("dataset."),
    **keys_of_part("dataset."),
    **checked(
        DRIVERS,
        rules=each(parse_expression),
        tables=each(exists),
        tables_of=check_person,
        clip_tables=_pattern,
        strength=check_strength,
        one_sided=check_chance,
        partial=check_chance,
        factor=check_factor,
        shares=_shares,
        per_driver=_some,
        per_rule=_some,
    ),
    **checked(IDENTITIES, pictures=each(exists), faces_per_subject=_some),
    **checked(
        RENDER,
        generator=_generator,
        peak=check_peak,
        size=check_size,
        estimator=check_estimator,
    ),
    "render.look": Key(str | None, None, check=check_look_named),
    **keys_of(Modulation, above="render.modulation."),
    **checked(GATE, tries=_some),
    **keys_of(Gate, above="gate.limits."),
    **keys_of(Generation, "codec", "quality", above="cache."),
    **WORK,
}


def _together(c: Config) -> Iterator[str]:
    """Values that cannot stand beside the others, or have no effect beside them."""
    yield from _options(c)
    if c["render.look"] is not None and c["render.size"] is None:
        yield "render.look frames the face anew, so render.size is auto or a number"
    if not RealClips(**c.arguments(RealClips)).named:
        yield from c.idle(
            "there is no dataset.root",
            *("dataset.options", "dataset.subjects", "dataset.held_out", "dataset.fold.by"),
            *("drivers.annotations", "drivers.clip_tables"),
        )
    yield from idle_part(c, "dataset.")
    if not c["drivers.rules"] and not c["drivers.annotations"]:
        yield from c.idle("nothing is drawn", *DRAWN)
    if not c["drivers.tables"]:
        yield from c.idle("there are no drivers.tables", "drivers.tables_of")
    if not c["drivers.tables"] and c["drivers.clip_tables"] is None:
        yield from c.idle("there are no drivers.tables or clip_tables", "drivers.as_is")
    if not c["identities.own"]:
        yield from c.idle("identities.own is false", "identities.per_subject")
    if not c["gate.enabled"]:
        yield from c.idle("gate.enabled is false", "gate.tries", "gate.limits.")
    if c["cache.codec"] != "jpeg":
        yield from c.idle("it belongs to cache.codec jpeg", "cache.quality")
    if c["work.engine"] != "ray":
        yield from c.idle("work.engine is not ray", "work.ray.")


def _options(c: Config) -> Iterator[str]:
    """What the generator does not take."""
    given = options_of(c["render.options"], skin=c["render.skin"], halves=c["render.halves"])
    try:
        check_generator(c["render.generator"], given)
    except InputError as error:
        yield f"render: {error}"


GENERATION = Schema(KEYS, _together, {"gate.limits": Gate, "work": Resources})


def open_generation(config: Config) -> tuple[Generation, Resources]:
    """Opens the data set; reads no pixels.

    Raises:
        InputError: a reader, an option or a fold that does not exist, or values out of range.
        MediaError: the data set is not there.
        MissingPackageError: the engine ray without ray.
        LeakageError: the look was fitted on people whom the data set's part holds out.
    """
    if config["work.engine"] == "ray":
        need("ray", "the engine ray")  # told now, not when all is measured
    gated = config["gate.enabled"]
    synthesizer = Synthesizer(
        **config.arguments(Synthesizer),
        modulation=Modulation(**config.arguments(Modulation)),
        look=config["render.look"],
    )
    dataset, skipped = open_dataset(config)
    generation = Generation(
        **config.arguments(Generation),
        dataset=dataset,
        synthesizer=synthesizer,
        tag=digest([config["dataset.reader"], dict(config["dataset.options"])]),
        gate=Gate(**config.arguments(Gate)) if gated else None,
        skipped=skipped,
    )
    return generation, Resources(**config.arguments(Resources))


def open_dataset(config: Config) -> tuple[Any, list[Skip]]:
    """The data set, or the part of it that is asked for; None without a root.

    Returns:
        also the subjects that were asked for and have no clips.
    """
    clips = RealClips(**config.arguments(RealClips))
    if not clips.named:
        return None, []
    part, fold = SomePeople(**config.arguments(SomePeople)), OneFold(**config.arguments(OneFold))
    every = open_named(clips.reader, clips.root, clips.options, "dataset")
    dataset, lost = part_of(every, part, fold, "dataset.")
    return dataset, [Skip("subject", s, "it has no clips in this part") for s in lost]
