"""The YAML of the recognition recipes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from famaug.datasets import is_composite
from famaug.errors import InputError
from famaug.packages import need
from famaug.recognition.options import TrainingOptions
from famaug.settings import idle
from famaug.settings import load_settings as load_settings
from famaug.settings import to_yaml as to_yaml

FIT = "fit"
"""The look of a fold's own training clips, as `synthetic.look`."""


@dataclass
class DataConfig:
    """The real clips.

    kind: may be told too and must agree: composite, flow-folder or reader.
    reader: a data set (casme2, samm, smic, ..., composite), ClipFolder, flow-folder (pictures that
    were computed before), or module:Class. root: its folder; the composite's holds SMIC, CASME2 and
    SAMM. options: further arguments of the reader, as label: three.
    classes: what the network tells apart. labels: the reader's labels to classes, where they are
    named otherwise; clips of other labels are left out and counted.
    table, pattern, channels: of a flow-folder.
    origin: what these data are if they are not the real ones ("replica of ..."); stands beside
    every score.
    """

    reader: str = "composite"
    root: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    classes: list[str] = field(default_factory=lambda: ["negative", "positive", "surprise"])
    labels: dict[str, Any] = field(default_factory=dict)
    table: str = ""
    pattern: str = "{subject}_{clip} .png"
    channels: str = "rgb"
    origin: str = ""
    kind: str = ""

    def __post_init__(self) -> None:
        if self.kind == "flow-folder" and self.reader == "composite":
            self.reader = "flow-folder"

    @property
    def is_flow_folder(self) -> bool:
        return self.reader.casefold().replace("-", "").replace("_", "") == "flowfolder"


@dataclass
class NetworkConfig:
    """name: a recogniser or module:Class. options: its arguments. input: fields of `InputSpec`."""

    name: str = "ststnet"
    options: dict[str, Any] = field(default_factory=dict)
    input: dict[str, Any] = field(default_factory=dict)


@dataclass
class SyntheticConfig:
    """cache: folder of synthetic clips. ratio: of them to real ones. labels: of the cache's clips
    to classes, where they are named otherwise; without it `data.labels`, else as the data set sorts
    published emotions. Clips of other labels are left out and counted. look: what makes clips look
    like the data set's: "fit" fits it on each fold's training clips; a file is one look for all
    folds, fitted on nobody whom they test."""

    cache: str | None = None
    ratio: float = 0.0
    look: str | None = None
    labels: dict[str, Any] = field(default_factory=dict)


@dataclass
class TrainingConfig:
    """See `famaug.recognition.options.TrainingOptions`."""

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
    ratio gets the same number of steps, that of ratio 0. Of `synthetic` only `labels` and `look`
    are used."""

    ratios: list[float] = field(default_factory=lambda: [0, 0.25, 0.5, 1, 2, 4])
    sources: dict[str, str] = field(default_factory=dict)


def shard_of(text: str) -> tuple[int, int]:
    """ "1/4" as (1, 4).

    Raises:
        InputError: not of that form.
    """
    part, slash, parts = text.partition("/")
    if not slash or not part.isdigit() or not parts.isdigit():
        raise InputError(f"shard is written k/n, as 0/4; got {text!r}")
    return int(part), int(parts)


def check_config(config: RecogniserConfig) -> None:
    """Looks at all values that need neither data nor network.

    Raises:
        InputError: some cannot be; all of them together.
        MissingPackageError: TensorBoard is asked for and not installed.
    """
    if config.tensorboard:
        need("tensorboard", "tensorboard: true")
    wrong = []
    checks: tuple[Callable[[], object], ...] = (
        lambda: shard_of(config.shard),
        lambda: TrainingOptions(**asdict(config.training)),
    )
    for check in checks:
        try:
            check()
        except InputError as error:
            wrong.append(str(error))
    if config.missing_class not in ("zero", "skip"):
        wrong.append(f"missing_class is 'zero' or 'skip'; got {config.missing_class!r}")
    if config.folds not in ("loso", "dataset") and not re.fullmatch(r"k-fold:\d+", config.folds):
        wrong.append(f"folds are 'loso', 'k-fold:K' or 'dataset'; got {config.folds!r}")
    if not config.seeds or len(set(config.seeds)) < len(config.seeds):
        wrong.append(f"seeds are one or more and differ; got {config.seeds}")
    if config.workers < 0:
        wrong.append(f"workers must be 0 or more; got {config.workers}")
    if config.synthetic.ratio < 0:
        wrong.append(f"synthetic.ratio is 0 or more; got {config.synthetic.ratio:g}")
    if config.synthetic.ratio and not config.synthetic.cache:
        wrong.append("synthetic.ratio is above 0, so synthetic.cache must name a cache")
    ablates = isinstance(config, AblationConfig)
    if not (config.sources if isinstance(config, AblationConfig) else config.synthetic.cache):
        lacking = "there are no sources" if ablates else "there is no synthetic.cache"
        wrong += idle(config.synthetic, ("labels", "look"), "synthetic.", lacking)
    look = config.synthetic.look
    if look == FIT and config.data.is_flow_folder:
        wrong.append("synthetic.look is fit, and a flow-folder has no clips to fit it on")
    elif look not in (None, FIT) and not Path(str(look)).is_file():
        wrong.append(f"synthetic.look is null, fit or a look's file; {look} is no file")
    if ablates:
        unused = "an ablation has sources and ratios instead"
        wrong += idle(config.synthetic, ("cache", "ratio"), "synthetic.", unused)
    wrong += _wrong_data(config.data)
    if wrong:
        raise InputError("the configuration is wrong:\n" + "\n".join(f"  {w}" for w in wrong))


def check_data(data: DataConfig) -> None:
    """Raises InputError for values that cannot be, or that have no effect."""
    wrong = _wrong_data(data)
    if wrong:
        raise InputError("the configuration is wrong:\n" + "\n".join(f"  {w}" for w in wrong))


def _wrong_data(data: DataConfig) -> list[str]:
    wrong = []
    kinds = {"": True, "flow-folder": data.is_flow_folder, "composite": is_composite(data.reader)}
    if not kinds.get(data.kind, data.kind == "reader" and not data.is_flow_folder):
        wrong.append(f"data.kind {data.kind!r} and data.reader {data.reader!r} do not agree")
    if data.channels not in ("rgb", "bgr"):
        wrong.append(f"data.channels are 'rgb' or 'bgr'; got {data.channels!r}")
    own = ("table", "pattern", "channels")
    if data.is_flow_folder:
        wrong += idle(data, ("options", "labels"), "data.", "a flow-folder has none")
    else:
        wrong += idle(data, own, "data.", "it belongs to a flow-folder")
    if len(set(data.classes)) < max(2, len(data.classes)):
        wrong.append(f"data.classes are two or more and differ; got {data.classes}")
    if data.root and not Path(data.root).is_dir():
        wrong.append(f"data.root: {data.root} is no folder")
    if data.is_flow_folder:
        wrong += [f"data.{key} is needed by a flow-folder" for key in ("root", "table")
                  if not getattr(data, key)]  # fmt: skip
    elif not data.root and not (data.options and is_composite(data.reader)):
        wrong.append(f"data.root must name the folder of {data.reader}")
    return wrong
