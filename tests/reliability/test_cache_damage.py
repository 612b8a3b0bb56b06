"""R8, R19: whatever happens to the file or is asked for, an exact clip or an error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import lmdb
import pytest

from famaug.errors import CacheCorruptError, CacheError, InputError
from famaug.store import CacheWriter, ClipCache
from tests.store.store_builders import fill, key_of, moving_clip

pytestmark = pytest.mark.slow

JOBS = str(Path(__file__).with_name("cache_jobs.py"))


@pytest.mark.parametrize(
    ("kind", "trials"),
    [
        ("flip", 100),
        ("flip_tree", 100),
        ("flips", 15),
        ("cut", 5),
        ("zero_meta", 3),
        ("garbage_page", 30),
        ("swap_pages", 20),
    ],
)
def test_damage_is_an_exception(tmp_path: Path, kind: str, trials: int) -> None:
    fill(tmp_path / "c", range(12))
    done = subprocess.run(
        [sys.executable, JOBS, "damage", str(tmp_path / "c"), kind, str(trials)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr[-2000:])
    counts = eval(done.stdout, {})  # noqa: S307  our own job's print
    assert counts["corrupt"] > 0, "nothing was damaged: the test tests nothing"


def test_swapped_records(tmp_path: Path) -> None:
    fill(tmp_path / "c", range(3))
    path = str(tmp_path / "c/shards/main.lmdb")
    with lmdb.open(path, subdir=False) as env, env.begin(write=True) as txn:
        one, two = (txn.get(key_of(n).encode()) for n in (0, 1))
        txn.put(key_of(0).encode(), two)
        txn.put(key_of(1).encode(), one)
    cache = ClipCache(tmp_path / "c")
    for n in (0, 1):
        with pytest.raises(CacheCorruptError, match="digest"):
            cache.read(key_of(n))
        with pytest.raises(CacheCorruptError, match="digest"):
            cache.provenance(key_of(n))
    cache.read(key_of(2))


def test_a_damaged_clip_is_written_again(tmp_path: Path) -> None:
    fill(tmp_path / "c", range(2))
    path = str(tmp_path / "c/shards/main.lmdb")
    with lmdb.open(path, subdir=False) as env, env.begin(write=True) as txn:
        value = bytearray(txn.get(key_of(1).encode()))
        value[-5] ^= 1
        txn.put(key_of(1).encode(), bytes(value))
    with CacheWriter(tmp_path / "c") as writer:
        assert not writer.put(key_of(0), moving_clip(0), None)
        assert writer.put(key_of(1), moving_clip(1), None)
    assert ClipCache(tmp_path / "c").read(key_of(1)).frames.shape == moving_clip(1).shape


def test_cut_under_an_open_reader(tmp_path: Path) -> None:
    fill(tmp_path / "c", range(8))
    cache = ClipCache(tmp_path / "c")
    cache.read(key_of(0))
    os.truncate(tmp_path / "c/shards/main.lmdb", 100)
    with pytest.raises(CacheCorruptError, match="truncated"):
        cache.read(key_of(7))


HOSTILE = [
    "../../x", "/etc/passwd", "a\0b", "x" * 300, "", ".", "A" * 64, "é" * 64, "0" * 63,
    "0" * 64 + "\n", b"0" * 64, None, 7, "..\\..\\x", "0" * 60 + "/../",
]  # fmt: skip


@pytest.mark.parametrize("key", HOSTILE, ids=lambda k: ascii(k)[:20])
def test_hostile_keys_touch_nothing(tmp_path: Path, key: object) -> None:
    fill(tmp_path / "in" / "c", range(1))
    before = sorted(p for p in tmp_path.rglob("*"))
    cache = ClipCache(tmp_path / "in" / "c")
    with CacheWriter(tmp_path / "in" / "c") as writer, pytest.raises(InputError, match="64 hex"):
        writer.put(key, moving_clip(), None)  # type: ignore[arg-type]
    for call in (cache.read, cache.provenance, cache.__contains__):
        with pytest.raises(InputError, match="64 hex"):
            call(key)  # type: ignore[operator]
    assert sorted(p for p in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["../x", "/x", "a/b", "a\0b", "", "x" * 65, ".", "..", None, "-a"])
def test_hostile_shard_names(tmp_path: Path, name: object) -> None:
    with pytest.raises(InputError, match="shard"):
        CacheWriter(tmp_path / "c", shard=name)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("root", ["", "a\0b"])
def test_hostile_roots(root: str) -> None:
    for call in (CacheWriter, ClipCache):
        with pytest.raises((InputError, CacheError)):
            call(root)
