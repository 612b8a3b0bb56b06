"""`famaug train`: generators and sharpeners, from a YAML. The recipes call the same functions, so
that `accelerate launch` and `torchrun` have a script to start."""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

import typer

from famaug.commands import terminal
from famaug.configs import find_config
from famaug.errors import CollapseWarning, UsageError

if TYPE_CHECKING:
    from famaug.superres.config import SuperresConfig
    from famaug.superres.evaluate import HeldOut
    from famaug.training.loop import Training


class _Config(Protocol):
    threads: int | None


C = TypeVar("C", bound=_Config)
Done = dict[str, object]


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command("train", epilog="Example: famaug train superres faces training.steps=2000")(
        train_command
    )


def train_command(
    kind: Annotated[
        str,
        typer.Argument(
            help="generator (GANimation) or superres.",
            metavar="KIND",
        ),
    ],
    config: Annotated[str, typer.Argument(help="YAML file, or the name of one that ships.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Single keys: training.steps=2000.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Train a generator or a sharpener on faces of your own.

    The same command goes on where it was stopped. Several processes: `torchrun --nproc-per-node 2
    -m famaug train KIND CONFIG`, or `accelerate launch` on GPUs.
    """
    terminal.end(as_json, "train", train(kind, config, overrides or ()))


def train(kind: str, config: str, overrides: Sequence[str] = ()) -> dict[str, object]:
    """Trains from a config, from its checkpoint where there is one; tells on standard output.

    Returns:
        `kind`, `out`, and the `steps` that are done of it.

    Raises:
        InputError: an unknown kind, wrong keys, or values that do not fit.
    """
    if kind not in _KINDS:
        raise UsageError(f"train {kind}: {', '.join(_KINDS)} are possible")
    path = find_config(config, kind)
    return {"kind": kind, **_KINDS[kind](path, overrides)}


def main(kind: str, description: str) -> None:
    """A recipe's command line: CONFIG.yaml and single keys."""

    def work(given: argparse.Namespace) -> None:
        train(kind, given.config, given.overrides)

    terminal.run_script(work, description)


def _generator(path: Path, overrides: Sequence[str]) -> Done:
    from famaug.generator.training.ganimation_config import (
        GanimationConfig,
        open_ganimation_training,
    )

    warnings.simplefilter("always", CollapseWarning)
    config = _configured(GanimationConfig, path, overrides)
    # faces are cut out and measured once; nothing trains before all fits
    return _run(open_ganimation_training(config, watch=_show, progress=_say), config)


def _superres(path: Path, overrides: Sequence[str]) -> Done:
    from famaug.files.whole import write_whole
    from famaug.superres.config import SuperresConfig, open_training

    config = _configured(SuperresConfig, path, overrides)
    # blur kernels and noise are learnt from the target pictures first
    training, held_out = open_training(config, watch=_show, progress=_say)
    done = _run(training, config)
    if held_out is not None and training.engine.is_main:
        scores = _before_and_after(config, training, held_out)
        text = json.dumps({"steps": done["steps"], **scores}, indent=1)
        write_whole(training.folder / "scores.json", text)
    return done


def _configured(kind: type[C], path: Path, overrides: Sequence[str]) -> C:
    """The config, its threads taken."""
    import torch

    from famaug.settings import load_settings

    config = load_settings(kind, path, overrides)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    return config


def _run(training: Training, config: _Config) -> Done:
    """Trains; returns the folder and the steps done."""
    from famaug.files.whole import write_whole
    from famaug.settings import to_yaml

    if training.engine.is_main:
        write_whole(training.folder / "config.yaml", to_yaml(config))
    done = training.run()
    if training.engine.is_main:
        _say(f"{done} of {training.options.steps} steps; {training.folder}")
    return {"out": str(training.folder), "steps": done}


def _before_and_after(
    config: SuperresConfig, training: Training, held_out: HeldOut
) -> dict[str, dict[str, dict[str, float]]]:
    """Held-out faces through the network it began with, the trained one, and bicubic."""
    from famaug.faces.mesher import FaceMesher
    from famaug.perception.features import FeatureTrunk
    from famaug.superres.config import network_of
    from famaug.superres.models import load_model

    trunk, mesher = FeatureTrunk(), FaceMesher()
    nets = {config.model: load_model(config.model), "trained": network_of(training)}
    scores: dict[str, dict[str, dict[str, float]]] = {"real": {}, "plain": {}}
    for kind, table in scores.items():
        for name, net in {**nets, "bicubic": None}.items():
            table[name] = values = held_out.measure(net, kind=kind, trunk=trunk, mesher=mesher)
            _say(f"{kind:6s} {name:10s} " + " ".join(f"{k} {v:.4f}" for k, v in values.items()))
    return scores


_KINDS: dict[str, Callable[[Path, Sequence[str]], Done]] = {
    "generator": _generator,
    "superres": _superres,
}


def _show(record: Mapping[str, object]) -> None:
    _say(json.dumps(record))


def _say(text: str) -> None:
    terminal.echo(text)
