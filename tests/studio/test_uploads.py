"""Files that pages take in: the limit holds on the server, whatever talks to it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from nicegui.elements.upload_files import SmallFileUpload

from famaug.errors import InputError
from famaug.studio.layout import taken


def test_a_file_over_the_limit_is_not_read() -> None:
    within = SmallFileUpload("a.png", "image/png", b"x" * (1 << 20))
    beyond = SmallFileUpload("b.png", "image/png", b"x" * ((1 << 20) + 1))
    found = asyncio.run(taken(SimpleNamespace(file=within), 1))
    assert found == (b"x" * (1 << 20), "a.png")
    with pytest.raises(InputError, match=r"b\.png: a file of up to 1 MB"):
        asyncio.run(taken(SimpleNamespace(file=beyond), 1))
