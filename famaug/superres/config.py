"""The YAML of `recipes/train_superres.py`: its keys, and from them to a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from famaug.errors import InputError, UsageError
from famaug.media.clips import frame_paths, read_picture
from famaug.people.persons import person_of_path
from famaug.perception.features import FeatureTrunk
from famaug.seeding import digest
from famaug.superres.degrade import Pools, learn_pools
from famaug.superres.evaluate import HeldOut
from famaug.superres.models import load_model
from famaug.superres.objective import LossWeights, SuperresObjective
from famaug.superres.patches import DegradedPatches
from famaug.training.loop import LoopOptions, Training
from famaug.training.loop_config import LoopConfig
from famaug.training.schedule import LinearDecay
from famaug.types import Picture


@dataclass
class PicturesConfig:
    """sharp: folder of pictures to learn from. target: folder whose blur and noise are learnt;
    by default the same. hold_out: every so manieth picture in sorted order is kept for the
    measurement, 0 for none. kernels: pictures to estimate a kernel from. kernel_steps: each."""

    sharp: str
    target: str | None = None
    hold_out: int = 5
    kernels: int = 16
    kernel_steps: int = 150


@dataclass
class LossConfig:
    """Weights; see `famaug.superres.objective.LossWeights`."""

    pixel: float = 1.0
    feature: float = 0.1
    adversarial: float = 0.005


@dataclass
class TrainConfig(LoopConfig):
    """See `LoopConfig`. size: side of a small patch. plain: share of patches downscaled plainly.
    decay: steps at the end over which the rate goes to 0."""

    steps: int = 20000
    size: int = 40
    plain: float = 0.3
    learning_rate: float = 1e-4
    decay: int = 0


@dataclass
class SuperresConfig:
    """All of it. out: folder of the training. model: where it starts, a name or a file."""

    out: str
    model: str = "compact"
    seed: int = 0
    threads: int | None = None
    pictures: PicturesConfig = field(default_factory=lambda: PicturesConfig("pictures"))
    loss: LossConfig = field(default_factory=LossConfig)
    training: TrainConfig = field(default_factory=TrainConfig)


def split_pictures(folder: Path, hold_out: int) -> tuple[list[Path], list[Path]]:
    """Pictures to learn from, and those held out: every `hold_out`-th from the first on.

    Raises:
        MediaError: no pictures there.
        InputError: nothing is left to learn from.
    """
    paths = sorted(frame_paths(folder))
    held = paths[::hold_out] if hold_out else []
    kept = [p for p in paths if p not in set(held)]
    if hold_out < 0 or not kept:
        raise InputError(
            f"hold_out={hold_out} leaves {len(kept)} of {len(paths)} pictures of {folder} to learn "
            "from; it is 0, or 2 and more"
        )
    return kept, held


def open_training(
    config: SuperresConfig,
    *,
    watch: Callable[[dict[str, Any]], None] | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> tuple[Training, HeldOut | None]:
    """Everything read and checked; pools are learnt once and kept in `out`.

    Raises:
        InputError, MediaError, FetchError, WeightsError: something does not fit.
    """
    own, out = config.training, Path(config.out)
    options = _loop_options(own)
    weights = LossWeights(**asdict(config.loss))
    engine = own.engine()
    kept, held = split_pictures(Path(config.pictures.sharp), config.pictures.hold_out)
    net = load_model(config.model)
    if getattr(net, "scale", None) != 4:
        raise InputError(f"{config.model} enlarges by {getattr(net, 'scale', '?')}; 4 is trained")
    sharp = [read_picture(p) for p in kept]
    pools = _pools(config, sharp, out, progress)
    progress(f"{len(sharp)} pictures, {pools.summary()}")
    source = DegradedPatches(sharp, pools, size=own.size, plain=own.plain, seed=config.seed)
    trunk = FeatureTrunk(device=str(engine.device)) if weights.feature else None
    held_out = HeldOut([read_picture(p) for p in held], pools, seed=config.seed) if held else None
    objective = SuperresObjective(
        net, engine, trunk=trunk, weights=weights, learning_rate=own.learning_rate, seed=config.seed
    )
    setting = asdict(config)
    for free in ("out", "threads"):
        setting.pop(free)
    setting["training"] = own.decisive()
    training = Training(
        objective=objective,
        source=source,
        engine=engine,
        options=options,
        folder=out,
        setting=setting,
        rate=LinearDecay(full=own.steps - own.decay, decay=own.decay),
        watchers=[held_out.watcher(own.look_every)] if held_out else [],
        notes={
            "sharpener": {
                "what": "superres/1",
                "from": config.model,
                "subjects": sorted({who for p in kept if (who := person_of_path(p))}),
            }
        },
        watch=watch,
    )
    return training, held_out


def _loop_options(own: TrainConfig) -> LoopOptions:
    if not 0 <= own.decay <= own.steps:
        raise UsageError(f"training.decay is 0 to training.steps; got {own.decay} of {own.steps}")
    if own.look_every < 1 or own.learning_rate <= 0:
        raise UsageError("training.look_every is at least 1 and training.learning_rate above 0")
    return own.options(own.steps)


def _pools(
    config: SuperresConfig, sharp: list[Picture], out: Path, progress: Callable[[str], None]
) -> Pools:
    """Learnt once a setting: the file's name says of what."""
    own = config.pictures
    target = own.target or own.sharp
    name = digest([target, own.hold_out, own.kernels, own.kernel_steps, config.seed])[:10]
    path = out / f"pools-{name}.safetensors"
    if path.is_file():
        return Pools.load(path)
    pictures = sharp
    if own.target is not None:
        pictures = [read_picture(p) for p in sorted(frame_paths(Path(own.target)))]
    pools = learn_pools(
        pictures, kernels=own.kernels, steps=own.kernel_steps, seed=config.seed, progress=progress
    )
    pools.save(path)
    return pools


def network_of(training: Training) -> nn.Module:
    """The moving average that is exported."""
    return training.averaged["sharpener"]
