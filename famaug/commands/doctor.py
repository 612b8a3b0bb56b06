"""`famaug doctor`: whether this installation works, or what is wrong with a copy of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from famaug.commands import options, terminal
from famaug.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command(
        "doctor", epilog="Example: famaug doctor --dataset casme2 data/CASME2 --expect partial"
    )(options.grouped(doctor_command))


@dataclass(frozen=True)
class Copy:
    """How a copy of a data set is looked at.

    Attributes:
        clip: Which frames of the data set: cropped or raw.
        table: Its label table, where it lies elsewhere.
        expect: complete, or partial: fewer clips than published are no problem.
        images: Decode every frame too: slow.
        look: Measure how its clips look (framing, noise, ...).
        out: With --look: keep it in this file, for configurations.
        held_out: With --look: a person whose clips are not measured; may be repeated.
    """

    clip: str | None = None
    table: Path | None = None
    expect: str | None = None
    images: Annotated[bool, typer.Option("--images")] = False
    look: Annotated[bool, typer.Option("--look")] = False
    out: Path | None = None
    held_out: list[str] | None = None


def doctor_command(
    path: Annotated[
        Path | None, typer.Argument(help="With --dataset: the folder of the release.")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Check a copy of a data set instead: casme2, composite, module:Class ..."
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            help="Print a look instead: composite, casme2, samm, smic or a file; --out writes it."
        ),
    ] = None,
    *,
    copy: Copy,
    as_json: options.AsJson = False,
) -> None:
    """Check packages, optional ones too, OpenCV, shipped weights, devices and free space;
    or, with --dataset NAME PATH, a data set: missing clips and frames, rows without folder, counts
    against the published ones; or, with --profile NAME, a look that comes with famaug.
    """
    if (dataset is None) != (path is None):
        raise UsageError("--dataset NAME and the folder's PATH go together")
    if profile is not None:
        if dataset is not None or copy != Copy(out=copy.out):
            raise UsageError("--profile goes alone, or with --out")
        value, problems = _show_look(profile, copy.out)
    elif dataset is not None and path is not None:
        value, problems = _check_dataset(dataset, path, copy)
    elif copy != Copy():
        raise UsageError(
            "--clip, --table, --expect, --images, --look, --out and --held-out belong to "
            "--dataset NAME PATH"
        )
    else:
        value, problems = _check_installation()
    for line in problems:
        terminal.echo(f"problem: {line}", err=True)
    if not problems:
        terminal.echo("all well")
    terminal.end(as_json, "doctor", value)
    if problems:
        raise typer.Exit(terminal.FAILED)


def _check_dataset(name: str, path: Path, copy: Copy) -> tuple[dict[str, Any], Sequence[str]]:
    """What is found, as JSON, and what is wrong."""
    if copy.expect not in (None, "complete", "partial"):
        raise UsageError(f"--expect is complete or partial; got {copy.expect!r}")
    if not copy.look and (copy.out is not None or copy.held_out):
        raise UsageError("--out and --held-out belong to --look")
    from famaug.data.readers import composite_in, find_reader, open_named, options_of

    with terminal.typed():
        make = find_reader(name, "data set")
    from famaug.data.check import check_dataset
    from famaug.data.folds import without_people

    given = {"clip": copy.clip, "table": copy.table}
    options: dict[str, Any] = {option: v for option, v in given.items() if v is not None}
    takes = options_of(make)
    if takes is not None and not takes.issuperset(options):
        wrong = " and ".join(f"--{option}" for option in options if option not in takes)
        raise UsageError(f"{wrong}: not for the data set {name}")
    if make is composite_in:
        options["missing"] = "skip"  # it is reported
    reader = open_named(name, path, options, "dataset")
    with terminal.typed():
        people = copy.held_out
        looked = without_people(reader, people, what="--held-out") if people else reader
    report = check_dataset(reader, images=copy.images, expect=cast(Any, copy.expect or "complete"))
    terminal.echo("\n".join(report.lines()))
    value = report.to_json()
    if copy.look:
        from famaug.data.look_fit import fit_look
        from famaug.look.files import save_look

        look = fit_look(looked)
        terminal.echo("look\n  " + "\n  ".join(look.lines()))
        value["look"] = look.to_json()
        if copy.out is not None:
            save_look(look, copy.out)
            terminal.echo(f"wrote the look to {copy.out}")
    return value, report.problems


def _show_look(name: str, out: Path | None) -> tuple[dict[str, Any], Sequence[str]]:
    """A look in words, and as JSON."""
    from famaug.look.files import load_look, save_look

    with terminal.typed():
        look = load_look(name)
    terminal.echo(f"look {name}\n  " + "\n  ".join(look.lines()))
    if out is not None:
        save_look(look, out)
        terminal.echo(f"wrote the look to {out}")
    return {"look": look.to_json()}, []


def _check_installation() -> tuple[dict[str, Any], Sequence[str]]:
    """What is found, as JSON, and what is wrong."""
    from famaug.commands.installation import look_at_installation

    found = look_at_installation()
    terminal.echo("\n".join(found.lines()))
    for line in found.notes:
        terminal.echo(f"note: {line}")
    return found.to_json(), found.problems
