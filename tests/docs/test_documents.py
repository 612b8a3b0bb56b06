"""Every Python block and every command of README and docs runs as it stands, in order, in a folder
that `famaug samples` made.

    make docs       in an environment into which nothing but the wheel was installed
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.documents import (
    PYTHON,
    Ran,
    blocks_of,
    commands_of,
    environment_of,
    inline_commands,
    run_all,
    steps_of,
    wrong_fences,
)

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NOT_RUN = 12
"""How many blocks say that they cannot be run. Raise it only with a reason in the fence."""


def _name(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.docs
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_every_block_runs(document: Path, samples: Path, tmp_path: Path, ran: list[Ran]) -> None:
    folder = tmp_path / "folder"
    if document.name == "README.md":  # begins with nothing at all
        folder.mkdir()
    else:
        shutil.copytree(samples, folder)
        shutil.copytree(ROOT / "recipes", folder / "recipes")
    failed = []
    steps = steps_of(blocks_of(document, _name(document)))
    for done in run_all(steps, folder, environment_of(PYTHON)):
        ran.append(done)
        if done.code:
            tail = "\n".join(done.output.splitlines()[-15:])
            failed.append(f"{done.step.where}: {done.step.shown}\nended with {done.code}:\n{tail}")
    assert not failed, "\n\n".join(failed)


def test_fences_say_what_is_run() -> None:
    blocks = [b for d in DOCUMENTS for b in blocks_of(d, _name(d))]
    wrong = list(wrong_fences(blocks))
    assert not wrong, "\n".join(wrong)
    skipped = [f"{b.where}: {b.reason}" for b in blocks if b.reason is not None]
    assert len(skipped) <= NOT_RUN, "\n".join(skipped)
    for block in blocks:
        if block.language == "yaml":
            yaml.safe_load(block.text)
        if block.language == "python":
            compile(block.text, block.where, "exec")


@pytest.mark.parametrize("document", [*DOCUMENTS, ROOT / "CONTRIBUTING.md"], ids=_name)
def test_files_that_the_text_names_are_there(document: Path) -> None:
    """Files and folders of ours, by their path from the root; `test_x.py` also from `tests/`."""
    text = document.read_text()
    named = re.findall(r"(?<![\w/])((?:famaug|recipes|tests|docs)/[\w/.-]*\w)", text)
    tests = re.findall(r"`(\w+/(?:\w+/)*test_\w+\.py)", text)
    gone = [p for p in named if not (ROOT / p).exists()]
    gone += [p for p in tests if not (ROOT / p).exists() and not (ROOT / "tests" / p).exists()]
    assert not gone, gone


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_commands_in_the_text_exist(document: Path) -> None:
    """Names and options of `famaug ...` in running text; their arguments are not tried."""
    import typer.main

    from famaug.cli import app

    for text in inline_commands(document):
        words = text.partition("|")[0].split()[1:]
        command: Any = typer.main.get_command(app)
        while words and getattr(command, "commands", None):
            name = words.pop(0)
            assert name in command.commands, f"{_name(document)}: `{text}`"
            command = command.commands[name]
        options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help"}
        asked = {w.strip("[],").partition("=")[0] for w in words if w.strip("[").startswith("--")}
        assert asked <= options, f"{_name(document)}: `{text}`: {sorted(asked - options)}"


def test_what_a_block_is(tmp_path: Path) -> None:
    """The reading of documents itself."""
    (tmp_path / "sub").mkdir()
    page = tmp_path / "page.md"
    page.write_text(
        "```python\na = 1\n```\n```python continues\nprint(a)\n```\n"
        "```sh\n# a comment\necho one   # told\ncd sub\nbasename $PWD\necho \\\n  two\n```\n"
        "```\nfamaug aus x\n```\n```sh not run: needs a cluster\nfalse\n```\n```sh maybe\n```\n"
    )
    blocks = blocks_of(page, "page.md")
    assert [b.reason for b in blocks] == [None, None, None, None, "needs a cluster", None]
    assert commands_of(blocks[2].text) == ["echo one", "cd sub", "basename $PWD", "echo two"]
    assert [w.partition(":")[2][:2] for w in wrong_fences(blocks)] == ["15", "21"]
    ran = [*run_all(steps_of(blocks), tmp_path, environment_of(Path(sys.executable)))]
    want = [(0, "1\n"), (0, "one\n"), (0, ""), (0, "sub\n"), (0, "two\n")]
    assert [(r.code, r.output) for r in ran] == want
