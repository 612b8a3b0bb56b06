"""The YAML of `famaug pregenerate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from famaug.aus.estimators import check_estimator
from famaug.clip_options import check_generator, check_peak
from famaug.datasets import is_composite
from famaug.errors import InputError
from famaug.generation.patterns import check_pattern
from famaug.modulation.rules import parse_expression
from famaug.modulation.sources import STRENGTH, check_strength
from famaug.settings import idle, load_settings


@dataclass
class FoldConfig:
    """One fold's training part instead of all subjects.

    by: none, subject (leave one out), parts (k folds by subject), dataset (leave one out).
    name: whose fold: the subject or data set held out; for parts, "part 2 of 5".
    parts, seed: of `k_fold_by_subject`.
    """

    by: str = "none"
    name: str = ""
    parts: int = 5
    seed: int = 0


@dataclass
class DatasetConfig:
    """The real clips; without a root there are none.

    reader: a dataset of `famaug.data`. options: its further arguments.
    subjects: only these ("03", "casme2/03"). held_out: all but these. fold: all but that fold's.
    """

    reader: str = "ClipFolder"
    root: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    subjects: list[str] = field(default_factory=list)
    held_out: list[str] = field(default_factory=list)
    fold: FoldConfig = field(default_factory=FoldConfig)


@dataclass
class DriversConfig:
    """Whose expressions. clips: the data set's, measured; annotations: their annotated AUs, sides
    and timing, no pixel read. strength: range of an AU's intensity, of 5, where it is drawn (rules,
    statistics, annotations without a letter). tables: AU tables, or folders of OpenFace's; those
    that `famaug modulate` wrote are shown as written, with as_is all of them. clip_tables:
    tables of the data set's clips, "openface/{subject}/{clip}.csv". per_clip: clips made
    of each real clip, annotation or AU table; per_rule: of each rule, per_clip if it is null."""

    clips: bool = True
    annotations: bool = False
    rules: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    clip_tables: str | None = None
    as_is: bool = False
    strength: list[float] = field(default_factory=lambda: [*STRENGTH])
    per_clip: int = 1
    per_rule: int | None = None


@dataclass
class IdentitiesConfig:
    """Whose faces. own: the subjects' neutral frames, so many per_subject; pictures: files or
    folders."""

    own: bool = True
    per_subject: int = 1
    pictures: list[str] = field(default_factory=list)


@dataclass
class RenderConfig:
    """How clips are made; see `famaug.Synthesizer` and `famaug.modulation.Modulation`.

    size: "auto" keeps the data set's own framing where there is a data set; a number crops.
    fps: of drivers that do not say, and of rules; null: 100, with a note.
    estimator: what measures clips; a name of `famaug.aus.estimators.ESTIMATORS`, or module:Class.
    look: file of a look that is rendered into the clips (`famaug doctor --look --out FILE`)."""

    generator: str = "warp"
    skin: float = 1.0
    halves: str = "maps"
    superres: str | None = None
    size: Any = "auto"
    fps: float | None = None
    peak: float | None = None
    sizes: list[int] = field(default_factory=lambda: [0])
    look: str | None = None
    estimator: str = "flow"
    modulation: dict[str, Any] = field(default_factory=dict)


@dataclass
class GateConfig:
    """enabled: keep only clips that pass; false keeps all. tries: how often a clip is drawn at
    most. limits: by score, over the defaults of `famaug.quality.gate.Gate`; null lets every value
    pass."""

    enabled: bool = True
    tries: int = 3
    limits: dict[str, float | None] = field(default_factory=dict)


@dataclass
class CacheConfig:
    """codec: delta, raw or jpeg. quality: of jpeg."""

    codec: str = "delta"
    quality: int | None = None


@dataclass
class RayConfig:
    """address: of the cluster, null finds or starts one. cpus, gpus: of each actor."""

    address: str | None = None
    cpus: float = 1.0
    gpus: float = 0.0


@dataclass
class WorkConfig:
    """How the work is done; see `famaug.generation.resources.Resources`."""

    engine: str = "local"
    workers: int = 1
    batch: int = 4
    device: str = "auto"
    clip_limit_s: float = 600.0
    copy_shards: bool | None = None
    ray: RayConfig = field(default_factory=RayConfig)


@dataclass
class GenerationConfig:
    """All of it. out: folder of the cache. measured, licence: see `Generation`. Paths are relative
    to the folder the command is started in."""

    out: str
    seed: int = 0
    measured: str | None = None
    licence: str = ""
    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    drivers: DriversConfig = field(default_factory=DriversConfig)
    identities: IdentitiesConfig = field(default_factory=IdentitiesConfig)
    render: RenderConfig = field(default_factory=RenderConfig)
    gate: GateConfig = field(default_factory=GateConfig)
    cache: CacheConfig = field(default_factory=CacheConfig)
    work: WorkConfig = field(default_factory=WorkConfig)


def load_config(path: Path, overrides: Sequence[str] = ()) -> GenerationConfig:
    """A file, with overrides such as "dataset.fold.name=casme2/03", as a `GenerationConfig`.

    Raises:
        InputError: as `famaug.settings.load_settings`.
    """
    return load_settings(GenerationConfig, path, overrides)


def check_config(config: GenerationConfig) -> None:
    """Looks at all values that need neither data nor networks.

    Raises:
        InputError: some cannot be; all of them together.
    """
    drivers, faces, render, work = config.drivers, config.identities, config.render, config.work
    wrong = []
    for rule in drivers.rules:
        try:
            parse_expression(rule)
        except InputError as error:
            wrong.append(f"drivers.rules: {error}")
    for key, paths in (
        ("dataset.root", [config.dataset.root] if config.dataset.root else []),
        ("drivers.tables", drivers.tables),
        ("identities.pictures", faces.pictures),
        ("render.look", [] if render.look is None else [render.look]),
    ):
        wrong += [f"{key}: {path} is not there" for path in paths if not Path(path).exists()]
    if drivers.clip_tables is not None:
        try:
            check_pattern(drivers.clip_tables)
        except InputError as error:
            wrong.append(f"drivers.clip_tables: {error}")
    counts = {
        "drivers.per_clip": drivers.per_clip,
        "drivers.per_rule": drivers.per_rule,
        "identities.per_subject": faces.per_subject,
        "gate.tries": config.gate.tries,
        "work.workers": work.workers,
        "work.batch": work.batch,
    }
    wrong += [
        f"{k} must be 1 or more; got {n}" for k, n in counts.items() if (n or 1) < 1 or n == 0
    ]
    if work.engine not in ("local", "ray"):
        wrong.append(f"work.engine is local or ray; got {work.engine!r}")
    try:
        check_strength(strength_of(drivers))
    except InputError as error:
        wrong.append(f"drivers.strength: {error}")
    try:
        check_peak(render.peak)
        check_generator(render.generator, skin=render.skin, halves=render.halves)
        check_estimator(render.estimator)
    except InputError as error:
        wrong.append(f"render: {error}")
    if render.look is not None and render.size in (None, 0, "0"):
        wrong.append("render.look frames the face anew, so render.size is auto or a number")
    wrong += _idle(config)
    if wrong:
        raise InputError("the configuration is wrong:\n" + "\n".join(f"  {w}" for w in wrong))


def strength_of(drivers: DriversConfig) -> tuple[float, float]:
    """Raises InputError unless two numbers are given."""
    if len(drivers.strength) != 2:
        raise InputError(f"a range is two numbers, [0.5, 1.5]; got {list(drivers.strength)}")
    low, high = drivers.strength
    return low, high


def has_dataset(config: DatasetConfig) -> bool:
    """Whether real clips are asked for: a folder, or the composite, whose options name three."""
    return bool(config.root or (config.options and is_composite(config.reader)))


def _idle(config: GenerationConfig) -> list[str]:
    """Values that have no effect beside the others."""
    data, drivers, work = config.dataset, config.drivers, config.work
    fold = data.fold
    out = []
    if not has_dataset(data):
        named = ("options", "subjects", "held_out")
        out += idle(data, named, "dataset.", "there is no dataset.root")
        out += idle(drivers, ("annotations", "clip_tables"), "drivers.", "there is no dataset.root")
        out += idle(fold, ("by",), "dataset.fold.", "there is no dataset.root")
    if fold.by == "none":
        out += idle(fold, ("name",), "dataset.fold.", "dataset.fold.by is none")
    if fold.by != "parts":
        out += idle(fold, ("parts", "seed"), "dataset.fold.", "dataset.fold.by is not parts")
    if not drivers.rules and not drivers.annotations:
        out += idle(drivers, ("strength",), "drivers.", "nothing is drawn")
    if not drivers.tables and drivers.clip_tables is None:
        out += idle(drivers, ("as_is",), "drivers.", "there are no drivers.tables or clip_tables")
    if not config.identities.own:
        out += idle(config.identities, ("per_subject",), "identities.", "identities.own is false")
    if not config.gate.enabled:
        out += idle(config.gate, ("tries", "limits"), "gate.", "gate.enabled is false")
    if config.cache.codec != "jpeg":
        out += idle(config.cache, ("quality",), "cache.", "it belongs to cache.codec jpeg")
    if work.engine != "ray":
        out += idle(work.ray, ("address", "cpus", "gpus"), "work.ray.", "work.engine is not ray")
    return out
