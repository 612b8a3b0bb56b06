"""`famaug train`: generators and sharpeners, from a YAML."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from famaug.commands import terminal
from famaug.configs import find_config
from famaug.errors import CollapseWarning, UsageError

if TYPE_CHECKING:
    from famaug.config.read import Config
    from famaug.training.loop.training import Training

Done = dict[str, Any]


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


def _generator(path: Path, overrides: Sequence[str]) -> Done:
    from famaug.config.ganimation import GANIMATION, open_ganimation

    warnings.simplefilter("always", CollapseWarning)
    config = GANIMATION.read(path, overrides)
    # faces are cut out and measured once; nothing trains before all fits
    return _run(open_ganimation(config, watch=_show, progress=terminal.echo), config)


def _superres(path: Path, overrides: Sequence[str]) -> Done:
    from famaug.config.superres import SUPERRES, before_and_after, open_superres

    config = SUPERRES.read(path, overrides)
    # blur kernels and noise are learnt from the target pictures first
    training, held_out = open_superres(config, watch=_show, progress=terminal.echo)
    done = _run(training, config)
    if held_out is not None and training.engine.is_main:
        before_and_after(
            config["model"], training, held_out, steps=done["steps"], progress=terminal.echo
        )
    return done


def _run(training: Training, config: Config) -> Done:
    """Trains; returns the folder and the steps done."""
    from famaug.config.loop import run_training

    done = run_training(training, config)
    if training.engine.is_main:
        terminal.echo(f"{done} of {training.options.steps} steps; {training.folder}")
    return {"out": str(training.folder), "steps": done}


def _show(record: Mapping[str, object]) -> None:
    terminal.echo(json.dumps(record))


_KINDS: dict[str, Callable[[Path, Sequence[str]], Done]] = {
    "generator": _generator,
    "superres": _superres,
}
