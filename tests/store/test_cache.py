from __future__ import annotations

import gc
import json
import os
import pickle
import shutil
import threading
from pathlib import Path

import lmdb
import numpy as np
import pytest
import torch

from famaug.errors import (
    CacheCorruptError,
    CacheError,
    CacheLockedError,
    CacheMissError,
    InputError,
)
from famaug.store import CacheWriter, ClipCache, envs
from famaug.store.locks import file_system, refuse_network
from tests.store.store_builders import fill, key_of, moving_clip, noise_clip, plan_of, provenance_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_what_was_put_is_read(root: Path) -> None:
    story = provenance_of(3)
    with CacheWriter(root) as writer:
        assert writer.put(story.plan.key, moving_clip(3), story)
        assert writer.put(key_of(1), noise_clip(1), None)
    cache = ClipCache(root)
    assert cache.keys() == sorted([story.plan.key, key_of(1)]) == list(cache)
    assert len(cache) == 2
    assert story.plan.key in cache
    assert key_of(2) not in cache
    clip = cache.read(story.plan.key)
    assert np.array_equal(clip.frames, moving_clip(3))
    assert clip.provenance == story == cache.provenance(story.plan.key)
    assert clip.provenance is not None
    assert clip.provenance.plan.key == story.plan.key
    assert cache.read(key_of(1)).provenance is None
    assert cache.shape(key_of(1)) == (4, 17, 13)


def test_frames_and_targets(root: Path) -> None:
    fill(root, range(1))
    cache, frames = ClipCache(root), moving_clip(0)
    assert np.array_equal(cache.read(key_of(0), slice(2, None, 2)).frames, frames[2::2])
    assert np.array_equal(cache.read(key_of(0), [-1, 0]).frames, frames[[-1, 0]])
    out = torch.zeros(8, 3, 40, 36, dtype=torch.uint8)
    assert cache.read_into(key_of(0), out.permute(0, 2, 3, 1)) == ""
    assert np.array_equal(out.numpy().transpose(0, 2, 3, 1), frames)
    for wrong in (np.zeros((7, 40, 36, 3), np.uint8), np.zeros((8, 40, 36, 3)), [1], None):
        with pytest.raises(InputError, match="out"):
            cache.read_into(key_of(0), wrong)
    with pytest.raises(InputError, match="8 frames"):
        cache.read(key_of(0), [8])


def test_putting_again(root: Path) -> None:
    with CacheWriter(root, shard="a") as a, CacheWriter(root, shard="b") as b:
        assert a.put(key_of(1), moving_clip(1), None)
        assert not a.put(key_of(1), moving_clip(1), None)
        assert not b.put(key_of(1), moving_clip(1), None)
        assert key_of(1) in b
        for writer in (a, b):
            with pytest.raises(CacheError, match="other frames"):
                writer.put(key_of(1), moving_clip(2), None)
        assert a.put(key_of(1), moving_clip(2), None, replace=True)
        assert np.array_equal(ClipCache(root).read(key_of(1)).frames, moving_clip(2))


def test_a_key_belongs_to_its_plan(root: Path) -> None:
    story = provenance_of(3)
    lossy, exact = (
        CacheWriter(root, codec="jpeg", quality=90),
        CacheWriter(root, shard="x"),
    )
    with lossy, exact:
        with pytest.raises(InputError, match="cache_key"):
            lossy.put(story.plan.key, moving_clip(), story)
        with pytest.raises(InputError, match="belongs under"):
            exact.put(plan_of(4).key, moving_clip(), story)


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((2, 4, 4), np.uint8),
        np.zeros((2, 4, 4, 3), np.float32),
        np.zeros((0, 4, 4, 3), np.uint8),
        [[1]],
        None,
    ],
)
def test_no_frames(root: Path, frames: object) -> None:
    with CacheWriter(root) as writer, pytest.raises(InputError):
        writer.put(key_of(1), frames, None)  # type: ignore[arg-type]
    assert len(ClipCache(root)) == 0


