"""Configurations that would make gigabytes of a few lines, or wait for ever."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from famaug.config.read import Key, Schema
from famaug.errors import InputError

SCHEMA = Schema({"a": Key(str, ""), "many": Key(dict[str, Any], {})})


LAUGHS = "a: x\nmany:\n  l0: &l0 [x, x]\n" + "".join(
    f"  l{i}: &l{i} [*l{i - 1}, *l{i - 1}]\n" for i in range(1, 40)
)
DOUBLED = "a: x\nmany:\n  l0: xxxxxxxxxx\n" + "".join(
    f"  l{i}: ${{many.l{i - 1}}}${{many.l{i - 1}}}\n" for i in range(1, 40)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAUGHS, "keys and values"),
        (DOUBLED, "references"),
        ("many: " + "[" * 5000, "."),
        ("many: {a: &a [*a]}", "inf keys"),
        ("many: [" + "1," * 20_000 + "]", "keys and values"),
        ("a: " + "x" * (300 << 10), "read up to"),
        ("a: !!python/object/apply:os.system [touch ran]", "."),
    ],
)
def test_small_files_that_grow_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(InputError, match=said):
        SCHEMA.read(tmp_path / "c.yaml")
    assert not Path("ran").exists()


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    for path in (tmp_path / "pipe.yaml", Path("/dev/zero"), tmp_path, tmp_path / "none.yaml"):
        with pytest.raises(InputError):
            SCHEMA.read(path)


def test_references_of_a_usual_config_are_read(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("a: ${many.x}-${oc.env:HOME,none}\nmany: {x: y}\n")
    assert SCHEMA.read(tmp_path / "c.yaml")["a"].startswith("y-")
