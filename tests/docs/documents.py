"""README and docs as programs: every Python block and every command of theirs, in order.

What a fence says decides what happens to its block:

    ```python                     a script of its own
    ```python continues           goes on from the Python block above it
    ```sh                         commands, one after the other; `# ...` behind one is a comment
    ```sh smaller: --clips 2      the same with these words behind each command
    ```python not run: REASON     counted, not run (sh likewise)
    anything else                 text; it may hold no line that looks like a command of famaug's
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

PYTHON = Path(os.environ.get("FAMAUG_PYTHON", sys.executable))
"""Of the environment in which famaug is tried."""
FENCE = re.compile(r"^```(?P<info>.*)$")
COMMAND = re.compile(r"^\s*(?:\w+=\S+ )*(famaug|python|pip|make|torchrun|accelerate) \S")
INLINE = re.compile(r"`(famaug [a-z][^`]*)`")
RUN_LANGUAGES = ("python", "sh")
IMPORTS = ("import ", "from ")
LIMIT_S = 420


@dataclass(frozen=True)
class Block:
    """A fenced block: where it begins, what its fence says, and its text."""

    document: str
    line: int
    language: str
    note: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.document}:{self.line}"

    @property
    def smaller(self) -> str:
        """Words that make its commands quick enough to be tried."""
        said = re.match(r"smaller: (.+)", self.note)
        return f" {said[1]}" if said else ""

    @property
    def reason(self) -> str | None:
        """Why it is not run, or None."""
        said = re.match(r"not run: (.+)", self.note)
        return said[1] if said else None


@dataclass(frozen=True)
class Step:
    """A shell command, or a Python script with its file's name."""

    where: str
    text: str
    script: str = ""

    @property
    def shown(self) -> str:
        """One line of it."""
        code = (x for x in self.text.splitlines() if x.strip() and not x.startswith(IMPORTS))
        return next(code, "") if self.script else self.text


@dataclass(frozen=True)
class Ran:
    """What became of a step; `seconds` of CPU."""

    step: Step
    seconds: float
    code: int
    output: str


def blocks_of(document: Path, name: str) -> list[Block]:
    """All fenced blocks in order."""
    found: list[Block] = []
    start, info, lines = 0, "", list[str]()
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
        fence = FENCE.match(line)
        if fence is None:
            lines.append(line)
        elif not start:
            start, info, lines = number, fence["info"].strip(), []
        else:
            language, _, note = info.partition(" ")
            found.append(Block(name, start, language, note, "\n".join(lines) + "\n"))
            start = 0
    assert not start, f"{name}: the fence of line {start} is not closed"
    return found


def wrong_fences(blocks: list[Block]) -> Iterator[str]:
    """What a fence must not say or hide."""
    for block in blocks:
        if block.language in RUN_LANGUAGES:
            known = block.note in ("", "continues") or block.reason or block.smaller
            if not known:
                yield f"{block.where}: the fence says {block.note!r}"
            if block.note == "continues" and block.language != "python":
                yield f"{block.where}: only a Python block can continue another"
        elif any(COMMAND.match(line) for line in block.text.splitlines()):
            yield f"{block.where}: holds a command, but its fence says {block.language!r}"


def steps_of(blocks: list[Block]) -> Iterator[Step]:
    """Every block that is run, as scripts and commands; Python blocks with those that continue
    them are one script, run where the first stands."""
    run = [b for b in blocks if b.language in RUN_LANGUAGES and b.reason is None]
    for number, block in enumerate(run):
        if block.language == "sh":
            yield from (Step(block.where, c + block.smaller) for c in commands_of(block.text))
        elif block.note != "continues":
            later = [b for b in run[number + 1 :] if b.language == "python"]
            more = takewhile(lambda b: b.note == "continues", later)
            yield Step(
                block.where, "\n\n".join([block.text, *(b.text for b in more)]), f"block{number}.py"
            )


def run_all(steps: Iterator[Step], folder: Path, environment: Mapping[str, str]) -> Iterator[Ran]:
    """Runs them one after the other; `cd` goes to another folder for those that follow."""
    for step in steps:
        if not step.script and step.text.startswith("cd "):
            folder = folder / step.text[3:].strip()
        yield run(step, folder, environment)


def commands_of(text: str) -> list[str]:
    """Lines as commands; a backslash at the end joins the next, comments are dropped."""
    joined = re.sub(r"\\\n\s*", "", text)
    lines = (re.sub(r"\s+#.*$", "", line).strip() for line in joined.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def inline_commands(document: Path) -> list[str]:
    """`famaug ...` written in the text, outside of blocks."""
    text = re.sub(r"(?ms)^```.*?^```", "", document.read_text(encoding="utf-8"))
    return [" ".join(m.split()) for m in INLINE.findall(text)]


def run(step: Step, folder: Path, environment: Mapping[str, str]) -> Ran:
    """Runs a step in its folder; what it printed is kept for the report."""
    before = _cpu_of_children()
    command = ["bash", "-c", "true" if step.text.startswith("cd ") else step.text]
    if step.script:
        (folder / step.script).write_text(step.text, encoding="utf-8")
        command = ["python", step.script]
    try:
        done = subprocess.run(
            command, cwd=folder, env={**environment}, timeout=LIMIT_S, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        code, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as error:
        printed = error.stdout or b""
        code, output = 124, printed.decode() if isinstance(printed, bytes) else printed
    return Ran(step, _cpu_of_children() - before, code, output)


def _cpu_of_children() -> float:
    """Seconds of CPU that ended processes took: the same on a busy machine as on an idle one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def environment_of(python: Path) -> dict[str, str]:
    """As a user has it: that Python's programs first, nothing of the checkout's."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return {
        **kept,
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
        "TERM": "dumb",
        "OMP_WAIT_POLICY": "PASSIVE",
    }
