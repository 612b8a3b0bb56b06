"""The YAML of the recipes: its keys, and all that is wrong with a file at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from famaug.errors import InputError

T = TypeVar("T")


@dataclass
class DataConfig:
    """The real clips.

    kind: composite (smic, casme2, samm: folders of the releases); flow-folder (root, table,
    pattern, channels: pictures computed before); reader (reader: module:Class, root, options).
    labels: the reader's labels to class names; clips of other labels are left out.
    origin: what these data are if they are not the real ones ("replica of ..."); stands beside
    every score.
    """

    kind: str = "composite"
    classes: list[str] = field(default_factory=lambda: ["negative", "positive", "surprise"])
    smic: str | None = None
    casme2: str | None = None
    samm: str | None = None
    missing: str = "stop"
    root: str = ""
    table: str = ""
    pattern: str = "{subject}_{clip} .png"
    channels: str = "rgb"
    reader: str = "famaug.data.clips:ClipFolder"
    options: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, Any] = field(default_factory=dict)
    origin: str = ""


@dataclass
class NetworkConfig:
    """name: a recogniser or module:Class. options: its arguments. input: fields of `InputSpec`."""

    name: str = "ststnet"
    options: dict[str, Any] = field(default_factory=dict)
    input: dict[str, Any] = field(default_factory=dict)


@dataclass
class SyntheticConfig:
    """cache: folder of synthetic clips. ratio: of them to real ones. labels: as in data."""

    cache: str | None = None
    ratio: float = 0.0
    labels: dict[str, Any] = field(default_factory=dict)


@dataclass
class TrainingConfig:
    """See `famaug.recognition.training.TrainingOptions`."""

    epochs: int = 800
    steps: int | None = None
    batch_size: int = 256
    learning_rate: float = 5e-5
    weight_decay: float = 0.0
    class_weights: bool = False
    select: str = "last"
    amp: bool = False
    device: str = "cpu"
    together: str = "auto"
    checkpoint_every: int = 50


@dataclass
class RecogniserConfig:
    """All of it. out: results folder. features: where inputs are kept between runs. workers:
    processes that make them. threads: of training at once. shard: "k/n". weights: folder of one
    state dict a fold, to evaluate instead of training."""

    out: str
    seeds: list[int] = field(default_factory=lambda: [0])
    folds: str = "loso"
    missing_class: str = "zero"
    shard: str = "0/1"
    workers: int = 0
    threads: int | None = None
    features: str | None = None
    weights: str | None = None
    tensorboard: bool = False
    data: DataConfig = field(default_factory=DataConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    synthetic: SyntheticConfig = field(default_factory=SyntheticConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)


@dataclass
class AblationConfig(RecogniserConfig):
    """ratios: of synthetic to real clips; 0 is always trained. sources: name to cache folder. Every
    ratio gets the same number of steps, that of ratio 0. `synthetic.cache` and `synthetic.ratio`
    are not used."""

    ratios: list[float] = field(default_factory=lambda: [0, 0.25, 0.5, 1, 2, 4])
    sources: dict[str, str] = field(default_factory=dict)


def load_settings(kind: type[T], path: Path, overrides: Sequence[str] = ()) -> T:
    """A YAML file with overrides such as "training.epochs=20", as one of the classes here.

    Interpolations of OmegaConf work: `${oc.env:DATA}/CASME2`.

    Raises:
        InputError: no such file, no YAML, or keys that are unknown, missing or of another type: all
            of them together, each with the nearest key there is.
    """
    from omegaconf import DictConfig, OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    yaml_error: type[Exception] = import_module("yaml").YAMLError
    try:
        given = OmegaConf.load(path)
        if not isinstance(given, DictConfig):
            raise InputError(f"{path}: a mapping of keys was asked for; got a list or a value")
        merged = OmegaConf.merge(given, OmegaConf.from_dotlist(list(overrides)))
        values: Any = OmegaConf.to_container(merged, resolve=True)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the config cannot be read: {error}") from error
    except (yaml_error, OmegaConfBaseException) as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from error
    wrong = list(_wrong(kind, values, ""))
    if wrong:
        lines = "\n".join(f"  {line}" for line in wrong)
        raise InputError(f"{path}: {len(wrong)} keys are wrong:\n{lines}")
    made = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kind), values))
    if not isinstance(made, kind):
        raise InputError(f"{path}: does not make a {kind.__name__}")
    return made


def to_yaml(config: Any) -> str:
    """The resolved config."""
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.structured(config))


def shard_of(text: str) -> tuple[int, int]:
    """ "1/4" as (1, 4).

    Raises:
        InputError: not of that form.
    """
    part, slash, parts = text.partition("/")
    if not slash or not part.isdigit() or not parts.isdigit():
        raise InputError(f"shard is written k/n, as 0/4; got {text!r}")
    return int(part), int(parts)


def _wrong(kind: type[Any], values: dict[Any, Any], above: str) -> Iterator[str]:
    hints, known = get_type_hints(kind), {f.name: f for f in fields(kind)}
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1, 0.5)
            hint = f"did you mean {above}{near[0]}?" if near else f"known: {', '.join(known)}"
            yield f"{above}{key} is unknown; {hint}"
    for name, f in known.items():
        key = f"{above}{name}"
        if name not in values:
            if f.default_factory is f.default:  # both are dataclasses.MISSING
                yield f"{key} is missing"
        elif is_dataclass(hints[name]):
            if isinstance(values[name], dict):
                yield from _wrong(hints[name], values[name], f"{key}.")
            else:
                yield f"{key} has keys of its own; got {values[name]!r}"
        else:
            yield from _wrong_value(kind, name, values[name], key)


def _wrong_value(kind: type[Any], name: str, value: Any, key: str) -> Iterator[str]:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        OmegaConf.merge(OmegaConf.structured(kind), {name: value})
    except OmegaConfBaseException:
        wanted = {f.name: f.type for f in fields(kind)}[name]
        yield f"{key} must be {wanted}; got {value!r}"
