"""Fetching against a small local index: a wheel built here, offered through pip's own settings."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from famaug.errors import FetchError
from famaug.weights import ENTRIES, Entry, Package, fetch, find_stored

CONTENT = b"forty-two mesh points\n" * 1000
EXTRA = b"a second file"
MEMBER = "tinyface/data/points.bin"


def _make_wheel(folder: Path, content: bytes = CONTENT) -> Path:
    path = folder / "tinyface-1.0-py3-none-any.whl"
    info = "tinyface-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tinyface/__init__.py", "raise RuntimeError('must never be imported')\n")
        wheel.writestr(MEMBER, content)
        wheel.writestr("tinyface/data/more.bin", EXTRA)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tinyface\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


def _entry(members: tuple[str, ...] = (MEMBER,), content: bytes = CONTENT) -> Entry:
    return Entry(
        name="points",
        filename="points.bin",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        packages=(Package("pip", "tinyface", "1.0", members),),
        licence="CC0 1.0",
        source="made by this test",
        otherwise="points.bin from this test",
        what="numbers",
    )


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    _make_wheel(folder)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("FAMAUG_HOME", str(tmp_path / "home"))
    return folder


def _stored_files(tmp_path: Path) -> list[str]:
    return sorted(p.name for p in (tmp_path / "home").rglob("*") if p.is_file())


@pytest.mark.usefixtures("index")
def test_brings_the_bytes_and_records_licence_and_source(tmp_path: Path) -> None:
    path = fetch("points", entries=(_entry(),))
    assert path.read_bytes() == CONTENT
    record = json.loads(path.with_name("points.bin.source.json").read_text())
    assert record["licence"] == "CC0 1.0"
    assert record["source"] == "made by this test"
    assert record["fetched_from"] == "pip tinyface==1.0"
    assert _stored_files(tmp_path) == ["points.bin", "points.bin.source.json"]


def test_second_call_needs_no_index(index: Path) -> None:
    entries = (_entry(),)
    assert find_stored("points", entries=entries) is None
    first = fetch("points", entries=entries)
    for wheel in index.iterdir():
        wheel.unlink()
    assert fetch("points", entries=entries) == first
    assert find_stored("points", entries=entries) == first


@pytest.mark.usefixtures("index")
def test_a_damaged_stored_file_is_replaced() -> None:
    entries = (_entry(),)
    path = fetch("points", entries=entries)
    path.write_bytes(CONTENT[:-1] + b"!")
    assert find_stored("points", entries=entries) is None
    assert fetch("points", entries=entries).read_bytes() == CONTENT


def test_an_altered_package_is_refused_and_nothing_stored(index: Path, tmp_path: Path) -> None:
    _make_wheel(index, CONTENT[:-1] + b"!")
    with pytest.raises(FetchError, match="is not the pinned file: sha256") as caught:
        fetch("points", entries=(_entry(),))
    assert _entry().sha256 in str(caught.value)
    assert _stored_files(tmp_path) == []


def test_offline_says_what_to_do(index: Path) -> None:
    (index / "tinyface-1.0-py3-none-any.whl").unlink()
    with pytest.raises(FetchError, match="last lines") as caught:
        fetch("points", entries=(_entry(),))
    message = str(caught.value)
    assert "tinyface==1.0" in message
    assert "own_file=PATH" in message
    assert "No matching distribution" in message


@pytest.mark.usefixtures("index")
def test_falls_back_to_the_next_package() -> None:
    gone = Package("pip", "vanished", "9.9", (MEMBER,))
    entry = replace(_entry(), packages=(gone, *_entry().packages))
    path = fetch("points", entries=(entry,))
    assert path.read_bytes() == CONTENT


@pytest.mark.usefixtures("index")
def test_a_missing_member_is_named() -> None:
    with pytest.raises(FetchError, match="has no tinyface/nothing"):
        fetch("points", entries=(_entry(("tinyface/nothing.bin",)),))


@pytest.mark.usefixtures("index")
def test_own_file_is_taken_only_if_its_sha256_fits(tmp_path: Path) -> None:
    own = tmp_path / "mine.bin"
    own.write_bytes(b"something else")
    with pytest.raises(FetchError, match="is not the pinned file"):
        fetch("points", own_file=own, entries=(_entry(),))
    with pytest.raises(FetchError, match="cannot be read"):
        fetch("points", own_file=tmp_path / "none.bin", entries=(_entry(),))
    own.write_bytes(CONTENT)
    assert fetch("points", own_file=own, entries=(_entry(),)).read_bytes() == CONTENT


def test_a_bundle_is_the_same_bytes_whatever_the_wheels_order(index: Path) -> None:
    members = ("tinyface/data/*.bin",)
    wrong = replace(_entry(members), sha256="0" * 64)
    with pytest.raises(FetchError) as caught:
        fetch("points", entries=(wrong,))
    seen = str(caught.value).split("asked, ")[1][:64]
    path = fetch("points", entries=(replace(wrong, sha256=seen),))
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["tinyface/data/more.bin", MEMBER]
        assert archive.read(MEMBER) == CONTENT
    path.unlink()
    wheel = index / "tinyface-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as old:
        files = {n: old.read(n) for n in reversed(old.namelist())}
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in files.items():
            new.writestr(name, content)
    assert fetch("points", entries=(replace(wrong, sha256=seen),)).is_file()


def test_two_processes_at_once(index: Path, tmp_path: Path) -> None:
    """Both succeed, with the same intact file and no leftovers."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_fetch import _entry\n"
        "from famaug.weights import fetch\n"
        "print(fetch('points', entries=(_entry(),)))\n"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0], told
    assert told[0][0] == told[1][0]
    assert Path(told[0][0].strip()).read_bytes() == CONTENT
    assert _stored_files(tmp_path) == ["points.bin", "points.bin.source.json"]


def test_npm_tarball(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for the npm client that packs a tarball made here."""
    tarball = tmp_path / "tinyface-1.0.tgz"
    with tarfile.open(tarball, "w:gz") as tar:
        info = tarfile.TarInfo("package/points.bin")
        info.size = len(CONTENT)
        tar.addfile(info, io.BytesIO(CONTENT))
    tools = tmp_path / "bin"
    tools.mkdir()
    client = tools / "npm"
    client.write_text(f'#!/bin/sh\n[ "$5" = tinyface@1.0 ] && cp "{tarball}" "$4"\n')
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAMAUG_HOME", str(tmp_path / "home"))
    package = Package("npm", "tinyface", "1.0", ("package/points.bin",))
    entry = replace(_entry(), packages=(package,))
    assert fetch("points", entries=(entry,)).read_bytes() == CONTENT


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(FetchError, match="single_face"):
        fetch("no_such_thing")


def test_every_entry_is_pinned_and_says_its_licence_and_source() -> None:
    from material import MATERIAL

    entries = (*ENTRIES, *MATERIAL)
    assert len({entry.name for entry in entries}) == len(entries)
    for entry in entries:
        assert len(bytes.fromhex(entry.sha256)) == 32
        assert entry.size > 0
        assert entry.licence
        assert entry.source
        assert entry.otherwise
        assert Path(entry.filename).name == entry.filename
        assert entry.packages or "own file only" in entry.what
