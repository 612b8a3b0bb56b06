"""`famaug doctor`: whether this installation works, or what is wrong with a copy of a data set."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from famaug.errors import InputError

PACKAGES = (
    "torch", "numpy", "scipy", "opencv-python-headless", "lmdb", "safetensors", "av", "pillow",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command("doctor")(doctor_command)


def doctor_command(
    path: Annotated[
        Path | None, typer.Argument(help="With --dataset: the folder of the release.")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="Check a copy of a data set instead: casme2, samm, smic, ..."),
    ] = None,
    clip: Annotated[
        str | None, typer.Option(help="Which frames of the data set: cropped or raw.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="Its label table, where it lies elsewhere.")
    ] = None,
    images: Annotated[bool, typer.Option("--images", help="Decode every frame too: slow.")] = False,
    look: Annotated[
        bool, typer.Option("--look", help="Measure how its clips look (framing, noise, ...).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Check packages, shipped weights, devices and fetched files; or, with --dataset NAME PATH,
    a data set: missing clips and frames, rows without folder, counts against the published ones.
    """
    if (dataset is None) != (path is None):
        raise InputError("--dataset NAME and the folder's PATH go together")
    if dataset is not None and path is not None:
        _check_dataset(dataset, path, clip, table, images, look, as_json)
        return
    if clip is not None or table is not None or images or look:
        raise InputError("--clip, --table, --images and --look belong to --dataset NAME PATH")
    _check_installation(as_json)


def _check_dataset(
    name: str,
    path: Path,
    clip: str | None,
    table: Path | None,
    images: bool,
    look: bool,
    as_json: bool,
) -> None:
    from famaug.data.check import check_dataset
    from famaug.data.readers import open_dataset

    reader = open_dataset(name, path, table=table, clip=clip)
    report = check_dataset(reader, images=images)
    typer.echo("\n".join(report.lines()))
    value = report.to_json()
    if look:
        from famaug.data.look_fit import fit_look

        profile = fit_look(reader)
        typer.echo("look\n  " + "\n  ".join(profile.lines()))
        value["look"] = profile.to_json()
    for line in report.problems:
        typer.echo(f"problem: {line}", err=True)
    if as_json:
        typer.echo(json.dumps({"command": "doctor", **value}))
    if report.problems:
        raise typer.Exit(1)
    typer.echo("all well")


def _check_installation(as_json: bool) -> None:
    from famaug import __version__
    from famaug.errors import WeightsError
    from famaug.native import find_compiler
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
    typer.echo(f"  C compiler               {find_compiler() or 'none: PyTorch alone, slower'}")
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
