"""Decisions on a cache's clips: the file, and what obeys it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from torch.utils.data import DataLoader

from famaug.config.recognition import ABLATION, RECOGNITION
from famaug.data import MicroExpressionSynth, as_pair
from famaug.errors import InputError, OutputError
from famaug.recognition.inputs import InputSpec
from famaug.recognition.pool import synthetic_pool
from famaug.store import CacheWriter, ClipCache
from famaug.store.decisions import (
    Decisions,
    decisions_of,
    decisions_path,
    read_decisions,
    write_decisions,
)
from tests.store.store_builders import ListOfClips, key_of, moving_clip, provenance_of


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six clips of people whom nobody holds out, by hand sad and happy."""
    root = tmp_path_factory.mktemp("decided") / "cache"
    with CacheWriter(root) as writer:
        for n in range(6):
            story = provenance_of(n, driver="", identity="", label=("happy", "sad")[n % 2])
            writer.put(story.plan.key, moving_clip(n, t=4, h=32, w=32), story)
    return root


def shown(cache: Path, decisions: object) -> set[str]:
    """Keys of the synthetic clips that a loader gives in two epochs."""
    data = MicroExpressionSynth(
        ListOfClips(["1", "2"]), ratio=40, cache=cache, held_out=(), decisions=decisions
    )
    seen = set()
    for epoch in range(2):
        data.set_epoch(epoch)
        for batch in DataLoader(data, batch_size=1):
            seen |= {k for k, s in zip(batch["clip"], batch["synthetic"], strict=True) if s}
    return seen


def test_a_rejected_clip_is_gone_from_the_loader(cache: Path, tmp_path: Path) -> None:
    keys = ClipCache(cache).keys()
    assert shown(cache, None) == set(keys)
    decided = Decisions({keys[0]: "reject", keys[1]: "accept", keys[3]: "reject"})
    write_decisions(tmp_path / "d.json", decided)
    assert shown(cache, tmp_path / "d.json") == set(keys) - {keys[0], keys[3]}
    assert shown(cache, decided.decided(keys[3], None)) == set(keys) - {keys[0]}


def test_what_was_left_out_is_counted(cache: Path) -> None:
    keys = ClipCache(cache).keys()
    data = MicroExpressionSynth(
        ListOfClips(["1", "2"]),
        ratio=1,
        cache=cache,
        held_out=(),
        decisions=Decisions({keys[0]: "reject"}),
        as_item=as_pair,
    )
    assert data.excluded == {"rejected by hand": 1}


def test_all_rejected_is_told(cache: Path) -> None:
    every = Decisions(dict.fromkeys(ClipCache(cache).keys(), "reject"))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="rejected by hand"):
        shown(cache, every)


def test_a_recogniser_obeys(cache: Path) -> None:
    keys = ClipCache(cache).keys()
    spec = InputSpec(kind="flow", size=28)
    how = {"classes": ("happy", "sad")}
    whole = synthetic_pool(ClipCache(cache), spec, **how)  # type: ignore[arg-type]
    less = synthetic_pool(
        ClipCache(cache),
        spec,
        decisions=Decisions({keys[2]: "reject"}),
        **how,  # type: ignore[arg-type]
    )
    kept = {p.plan.key for p in less.provenances}
    assert {p.plan.key for p in whole.provenances} - kept == {keys[2]}
    assert less.left_out["rejected by hand"] == 1


def test_the_key_of_a_configuration(cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "d.json"
    given = {"out": "o", "data": {"root": str(tmp_path)}}
    both = given | {"synthetic": {"cache": str(cache), "ratio": 1, "decisions": [str(file)]}}
    with pytest.raises(InputError, match=r"synthetic.decisions: .*d.json is not there"):
        RECOGNITION.of(both)
    write_decisions(file, Decisions())
    assert RECOGNITION.of(both)["synthetic.decisions"] == [file]
    alone = given | {"synthetic": {"decisions": [str(file)]}}
    for schema in (RECOGNITION, ABLATION):
        with pytest.raises(InputError, match=r"synthetic.decisions has no effect"):
            schema.of(alone)


def test_only_for_a_cache() -> None:
    with pytest.raises(InputError, match="for mode 'cached'"):
        MicroExpressionSynth(
            ListOfClips(["1"]), ratio=0, mode="online", held_out=(), decisions=Decisions()
        )


def test_the_file_lies_beside_the_cache(cache: Path) -> None:
    assert decisions_path(cache) == cache.parent / "cache.decisions.json"
    assert decisions_path(f"{cache}/") == cache.parent / "cache.decisions.json"


def test_round_trip_and_several_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    a, b, c = (key_of(n) for n in range(3))
    write_decisions(one, Decisions({a: "reject", b: "accept"}))
    write_decisions(two, Decisions({a: "accept", c: "reject"}))
    assert read_decisions(one) == Decisions({a: "reject", b: "accept"})
    assert decisions_of([one, two]).rejected == {a, c}
    assert decisions_of([two, str(one)]).rejected == {a, c}
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not readable as JSON"),
        ("[]", "holds no decisions"),
        ('{"format": "famaug-decisions/2", "clips": {}}', "holds no decisions"),
        ('{"format": "famaug-decisions/1", "clips": {"../x": "reject"}}', "64 hex digits"),
        (json.dumps({"format": "famaug-decisions/1", "clips": {key_of(1): "no"}}), "got 'no'"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "d.json").write_text(text)
    with pytest.raises(InputError, match=told):
        read_decisions(tmp_path / "d.json")


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"d\.json"):
        decisions_of(tmp_path / "d.json")
    with pytest.raises(InputError, match="got int"):
        decisions_of(3)  # type: ignore[arg-type]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_decisions(tmp_path / "file" / "d.json", Decisions())
