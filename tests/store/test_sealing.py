"""Seal, verify, list and export."""

from __future__ import annotations

import csv
import json
import os
import shutil
import stat
from pathlib import Path

import cv2
import lmdb
import numpy as np
import pytest
import webdataset
from typer.testing import CliRunner

from famaug.cli import app
from famaug.errors import CacheCorruptError, CacheError, CacheLockedError, InputError
from famaug.store import (
    CacheWriter,
    ClipCache,
    cache_info,
    cache_key,
    export_png,
    export_webdataset,
    list_clips,
    seal,
    unseal,
    verify,
)
from famaug.types import Provenance
from tests.store.store_builders import fill, key_of, moving_clip, noise_clip, provenance_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two shards: five clips with provenance (one JPEG), one without."""
    root = tmp_path / "cache"
    with CacheWriter(root, shard="a") as writer:
        for n in range(4):
            story = provenance_of(n, driver=f"d/{n % 2}")
            writer.put(story.plan.key, moving_clip(n), story)
    fill(root, range(1), shard="b", h=24, w=20)
    with CacheWriter(root, shard="c", codec="jpeg", quality=90) as writer:
        story = provenance_of(9)
        writer.put(cache_key(story.plan, codec="jpeg", quality=90), moving_clip(9), story)
    return root


def damage_record(root: Path, shard: str, key: str, at: int = -3) -> None:
    ClipCache(root).close()
    env = lmdb.open(str(root / f"shards/{shard}.lmdb"), subdir=False)
    with env, env.begin(write=True) as txn:
        value = bytearray(txn.get(key.encode()))
        value[at] ^= 4
        txn.put(key.encode(), bytes(value))


def test_sealing_fixes_and_protects(root: Path) -> None:
    keys = ClipCache(root).keys()
    sealed = seal(root)
    assert sorted(sealed) == ["a", "b", "c"]
    assert sum(s.records for s in sealed.values()) == 6
    assert sealed == seal(root)
    cache = ClipCache(root)
    assert cache.sealed
    assert cache.keys() == keys
    assert np.array_equal(cache.read(key_of(0)).frames, moving_clip(0, h=24, w=20))
    assert sorted(p.name for p in (root / "shards").iterdir()) == ["a.lmdb", "b.lmdb", "c.lmdb"]
    for path in (root / "shards").iterdir():
        assert not stat.S_IMODE(path.stat().st_mode) & 0o222
    with pytest.raises(CacheError, match="sealed"):
        CacheWriter(root)
    assert verify(root).good


def test_a_sealed_cache_is_read_from_a_read_only_folder(root: Path) -> None:
    seal(root)
    for folder in (root / "shards", root):
        folder.chmod(0o555)
    before = {p: p.stat().st_mtime_ns for p in root.rglob("*")}
    cache = ClipCache(root)
    assert len([cache.read(key) for key in cache]) == 6
    assert {p: p.stat().st_mtime_ns for p in root.rglob("*")} == before
    for folder in (root, root / "shards"):
        folder.chmod(0o755)


@pytest.mark.parametrize("change", ["longer", "shorter", "missing", "flipped"])
def test_a_sealed_file_that_changed(root: Path, change: str) -> None:
    seal(root)
    path = root / "shards" / "a.lmdb"
    path.chmod(0o644)
    if change == "longer":
        os.truncate(path, path.stat().st_size + 4096)
    elif change == "shorter":
        os.truncate(path, path.stat().st_size - 4096)
    elif change == "missing":
        path.unlink()
    else:
        with path.open("r+b") as file:
            file.seek(-1, 2)
            last = file.read(1)[0]
            file.seek(-1, 2)
            file.write(bytes([last ^ 1]))
    report = verify(root)
    assert not report.good
    assert list(report.bad_shards) == ["a"]
    assert report.clips == 2
    if change != "flipped":
        with pytest.raises(CacheCorruptError):
            ClipCache(root).keys()


def test_not_while_it_is_written(root: Path) -> None:
    with CacheWriter(root, shard="a"), pytest.raises(CacheLockedError, match="this process"):
        seal(root)
    assert not ClipCache(root).sealed


def test_unsealing_opens_it_for_more(root: Path) -> None:
    seal(root)
    assert unseal(root) == 3
    assert unseal(root) == 0
    cache = ClipCache(root)
    assert not cache.sealed
    before = len(cache.keys())
    cache.close()
    fill(root, range(1, 2), shard="b", h=24, w=20)
    assert len(ClipCache(root).keys()) == before + 1
    seal(root)
    assert verify(root).good


def test_verify_names_each_bad_clip(root: Path) -> None:
    keys = [provenance_of(n, driver=f"d/{n % 2}").plan.key for n in range(4)]
    damage_record(root, "a", keys[1])
    damage_record(root, "a", keys[2], at=40)
    seen: list[tuple[int, int]] = []
    report = verify(root, progress=lambda *told: seen.append(told))
    assert report.clips == 4
    assert sorted(report.bad) == sorted(keys[1:3])
    assert seen == [(i, 6) for i in range(1, 7)]
    assert json.loads(json.dumps(report.to_json()))["good"] is False
    with pytest.raises(CacheCorruptError, match="2 shards or clips are damaged"):
        seal(root)
    assert not ClipCache(root).sealed


def test_verify_finds_two_clips_under_one_key(root: Path, tmp_path: Path) -> None:
    fill(tmp_path / "other", range(1), shard="z")
    shutil.copy(tmp_path / "other/shards/z.lmdb", root / "shards")
    assert list(verify(root).bad) == [key_of(0)]
    assert "shards b and z" in verify(root).bad[key_of(0)]


def test_empty_caches_are_not_sealed(tmp_path: Path) -> None:
    CacheWriter(tmp_path / "c").close()
    with pytest.raises(CacheError, match="no clips"):
        seal(tmp_path / "c")


def test_list_and_info(root: Path) -> None:
    rows = list(list_clips(root))
    assert [r["key"] for r in rows] == ClipCache(root).keys()
    assert {(r["driver"], r["identity"], r["label"]) for r in rows} == {
        ("", "", None),
        ("d/0", "d/02", "happy"),
        ("d/1", "d/02", "happy"),
        ("d/01", "d/02", "happy"),
    }
    info = cache_info(root)
    assert json.loads(json.dumps(info)) == info
    assert (info["clips"], info["shards"], info["without_provenance"]) == (6, 3, 1)
    assert info["codecs"] == {"delta": 5, "jpeg": 1}
    assert info["sizes"] == {"8x24x20": 1, "8x40x36": 5}
    assert info["bytes_decoded"] == 3 * 8 * (24 * 20 + 5 * 40 * 36)
    assert info["bytes_on_disk"] > 0
    assert info["sealed"] is False


@pytest.mark.timeout(20)
def test_writing_and_forking_while_listing(root: Path) -> None:
    with CacheWriter(root, shard="more", map_bytes=1 << 16) as writer:
        for n, row in enumerate(list_clips(root)):
            writer.put(key_of(n + 50), noise_clip(n, h=90, w=90), None)
            child = os.fork()
            if not child:
                os._exit(0 if row["key"] in ClipCache(root) else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_png_folders(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "png"
    cache = ClipCache(root)
    assert export_png(root, out) == 6
    (out / cache.keys()[2] / "00000.png").unlink()
    seen: list[tuple[int, int]] = []
    assert export_png(root, out, progress=lambda *told: seen.append(told)) == 6
    assert seen == []  # a folder that is there is taken as whole
    for key in cache.keys():  # noqa: SIM118
        frames = [cv2.imread(str(p))[..., ::-1] for p in sorted((out / key).glob("*.png"))]
        if key != cache.keys()[2]:
            assert np.array_equal(np.stack(frames), cache.read(key).frames)
        story = json.loads((out / key / "provenance.json").read_text())
        assert (story and Provenance.from_json(story)) == cache.provenance(key)
    with (out / "clips.csv").open() as file:
        assert [r["key"] for r in csv.DictReader(file)] == cache.keys()
    assert not list(out.glob(".*"))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # its open files
def test_webdataset(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "w" / "clips.tar"
    assert export_webdataset(root, out) == 6
    cache = ClipCache(root)
    read = list(webdataset.WebDataset(str(out), shardshuffle=False))
    assert [s["__key__"] for s in read] == cache.keys()
    for sample in read:
        clip = cache.read(sample["__key__"])
        names = sorted(k for k in sample if k.endswith("png"))
        frames = [cv2.imdecode(np.frombuffer(sample[n], np.uint8), 1)[..., ::-1] for n in names]
        assert np.array_equal(np.stack(frames), clip.frames)
        story = json.loads(sample["provenance.json"])
        assert (story and Provenance.from_json(story)) == clip.provenance
        assert sample["label.txt"] == (b"happy" if story else b"")
    first = out.read_bytes()
    export_webdataset(root, out)
    assert out.read_bytes() == first
    with pytest.raises(InputError, match=r"\.tar"):
        export_webdataset(root, tmp_path / "clips.zip")


def test_an_export_that_fails_leaves_nothing(root: Path, tmp_path: Path) -> None:
    damage_record(root, "b", key_of(0))
    with pytest.raises(CacheCorruptError):
        export_webdataset(root, tmp_path / "o" / "clips.tar")
    assert not list((tmp_path / "o").iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match="cannot be written"):
        export_png(root, tmp_path / "file")


def test_generating_in_two_parts_is_generating_at_once(tmp_path: Path) -> None:
    """R13."""
    with CacheWriter(tmp_path / "c", shard="first") as writer:
        assert all(writer.put(key_of(n), moving_clip(n), None) for n in range(5))
    with CacheWriter(tmp_path / "c", shard="second") as writer:
        done = [writer.put(key_of(n), moving_clip(n), None) for n in range(12)]
    assert done == [False] * 5 + [True] * 7
    assert ClipCache(tmp_path / "c").keys() == [key_of(n) for n in range(12)]
    assert [r["shard"] for r in list_clips(tmp_path / "c")] == ["first"] * 5 + ["second"] * 7


def test_clips_of_a_person_in_any_spelling(tmp_path: Path) -> None:
    with CacheWriter(tmp_path / "c") as writer:
        for n, who in enumerate(("casme2/sub01", "CASME II/1", "casme2/sub11")):
            story = provenance_of(n, driver=who)
            writer.put(story.plan.key, moving_clip(n, t=2, h=8, w=8), story)
    for asked, count in (("casme2/01", 2), ("CASME2/sub1", 2), ("casme2/sub*", 2), ("*11", 1)):
        done = CliRunner().invoke(app, ["cache", "ls", str(tmp_path / "c"), "--driver", asked])
        assert done.exit_code == 0
        assert done.output.count(" B  ") == count, (asked, done.output)


@pytest.mark.parametrize(("apart", "good"), [(1, True), (2, True), (3, False)])
def test_a_clip_that_two_machines_rounded_otherwise(tmp_path: Path, apart: int, good: bool) -> None:
    """A merged cache of two engines could not be sealed."""
    one = moving_clip(1)
    one[one > 250] = 250
    other = one.copy()
    other[0, 0, 0] += apart
    for shard, frames in (("a", one), ("b", other)):
        with CacheWriter(tmp_path / shard, shard=shard) as writer:
            writer.put(key_of(1), frames, None)
    shutil.copytree(tmp_path / "a", tmp_path / "c")
    shutil.copytree(tmp_path / "b" / "shards", tmp_path / "c" / "shards", dirs_exist_ok=True)
    report = verify(tmp_path / "c")
    assert report.good is good
    if good:
        assert (report.clips, report.rounded) == (1, 1)
        assert "1 rounded otherwise" in str(report)
        seal(tmp_path / "c")
        assert (ClipCache(tmp_path / "c").read(key_of(1)).frames == one).all()
    else:
        assert "different frames" in report.bad[key_of(1)]
        with pytest.raises(CacheCorruptError, match="different frames"):
            seal(tmp_path / "c")
