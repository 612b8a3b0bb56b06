"""`famaug bench`: how fast it is, as ratios measured in one run."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Annotated, Any

import typer

from famaug.commands import terminal
from famaug.errors import InputError

BENCHES = (
    "faces",
    "aus",
    "warp",
    "generator",
    "superres",
    "store",
    "data",
    "generation",
    "flow",
    "loso",
)


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command("bench", epilog="Example: famaug bench store")(bench_command)


def bench_command(
    name: Annotated[
        str | None, typer.Argument(help=f"Which: {', '.join(BENCHES)}; all if not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Measure: medians, warm, ratios of things timed in turns in the same run."""
    if name is not None and name not in BENCHES:
        raise InputError(f"no bench {name!r}; there are: {', '.join(BENCHES)}")
    for each in BENCHES if name is None else (name,):
        result = {"bench": each, **_run(each), "machine": _machine()}
        terminal.echo(each)
        for kind in ("ratios", "figures"):
            for key, value in result[kind].items():
                terminal.echo(f"  {key:28s} {value:10.3f}")
        if as_json:
            terminal.echo(json.dumps(result))


def _run(name: str) -> dict[str, Any]:
    result: dict[str, Any] = import_module(f"famaug.bench.{name}").run()
    return result


def _machine() -> dict[str, Any]:
    import os
    import platform

    import torch

    return {
        "cpu_count": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "processor": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.cuda.get_device_name(0) if torch.cuda.is_available() else None,
    }
