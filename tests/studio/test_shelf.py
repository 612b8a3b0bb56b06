"""Rows of a cache: who is in each clip, what is filtered and decided."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest
from starlette.routing import compile_path

from famaug.data import MicroExpressionSynth
from famaug.errors import CacheError, InputError, MediaError
from famaug.store.decisions import read_decisions
from famaug.studio.library import find
from famaug.studio.media import PATH, place
from famaug.studio.shelf import Filter, Shelf, pages
from tests.store.store_builders import ListOfClips
from tests.studio.conftest import FACES, LABELS


@pytest.fixture
def shelf(made_cache: Path, tmp_path: Path) -> Shelf:
    root = tmp_path / "cache"
    shutil.copytree(made_cache, root)
    found = Shelf(root)
    found.read()
    return found


def test_rows_and_filters(shelf: Shelf) -> None:
    assert len(shelf.rows) == 9
    assert shelf.values("label") == ["any", *sorted(LABELS)]
    assert shelf.values("identity") == ["any", *sorted(f"faces/{f}" for f in FACES)]
    assert {r.gate for r in shelf.rows} == {"passes", "fails", "not judged"}
    (bad,) = shelf.shown(Filter(gate="fails"))
    assert bad.why == ("outside is 3, asked is at most 0.5",)
    smiles = shelf.shown(Filter(label="positive", identity="faces/man_30"))
    assert [(r.label, r.identity, r.driver) for r in smiles] == [
        ("positive", "faces/man_30", "aus:12L=2")
    ]
    assert len(shelf.shown(Filter())) == 9


def test_the_worst_comes_first(shelf: Shelf) -> None:
    low = [r.scores["identity_mean"] for r in shelf.shown(Filter(order="identity_mean"))[:5]]
    assert low == sorted(low)
    assert shelf.shown(Filter(order="outside"))[0].scores["outside"] == 3.0
    assert not shelf.shown(Filter(order="outside"))[-1].scores
    assert shelf.scored == ["identity_mean", "outside"]


def test_what_is_rejected_is_gone_from_the_loader(shelf: Shelf) -> None:
    key = shelf.rows[2].key
    shelf.decide(key, "reject")
    shelf.decide(shelf.rows[3].key, "accept")
    data = MicroExpressionSynth(
        ListOfClips(["1", "2"]),
        ratio=30, cache=shelf.cache, held_out=(), decisions=shelf.file,
    )  # fmt: skip
    seen = {data[i]["clip"] for i in range(2, len(data))}
    assert seen == {r.key for r in shelf.rows} - {key}
    again = Shelf(shelf.cache.root)
    assert again.decisions == shelf.decisions == read_decisions(shelf.file)
    shelf.decide(key, None)
    assert not read_decisions(shelf.file).rejected


def test_filter_by_decision(shelf: Shelf) -> None:
    shelf.decide(shelf.rows[0].key, "reject")
    assert [r.key for r in shelf.shown(Filter(decision="reject"))] == [shelf.rows[0].key]
    assert len(shelf.shown(Filter(decision="undecided"))) == 8


def test_a_damaged_clip_is_a_row(shelf: Shelf) -> None:
    file = next((shelf.cache.root / "shards").rglob("*.lmdb"))
    path = file if file.is_file() else file / "data.mdb"
    shelf.cache.close()
    data = bytearray(path.read_bytes())
    at = data.find(b'"driver_subject"')
    data[at : at + 6] = b"######"
    path.write_bytes(bytes(data))
    found = Shelf(shelf.cache.root)
    found.read()
    damaged = [r for r in found.rows if r.problem]
    assert len(found.rows) == 9
    assert len(damaged) == 1
    assert "digest" in damaged[0].problem


def test_no_cache(tmp_path: Path) -> None:
    with pytest.raises(CacheError):
        Shelf(tmp_path)


def test_decisions_that_cannot_be_read_are_not_overwritten(made_cache: Path) -> None:
    file = made_cache.with_name(f"{made_cache.name}.decisions.json")
    file.write_text("{}")
    try:
        with pytest.raises(InputError, match="holds no decisions"):
            Shelf(made_cache)
        assert file.read_text() == "{}"
    finally:
        file.unlink()


def test_pages() -> None:
    rows = list(range(5))
    assert [len(p) for p in pages(rows, 2)] == [2, 2, 1]  # type: ignore[arg-type]
    assert [*pages([], 2)] == [[]]


def test_what_a_folder_holds(made_cache: Path, tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    shutil.copytree(made_cache, tmp_path / "c")
    shutil.copytree(made_cache, tmp_path / "cache" / "casme2")
    for target in ("me.jpg", "clip/img1.jpg"):
        shutil.copy(Path(find(None).faces["woman_31 (sample)"]), tmp_path / target)
    (tmp_path / "film.mp4").write_bytes(b"")
    found = find(tmp_path)
    assert [*found.caches] == ["c", "cache/casme2"]
    assert "me.jpg" in found.faces
    assert [*found.clips] == ["clip", "film.mp4"]
    assert [*find(made_cache).caches] == [made_cache.name]
    with pytest.raises(MediaError, match="holds no clip"):
        find(None, tmp_path / "clip")


@pytest.mark.parametrize("cache", ["casme2", "cache/casme2", "a/../<b>?"])
def test_addresses_lead_back_to_any_cache(cache: str) -> None:
    pattern, _, _ = compile_path(PATH)
    found = pattern.match(unquote(place(cache, "0" * 64, "apex.jpg")))
    assert found is not None
    assert found.groupdict() == {"cache": cache, "key": "0" * 64, "what": "apex.jpg"}


def test_addresses_hold_any_name() -> None:
    assert (
        place("a/../<b>?", "0" * 64, "apex.jpg")
        == f"/media/a%2F..%2F%3Cb%3E%3F/{'0' * 64}/apex.jpg"
    )


def test_what_others_decided_meanwhile_stays(shelf: Shelf) -> None:
    other = Shelf(shelf.cache.root)
    other.read()
    shelf.decide(shelf.rows[0].key, "reject")
    other.decide(shelf.rows[1].key, "accept")
    assert set(read_decisions(shelf.file)) == {shelf.rows[0].key, shelf.rows[1].key}
