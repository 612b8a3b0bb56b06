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
    out: Annotated[
        Path | None, typer.Option(help="With --look: keep it in this file, for configurations.")
    ] = None,
    held_out: Annotated[
        list[str] | None,
        typer.Option(help="With --look: a person whose clips are not measured; may be repeated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Check packages, optional ones too, OpenCV, shipped weights, devices, compiler and free space;
    or, with --dataset NAME PATH, a data set: missing clips and frames, rows without folder, counts
    against the published ones.
    """
    if (dataset is None) != (path is None):
        raise UsageError("--dataset NAME and the folder's PATH go together")
    if dataset is not None and path is not None:
        from famaug.data.readers import open_dataset
        from famaug.datasets import release_named

        if expect not in (None, "complete", "partial"):
            raise UsageError(f"--expect is complete or partial; got {expect!r}")
        if not look and (out is not None or held_out):
            raise UsageError("--out and --held-out belong to --look")
        with terminal.typed():
            release_named(dataset)
        reader = open_dataset(dataset, path, table=table, clip=clip)
        looked = _part(reader, held_out or []) if look else None
        _check_dataset(reader, looked, out, images, as_json, expect or "complete")
        return
    if any(o is not None for o in (clip, table, expect, out, held_out)) or images or look:
        raise UsageError(
            "--clip, --table, --expect, --images, --look, --out and --held-out belong to "
            "--dataset NAME PATH"
        )
    _check_installation(as_json)


def _part(reader: Any, held_out: list[str]) -> Any:
    """The clips of everybody but `held_out`."""
    from famaug.data.folds import without_people

    with terminal.typed():
        return without_people(reader, held_out, what="--held-out") if held_out else reader


def _check_dataset(
    reader: Any, looked: Any, out: Path | None, images: bool, as_json: bool, expect: str
) -> None:
    from famaug.data.check import check_dataset

    report = check_dataset(reader, images=images, expect=cast(Any, expect))
    terminal.echo("\n".join(report.lines()))
    value = report.to_json()
    if looked is not None:
        from famaug.data.look_files import save_look
        from famaug.data.look_fit import fit_look

        look = fit_look(looked)
        terminal.echo("look\n  " + "\n  ".join(look.lines()))
        value["look"] = look.to_json()
        if out is not None:
            save_look(look, out)
            terminal.echo(f"wrote the look to {out}")
    for line in report.problems:
        terminal.echo(f"problem: {line}", err=True)
    if as_json:
        terminal.echo(json.dumps({"command": "doctor", **value}))
    if report.problems:
        raise typer.Exit(terminal.FAILED)
    terminal.echo("all well")


def _check_installation(as_json: bool) -> None:
    from famaug.installation import look_at_installation

    found = look_at_installation()
    terminal.echo("\n".join(found.lines()))
    for line in found.notes:
        terminal.echo(f"note: {line}")
    for line in found.problems:
        terminal.echo(f"problem: {line}", err=True)
    if not found.problems:
        terminal.echo("all well")
    if as_json:
        terminal.echo(json.dumps({"command": "doctor", **found.to_json()}))
    if found.problems:
        raise typer.Exit(1)
