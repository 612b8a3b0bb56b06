"""What the reliability tests run in processes of their own: `python cache_jobs.py JOB ARGS...`."""

from __future__ import annotations

import resource
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from famaug.errors import CacheCorruptError, CacheError, CacheFullError, CacheMissError
from famaug.seeding import keyed_generator
from famaug.store import CacheWriter, ClipCache
from tests.store.store_builders import key_of, moving_clip, noise_clip

COUNT = 12


def write(root: str, count: str, shard: str) -> None:
    """Puts clips and says so after each."""
    with CacheWriter(root, shard=shard, map_bytes=1 << 16) as writer:
        print("ready", flush=True)
        for n in range(int(count)):
            writer.put(key_of(n), noise_clip(n, h=60, w=60), None)
            print(n, flush=True)


def hold(root: str) -> None:
    with CacheWriter(root):
        print("ready", flush=True)
        sys.stdin.read()


def overwrite(root: str, count: str) -> None:
    """Puts one of three contents under one of four keys, again and again."""
    with CacheWriter(root, map_bytes=1 << 16) as writer:
        for n in range(int(count)):
            writer.put(key_of(n % 4), noise_clip(n % 3, t=2 + n % 3), None, replace=True)
            if n == 4:
                print("ready", flush=True)


def read_while_written(root: str) -> None:
    """Reads until the standard input closes; prints reads and wrong reads."""
    import select

    cache, reads, wrong = ClipCache(root), 0, 0
    good = [noise_clip(n, t=2 + n) for n in range(3)]
    while not select.select([sys.stdin], [], [], 0)[0] or reads < 50:
        frames = cache.read(key_of(reads % 4)).frames
        wrong += not any(np.array_equal(frames, g) for g in good)
        reads += 1
    print(reads, wrong, flush=True)


def fill_disk(root: str, limit: str) -> None:
    """Puts until the file may not grow; then all acknowledged clips must read, and more go in
    once there is room."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
    done = 0
    with CacheWriter(root, map_bytes=1 << 16) as writer:
        try:
            for n in range(1000):
                writer.put(key_of(n), noise_clip(n, h=60, w=60), None)
                done += 1
        except CacheFullError as error:
            print("full:", error)
        _check_all(root, done)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        writer.put(key_of(done), noise_clip(done, h=60, w=60), None)
        _check_all(root, done + 1)
    print("done", done)


def _check_all(root: str, count: int) -> None:
    cache = ClipCache(root)
    if len(cache) != count:
        raise SystemExit(f"{len(cache)} clips, not {count}")
    for n in range(count):
        if not np.array_equal(cache.read(key_of(n)).frames, noise_clip(n, h=60, w=60)):
            raise SystemExit(f"clip {n} is wrong")


def damage(root: str, kind: str, trials: str) -> None:
    """Damages copies of a cache in one way, reads them all and writes to them. Wrong pixels end
    with exit code 1; a signal ends the process by itself."""
    good = [moving_clip(n) for n in range(COUNT)]
    counts = {"exact": 0, "corrupt": 0, "miss": 0}
    for trial in range(int(trials)):
        copy = Path(f"{root}-{kind}-{trial}")
        shutil.copytree(root, copy)
        _damage(copy / "shards" / "main.lmdb", kind, trial)
        _read_all(copy, good, counts)
        try:
            with CacheWriter(copy) as writer:
                writer.put(key_of(100 + trial), moving_clip(100), None)
        except CacheError:
            pass
        _read_all(copy, good, counts)
        shutil.rmtree(copy)
    print(counts)


def _read_all(root: Path, good: list[np.ndarray], counts: dict[str, int]) -> None:
    cache = ClipCache(root)
    for n, frames in enumerate(good):
        try:
            if not np.array_equal(cache.read(key_of(n)).frames, frames):
                raise SystemExit(f"{root}: clip {n} has wrong pixels")
            counts["exact"] += 1
        except CacheCorruptError:
            counts["corrupt"] += 1
        except CacheMissError:
            counts["miss"] += 1


def _damage(path: Path, kind: str, trial: int) -> None:
    data = bytearray(path.read_bytes())
    rng = keyed_generator(trial, kind)
    page = 4096
    trees = [  # pages that are meta, branch or leaf: what LMDB itself trusts
        p for p in range(0, len(data), page) if data[p + 10] & 11 and p // page == data[p]
    ]
    if kind == "flip":
        _flip(data, int(rng.integers(len(data) * 8)))
    elif kind == "flip_tree":
        # near the ends of a page lie its header and offsets, and its nodes
        inside = int(rng.choice([rng.integers(160), rng.integers(page)]))
        _flip(data, 8 * (int(rng.choice(trees)) + inside) + int(rng.integers(8)))
    elif kind == "flips":
        for bit in rng.integers(len(data) * 8, size=100):
            _flip(data, int(bit))
    elif kind == "cut":
        del data[len(data) - [1, page, len(data) // 2, len(data), len(data) - 100][trial % 5] :]
    elif kind == "zero_meta":
        for p in ((0,), (1,), (0, 1))[trial % 3]:
            data[p * page : (p + 1) * page] = bytes(page)
    elif kind == "garbage_page":
        p = int(rng.choice(trees if trial % 2 else range(0, len(data), page)))
        data[p : p + page] = rng.bytes(page)
    elif kind == "swap_pages":
        a, b = rng.choice(len(data) // page, 2, replace=False) * page
        one, two = data[a : a + page], data[b : b + page]
        data[a : a + page], data[b : b + page] = two, one
    else:
        raise SystemExit(f"unknown kind {kind}")
    path.write_bytes(data)


def _flip(data: bytearray, bit: int) -> None:
    data[bit // 8] ^= 1 << bit % 8


def read_much(root: str, count: str) -> None:
    """Prints resident MiB and open files early and late in many reads."""
    import gc

    import psutil

    me, cache = psutil.Process(), ClipCache(root)
    keys, out = cache.keys(), np.empty((8, 40, 36, 3), np.uint8)

    def look() -> tuple[float, int]:
        gc.collect()
        return me.memory_info().rss / 2**20, me.num_fds()

    first = None
    for n in range(int(count)):
        cache.read_into(keys[n % len(keys)], out)
        cache.read(keys[n % len(keys)], [0, 3])
        if n == int(count) // 10:
            first = look()
    print(*(first or (0, 0)), *look())


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
