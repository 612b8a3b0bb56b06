"""What every command takes, says and how it ends: options, notes, bars, JSON, exit codes."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import traceback
import unicodedata
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from famaug.errors import FamaugError, FamaugWarning, InputError, MediaError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

FAILED, UNUSABLE, STOPPED, TERMINATED = 1, 2, 130, 143
"""Exit codes: the work failed; what was typed cannot be used; Ctrl-C; ended by SIGTERM."""
SHOWN = 3
"""Different warnings of a kind that are shown before the rest is only counted."""

Show = Callable[[str, int, int | None], None]
"""A bar: gets the stage, what is done of it, and the total where it is known."""

_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
log = logging.getLogger("famaug")


# -- WORDS ----------------------------------------------------------------------------------------


def printable(text: object, *, lines: bool = False) -> str:
    """Text with every character that a terminal would act on written out: control and escape
    sequences, marks that turn the direction of writing, halves of characters.

    Args:
        text: what is to be shown.
        lines: keep line ends and tabs.
    """
    return "".join(
        c
        if (lines and c in "\n\t") or unicodedata.category(c) not in _HIDDEN
        else c.encode("unicode_escape", "surrogatepass").decode()
        for c in str(text)
    )


@cache
def console() -> Console:
    """The one console on stderr: notes are printed above the bars, not into them."""
    from rich.console import Console

    return Console(stderr=True)


class _Handler(logging.Handler):
    """Log lines for people: warnings as "note: ...", the rest as it is."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        told = f"note: {text}" if record.levelno >= logging.WARNING else text
        console().print(printable(told, lines=True), markup=False, highlight=False, soft_wrap=True)


_HANDLER = _Handler()
_TOLD: list[str] = []
"""Notes since the command began: with --json they stand in its last line too."""


def set_level(*, verbose: bool = False, quiet: bool = False) -> None:
    """Sends the logger `famaug` to the terminal: notes; with `verbose` all; with `quiet` none."""
    if _HANDLER not in log.handlers:
        log.addHandler(_HANDLER)
    level = logging.ERROR if quiet else logging.DEBUG if verbose else logging.WARNING
    log.setLevel(level)


def is_first() -> bool:
    """Whether this is the one process, or the first of a launcher's: the one that speaks."""
    return os.environ.get("RANK", "0") == "0"


def is_quiet() -> bool:
    """Whether bars and notes are left out."""
    return log.getEffectiveLevel() >= logging.ERROR or not is_first()


def echo(text: object, *, err: bool = False) -> None:
    """Lines for people, on stdout or stderr. Names in them may be anybody's: what a terminal would
    act on is written out."""
    typer.echo(printable(text, lines=True), err=err)


def say(text: str) -> None:
    """A line of the result, once for all processes."""
    if text and is_first():
        echo(text)


def note(text: str) -> None:
    """A line on stderr, and with --json, on what a user should know of the result."""
    _TOLD.append(text)
    if _HANDLER not in log.handlers:
        set_level()
    log.warning(text)


@contextmanager
def notes() -> Iterator[None]:
    """Around a command. Warnings of famaug become notes: each once, of a kind the first few, the
    rest counted."""
    _TOLD.clear()
    seen: dict[type[Warning], set[str]] = {}
    more = Counter[type[Warning]]()
    with warnings.catch_warnings():
        warnings.simplefilter("always", FamaugWarning)
        pass_on = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **kw: Any) -> None:
            if not issubclass(category, FamaugWarning):
                pass_on(message, category, *place, **kw)
                return
            told = seen.setdefault(category, set())
            if str(message) in told or (len(told) >= SHOWN and not log.isEnabledFor(logging.INFO)):
                more[category] += 1
            else:
                told.add(str(message))
                note(str(message))

        warnings.showwarning = show
        try:
            yield
        finally:
            for category, count in more.items():
                note(f"and {count} more like these ({category.__name__}); -v shows each text")


@contextmanager
def typed() -> Iterator[None]:
    """Around what looks at options and configurations before any work: an input that is wrong here
    was typed wrongly. Unusable files and faces stay failures of the work."""
    try:
        yield
    except UsageError:
        raise
    except InputError as error:
        if type(error) is not InputError:
            raise
        raise UsageError(str(error)) from error


