"""`famaug doctor`: whether this installation works, and what it can use."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

PACKAGES = (
    "torch", "numpy", "scipy", "opencv-python-headless", "lmdb", "safetensors", "av", "pillow",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command("doctor")(doctor_command)


def doctor_command(
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Check packages, shipped weights, devices and the store of fetched files."""
    from famaug import __version__
    from famaug.errors import WeightsError
    from famaug.weights.fetch import find_stored, home
    from famaug.weights.load import SHIPPED, shipped_path
    from famaug.weights.registry import list_entries

    bad = []
    typer.echo(f"famaug {__version__}")
    for package in PACKAGES:
        try:
            typer.echo(f"  {package:24s} {version(package)}")
        except PackageNotFoundError:
            bad.append(f"{package} is not installed: pip install {package}")
    if _both_opencv():
        bad.append(
            "opencv-python and opencv-python-headless are both installed and break each other: "
            "pip uninstall opencv-python opencv-python-headless, then "
            "pip install opencv-python-headless"
        )
    for name in SHIPPED:
        try:
            shipped_path(name)
        except WeightsError as e:
            bad.append(str(e))
        else:
            typer.echo(f"  weights {name:16s} intact")
    devices = _devices()
    typer.echo(f"  devices                  {', '.join(devices)}")
    fetched = [e.name for e in list_entries() if find_stored(e.name)]
    typer.echo(f"  fetched to {home()}: {', '.join(fetched) or 'nothing yet'}")
    for line in bad:
        typer.echo(f"problem: {line}", err=True)
    if not bad:
        typer.echo("all well")
    if as_json:
        typer.echo(
            json.dumps(
                {"command": "doctor", "problems": bad, "devices": devices, "fetched": fetched}
            )
        )
    if bad:
        raise typer.Exit(1)


def _both_opencv() -> bool:
    found = 0
    for package in ("opencv-python", "opencv-python-headless"):
        try:
            version(package)
            found += 1
        except PackageNotFoundError:
            pass
    return found > 1


def _devices() -> list[str]:
    import torch

    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return ["cpu", *names]
