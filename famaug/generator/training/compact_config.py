"""The YAML of `recipes/train_compact_generator.py`: its keys, and from them to a training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from famaug.aus.basis import head_pose
from famaug.clip import frame_paths, read_picture
from famaug.errors import FaceError, InputError, UsageError
from famaug.faces.mesher import FaceMesher
from famaug.faces.pose import angles
from famaug.generator.networks.compact import CompactGenerator
from famaug.generator.training.held_out_lessons import HeldOutLessons
from famaug.generator.training.real_pairs import pairs_of_videos
from famaug.generator.training.teacher import FoundFace, TeacherBatches
from famaug.generator.training.teacher_objective import TeacherObjective, TeacherOptions
from famaug.generator.warp import WarpRenderer
from famaug.settings import idle
from famaug.training.log import Record
from famaug.training.loop import Training
from famaug.training.loop_config import LoopConfig
from famaug.training.schedule import LinearDecay
from famaug.weights.fetch import fetch
from famaug.weights.load import fill
from famaug.weights.shipped import SHIPPED, sha256_of
from famaug.weights.tensor_files import load_tensors

TURNED = 30.0
"""Degrees of yaw or pitch beyond which a face is left out."""

_OPTIONS = tuple(f.name for f in fields(TeacherOptions) if f.name != "floor")
"""Of the training, what the objective takes."""


@dataclass
class FacesConfig:
    """pictures: folder of neutral faces. hold_out: every so manieth in sorted order is never
    trained on. videos: files, or names of media that famaug can fetch (`famaug weights list`), of
    which pairs of frames are learnt; real_share: share of the lessons that show them.
    held_out_videos: the same, only looked at."""

    pictures: str
    hold_out: int = 5
    videos: list[str] = field(default_factory=list)
    real_share: float = 0.0
    held_out_videos: list[str] = field(default_factory=list)


@dataclass
class NetworkConfig:
    """size: side of the pictures the network sees. width: channels of its first stage. start: a
    compact generator's file whose weights it begins with."""

    size: int = 128
    width: int = 16
    start: str | None = None


@dataclass
class CompactTraining(LoopConfig):
    """See `LoopConfig` and `TeacherOptions`. decay: steps at the end in which the rate falls."""

    steps: int = 6000
    learning_rate: float = 6e-4
    decay: int = 2500
    warm_up: int = 100
    pixels: float = 1.0
    edges: float = 1.0
    mouth: float = 20.0
    paint: float = 0.02
    identity: float = 0.0
    mesh: float = 0.0
    judged_every: int = 4
    judged_rows: int = 4
    adversarial: float = 0.0
    critic_rate: float = 2e-4
    checkpoint_every: int = 250
    look_every: int = 250
    ema_decay: float = 0.998


@dataclass
class CompactConfig:
    """All of it. out: folder of the training."""

    out: str
    seed: int = 0
    threads: int | None = None
    faces: FacesConfig = field(default_factory=lambda: FacesConfig("faces"))
    network: NetworkConfig = field(default_factory=NetworkConfig)
    training: CompactTraining = field(default_factory=CompactTraining)


def _check_idle(config: CompactConfig) -> None:
    """Raises InputError for values that have no effect beside the others."""
    faces, t = config.faces, config.training
    wrong = []
    if not faces.videos:
        wrong += idle(faces, ("real_share",), "faces.", "there are no faces.videos")
    if not (t.identity or t.mesh):
        judged = ("judged_every", "judged_rows")
        wrong += idle(t, judged, "training.", "training.identity and training.mesh are 0")
    if not t.adversarial:
        wrong += idle(t, ("critic_rate",), "training.", "training.adversarial is 0")
    if wrong:
        raise InputError("; ".join(wrong))


def open_compact_training(
    config: CompactConfig, *, watch: Callable[[Record], None], progress: Callable[[str], None]
) -> Training:
    """The training of a config.

    Raises:
        InputError: no usable face, or values that do not fit.
    """
    t, size = config.training, config.network.size
    _check_idle(config)
    if not 0 <= t.decay <= t.steps:
        raise UsageError(f"training.decay is 0 to training.steps; got {t.decay} of {t.steps}")
    stair = max(1, t.log_every)  # the rate goes down in stairs of that many steps
    rate = LinearDecay(
        full=(t.steps - t.decay) // stair, decay=t.decay // stair, epoch=stair, warm_up=t.warm_up
    )
    given = asdict(t)
    options = TeacherOptions(**{k: given[k] for k in _OPTIONS})
    loop = t.options(t.steps)
    engine = t.engine()
    taught, kept, left_out = find_faces(
        frame_paths(Path(config.faces.pictures)), hold_out=config.faces.hold_out
    )
    progress(f"{len(taught)} faces to learn from, {len(kept)} held out")
    for why in left_out:
        progress(f"left out: {why}")
    generator = CompactGenerator(width=config.network.width, seed=config.seed)
    if config.network.start is not None:
        start(generator, Path(config.network.start))
    pairs = pairs_of_videos(_videos(config.faces.videos))
    progress(f"{len(pairs)} pairs of frames of {len(config.faces.videos)} videos")
    source = TeacherBatches(
        taught, size=size, batch_size=t.batch_size, seed=config.seed,
        real=pairs, real_share=config.faces.real_share,
    )  # fmt: skip
    return Training(
        TeacherObjective(engine, generator, options=options, size=size, seed=config.seed),
        source,
        engine,
        loop,
        Path(config.out),
        _setting(config, [f.name for f in taught] + [p.name for p in pairs]),
        rate=rate,
        watchers=_watchers(config, kept),
        notes={"generator": {"kind": "compact", "settings": generator.settings, "size": size}},
        watch=watch,
    )  # fmt: skip


def _watchers(config: CompactConfig, kept: Sequence[FoundFace]) -> list[HeldOutLessons]:
    """Of held-out faces, and of held-out videos."""
    pairs = pairs_of_videos(_videos(config.faces.held_out_videos))
    size, seed, every = config.network.size, config.seed + 1, config.training.look_every
    folder = Path(config.out) / "samples"
    sources: dict[str, TeacherBatches] = {}
    if kept:
        sources["held_out"] = TeacherBatches(kept, size=size, seed=seed, framings=1)
    if pairs:
        sources["held_out_real"] = TeacherBatches(
            (), size=size, seed=seed, real=pairs, real_share=1
        )
    return [
        HeldOutLessons(source, count=32, folder=folder, every=every, name=name)
        for name, source in sources.items()
    ]


def _videos(names: Sequence[str]) -> list[Path]:
    """Files, or fetched ones by name."""
    return [Path(n) if Path(n).suffix else fetch(n) for n in names]


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


def _setting(config: CompactConfig, names: Sequence[str]) -> dict[str, Any]:
    """What a checkpoint belongs to: everything but how long, how often and where."""
    return {
        "seed": config.seed,
        "network": asdict(config.network)
        | {
            "start": None if config.network.start is None else sha256_of(Path(config.network.start))
        },
        "training": config.training.decisive(but=("steps", "decay")),
        "faces": [*names],
        "real_share": config.faces.real_share,
        "teacher": [WarpRenderer.name, SHIPPED["au_basis"].sha256],
    }
