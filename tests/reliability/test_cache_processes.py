"""R1, R4, R5, R9, R25: killed writers, second writers, readers beside a writer, a full disk."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from famaug.errors import CacheLockedError
from famaug.seeding import keyed_generator
from famaug.store import CacheWriter, ClipCache
from tests.store.store_builders import fill, key_of, moving_clip, noise_clip

pytestmark = pytest.mark.slow

JOBS = str(Path(__file__).with_name("cache_jobs.py"))


def start(*args: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, JOBS, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(*args: object) -> str:
    done = subprocess.run(
        [sys.executable, JOBS, *map(str, args)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return done.stdout


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_killed_writers_lose_nothing(tmp_path: Path) -> None:
    """Killed ten times in the middle: after so many new clips, whatever the machine's speed, and a
    moment that may end in any part of a write."""
    root, rng, acknowledged, count = tmp_path / "c", keyed_generator(0, "kill"), set[int](), 600
    for _ in range(10):
        target = len(acknowledged) + int(rng.integers(0, 30))
        with start("write", root, count, "w") as writer:
            assert line(writer) == "ready"
            while (last := int(line(writer))) < target:
                acknowledged.add(last)
            time.sleep(float(rng.uniform(0.0, 0.003)))
            writer.kill()
            assert writer.stdout is not None
            said = writer.stdout.read().split("\n")[:-1]
        acknowledged |= {last, *map(int, said)}
        cache = ClipCache(root)
        there = {n for n in range(count) if key_of(n) in cache}
        assert acknowledged <= there
        assert len(cache) == len(there)
        for n in there:
            assert np.array_equal(cache.read(key_of(n)).frames, noise_clip(n, h=60, w=60))
    assert 0 < len(acknowledged) < count, "no kill came in the middle"
    run("write", root, count, "w")
    run("write", tmp_path / "uninterrupted", count, "w")
    whole = ClipCache(tmp_path / "uninterrupted")
    assert cache.keys() == whole.keys() == [key_of(n) for n in range(count)]
    for key in whole.keys():  # noqa: SIM118
        assert np.array_equal(cache.read(key).frames, whole.read(key).frames)


def test_the_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    with start("hold", tmp_path / "c") as first:
        assert line(first) == "ready"
        began = time.monotonic()
        with pytest.raises(CacheLockedError, match=f"process {first.pid} on host"):
            CacheWriter(tmp_path / "c")
        assert time.monotonic() - began < 2
        with CacheWriter(tmp_path / "c", shard="mine") as writer:
            writer.put(key_of(1), moving_clip(1), None)
        first.kill()
        first.wait()
    with CacheWriter(tmp_path / "c") as writer:
        assert not writer.put(key_of(1), moving_clip(1), None)


def test_readers_beside_a_writer(tmp_path: Path) -> None:
    with start("overwrite", tmp_path / "c", 2000) as writer:
        assert line(writer) == "ready"
        readers = [start("read_while_written", tmp_path / "c") for _ in range(3)]
        writer.wait()
        for reader in readers:
            out, _ = reader.communicate("")
            reads, wrong = map(int, out.split())
            assert reader.returncode == 0
            assert reads >= 50
            assert wrong == 0


def test_full_disk(tmp_path: Path) -> None:
    said = run("fill_disk", tmp_path / "c", 1_000_000)
    assert "full:" in said
    assert "free some space" in said
    assert int(said.split()[-1]) > 5


def test_reading_leaks_nothing(tmp_path: Path) -> None:
    fill(tmp_path / "c", range(10))
    early, fds, late, fds_late = map(float, run("read_much", tmp_path / "c", 5000).split())
    assert late - early < 3, f"{early} MiB grew to {late} MiB"
    assert fds == fds_late
