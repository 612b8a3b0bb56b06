"""`famaug init`: a commented configuration for the user's own data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from famaug.commands import terminal
from famaug.errors import UsageError

COMMANDS = {"generation": "pregenerate", "recognition": "recognise", "ablation": "ablate"}
DEFAULT_ROOT = "data/clips"


def register(app: typer.Typer) -> None:
    """Add the command to famaug's."""
    app.command(
        "init", epilog="Example: famaug init generation . --dataset casme2 --root data/CASME2"
    )(init_command)


def init_command(
    kind: Annotated[str, typer.Argument(help=f"{', '.join(COMMANDS)}.", metavar="KIND")],
    folder: Annotated[
        Path, typer.Argument(help="Folder to write KIND.yaml into.", metavar="DIR")
    ] = Path(),
    dataset: Annotated[
        str,
        typer.Option(
            help="casme2, samm, smic, ..., composite, ClipFolder (ROOT/SUBJECT/CLIP/frames), or "
            "module:Class."
        ),
    ] = "ClipFolder",
    root: Annotated[
        Path | None, typer.Option(help="Folder of the data; the composite's holds three.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Write a commented YAML for your own data, and say what to type next.

    Nothing is overwritten. The data need not be there yet.
    """
    from famaug.configs import render_template
    from famaug.files.whole import write_whole

    if kind not in COMMANDS:
        raise UsageError(f"init {kind}: {', '.join(COMMANDS)} are possible")
    path = folder / f"{kind}.yaml"
    if path.exists():
        raise UsageError(f"{path} is there already; give another folder, or move it away")
    with terminal.typed():
        values = values_of(dataset, root)
    text = render_template(kind, file=json.dumps(str(path)) if " " in str(path) else path, **values)
    write_whole(path, text)
    command = f"famaug {COMMANDS[kind]} {path}"
    if root is not None and not root.is_dir():
        terminal.note(f"{root} is no folder yet")
    terminal.echo(f"wrote {path}; next: {command} --dry-run")
    terminal.end(as_json, "init", {"file": str(path), "next": command})


def values_of(dataset: str, root: Path | None) -> dict[str, str]:
    """What a template is filled with: the reader by its one name, its folder and options.

    Raises:
        InputError: no such data set.
    """
    from famaug.data.labels import THREE
    from famaug.data.readers import find_reader
    from famaug.people.datasets import find_release, is_composite

    release = None if ":" in dataset else find_release(dataset)
    name = "composite" if ":" not in dataset and is_composite(dataset) else dataset
    if release is not None:
        name = release.name
    elif ":" not in dataset:  # module:Class of one's own may be written later
        find_reader(dataset, "--dataset")
    own = name.rpartition(":")[2]
    short = own.casefold() if own.isidentifier() or release is not None else "own"
    three = release is not None and short.partition("-")[0] in THREE
    return {
        "reader": json.dumps(name) if ":" in name else name,
        "name": short,
        "root": json.dumps(str(root or DEFAULT_ROOT)),
        "options": "{label: three}" if three else "{}",
    }
