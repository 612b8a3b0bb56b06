"""The YAML of `famaug train superres`: its keys, and from them to a training."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from famaug.config.datasets import exists
from famaug.config.loop import OWN, decisive, loop_keys, loop_options, open_engine
from famaug.config.read import Config, Key, Schema, keys_of
from famaug.errors import InputError
from famaug.faces.mesher import FaceMesher
from famaug.files.whole import write_whole
from famaug.media.clips import frame_paths, read_picture
from famaug.people.persons import person_of_path
from famaug.perception.features import FeatureTrunk
from famaug.seeding import digest
from famaug.superres.models import load_model
from famaug.training.loop.schedule import LinearDecay
from famaug.training.loop.training import Training
from famaug.training.superres.degrade import Pools, learn_pools
from famaug.training.superres.evaluate import HeldOut
from famaug.training.superres.objective import SuperresLossWeights, SuperresObjective
from famaug.training.superres.patches import DegradedPatches
from famaug.types import Picture


def _rate(rate: float) -> None:
    if not rate > 0:
        raise InputError(f"must be above 0; got {rate}")


KEYS = {
    **OWN,
    "model": Key(str, "compact"),  # where it starts, a name or a file
    "pictures.sharp": Key(Path, Path("pictures"), check=exists),  # to learn from
    "pictures.target": Key(Path | None, None, check=exists),  # whose blur and noise; null: the same
    "pictures.hold_out": Key(int, 5),  # every so manieth is kept for the measurement; 0: none
    **keys_of(learn_pools, "kernels", above="pictures.", kernel_steps="steps"),
    **keys_of(SuperresLossWeights, above="loss."),
    **loop_keys(batch_size=8, clip=1.0, tensorboard=False),
    "training.steps": Key(int, 20000),
    "training.decay": Key(int, 0),  # steps at the end over which the rate goes to 0
    "training.learning_rate": Key(float, 1e-4, SuperresObjective, "learning_rate", _rate),
    **keys_of(DegradedPatches, "size", "plain", above="training."),
}


def _together(c: Config) -> Iterator[str]:
    steps, decay = c["training.steps"], c["training.decay"]
    if not 0 <= decay <= steps:
        yield f"training.decay is 0 to training.steps; got {decay} of {steps}"
    try:
        loop_options(c, steps)
    except InputError as error:
        yield f"training: {error}"


SUPERRES = Schema(KEYS, _together, {"loss": SuperresLossWeights})


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


def open_superres(
    config: Config,
    *,
    watch: Callable[[dict[str, Any]], None] | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> tuple[Training, HeldOut | None]:
    """Everything read and checked; pools are learnt once, by the main process, and kept in `out`.
    `recipes/train_superres.py` is the same step by step.

    Raises:
        InputError, MediaError, FetchError, WeightsError: something does not fit.
    """
    seed, engine = config["seed"], open_engine(config)
    kept, held = split_pictures(config["pictures.sharp"], config["pictures.hold_out"])
    net = open_net(config["model"])
    sharp = [read_picture(p) for p in kept]
    with engine.main_first():
        pools = open_pools(config, sharp, progress)
    progress(f"{len(sharp)} pictures, {pools.summary()}")
    held_out = HeldOut([read_picture(p) for p in held], pools, seed=seed) if held else None
    weights = SuperresLossWeights(**config.arguments(SuperresLossWeights))
    objective = SuperresObjective(
        net,
        engine,
        trunk=FeatureTrunk(device=str(engine.device)) if weights.feature else None,
        weights=weights,
        seed=seed,
        **config.arguments(SuperresObjective),
    )
    steps, decay = config["training.steps"], config["training.decay"]
    training = Training(
        objective=objective,
        source=DegradedPatches(sharp, pools, seed=seed, **config.arguments(DegradedPatches)),
        engine=engine,
        options=loop_options(config, steps),
        folder=config["out"],
        setting=setting_of(config),
        rate=LinearDecay(full=steps - decay, decay=decay),
        watchers=[held_out.watcher(config["training.look_every"])] if held_out else [],
        notes={"sharpener": note_of(config["model"], kept)},
        watch=watch,
    )
    return training, held_out


def open_net(model: str) -> nn.Module:
    """The network that a training begins with.

    Raises:
        InputError: it enlarges by another factor than 4.
        FetchError, WeightsError: as `load_model`.
    """
    net = load_model(model)
    if getattr(net, "scale", None) != 4:
        raise InputError(f"{model} enlarges by {getattr(net, 'scale', '?')}; 4 is trained")
    return net


def before_and_after(
    model: str,
    training: Training,
    held_out: HeldOut,
    *,
    steps: int,
    progress: Callable[[str], None],
) -> None:
    """Held-out faces through the network it began with (`model`), the one trained in so many
    steps, and bicubic, into scores.json of the training's folder."""
    trunk, mesher = FeatureTrunk(), FaceMesher()
    nets = {model: load_model(model), "trained": training.averaged["sharpener"], "bicubic": None}
    scores: dict[str, Any] = {"steps": steps, "real": {}, "plain": {}}
    for kind in ("real", "plain"):
        for name, net in nets.items():
            values = held_out.measure(net, kind=kind, trunk=trunk, mesher=mesher)
            scores[kind][name] = values
            progress(f"{kind:6s} {name:10s} " + " ".join(f"{k} {v:.4f}" for k, v in values.items()))
    write_whole(training.folder / "scores.json", json.dumps(scores, indent=1))


def note_of(model: str, pictures: Sequence[Path]) -> dict[str, Any]:
    """What stands in the trained network's file: where it began, and whom it was trained on."""
    people = sorted({who for p in pictures if (who := person_of_path(p))})
    return {"what": "superres/1", "from": model, "subjects": people}


def setting_of(config: Config) -> dict[str, Any]:
    """What a checkpoint belongs to: everything but how long, how often and where."""
    whole = config.nested()
    return {k: whole[k] for k in ("model", "seed", "pictures", "loss")} | {
        "training": decisive(config)
    }


def open_pools(
    config: Config, sharp: list[Picture], progress: Callable[[str], None] = lambda text: None
) -> Pools:
    """Learnt once a setting: the file's name says of what."""
    target, seed = config["pictures.target"], config["seed"]
    how = config.arguments(learn_pools)
    what = [str(target or config["pictures.sharp"]), config["pictures.hold_out"]]
    name = digest([*what, how["kernels"], how["steps"], seed])[:10]
    path = config["out"] / f"pools-{name}.safetensors"
    if path.is_file():
        return Pools.load(path)
    pictures = sharp
    if target is not None:
        pictures = [read_picture(p) for p in sorted(frame_paths(target))]
    pools = learn_pools(pictures, seed=seed, progress=progress, **how)
    pools.save(path)
    return pools
