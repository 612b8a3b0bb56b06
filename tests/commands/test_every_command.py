"""What holds for every command: an example that can be typed, and --json."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from famaug.cli import app


def commands(group: Any = None, above: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in (group or typer.main.get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


COMMANDS = dict(commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_an_example_that_can_be_typed(name: str) -> None:
    command = COMMANDS[name]
    assert command.epilog.startswith(f"Example: famaug {name}")
    rest = shlex.split(command.epilog.removeprefix(f"Example: famaug {name}"))
    command.make_context(name, rest)


# a server has no end to tell of
@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "studio"])
def test_json(name: str) -> None:
    assert any("--json" in p.opts for p in COMMANDS[name].params)
