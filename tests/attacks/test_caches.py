"""Caches of strangers: forged records and shards are named, one after the other, and end in no
foreign error."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
import pytest
import xxhash

from famaug.errors import CacheCorruptError, CacheError, FamaugError
from famaug.store import CacheWriter, ClipCache, list_clips, seal, verify
from famaug.store.record import _head_digest

LAYOUT = {"codec": "raw", "shape": [1, 4, 4], "lengths": [48], "packing": "s"}
STORY: dict[str, Any] = {
    "plan": {
        "driver": {}, "identity": {}, "track": [[[0] * 17] * 2], "generator": "w", "weights": "w",
        "size": 8, "fps": 10,
    },
    "driver_subject": "", "identity_subject": "", "label": None, "label_source": "rule",
}  # fmt: skip


def key_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def forged(key: str, story: bytes = b"", payload: bytes = bytes(48), **header: Any) -> bytes:
    head = {"version": 1, "layout": LAYOUT, "provenance": len(story), "source": "0",
            "payload": xxhash.xxh3_128_hexdigest(payload)} | header  # fmt: skip
    text = json.dumps(head).encode()
    lengths = struct.pack("<IQ", len(text), 32 + len(text) + len(story) + len(payload))
    mark = _head_digest(key, lengths, text, story)
    return b"FMC1" + lengths + mark + text + story + payload


def with_record(root: Path, key: str, value: bytes) -> None:
    path = str(root / "shards" / "main.lmdb")
    with lmdb.open(path, subdir=False) as env, env.begin(write=True) as txn:
        txn.put(key.encode(), value)


def _story(**changes: Any) -> bytes:
    return json.dumps(STORY | changes).encode()


def _plan(**changes: Any) -> bytes:
    return _story(plan=STORY["plan"] | changes)


FORGED: dict[str, dict[str, Any]] = {
    "header is a list": {"layout": [1]},
    "layout is text": {"layout": "x"},
    "shape of two": {"layout": LAYOUT | {"shape": [4, 4]}},
    "shape is endless": {"layout": LAYOUT | {"shape": [1e400, 4, 4]}},
    "shape is text": {"layout": LAYOUT | {"shape": "abc"}},
    "no frames": {"layout": LAYOUT | {"shape": [0, 4, 4], "lengths": [], "packing": ""}},
    "lengths below 0": {"layout": LAYOUT | {"lengths": [-48]}},
    "packing is a list": {"layout": LAYOUT | {"packing": [[]]}},
    "rows are one": {"layout": LAYOUT | {"codec": "delta", "rows": [1]}},
    "quality is text": {"layout": LAYOUT | {"codec": "jpeg", "quality": "x"}},
    "odd codec": {"layout": LAYOUT | {"codec": {}}},
    "provenance of text": {"provenance": "x"},
    "provenance is no JSON": {"story": b"{"},
    "provenance is no text": {"story": b"\xff\xfe"},
    "provenance nests": {"story": b"[" * 50_000},
    "provenance is a number": {"story": b"3"},
    "plan is a list": {"story": _story(plan=[])},
    "plan lacks a driver": {"story": json.dumps(STORY | {"plan": {"size": 8}}).encode()},
    "driver is text": {"story": _plan(driver="x")},
    "track of text": {"story": _plan(track=[["x"]])},
    "not a number": {"story": _plan(fps=float("nan"))},
    "vast size": {"story": _plan(size=10**12)},
    "label is a list": {"story": _story(label=[])},
    "surplus": {"story": _story(surplus=1)},
    "version to come": {"version": 99},
}


def test_verify_names_every_forged_record_and_goes_on(tmp_path: Path) -> None:
    root = tmp_path / "c"
    with CacheWriter(root) as writer:
        for i in range(3):
            writer.put(key_of(f"good {i}"), np.full((1, 4, 4, 3), i, np.uint8), None)
    for name, how in FORGED.items():
        with_record(root, key_of(name), forged(key_of(name), **how))
    report = verify(root)
    assert report.clips == 3
    assert set(report.bad) == {key_of(name) for name in FORGED}
    cache = ClipCache(root)
    for name in FORGED:
        with pytest.raises(CacheCorruptError):
            cache.read(key_of(name))
    with pytest.raises(FamaugError):
        list(list_clips(root))
    for command in ("verify", "info", "ls"):
        done = subprocess.run(
            [sys.executable, "-m", "famaug", "cache", command, str(root)],
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 1
        assert "unexpected" not in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("how", ["cut", "empty header", "a FIFO", "a device", "a folder", "gone"])
def test_damaged_shards_are_counted_everywhere(tmp_path: Path, how: str) -> None:
    root = tmp_path / "c"
    for shard in ("a", "b"):
        with CacheWriter(root, shard=shard) as writer:
            writer.put(key_of(shard), np.zeros((2, 16, 16, 3), np.uint8), None)
    seal(root)
    path = root / "shards" / "a.lmdb"
    whole = path.read_bytes()
    path.unlink()
    if how == "cut":
        path.write_bytes(whole[:5000])
    elif how == "empty header":
        path.write_bytes(bytes(len(whole)))
    elif how == "a FIFO":
        os.mkfifo(path)
    elif how == "a device":
        path.symlink_to("/dev/zero")
    elif how == "a folder":
        path.mkdir()
    report = verify(root)
    assert not report.good
    assert list(report.bad_shards) == ["a"]
    assert report.clips == 1
    assert "1 shards damaged" in str(report)
    assert report.to_json()["good"] is False


def test_a_manifest_of_a_stranger(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    odd = {"bytes": "y", "sha256": 1, "records": []}
    sealed = [{"../x": odd}, {"x": {}}, {"x": odd}, [1], "x"]
    texts = [json.dumps({"famaug_cache": 1, "created_with": "", "sealed": s}) for s in sealed]
    for text in (*texts, "[" * 100_000, "3", "{}", "\0"):
        (tmp_path / "manifest.json").write_text(text)
        with pytest.raises(CacheError):
            ClipCache(tmp_path)
    (tmp_path / "manifest.json").unlink()
    os.mkfifo(tmp_path / "manifest.json")
    with pytest.raises(CacheError):
        ClipCache(tmp_path)
