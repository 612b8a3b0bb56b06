"""The keys that every training's YAML has: `out`, `seed`, `threads`, and those of its loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from famaug.config.read import Config, Key, instead, keys_of
from famaug.errors import InputError
from famaug.files.whole import write_whole
from famaug.packages import need
from famaug.training.loop.engine import Engine
from famaug.training.loop.training import LoopOptions, Training

FREE = ("device", "log_every", "checkpoint_every", "look_every", "workers", "tensorboard",
        "seconds")  # fmt: skip
"""Keys of `training.` that decide nothing of the outcome: a training may go on with others."""
OWN = {"out": Key(Path), "seed": Key(int, 0), "threads": Key(int | None, None)}
"""Folder of the training; of all that is random; of torch, its own choice if null."""


def loop_keys(**defaults: Any) -> dict[str, Key]:
    """`training.`: `LoopOptions` without the steps, `Engine`, and `look_every`, the steps between
    looks at what is held out; with a training's own defaults."""
    keys = keys_of(LoopOptions, above="training.", but=("steps",))
    keys |= keys_of(Engine, above="training.")
    keys["training.look_every"] = Key(int, 500, None, "look_every", _at_least_1)
    return instead(keys, **defaults)


def _at_least_1(number: int) -> None:
    if number < 1:
        raise InputError(f"must be 1 or more; got {number}")


def open_engine(config: Config) -> Engine:
    """Where the training runs, with the threads of the config.

    Raises:
        MissingPackageError: accelerate, or TensorBoard that is asked for, is not installed.
    """
    if config["threads"] is not None:
        torch.set_num_threads(config["threads"])
    if config["training.tensorboard"]:
        need("tensorboard", "tensorboard: true")  # told before anything is prepared
    return Engine(**config.arguments(Engine))


def loop_options(config: Config, steps: int) -> LoopOptions:
    """How long and how often.

    Raises:
        InputError: values that do not fit.
    """
    return LoopOptions(steps=steps, **config.arguments(LoopOptions))


def decisive(config: Config, *but: str) -> dict[str, Any]:
    """Of `training.` what a checkpoint belongs to: all but what is free, here and (`but`) there."""
    return {k: v for k, v in config.nested("training.").items() if k not in (*FREE, *but)}


def run_training(training: Training, config: Config) -> int:
    """Trains, from the checkpoint where there is one, and keeps the config beside it.

    Returns:
        the steps that are done.
    """
    if training.engine.is_main:
        write_whole(training.folder / "config.yaml", config.to_yaml())
    return training.run()
