"""The configurations that ship, one folder a command; each opens with its command line.

A command takes a file of yours or the name of one of these: `famaug recognise composite`.
"""

from __future__ import annotations

from pathlib import Path

from famaug.errors import UsageError
from famaug.named import did_you_mean

FOLDER = Path(__file__).resolve().parent
KINDS = ("generation", "recognition", "ablation", "generator", "superres")


def shipped(kind: str) -> dict[str, Path]:
    """Name to file of the configurations of a kind (`KINDS`)."""
    return {path.stem: path for path in sorted((FOLDER / kind).glob("*.yaml"))}


def find_config(given: str | Path, kind: str) -> Path:
    """The file of that path, or the shipped configuration of that name.

    Raises:
        UsageError: there is neither.
    """
    path = Path(given)
    if path.is_file():
        return path
    names = shipped(kind)
    if str(given) in names:
        return names[str(given)]
    if path.exists():
        raise UsageError(f"{path}: a configuration is a YAML file; this is a folder")
    hint = did_you_mean(str(given), names)
    raise UsageError(
        f"{given}: no such file, and no configuration that ships ({', '.join(names)}){hint}"
    )


def render_template(kind: str, **values: object) -> str:
    """A commented configuration of `famaug init`, filled in."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = FileSystemLoader(FOLDER / "templates")
    pages = Environment(loader=folder, undefined=StrictUndefined, keep_trailing_newline=True)
    return pages.get_template(f"{kind}.yaml").render(**values)
