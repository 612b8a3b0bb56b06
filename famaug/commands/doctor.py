"""`famaug doctor`: whether this installation works, or what is wrong with a copy of a data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from famaug.commands import terminal
from famaug.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command(
        "doctor", epilog="Example: famaug doctor --dataset casme2 data/CASME2 --expect partial"
    )(doctor_command)


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
    expect: Annotated[
        str | None,
        typer.Option(help="complete, or partial: fewer clips than published are no problem."),
    ] = None,
    images: Annotated[bool, typer.Option("--images", help="Decode every frame too: slow.")] = False,
    look: Annotated[
        bool, typer.Option("--look", help="Measure how its clips look (framing, noise, ...).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Check packages, optional ones too, OpenCV, shipped weights, devices, compiler and free space;
    or, with --dataset NAME PATH, a data set: missing clips and frames, rows without folder, counts
    against the published ones.
    """
    if (dataset is None) != (path is None):
        raise UsageError("--dataset NAME and the folder's PATH go together")
    if dataset is not None and path is not None:
        if expect not in (None, "complete", "partial"):
            raise UsageError(f"--expect is complete or partial; got {expect!r}")
        _check_dataset(dataset, path, clip, table, images, look, as_json, expect or "complete")
        return
    if any(o is not None for o in (clip, table, expect)) or images or look:
        raise UsageError(
            "--clip, --table, --expect, --images and --look belong to --dataset NAME PATH"
        )
    _check_installation(as_json)


def _check_dataset(
    name: str,
    path: Path,
    clip: str | None,
    table: Path | None,
    images: bool,
    look: bool,
    as_json: bool,
    expect: str,
) -> None:
    from famaug.datasets import release_named

    with terminal.typed():
        release_named(name)
    from famaug.data.check import check_dataset
    from famaug.data.readers import open_dataset

    reader = open_dataset(name, path, table=table, clip=clip)
    report = check_dataset(reader, images=images, expect=cast(Any, expect))
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
        raise typer.Exit(terminal.FAILED)
    typer.echo("all well")


def _check_installation(as_json: bool) -> None:
    from famaug.installation import look_at_installation

    found = look_at_installation()
    typer.echo("\n".join(found.lines()))
    for line in found.notes:
        typer.echo(f"note: {line}")
    for line in found.problems:
        typer.echo(f"problem: {line}", err=True)
    if not found.problems:
        typer.echo("all well")
    if as_json:
        typer.echo(json.dumps({"command": "doctor", **found.to_json()}))
    if found.problems:
        raise typer.Exit(1)
