"""The writer's lock holds whatever else its process does with the files, and sealing is alone."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from famaug.errors import CacheError, CacheLockedError
from famaug.store import CacheWriter, ClipCache, seal, unseal
from famaug.store.locks import CacheLock, WriterLock

pytestmark = pytest.mark.slow


def key_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


FRAMES = np.zeros((2, 9, 9, 3), np.uint8)


def elsewhere(path: Path, shard: str = "main") -> str:
    """What another process is told that wants to write there."""
    code = f"""
from famaug.errors import CacheError
from famaug.store import CacheWriter
try:
    CacheWriter({str(path)!r}, shard={shard!r}).close()
    print("free")
except CacheError as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _open_and_close(root: Path) -> None:
    for path in root.rglob("*"):
        if path.is_file():
            path.open("rb").close()
            path.read_bytes()


def _second_writer_by_a_link(root: Path) -> None:
    link = root.with_name("link")
    link.symlink_to(root)
    with pytest.raises(CacheError):
        CacheWriter(link)


def _forked_child_ends(root: Path) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


@pytest.mark.parametrize(
    "what",
    [
        _open_and_close,
        _second_writer_by_a_link,
        _forked_child_ends,
        lambda root: shutil.copytree(root, root.with_name("copy")),
        lambda root: ClipCache(root).keys(),
        lambda root: WriterLock(root / "shards" / "other.lmdb.writer").release(),
    ],
)
def test_the_lock_holds(tmp_path: Path, what: Callable[[Path], object]) -> None:
    root = tmp_path / "c"
    writer = CacheWriter(root)
    what(root)
    told = elsewhere(root)
    assert told.startswith("CacheLockedError")
    assert f"process {os.getpid()} on host" in told
    assert writer.put(key_of("a"), FRAMES, None)
    writer.close()
    assert elsewhere(root) == "free"


def test_a_child_that_outlives_its_parent_blocks_nobody(tmp_path: Path) -> None:
    code = f"""
import os, time
from famaug.store import CacheWriter
writer = CacheWriter({str(tmp_path / "c")!r})
child = os.fork()
if child == 0:
    time.sleep(20)
    os._exit(0)
print(child, flush=True)
os._exit(1)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout is not None
        child = int(job.stdout.readline())
        job.wait()
    try:
        assert elsewhere(tmp_path / "c") == "free"
    finally:
        os.kill(child, 9)


def test_a_removed_lock_file_is_not_two_locks(tmp_path: Path) -> None:
    path = tmp_path / "x.writer"
    first = WriterLock(path)
    path.unlink()
    second = WriterLock(path)  # of the file that is there now
    with pytest.raises(CacheLockedError):
        WriterLock(path)
    first.release()
    second.release()


def test_nobody_adds_while_it_is_sealed_and_the_other_way_round(tmp_path: Path) -> None:
    root = tmp_path / "c"
    with CacheWriter(root) as writer:
        writer.put(key_of("a"), FRAMES, None)
        with pytest.raises(CacheLockedError, match="being written"):
            seal(root)
    with CacheWriter(root, shard="new"):  # begun, and still empty
        with pytest.raises(CacheLockedError):
            seal(root)
        assert not ClipCache(root).sealed
    lock = CacheLock(root / "shards", alone=True)
    for shard in ("main", "late"):
        assert "is being sealed by another process" in elsewhere(root, shard)
    lock.release()
    seal(root)
    assert "is sealed and cannot grow" in elsewhere(root, "late")
    unseal(root)
    assert elsewhere(root, "late") == "free"


def test_what_is_acknowledged_while_others_seal_is_there(tmp_path: Path) -> None:
    """A writer that tries again and again, beside a process that seals and opens in turns."""
    root = tmp_path / "c"
    with CacheWriter(root) as writer:
        writer.put(key_of("first"), FRAMES, None)
    code = f"""
import time
from famaug.errors import CacheError
from famaug.store import seal, unseal
until = time.monotonic() + 3
print("ready", flush=True)
while time.monotonic() < until:
    try:
        seal({str(root)!r}); unseal({str(root)!r})
    except CacheError:
        pass
"""
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    other.stdout.readline()
    told, number = set[str](), 0
    until = time.monotonic() + 2.5
    while time.monotonic() < until:
        number += 1
        try:
            with CacheWriter(root, shard=f"w{number % 5}") as writer:
                if writer.put(key_of(f"{number}"), FRAMES, None):
                    told.add(key_of(f"{number}"))
        except CacheError:
            continue
    other.stdout.close()
    other.wait()
    assert other.returncode == 0
    assert told
    assert told <= set(ClipCache(root).keys())
