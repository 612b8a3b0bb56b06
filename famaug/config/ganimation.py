"""The YAML of `famaug train generator`: its keys, and from them to a training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from famaug.config.datasets import RealClips, keys_of_clips
from famaug.config.loop import OWN, decisive, loop_keys, loop_options, open_engine
from famaug.config.read import Config, Key, Schema, keys_of
from famaug.data.readers import open_named
from famaug.errors import InputError
from famaug.files.folders import visible
from famaug.generator.networks.critics import PatchCritic, SequenceCritic
from famaug.generator.networks.ganimation import GanimationGenerator
from famaug.generator.networks.saved import note_of
from famaug.training.ganimation.au_table import read_picture_table
from famaug.training.ganimation.evaluation import HeldOutEvaluation
from famaug.training.ganimation.face_batches import FaceBatches, in_network_range
from famaug.training.ganimation.faces import FaceSet, prepare_faces
from famaug.training.ganimation.losses import GanimationLossWeights
from famaug.training.ganimation.monitor import CollapseMonitor, Probe
from famaug.training.ganimation.objective import GanimationObjective, GanimationOptions
from famaug.training.ganimation.rendered import SceneOptions, faces_of_renders, renderer_key
from famaug.training.ganimation.samples import SampleSheets
from famaug.training.ganimation.sources import (
    CropOptions,
    faces_of_clips,
    faces_of_pictures,
    faces_of_videos,
    fingerprint,
    picture_files,
    video_files,
)
from famaug.training.loop.engine import Engine
from famaug.training.loop.log import Record
from famaug.training.loop.objective import Watcher
from famaug.training.loop.schedule import LinearDecay
from famaug.training.loop.training import Training
from famaug.types import AUS

Rows = NDArray[np.int64]


def _hold_out(number: int) -> None:
    if number < 0 or number == 1:
        raise InputError(f"must be 0 or at least 2; got {number}")


FACES = {
    # pictures (root: folder; table: CSV or folder of OpenFace's), videos (root: folder of videos or
    # of folders of frames; table: folder of AU tables named as they, or AUs are measured), reader
    # (a data set; AUs are measured), rendered (root: folder of neutral faces that the warp renders)
    "faces.kind": Key(Literal["pictures", "videos", "reader", "rendered"], "pictures"),
    **keys_of_clips("faces."),
    "faces.table": Key(Path | None, None),
    # what a picture table writes for the strongest expression, 5 or 1
    **keys_of(read_picture_table, "full_scale", above="faces."),
    # pictures, clips or subjects that are never trained on, and every so manieth of the rest
    "faces.held_out": Key(Sequence[str], ()),
    "faces.hold_out": Key(int, 0, check=_hold_out),
    **keys_of(CropOptions, above="faces."),
    **keys_of(SceneOptions, above="faces."),
    "faces.videos": Key(Path | None, None),  # real frames beside rendered ones; AUs are measured
    "faces.prepared": Key(Path, Path("cache/faces")),  # gets the crops
}
NETWORK = {
    **keys_of(
        GanimationGenerator, *("width", "blocks", "affine", "flow", "maps_inside"), above="network."
    ),
    **keys_of(PatchCritic, above="network.", critic_width="width", critic_layers="layers"),
    "network.both_sides": Key(bool, False),  # the critic regresses left and right apart
    **keys_of(FaceBatches, above="network.", sequence="clip_length"),
    **keys_of(SequenceCritic, above="network.", sequence_width="width", sequence_layers="layers"),
    **keys_of(GanimationOptions, "ramp", above="network."),
}
TRAINING = {
    **loop_keys(batch_size=25, ema_decay=0.0, look_every=1000),
    "training.epochs": Key(int, 20),  # at the full rate, then `decay_epochs` down to zero
    "training.decay_epochs": Key(int, 10),
    **keys_of(
        GanimationOptions,
        *("learning_rate", "flow_rate", "betas", "generator_every", "penalty_step"),
        above="training.",
    ),
    **keys_of(FaceBatches, "mirror", "noise", "at_rest", above="training."),
    **keys_of(CollapseMonitor, "patience", above="training."),
}
KEYS = {**OWN, **FACES, **NETWORK, **keys_of(GanimationLossWeights, above="weights."), **TRAINING}


def _together(c: Config) -> Iterator[str]:
    kind = c["faces.kind"]
    scenes = (*keys_of(SceneOptions, above="faces."), "faces.videos")
    idle = {
        "pictures": ("faces.reader", "faces.options", "faces.window", *scenes),
        "videos": ("faces.reader", "faces.options", "faces.full_scale", *scenes),
        "reader": ("faces.table", "faces.full_scale", *scenes),
        "rendered": ("faces.reader", "faces.options", "faces.table", "faces.full_scale"),
    }
    yield from c.idle(f"faces.kind is {kind}", *idle[kind])
    if kind == "pictures" and c["faces.table"] is None:
        yield from c.idle("there is no faces.table", "faces.full_scale")
    if not asks_for_known(c):
        yield from c.idle("weights.known and weights.motion are 0", "training.at_rest")
    elif kind != "rendered":
        yield f"weights.known and weights.motion need faces.kind: rendered; got {kind}"
    if not c["network.flow"]:
        yield from c.idle("network.flow is false", "weights.motion", "training.flow_rate")
    full, decay = c["training.epochs"], c["training.decay_epochs"]
    if min(full, decay) < 0 or not full + decay:
        yield (
            "training.epochs and training.decay_epochs are 0 or more, and not both 0; got "
            f"{full} and {decay}"
        )
    try:
        loop_options(c, 1)
    except InputError as error:
        yield f"training: {error}"


def asks_for_known(config: Config) -> bool:
    """Whether a loss compares with what is known to come out."""
    return bool(config["weights.known"] or config["weights.motion"])


GANIMATION = Schema(
    KEYS,
    _together,
    {"weights": GanimationLossWeights, "training": GanimationOptions, "faces": CropOptions},
)


def open_faces(config: Config, *, progress: Callable[[str], None]) -> FaceSet:
    """The faces of a config, cut out and measured where that was not done before.

    Raises:
        InputError: a reader that is unknown, or a table that is not one.
        MediaError: no pictures or videos there.
        TrainingError: no face in them.
    """
    kind, table, root = config["faces.kind"], config["faces.table"], Path(config["faces.root"])
    options = CropOptions(**config.arguments(CropOptions))
    setting: dict[str, Any] = {"kind": kind, "options": asdict(options)}
    if kind == "reader":
        clips = RealClips(**config.arguments(RealClips))
        found = faces_of_clips(
            open_named(clips.reader, clips.root, clips.options, "faces"), options
        )
        scale = "famaug"
        setting |= {"root": clips.root, "reader": clips.reader, "with": dict(clips.options)}
    elif kind == "rendered":
        scenes = SceneOptions(**config.arguments(SceneOptions))
        files, videos, seed = picture_files(root), config["faces.videos"], config["seed"]
        beside = [] if videos is None else video_files(videos)
        found = chain(
            faces_of_renders(files, options, scenes, seed=seed), faces_of_videos(beside, options)
        )
        scale = "famaug"
        setting |= {"files": fingerprint(files), "videos": fingerprint(beside), "seed": seed}
        setting |= {"scenes": asdict(scenes), "renderer": renderer_key()}
    elif kind == "videos":
        files = video_files(root)
        found = faces_of_videos(files, options, tables=table)
        scale = "famaug" if table is None else "openface"
        setting |= {"files": fingerprint(files), "table": None if table is None else str(table)}
    else:
        files, full = picture_files(root), config["faces.full_scale"]
        aus = None if table is None else read_picture_table(table, full_scale=full)
        found = faces_of_pictures(files, aus, options)
        scale = "" if table is None else "openface"
        tables = [] if table is None else visible(table) if table.is_dir() else [table]
        setting |= {"files": fingerprint(files), "table": fingerprint(tables), "full_scale": full}
    faces = prepare_faces(
        config["faces.prepared"], found, size=options.size, scale=scale, setting=setting
    )
    progress(faces.summary())
    return faces


def open_ganimation(
    config: Config, *, watch: Callable[[Record], None], progress: Callable[[str], None]
) -> Training:
    """The training of a config.

    In several processes the main one prepares the faces. `recipes/train_generator.py` is the same
    step by step.

    Raises:
        InputError, MediaError, TrainingError: as `open_faces`, or values that do not fit.
    """
    engine = open_engine(config)
    with engine.main_first():
        faces = open_faces(config, progress=progress if engine.is_main else lambda text: None)
    train, held = divided(faces, config["faces.held_out"], config["faces.hold_out"])
    source = FaceBatches(
        faces,
        rows=train,
        batch_size=config["training.batch_size"],
        seed=config["seed"],
        known=asks_for_known(config),
        **config.arguments(FaceBatches),
    )
    full, decay = config["training.epochs"], config["training.decay_epochs"]
    rate = LinearDecay(full=full, decay=decay, epoch=source.steps_per_epoch)
    objective = open_objective(config, engine)
    size, people = faces.size, faces.part(train).subjects
    return Training(
        objective,
        source,
        engine,
        loop_options(config, rate.steps),
        config["out"],
        setting_of(config, faces, train),
        rate=rate,
        watchers=open_watchers(config, faces, held if len(held) else train),
        notes={
            "generator": note_of(objective.generator, scale=faces.scale, size=size, subjects=people)
        },
        watch=watch,
    )


def open_objective(config: Config, engine: Engine) -> GanimationObjective:
    """Generator and critics with their first weights, and what is minimised."""
    seed, size = config["seed"], config["faces.size"]
    units = len(AUS) * (2 if config["network.both_sides"] else 1)
    frames = config["network.sequence"]
    return GanimationObjective(
        engine,
        GanimationGenerator(seed=seed, **config.arguments(GanimationGenerator)),
        PatchCritic(seed=seed, size=size, units=units, **config.arguments(PatchCritic)),
        sequence_critic=SequenceCritic(seed=seed, **config.arguments(SequenceCritic))
        if frames
        else None,
        options=GanimationOptions(
            size=size,
            weights=GanimationLossWeights(**config.arguments(GanimationLossWeights)),
            **config.arguments(GanimationOptions),
        ),
    )


def divided(faces: FaceSet, held_out: Sequence[str], hold_out: int) -> tuple[Rows, Rows]:
    """Rows to train on, and those held out by name or by place (every `hold_out`-th of the rest).

    Raises:
        InputError: a name that is nobody, or nothing is left.
    """
    train, held = faces.rows_of([*held_out])
    if hold_out:
        groups = [faces.names[i].partition("#")[0] for i in train]
        number = {g: i for i, g in enumerate(dict.fromkeys(groups))}
        out = np.asarray([number[g] % hold_out == 0 for g in groups])
        train, held = train[~out], np.sort(np.concatenate([held, train[out]]))
    if not len(train):
        raise InputError("every face is held out; leave some to train on")
    return train, held


def open_watchers(config: Config, faces: FaceSet, rows: Rows) -> Sequence[Watcher]:
    """They look at up to eight faces, of as many people or clips as there are, at rest where
    some are known to be."""
    still = rows[~faces.intensity[rows].any((1, 2))]
    rows = still if len(still) else rows
    some = faces.part(rows[np.linspace(0, len(rows) - 1, min(8, len(rows))).round().astype(int)])
    probe = Probe(torch.from_numpy(in_network_range(some.pictures)), torch.from_numpy(some.midline))
    every, ramp = config["training.look_every"], config["network.ramp"]
    return (
        CollapseMonitor(probe, every=every, ramp=ramp, **config.arguments(CollapseMonitor)),
        SampleSheets(probe, config["out"] / "samples", every=every, ramp=ramp),
        HeldOutEvaluation(probe, every=every, ramp=ramp),
    )


def setting_of(config: Config, faces: FaceSet, train: Rows) -> dict[str, Any]:
    """What a checkpoint belongs to: everything but how long, how often and where."""
    return {
        "seed": config["seed"],
        "network": config.nested("network."),
        "weights": config.nested("weights."),
        "training": decisive(config, "patience"),
        "faces": [faces.names[i] for i in train],
        "scale": faces.scale,
    }
