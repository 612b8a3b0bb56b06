"""The YAML of `recipes/train_compact_generator.py`: its keys, and from them to a training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from famaug.aus.basis import head_pose
from famaug.clip import frame_paths, read_picture
from famaug.errors import FaceError, InputError
from famaug.faces.mesher import FaceMesher
from famaug.faces.pose import angles
from famaug.generator.networks.compact import CompactGenerator
from famaug.generator.training.engine import Engine, Precision
from famaug.generator.training.held_out_lessons import HeldOutLessons
from famaug.generator.training.log import Record
from famaug.generator.training.loop import LoopOptions, Training
from famaug.generator.training.schedule import LinearDecay
from famaug.generator.training.teacher import FoundFace, TeacherBatches
from famaug.generator.training.teacher_objective import TeacherObjective, TeacherOptions
from famaug.generator.warp import WarpRenderer
from famaug.weights.load import SHIPPED, fill, sha256_of
from famaug.weights.tensor_files import load_tensors

TURNED = 30.0
"""Degrees of yaw or pitch beyond which a face is left out."""


@dataclass
class FacesConfig:
    """pictures: folder of neutral faces. hold_out: every so manieth in sorted order is never
    trained on."""

    pictures: str
    hold_out: int = 5


@dataclass
class NetworkConfig:
    """size: side of the pictures the network sees. width: channels of its first stage. start: a
    compact generator's file whose weights it begins with."""

    size: int = 128
    width: int = 32
    start: str | None = None


@dataclass
class CompactTraining:
    """See `LoopOptions` and `TeacherOptions`. decay: steps at the end in which the rate falls."""

    steps: int = 6000
    batch_size: int = 8
    learning_rate: float = 6e-4
    decay: int = 2500
    warm_up: int = 100
    pixels: float = 1.0
    edges: float = 1.0
    paint: float = 0.02
    device: str = "auto"
    precision: str = "fp32"
    clip: float | None = 1.0
    log_every: int = 50
    checkpoint_every: int = 250
    look_every: int = 250
    ema_decay: float = 0.998
    workers: int = 0
    tensorboard: bool = False
    seconds: float | None = None


@dataclass
class CompactConfig:
    """All of it. out: folder of the training."""

    out: str
    seed: int = 0
    threads: int | None = None
    faces: FacesConfig = field(default_factory=lambda: FacesConfig("faces"))
    network: NetworkConfig = field(default_factory=NetworkConfig)
    training: CompactTraining = field(default_factory=CompactTraining)


def open_compact_training(
    config: CompactConfig, *, watch: Callable[[Record], None], progress: Callable[[str], None]
) -> Training:
    """The training of a config.

    Raises:
        InputError: no usable face, or values that do not fit.
    """
    t, size = config.training, config.network.size
    taught, kept, left_out = find_faces(
        frame_paths(Path(config.faces.pictures)), hold_out=config.faces.hold_out
    )
    progress(f"{len(taught)} faces to learn from, {len(kept)} held out")
    for why in left_out:
        progress(f"left out: {why}")
    engine = Engine(device=t.device, precision=cast(Precision, t.precision), clip=t.clip)
    generator = CompactGenerator(width=config.network.width, seed=config.seed)
    if config.network.start is not None:
        start(generator, Path(config.network.start))
    source = TeacherBatches(taught, size=size, batch_size=t.batch_size, seed=config.seed)
    watchers = []
    if kept:
        lessons = TeacherBatches(kept, size=size, seed=config.seed + 1, framings=1)
        folder = Path(config.out) / "samples"
        watchers.append(HeldOutLessons(lessons, count=32, folder=folder, every=t.look_every))
    decay = t.decay // max(1, t.log_every)
    rate = LinearDecay(
        full=(t.steps - t.decay) // t.log_every, decay=decay, epoch=t.log_every, warm_up=t.warm_up
    )
    options = TeacherOptions(
        learning_rate=t.learning_rate, pixels=t.pixels, edges=t.edges, paint=t.paint
    )
    return Training(
        TeacherObjective(engine, generator, options=options),
        source,
        engine,
        LoopOptions(
            steps=t.steps, batch_size=t.batch_size, log_every=t.log_every,
            checkpoint_every=t.checkpoint_every, ema_decay=t.ema_decay, workers=t.workers,
            tensorboard=t.tensorboard, seconds=t.seconds,
        ),
        Path(config.out),
        _setting(config, taught),
        rate=rate,
        watchers=watchers,
        notes={"generator": {"kind": "compact", "settings": generator.settings, "size": size}},
        watch=watch,
    )  # fmt: skip


def start(generator: CompactGenerator, path: Path) -> None:
    """Takes a file's weights.

    Raises:
        WeightsError: no generator's file, or one that does not fit.
    """
    tensors, _ = load_tensors(path)
    fill(generator, tensors)
    generator.train().requires_grad_(True)


def find_faces(
    paths: Sequence[Path], *, hold_out: int
) -> tuple[list[FoundFace], list[FoundFace], list[str]]:
    """Faces to learn from, faces held out, and what was left out and why.

    Raises:
        InputError: no usable face.
    """
    mesher = FaceMesher()
    taught, kept, left_out = list[FoundFace](), list[FoundFace](), list[str]()
    for place, path in enumerate(paths):
        picture = read_picture(path)
        try:
            mesh = mesher.find(picture)
        except FaceError as error:
            left_out.append(f"{path.name}: {error}")
            continue
        yaw, pitch, _ = angles(head_pose(mesh).rotation)
        if max(abs(yaw), abs(pitch)) > TURNED:
            left_out.append(f"{path.name}: turned by {yaw:.0f} and {pitch:.0f} degrees")
            continue
        held = hold_out > 0 and place % hold_out == 0
        (kept if held else taught).append(FoundFace(path.stem, picture, mesh))
    if not taught:
        raise InputError(f"no usable face among {len(paths)} pictures; {left_out[:3]}")
    return taught, kept, left_out


def _setting(config: CompactConfig, taught: Sequence[FoundFace]) -> dict[str, Any]:
    """What a checkpoint belongs to: everything but how long, how often and where."""
    free = {"steps", "decay", "device", "log_every", "checkpoint_every", "look_every", "workers",
            "tensorboard", "seconds"}  # fmt: skip
    training = {k: v for k, v in asdict(config.training).items() if k not in free}
    return {
        "seed": config.seed,
        "network": asdict(config.network)
        | {
            "start": None if config.network.start is None else sha256_of(Path(config.network.start))
        },
        "training": training,
        "faces": [f.name for f in taught],
        "teacher": [WarpRenderer.name, "motion", SHIPPED["au_basis"].sha256],
    }
