"""`famaug studio`: what is told before a page is served."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from famaug.cli import app
from famaug.errors import InputError, MediaError, UsageError
from famaug.studio.app import serve
from famaug.studio.library import find


@pytest.mark.parametrize(
    ("words", "kind", "told"),
    [
        (["nowhere"], MediaError, "nowhere: no such file"),
        (["--real", "nowhere"], MediaError, "--real nowhere: no such file"),
        (["--port", "70000"], UsageError, "--port is 0 to 65535"),
        (["--generator", "no-such"], UsageError, "no-such"),
    ],
)
def test_what_cannot_be(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    kind: type[Exception],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["studio", *words])
    assert isinstance(done.exception, kind)
    assert told in str(done.exception)


def test_a_port_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"127.0.0.1:{port} cannot be listened on.*--port 0"):
            serve(find(None), port=port)
