"""The YAML of `famaug pregenerate`: its keys, and all that is wrong with a file at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

from famaug.errors import InputError


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
    """Whose expressions. per_clip: clips made of each real clip or AU table; per_rule: of each
    rule, per_clip if it is null."""

    clips: bool = True
    rules: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
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
    """How clips are made; see `famaug.Synthesizer` and `famaug.modulation.Modulation`."""

    generator: str = "warp"
    skin: float = 1.0
    halves: str = "maps"
    size: int | None = 256
    fps: float = 100.0
    peak: float | None = None
    sizes: list[int] = field(default_factory=lambda: [0])
    modulation: dict[str, Any] = field(default_factory=dict)


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
    cache: CacheConfig = field(default_factory=CacheConfig)
    work: WorkConfig = field(default_factory=WorkConfig)


def load_config(path: Path, overrides: Sequence[str] = ()) -> GenerationConfig:
    """A file, with overrides such as "dataset.fold.name=casme2/03", as a `GenerationConfig`.

    Interpolations of OmegaConf work: `${oc.env:DATA}/CASME2`.

    Raises:
        InputError: no such file, no YAML, or keys that are unknown, missing or of another type:
            all of them, each with the nearest key there is.
    """
    from omegaconf import DictConfig, OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    yaml_error: type[Exception] = import_module("yaml").YAMLError
    try:
        given = OmegaConf.load(path)
        if not isinstance(given, DictConfig):
            raise InputError(f"{path}: a mapping of keys was asked for; got a list or a value")
        merged = OmegaConf.merge(given, OmegaConf.from_dotlist(list(overrides)))
        values = OmegaConf.to_container(merged, resolve=True)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the config cannot be read: {error}") from error
    except (yaml_error, OmegaConfBaseException) as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from error
    wrong = list(_wrong(GenerationConfig, values if isinstance(values, dict) else {}, ""))
    if wrong:
        lines = "\n".join(f"  {line}" for line in wrong)
        raise InputError(f"{path}: {len(wrong)} keys are wrong:\n{lines}")
    made = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(GenerationConfig), values))
    if not isinstance(made, GenerationConfig):
        raise InputError(f"{path}: does not make a configuration")
    return made


def _wrong(kind: type[Any], values: dict[Any, Any], above: str) -> Iterator[str]:
    """What is wrong with the keys of one level and below, a line each."""
    hints = get_type_hints(kind)
    known = {f.name: f for f in fields(kind)}
    yield from unknown_keys(values, known, above)
    for name, f in known.items():
        key = f"{above}{name}"
        required = f.default_factory is f.default  # both are dataclasses.MISSING
        if name not in values:
            if required:
                yield f"{key} is missing ({_type_name(hints[name])})"
        elif is_dataclass(hints[name]):
            inner = values[name]
            if isinstance(inner, dict):
                yield from _wrong(hints[name], inner, f"{key}.")
            else:
                yield f"{key} has keys of its own; got {inner!r}"
        else:
            yield from _wrong_value(kind, name, values[name], key, hints[name])


def unknown_keys(values: Any, known: Any, above: str) -> Iterator[str]:
    """A line for each key of `values` that is not known."""
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(str(key), list(known), 1, 0.5)
            hint = f"; did you mean {above}{near[0]}?" if near else f"; known: {', '.join(known)}"
            yield f"{above}{key} is unknown{hint}"


def _wrong_value(kind: type[Any], name: str, value: Any, key: str, hint: Any) -> Iterator[str]:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        OmegaConf.merge(OmegaConf.structured(kind), {name: value})
    except OmegaConfBaseException:
        yield f"{key} must be {_type_name(hint)}; got {value!r}"
    else:
        if name == "out" and not value:
            yield f"{key} must name a folder; got {value!r}"


def _type_name(hint: Any) -> str:
    text = hint.__name__ if isinstance(hint, type) and not hasattr(hint, "__args__") else str(hint)
    words = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}
    return words.get(text, text.replace("None", "null").replace("typing.", ""))
