"""The YAML of `recipes/train_generator.py`: its keys, and from them to a training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from famaug.errors import InputError, UsageError
from famaug.files.folders import visible
from famaug.generator.networks.critics import PatchCritic, SequenceCritic
from famaug.generator.networks.ganimation import GanimationGenerator
from famaug.generator.networks.saved import note_of
from famaug.generator.training.au_table import read_picture_table
from famaug.generator.training.evaluation import HeldOutEvaluation
from famaug.generator.training.face_batches import FaceBatches, in_network_range
from famaug.generator.training.faces import FaceSet, prepare_faces
from famaug.generator.training.ganimation_objective import GanimationObjective, GanimationOptions
from famaug.generator.training.losses import LossWeights
from famaug.generator.training.monitor import CollapseMonitor, Probe
from famaug.generator.training.samples import SampleSheets
from famaug.generator.training.sources import (
    CropOptions,
    faces_of_clips,
    faces_of_pictures,
    faces_of_videos,
    fingerprint,
    picture_files,
    video_files,
)
from famaug.named import import_named
from famaug.settings import idle
from famaug.training.engine import Engine
from famaug.training.log import Record
from famaug.training.loop import Training
from famaug.training.loop_config import LoopConfig
from famaug.training.objective import Watcher
from famaug.training.schedule import LinearDecay
from famaug.types import AUS

KINDS = ("pictures", "videos", "reader")


@dataclass
class FacesConfig:
    """Faces to train on.

    kind: pictures (root: folder; table: CSV or folder of OpenFace's), videos (root: folder of
    videos or of folders of frames; table: folder of AU tables named as they, or AUs are measured),
    reader (reader: module:Class, made with root and options; AUs are measured).
    full_scale: what a picture table writes for the strongest expression, 5 or 1.
    held_out: names of pictures, clips or subjects that are never trained on; hold_out: and every
    so manieth of the rest.
    size, margin, window: see `CropOptions`. prepared: folder that gets the crops.
    """

    kind: str = "pictures"
    root: str = ""
    table: str | None = None
    full_scale: float | None = None
    reader: str = "famaug.data.clips:ClipFolder"
    options: dict[str, Any] = field(default_factory=dict)
    held_out: list[str] = field(default_factory=list)
    hold_out: int = 0
    size: int = 128
    margin: float = 1.35
    window: int = 32
    prepared: str = "cache/faces"


@dataclass
class NetworkConfig:
    """See `GanimationGenerator` and `PatchCritic`. ramp: of the AU maps. both_sides: the critic
    regresses left and right apart. sequence: frames of a sequence critic's clips, 0 for none."""

    width: int = 64
    blocks: int = 6
    affine: bool = True
    flow: bool = False
    critic_width: int = 64
    critic_layers: int = 6
    both_sides: bool = False
    sequence: int = 0
    sequence_width: int = 32
    sequence_layers: int = 4
    ramp: float = 0.15


@dataclass
class WeightsConfig:
    """See `LossWeights`."""

    adversarial: float = 1.0
    penalty: float = 10.0
    units: float = 160.0
    cycle: float = 10.0
    attention: float = 0.1
    smoothness: float = 1e-5
    smoothness_reduction: str = "sum"
    sequence: float = 1.0


@dataclass
class TrainingConfig(LoopConfig):
    """See `LoopConfig` and `GanimationOptions`. epochs, decay_epochs: see `LinearDecay`. mirror,
    noise: see `FaceBatches`. look_every: steps between sample sheets, looks for collapse, and
    evaluations of held-out faces. patience: steps before it warns of collapse."""

    epochs: int = 20
    decay_epochs: int = 10
    batch_size: int = 25
    learning_rate: float = 1e-4
    betas: list[float] = field(default_factory=lambda: [0.5, 0.999])
    generator_every: int = 5
    penalty_step: str = "separate"
    mirror: bool = True
    noise: float = 0.5
    ema_decay: float = 0.0
    clip: float | None = None
    look_every: int = 1000
    patience: int = 2000
    tensorboard: bool = True