def test_grows_beside_a_reader(root: Path) -> None:
    with CacheWriter(root, map_bytes=1 << 16) as writer:
        reader = ClipCache(root)
        for n in range(40):
            writer.put(key_of(n), noise_clip(n, h=60, w=60), None)
            assert np.array_equal(
                reader.read(key_of(n // 2)).frames, noise_clip(n // 2, h=60, w=60)
            )
    assert len(reader) == 40


def test_reader_first_then_writer_in_one_process(root: Path) -> None:
    fill(root, range(2))
    reader = ClipCache(root)
    reader.read(key_of(0))
    with CacheWriter(root) as writer:
        writer.put(key_of(2), moving_clip(2), None)
        assert len(reader) == 3
        with pytest.raises(CacheLockedError, match="this process"):
            CacheWriter(root)
        writer.put(key_of(3), moving_clip(3), None)
    assert np.array_equal(reader.read(key_of(3)).frames, moving_clip(3))
    fill(root, range(4, 5))
    assert len(reader) == 5


def test_threads(root: Path) -> None:
    fill(root, range(8))
    cache, wrong = ClipCache(root), []

    def work(start: int) -> None:
        for n in range(60):
            k = (start + n) % 8
            if not np.array_equal(cache.read(key_of(k)).frames, moving_clip(k)):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    with CacheWriter(root, map_bytes=1 << 16) as writer:
        for n in range(8, 20):
            writer.put(key_of(n), noise_clip(n, h=60, w=60), None)
    for thread in threads:
        thread.join()
    assert not wrong


def test_pickled_without_its_shards(root: Path) -> None:
    fill(root, range(2))
    cache = ClipCache(root)
    cache.read(key_of(1))
    copy = pickle.loads(pickle.dumps(cache))  # noqa: S301  our own bytes
    assert np.array_equal(copy.read(key_of(1)).frames, moving_clip(1))
    assert len(pickle.dumps(cache)) < 400


def test_many_shards_read_as_one(root: Path) -> None:
    for shard in range(4):
        fill(root, range(shard, 12, 4), shard=f"w{shard}")
    assert ClipCache(root).keys() == [key_of(n) for n in range(12)]


@pytest.mark.parametrize("way", ["link to the folder", "links to the shards", "hard links"])
def test_one_cache_by_two_paths(root: Path, way: str) -> None:
    fill(root, range(3))
    keys = [key_of(n) for n in range(3)]
    other = root.with_name("other")
    if way == "link to the folder":
        other.symlink_to(root)
    else:
        copy = (lambda a, b: Path(b).symlink_to(a)) if way == "links to the shards" else os.link
        shutil.copytree(root, other, copy_function=copy)
    one, two = ClipCache(root), ClipCache(other)
    for key in keys:
        assert np.array_equal(one.read(key).frames, two.read(key).frames)
    with CacheWriter(root) as writer:  # beside both readers, seen by both
        writer.put(key_of(77), noise_clip(7), None)
        assert np.array_equal(one.read(key_of(77)).frames, two.read(key_of(77)).frames)
        with pytest.raises(CacheLockedError, match="this process"):
            CacheWriter(other)
    two.close()
    assert one.read(keys[0])
    del one
    gc.collect()
    assert two.read(keys[1])
    shutil.rmtree(root)  # the first path goes away while the second is in use
    if way == "hard links":
        assert two.read(keys[2])


def test_deleted_and_made_again(root: Path) -> None:
    import shutil

    fill(root, range(3))
    cache = ClipCache(root)
    assert len(cache) == 3
    shutil.rmtree(root)
    with pytest.raises(CacheError):
        cache.read(key_of(0))
    fill(root, range(7, 9))
    assert cache.keys() == [key_of(7), key_of(8)]


def test_a_missing_clip(root: Path) -> None:
    fill(root, range(1))
    with pytest.raises(CacheMissError, match="holds no clip") as caught:
        ClipCache(root).read(key_of(5))
    assert isinstance(caught.value, KeyError)


def test_foreign_folders(tmp_path: Path) -> None:
    with pytest.raises(CacheError, match="nothing there"):
        ClipCache(tmp_path / "none")
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.png").write_bytes(b"x")
    with pytest.raises(CacheError, match="without manifest"):
        ClipCache(photos)
    with pytest.raises(CacheError, match="not empty"):
        CacheWriter(photos)
    assert [p.name for p in photos.iterdir()] == ["a.png"]
    with pytest.raises(CacheError, match="a file"):
        ClipCache(photos / "a.png")
    with pytest.raises(CacheError):
        CacheWriter(photos / "a.png")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"famaug_cache": 1}', '{"famaug_cache": 2, "sealed": null}',
     '{"famaug_cache": 1, "created_with": "", "sealed": {"../x": {}}}'],
)  # fmt: skip
def test_damaged_manifest(root: Path, text: str) -> None:
    fill(root, range(1))
    (root / "manifest.json").write_text(text)
    with pytest.raises((CacheError, InputError)):
        ClipCache(root)