@contextmanager
def bars() -> Iterator[Show]:
    """One bar a stage on stderr; call it with the stage, what is done, and the total if known."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    if is_quiet():
        yield lambda stage, done, total: None
        return
    rate = TextColumn("{task.fields[rate]}")
    # stages carry names of folds, sources and files: they are text, no markup
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        rate,
    )
    with Progress(*columns, TimeRemainingColumn(), console=console()) as shown:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                for old in [t for t in shown.tasks if t.finished and t.visible][:-SHOWN]:
                    shown.update(old.id, visible=False)
                tasks[stage] = shown.add_task(
                    printable(stage), total=total, completed=done, rate=""
                )
            task = tasks[stage]
            shown.update(task, completed=done, total=total)
            speed = shown.tasks[shown.task_ids.index(task)].speed
            shown.update(task, rate=f"{speed:.2f}/s" if speed else "")

        yield show


@contextmanager
def bar(stage: str) -> Iterator[Callable[[int, int], None]]:
    """One bar; call it with what is done and the total."""
    with bars() as show:
        yield lambda done, total: show(stage, done, total)


@contextmanager
def working() -> Iterator[None]:
    """Bars for all that the library tells of within."""
    from famaug.progress import told_to

    with bars() as show, told_to(show):
        yield


def check_there(option: str, path: str | Path) -> None:
    """Raises UsageError for nothing, MediaError for a path where nothing is."""
    if not str(path):
        raise UsageError(f"{option} is empty")
    if not Path(path).exists():
        raise MediaError(f"{option} {path}: no such file or folder")


def end(as_json: bool, command: str, figures: Mapping[str, Any]) -> None:
    """The last line, where it is asked for: the figures, and what was noted."""
    if as_json and is_first():
        noted = [*figures.get("notes", ()), *_TOLD]
        echo(json.dumps({"command": command, **figures, "notes": noted}, default=str))


def exit_code(error: BaseException) -> int:
    """The exit code that an error ends in."""
    if isinstance(error, KeyboardInterrupt):
        return STOPPED
    return UNUSABLE if isinstance(error, UsageError) else FAILED


def run(work: Callable[[], object], name: str = "famaug") -> NoReturn:
    """Runs a command line to its exit code: no traceback reaches the user but with -v."""
    # as Ctrl-C: what is half-written is removed on the way out
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(TERMINATED))
    try:
        done = work()
        sys.stdout.flush()
    except FamaugError as error:
        _fail(f"{name}: {error}", error)
    except KeyboardInterrupt as error:
        _fail(f"{name}: stopped; what was finished is kept", error)
    except SystemExit as end:  # typer ends Ctrl-C without a word
        if isinstance(getattr(end.__context__, "__cause__", None), KeyboardInterrupt):
            echo(f"{name}: stopped; what was finished is kept", err=True)
        raise
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)  # whoever read the output has gone
    except Exception as error:
        why = " ".join(str(error).split()) or "no reason given"
        _fail(f"{name}: unexpected {type(error).__name__}: {why[:500]}{_hint()}", error)
    sys.exit(done if isinstance(done, int) else 0)


def _hint() -> str:
    verbose = log.isEnabledFor(logging.DEBUG)
    return "" if verbose else "; run with -v (--verbose) for the traceback"


def _fail(text: str, error: BaseException) -> NoReturn:
    if log.isEnabledFor(logging.DEBUG) and not isinstance(error, KeyboardInterrupt):
        echo("".join(traceback.format_exception(error)).rstrip(), err=True)
    echo(text, err=True)
    sys.exit(exit_code(error))


def run_script(
    main: Callable[[argparse.Namespace], int | None],
    about: str,
    *,
    config: str | None = None,
    **more: Any,
) -> None:
    """A recipe from its command line to its exit code: CONFIG.yaml, single keys anywhere, and -v.

    Args:
        main: gets the parsed arguments `config`, `overrides` and those of `more`.
        about: the recipe's docstring.
        config: taken where `--config` gives no other; None: it must be given, first.
        more: further options by name (`per_clip` is --per-clip): what `add_argument` takes.
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    told = "YAML file, or the name of one that ships"
    if config is None:
        parser.add_argument("config", help=told)
    else:
        parser.add_argument("--config", default=config, help=f"{told} ({config})")
    parser.add_argument("overrides", nargs="*", help="single keys, as seed=1")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell more")
    parser.add_argument("-q", "--quiet", action="store_true", help="no bars, no notes")
    for name, how in more.items():
        parser.add_argument(f"--{name.replace('_', '-')}", **how)
    given = parser.parse_intermixed_args()
    set_level(verbose=given.verbose, quiet=given.quiet)

    def work() -> int | None:
        with notes():
            return main(given)

    run(work, parser.prog.removesuffix(".py"))