@dataclass
class GanimationConfig:
    """All of it. out: folder of the training. threads: of torch; None: its own choice."""

    out: str
    seed: int = 0
    threads: int | None = None
    faces: FacesConfig = field(default_factory=FacesConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    weights: WeightsConfig = field(default_factory=WeightsConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)


def open_faces(config: FacesConfig, *, progress: Callable[[str], None]) -> FaceSet:
    """The faces of a config, cut out and measured where that was not done before.

    Raises:
        InputError: a kind or reader that is unknown, or a table that is not one.
        MediaError: no pictures or videos there.
        TrainingError: no face in them.
    """
    if config.kind not in KINDS:
        raise InputError(f"faces.kind is one of {', '.join(KINDS)}; got {config.kind!r}")
    _check_idle(config)
    options = CropOptions(size=config.size, margin=config.margin, window=config.window)
    root, table = Path(config.root), None if config.table is None else Path(config.table)
    setting: dict[str, Any] = {"kind": config.kind, "options": asdict(options)}
    if config.kind == "reader":
        found = faces_of_clips(_reader(config), options)
        scale = "famaug"
        setting |= {"root": config.root, "reader": config.reader, "with": config.options}
    elif config.kind == "videos":
        files = video_files(root)
        found = faces_of_videos(files, options, tables=table)
        scale = "famaug" if table is None else "openface"
        setting |= {"files": fingerprint(files), "table": config.table}
    else:
        files = picture_files(root)
        aus = None if table is None else read_picture_table(table, full_scale=config.full_scale)
        found = faces_of_pictures(files, aus, options)
        scale = "" if table is None else "openface"
        tables = [] if table is None else visible(table) if table.is_dir() else [table]
        setting |= {"files": fingerprint(files), "table": fingerprint(tables)}
        setting |= {"full_scale": config.full_scale}
    faces = prepare_faces(
        Path(config.prepared), found, size=options.size, scale=scale, setting=setting
    )
    progress(faces.summary())
    return faces


def _check_idle(config: FacesConfig) -> None:
    """Raises InputError for values that have no effect with this kind of faces."""
    why = f"faces.kind is {config.kind}"
    idles = {
        "pictures": ("reader", "options", "window"),
        "videos": ("reader", "options", "full_scale"),
        "reader": ("table", "full_scale"),
    }
    wrong = idle(config, idles[config.kind], "faces.", why)
    if config.kind == "pictures" and config.table is None:
        wrong += idle(config, ("full_scale",), "faces.", "there is no faces.table")
    if wrong:
        raise InputError("; ".join(wrong))


def open_ganimation_training(
    config: GanimationConfig, *, watch: Callable[[Record], None], progress: Callable[[str], None]
) -> Training:
    """The training of a config.

    In several processes the main one prepares the faces.

    Raises:
        InputError, MediaError, TrainingError: as `open_faces`, or values that do not fit.
    """
    t = config.training
    if len(t.betas) != 2:
        raise UsageError(f"training.betas are two numbers; got {t.betas}")
    if min(t.epochs, t.decay_epochs) < 0 or not t.epochs + t.decay_epochs:
        raise UsageError(
            "training.epochs and training.decay_epochs are 0 or more, and not both 0; got "
            f"{t.epochs} and {t.decay_epochs}"
        )
    t.options(1)  # told before faces are prepared
    engine = t.engine()
    if not engine.is_main:
        engine.wait()
    faces = open_faces(config.faces, progress=progress if engine.is_main else _quiet)
    if engine.is_main:
        engine.wait()
    train, held = _divided(faces, config.faces)
    source = FaceBatches(
        faces, rows=train, batch_size=t.batch_size, seed=config.seed, mirror=t.mirror,
        noise=t.noise, clip_length=config.network.sequence,
    )  # fmt: skip
    objective = _objective(config, engine)
    epoch = source.steps_per_epoch
    return Training(
        objective,
        source,
        engine,
        t.options((t.epochs + t.decay_epochs) * epoch),
        Path(config.out),
        _setting(config, faces, train),
        rate=LinearDecay(full=t.epochs, decay=t.decay_epochs, epoch=epoch),
        watchers=_watchers(config, faces, held if len(held) else train),
        notes={
            "generator": note_of(
                objective.generator,
                scale=faces.scale,
                size=faces.size,
                subjects=faces.part(train).subjects,
            )
        },
        watch=watch,
    )  # fmt: skip


def _objective(config: GanimationConfig, engine: Engine) -> GanimationObjective:
    n, t, seed = config.network, config.training, config.seed
    options = GanimationOptions(
        size=config.faces.size,
        generator_every=t.generator_every,
        learning_rate=t.learning_rate,
        betas=(t.betas[0], t.betas[1]),
        penalty_step=t.penalty_step,
        weights=LossWeights(**asdict(config.weights)),
        ramp=n.ramp,
    )
    units = len(AUS) * (2 if n.both_sides else 1)
    return GanimationObjective(
        engine,
        GanimationGenerator(
            width=n.width, blocks=n.blocks, affine=n.affine, flow=n.flow, seed=seed
        ),
        PatchCritic(
            width=n.critic_width, layers=n.critic_layers, size=options.size, units=units, seed=seed
        ),
        sequence_critic=SequenceCritic(width=n.sequence_width, layers=n.sequence_layers, seed=seed)
        if n.sequence
        else None,
        options=options,
    )


def _divided(faces: FaceSet, config: FacesConfig) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to train on, and those held out by name or by place."""
    train, held = faces.rows_of(config.held_out)
    if config.hold_out < 0 or config.hold_out == 1:
        raise InputError(f"faces.hold_out is 0 or at least 2; got {config.hold_out}")
    if config.hold_out:
        groups = [faces.names[i].partition("#")[0] for i in train]
        number = {g: i for i, g in enumerate(dict.fromkeys(groups))}
        out = np.asarray([number[g] % config.hold_out == 0 for g in groups])
        train, held = train[~out], np.sort(np.concatenate([held, train[out]]))
    if not len(train):
        raise InputError("every face is held out; leave some to train on")
    return train, held


def _watchers(
    config: GanimationConfig, faces: FaceSet, rows: NDArray[np.int64]
) -> Sequence[Watcher]:
    """They look at up to eight faces, of as many people or clips as there are."""
    some = faces.part(rows[np.linspace(0, len(rows) - 1, min(8, len(rows))).round().astype(int)])
    probe = Probe(torch.from_numpy(in_network_range(some.pictures)), torch.from_numpy(some.midline))
    every, ramp = config.training.look_every, config.network.ramp
    return (
        CollapseMonitor(probe, every=every, patience=config.training.patience, ramp=ramp),
        SampleSheets(probe, Path(config.out) / "samples", every=every, ramp=ramp),
        HeldOutEvaluation(probe, every=every, ramp=ramp),
    )


def _reader(config: FacesConfig) -> Any:
    make = import_named(config.reader, "faces.reader")
    try:
        return make(Path(config.root), **config.options)
    except TypeError as error:
        raise InputError(f"faces.options do not fit {config.reader}: {error}") from error


def _setting(config: GanimationConfig, faces: FaceSet, train: NDArray[np.int64]) -> dict[str, Any]:
    """What a checkpoint belongs to: everything but how long, how often and where."""
    return {
        "seed": config.seed,
        "network": asdict(config.network),
        "weights": asdict(config.weights),
        "training": config.training.decisive(but=("patience",)),
        "faces": [faces.names[i] for i in train],
        "scale": faces.scale,
    }


def _quiet(text: str) -> None:
    pass