def test_foreign_shard(root: Path) -> None:
    fill(root, range(1))
    (root / "shards" / "text.lmdb").write_text("not lmdb" * 5000)
    with pytest.raises(CacheCorruptError, match="not an LMDB file"):
        ClipCache(root).keys()
    (root / "shards" / "text.lmdb").unlink()
    env = lmdb.open(str(root / "shards" / "other.lmdb"), subdir=False)
    with env.begin(write=True) as txn:
        txn.put(b"someone's key", b"v")
    env.close()
    with pytest.raises(CacheCorruptError, match="a key that is none"):
        ClipCache(root).keys()


def test_network_file_systems_are_refused(tmp_path: Path) -> None:
    line = "36 35 98:0 / {} rw,noatime master:1 - {} host:/x rw"
    table = "\n".join([line.format("/", "ext4"), line.format(tmp_path, "nfs4"), "broken line"])
    (tmp_path / "a").mkdir()
    assert file_system(tmp_path / "a", table) == "nfs4"
    assert file_system(tmp_path.parent, table) == "ext4"
    with pytest.raises(CacheError, match="nfs4"):
        refuse_network(tmp_path / "a", table)
    refuse_network(tmp_path.parent, table)
    refuse_network(tmp_path)


def test_the_lock_file_says_who(root: Path) -> None:
    import os
    import socket

    with CacheWriter(root) as writer:
        who = json.loads((root / "shards" / "main.lmdb.writer").read_text())
        assert (who["pid"], who["host"]) == (os.getpid(), socket.gethostname())
    writer.close()
    with pytest.raises(CacheError, match="closed"):
        writer.put(key_of(1), moving_clip(), None)


def test_a_fork_beside_an_open_writer(root: Path) -> None:
    import os

    with CacheWriter(root) as writer:
        writer.put(key_of(1), moving_clip(1), None)
        child = os.fork()
        if not child:
            # a reader of its own; the parent's writer is not the child's
            good = np.array_equal(ClipCache(root).read(key_of(1)).frames, moving_clip(1))
            try:
                writer.put(key_of(2), moving_clip(2), None)
            except CacheError:
                os._exit(0 if good else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        writer.put(key_of(3), moving_clip(3), None)
    assert ClipCache(root).keys() == [key_of(1), key_of(3)]


def test_closing(root: Path) -> None:
    fill(root, range(1))
    cache = ClipCache(root)
    cache.read(key_of(0))
    cache.close()
    assert str(root / "shards" / "main.lmdb") not in envs._here().opened
    assert len(cache) == 1


def test_caches_that_went_away_are_closed(tmp_path: Path) -> None:
    import psutil

    for n in range(4):
        fill(tmp_path / f"c{n}", range(1), h=8, w=8)
        ClipCache(tmp_path / f"c{n}").read(key_of(0))
    kept = ClipCache(tmp_path / "c0")
    kept.read(key_of(0))
    before = psutil.Process().num_fds()
    for n in range(1, 4):
        for _ in range(5):
            ClipCache(tmp_path / f"c{n}").read(key_of(0))
    kept.read(key_of(0))
    assert psutil.Process().num_fds() <= before
    assert str(tmp_path / "c0/shards/main.lmdb") in envs._here().opened
    assert str(tmp_path / "c1/shards/main.lmdb") not in envs._here().opened


def test_what_is_acknowledged_is_on_the_disk(root: Path) -> None:
    # a killed process shows nothing about a power cut: the flags do
    with CacheWriter(root):
        flags = envs._here().opened[str(root / "shards" / "main.lmdb")].env.flags()
    assert flags["sync"]
    assert flags["metasync"]
    assert not flags["writemap"]
    assert not flags["map_async"]
