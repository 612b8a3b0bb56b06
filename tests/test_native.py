"""C beside a module: compiled once, or not at all."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path

import pytest

from famaug import native

HALF = "int half(int x) { return x / 2; }\n"


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A C file, with a home of its own and nothing opened yet."""
    monkeypatch.setenv("FAMAUG_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(native.OFF, raising=False)
    monkeypatch.setattr(native, "open_native", functools.cache(native.open_native.__wrapped__))
    path = tmp_path / "half.c"
    path.write_text(HALF)
    return path


def opened(source: Path) -> ctypes.CDLL:
    library = native.open_native(source)
    if library is None:
        pytest.skip("no C compiler here")
    return library


def test_it_is_compiled_once(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened(source).half(42) == 21
    folder = source.parent / "home" / "compiled"
    (made,) = folder.iterdir()
    monkeypatch.setattr(native, "_compile", lambda *_: pytest.fail("compiled again"))
    assert native.open_native.__wrapped__(source) is not None
    assert [*folder.iterdir()] == [made]


def test_another_source_is_another_file(source: Path) -> None:
    opened(source)
    source.write_text(HALF.replace("/ 2", "/ 3"))
    assert native.open_native.__wrapped__(source).half(42) == 14


def test_without_a_compiler_there_is_none(
    source: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert native.open_native(source) is None
    monkeypatch.undo()
    broken = tmp_path / "cc"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("FAMAUG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CC", str(broken))
    assert native.open_native.__wrapped__(source) is None


def test_it_can_be_turned_off(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(native.OFF, "1")
    assert native.open_native(source) is None
    assert not (source.parent / "home" / "compiled").exists()


@pytest.mark.parametrize("damage", ["cut", "empty", "other", "link"])
def test_a_damaged_library_is_compiled_again(source: Path, damage: str) -> None:
    opened(source)
    (made,) = (source.parent / "home" / "compiled").iterdir()
    whole = made.read_bytes()
    made.unlink()
    if damage == "link":
        (source.parent / "else.so").write_bytes(whole)
        made.symlink_to(source.parent / "else.so")
    else:
        made.write_bytes({"cut": whole[:4000], "empty": b"", "other": whole + b"x"}[damage])
    assert native.open_native.__wrapped__(source).half(42) == 21
    assert made.read_bytes() == whole
    assert not made.is_symlink()


def test_a_folder_that_others_may_write_is_not_loaded_from(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(source)
    folder = tmp_path / "home" / "compiled"
    (made,) = folder.iterdir()
    made.unlink()
    made.write_bytes(b"planted")
    folder.chmod(0o777)  # ours: closed again, and what lay there is gone
    assert native.open_native.__wrapped__(source).half(42) == 21
    assert folder.stat().st_mode & 0o077 == 0
    (tmp_path / "home").chmod(0o777)  # whoever renames the folder has its files
    monkeypatch.setattr(native.tempfile, "gettempdir", lambda: str(tmp_path / "own"))
    (tmp_path / "own").mkdir(mode=0o700)
    monkeypatch.setattr(native, "_find", lambda *_: None)
    assert native.open_native.__wrapped__(source).half(42) == 21
    assert [*(tmp_path / "own").rglob("half-*.so")]
