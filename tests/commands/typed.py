"""A command line run in this process: a process of its own costs two seconds of imports."""

from __future__ import annotations

import contextlib
import io
import signal
import sys
from dataclasses import dataclass
from unittest import mock

from famaug.cli import main
from famaug.commands import terminal


@dataclass(frozen=True)
class Done:
    """What a shell would have of it: as `subprocess.CompletedProcess`."""

    returncode: int
    stdout: str
    stderr: str


def famaug(*words: object) -> Done:
    """What `famaug WORDS` prints and ends with, its own handling of errors and signals included."""
    out, err = io.StringIO(), io.StringIO()
    on_sigterm, code = signal.getsignal(signal.SIGTERM), 0
    try:
        with (
            mock.patch.object(sys, "argv", ["famaug", *map(str, words)]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    finally:
        signal.signal(signal.SIGTERM, on_sigterm)
        terminal.set_level()
    return Done(code, out.getvalue(), err.getvalue())
