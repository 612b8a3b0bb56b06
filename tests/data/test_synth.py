"""The wrapper's three modes, and R20 and R21."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, default_collate

from famaug.data import MicroExpressionSynth, as_pair, leave_one_subject_out
from famaug.data.cached import CachedSource
from famaug.errors import InputError, LeakageError
from famaug.people.persons import canonical
from famaug.store import CacheWriter, ClipCache
from famaug.types import Clip, ClipRef, Provenance
from tests.store.store_builders import (
    ListOfClips,
    ToySynthesizer,
    key_of,
    moving_clip,
    provenance_of,
)

PEOPLE = ["1", "2", "3", "4", "4", "4"]


@pytest.fixture(scope="module")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two caches and their union: every driver on every face, rules, and clips without story."""
    root = tmp_path_factory.mktemp("caches")
    n = 0
    for name in ("a", "b"):
        with CacheWriter(root / name, shard=name) as writer:
            for driver in ("1", "02", "3", "4", ""):
                for identity in ("1", "2", "3", "4"):
                    n += 1
                    story = provenance_of(
                        n,
                        driver=f"d/{driver}" if driver else "",
                        identity=f"D/{identity}",
                        label=None if n == 7 else ("happy", "sad", "surprise")[n % 3],
                    )
                    writer.put(story.plan.key, moving_clip(n, t=2, h=8, w=8), story)
            writer.put(key_of(n), moving_clip(0, t=2, h=8, w=8), None)
    shutil.copytree(root / "a", root / "merged")
    shutil.copytree(root / "b" / "shards", root / "merged" / "shards", dirs_exist_ok=True)
    return root


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    fold=st.integers(0, 3),
    ratio=st.floats(0.4, 3),
    name=st.sampled_from(["a", "b", "merged"]),
    seed=st.integers(0, 5),
    epoch=st.integers(0, 3),
)
def test_no_held_out_subject_enters(
    caches: Path, fold: int, ratio: float, name: str, seed: int, epoch: int
) -> None:
    part = leave_one_subject_out(ListOfClips(PEOPLE))[fold]
    train = MicroExpressionSynth(part.train, ratio=ratio, cache=caches / name, seed=seed)
    train.set_epoch(epoch)
    out = {canonical(s).partition("/")[2] for s in part.held_out}
    assert len(train) == len(part.train) + round(ratio * len(part.train))
    for i in range(len(part.train), len(train)):
        story = json.loads(train[i]["provenance"])
        shown = {
            canonical(story[k]).partition("/")[2] for k in ("driver_subject", "identity_subject")
        }
        assert not shown & out
    count = 2 if name == "merged" else 1
    assert train.excluded["no provenance"] == count
    assert train.excluded["driver subject held out"] == 4 * count  # on four faces
    assert train.excluded["identity subject held out"] == 4 * count  # by three others and a rule


def test_ratio_zero_is_the_bare_dataset(caches: Path) -> None:
    data = ListOfClips(PEOPLE)
    for cache in (None, caches / "a"):
        train = MicroExpressionSynth(data, ratio=0, cache=cache)
        assert len(train) == len(data)
        for i in range(len(data)):
            mine, bare = train[i], data[i]
            assert type(mine) is type(bare)
            assert mine[0].ref == bare[0].ref
            assert np.array_equal(mine[0].frames, bare[0].frames)
            assert mine[1] == bare[1]

    items = [object(), object()]
    untouched = MicroExpressionSynth(items, ratio=0)
    assert [untouched[0], untouched[1]] == items


def test_one_form_for_every_ratio(caches: Path) -> None:
    data = ListOfClips(PEOPLE)
    zero = MicroExpressionSynth(data, ratio=0, passthrough=False)
    half = MicroExpressionSynth(data, held_out=(), ratio=0.5, cache=caches / "a")
    assert len(half) == 9
    for i in range(len(data)):
        assert zero[i].keys() == half[i].keys() == half[8].keys()
        assert torch.equal(zero[i]["frames"], half[i]["frames"])
        assert torch.equal(half[i]["frames"], torch.from_numpy(data[i][0].frames))
        plain = {k: v for k, v in half[i].items() if not isinstance(v, torch.Tensor)}
        assert plain == {
            "onset": 1,
            "apex": -1,
            "offset": -1,
            "label": data.labels[i],
            "synthetic": False,
            "clip": data.refs[i].key,
            "index": i,
            "provenance": "",
        }


def test_a_synthetic_item(caches: Path) -> None:
    train = MicroExpressionSynth(
        ListOfClips(PEOPLE), held_out=(), ratio=2, cache=caches / "a", seed=4
    )
    cache = ClipCache(caches / "a")
    seen = set()
    for i in range(6, 18):
        item = train[i]
        stored = cache.read(item["clip"])
        assert item["synthetic"] is True
        assert np.array_equal(item["frames"].numpy(), stored.frames)
        assert Provenance.from_json(json.loads(item["provenance"])) == stored.provenance
        assert stored.provenance is not None
        assert item["label"] == stored.provenance.label
        seen.add(item["clip"])
    assert len(seen) > 6
    assert train.excluded == {"no provenance": 1, "no label": 1}
    assert torch.equal(train[-1]["frames"], train[17]["frames"])
    for outside in (18, -19):
        with pytest.raises(IndexError):
            train[outside]


def test_epochs_and_seeds(caches: Path) -> None:
    def drawn(seed: int, epoch: int) -> list[str]:
        train = MicroExpressionSynth(
            ListOfClips(PEOPLE), held_out=(), ratio=2, cache=caches / "a", seed=seed
        )
        train.set_epoch(epoch)
        assert train.epoch == epoch
        return [train[i]["clip"] for i in range(6, 18)]

    assert drawn(0, 0) == drawn(0, 0)
    assert len({tuple(drawn(s, e)) for s in (0, 1) for e in (0, 1, 2)}) == 6


def test_the_transform_sees_all_clips_alike(caches: Path) -> None:
    seen = []

    def transform(frames: torch.Tensor) -> torch.Tensor:
        seen.append((frames.dtype, frames.shape[1]))
        return frames[:2, :, :8, :8].float() / 255

    train = MicroExpressionSynth(
        ListOfClips(PEOPLE),
        held_out=(),
        ratio=0.5,
        cache=caches / "a",
        transform=transform,
        layout="TCHW",
    )
    batch = default_collate([train[i] for i in range(len(train))])
    assert batch["frames"].shape == (9, 2, 3, 8, 8)
    assert batch["synthetic"].tolist() == [False] * 6 + [True] * 3
    assert seen == [(torch.uint8, 3)] * 9
    zero = MicroExpressionSynth(ListOfClips(PEOPLE), ratio=0, transform=transform, layout="TCHW")
    assert torch.equal(zero[2]["frames"], train[2]["frames"])


def test_other_forms_of_items(caches: Path) -> None:
    raw = [(torch.from_numpy(moving_clip(i)), i % 3) for i in range(4)]

    def as_clip(item: tuple[torch.Tensor, int]) -> tuple[Clip, int]:
        return Clip(ClipRef("d", "1", "x"), item[0].numpy()), item[1]

    names = {"happy": 0, "sad": 1, "surprise": 2}
    train = MicroExpressionSynth(
        raw,
        held_out=(),
        ratio=1,
        cache=caches / "a",
        as_clip=as_clip,
        as_item=as_pair,
        label_of=names,
    )
    frames, label = train[1]
    assert torch.equal(frames, raw[1][0])
    assert label == 1
    assert train[5][1] in (0, 1, 2)
    with pytest.raises(InputError, match="as_clip"):
        MicroExpressionSynth(raw, held_out=(), ratio=1, cache=caches / "a")[0]
    with pytest.raises(InputError, match="label_of"):
        MicroExpressionSynth(raw, held_out=(), ratio=1, cache=caches / "a", label_of={"angry": 0})
    some = {"happy": 0}
    part = MicroExpressionSynth(raw, held_out=(), ratio=1, cache=caches / "a", label_of=some)
    assert part.excluded["label 'sad' is not one of the classes"] > 0


def test_labels_of_another_kind(caches: Path) -> None:
    class Numbered(ListOfClips):
        labels = property(lambda self: list(range(len(self))))  # type: ignore[assignment]

    with pytest.raises(InputError, match="label_of"):
        MicroExpressionSynth(Numbered(PEOPLE), held_out=(), ratio=1, cache=caches / "a")
    by_story = MicroExpressionSynth(
        Numbered(PEOPLE),
        held_out=(),
        ratio=1,
        cache=caches / "a",
        label_of=lambda p: None if p.label is None else len(str(p.label)),
    )
    assert by_story[7]["label"] in (3, 5, 8)


def test_rare_classes_fill_up(caches: Path) -> None:
    class Skewed(ListOfClips):
        labels = property(lambda self: ["happy"] * 5 + ["sad"])  # type: ignore[assignment]

    train = MicroExpressionSynth(
        Skewed(PEOPLE), held_out=(), ratio=20, cache=caches / "a", balance="class", seed=1
    )
    labels = [train[i]["label"] for i in range(6, len(train))]
    assert labels.count("happy") == 0
    assert 0.3 < labels.count("sad") / len(labels) < 0.6  # lacks 4 of 9
    with pytest.raises(InputError, match="labels"):
        MicroExpressionSynth([1], held_out=(), ratio=1, cache=caches / "a", balance="class")


def test_online_renders_what_is_planned() -> None:
    fold = leave_one_subject_out(ListOfClips(PEOPLE))[0]
    train = MicroExpressionSynth(
        fold.train, ratio=2, mode="online", synthesizer=ToySynthesizer(), seed=2
    )
    for i in range(5, 15):
        item = train[i]
        story = Provenance.from_json(json.loads(item["provenance"]))
        assert story.driver_subject != story.identity_subject
        assert "d/1" not in (story.driver_subject, story.identity_subject)
        assert story.plan.key == item["clip"]
        assert np.array_equal(ToySynthesizer().render([story.plan])[0], item["frames"].numpy())
        assert torch.equal(train[i]["frames"], item["frames"])
    assert len({train[i]["clip"] for i in range(5, 15)}) == 10


def test_deferred_equals_online() -> None:
    options = {"ratio": 1.0, "synthesizer": ToySynthesizer(), "seed": 2}
    online = MicroExpressionSynth(ListOfClips(PEOPLE), held_out=(), mode="online", **options)
    later = MicroExpressionSynth(ListOfClips(PEOPLE), held_out=(), mode="deferred", **options)
    loader = DataLoader(later, batch_size=5, collate_fn=later.collate)
    direct = DataLoader(online, batch_size=5, collate_fn=online.collate)
    for batch, other in zip(loader, direct, strict=True):
        done = later.render_batch(batch, "cpu")
        assert torch.equal(done["frames"], other["frames"])
        assert done["clip"] == other["clip"]
        assert online.render_batch(other) is other


class Telling(ToySynthesizer):
    def engine(self, device: Any = None) -> str:
        return f"toy on {device}"


@pytest.mark.parametrize(
    ("synthesizer", "words"),
    [(ToySynthesizer(), ["", ""]), (Telling(), ["toy on None", "toy on cpu"])],
)
def test_an_item_says_what_computed_its_pixels(
    synthesizer: ToySynthesizer, words: list[str]
) -> None:
    options = {"ratio": 1.0, "synthesizer": synthesizer, "held_out": ()}
    online = MicroExpressionSynth(ListOfClips(PEOPLE), mode="online", **options)
    later = MicroExpressionSynth(ListOfClips(PEOPLE), mode="deferred", **options)
    batch = later.render_batch(later.collate([later[-1]]), "cpu")
    told = [online[-1]["provenance"], *batch["provenance"]]
    assert [Provenance.from_json(json.loads(text)).engine for text in told] == words


def test_identities_of_ones_own(tmp_path: Path) -> None:
    for i in range(2):
        cv2.imwrite(str(tmp_path / f"face{i}.png"), moving_clip(i, t=1)[0])
    options = {"ratio": 1.0, "mode": "online", "synthesizer": ToySynthesizer()}
    train = MicroExpressionSynth(ListOfClips(PEOPLE), identities=tmp_path, held_out=(), **options)
    story = Provenance.from_json(json.loads(train[7]["provenance"]))
    assert story.identity_subject == ""
    assert story.plan.identity["name"] in ("//face0", "//face1")
    clips = [Clip(ClipRef("e", "9", "n"), moving_clip(9, t=1))]
    train = MicroExpressionSynth(ListOfClips(PEOPLE), identities=clips, held_out=(), **options)
    assert json.loads(train[7]["provenance"])["identity_subject"] == "e/9"
    for wrong, error in (([], InputError), ([1], InputError)):
        with pytest.raises(error, match="identities"):
            MicroExpressionSynth(ListOfClips(PEOPLE), identities=wrong, held_out=(), **options)
    with pytest.raises(LeakageError, match="held-out"):
        MicroExpressionSynth(ListOfClips(PEOPLE), identities=clips, held_out=["e/09"], **options)


def test_leaks_are_errors(caches: Path, tmp_path: Path) -> None:
    with pytest.raises(LeakageError, match=r"fold\.train"):
        MicroExpressionSynth(ListOfClips(PEOPLE), ratio=1, cache=caches / "a", held_out=["d/4"])

    # the clip of a key that was let in becomes another one
    shutil.copytree(caches / "a", tmp_path / "c")
    fold = leave_one_subject_out(ListOfClips(["1", "2"]))[0]
    train = MicroExpressionSynth(fold.train, ratio=1, cache=tmp_path / "c")
    source = train._source
    assert isinstance(source, CachedSource)
    others = [k for k in ClipCache(tmp_path / "c") if k not in source.keys]
    source.clips = {
        k: replace(clip, key=other)
        for (k, clip), other in zip(source.clips.items(), others * 9, strict=False)
    }
    with pytest.raises(LeakageError):
        train[1]

    class Liar(ToySynthesizer):
        def plan(self, *args: object, **more: object) -> object:
            plan = super().plan(*args, **more)  # type: ignore[arg-type]
            return type(plan)(**{**vars(plan), "identity": {"dataset": "d", "subject": "1"}})

    with pytest.raises(LeakageError):
        MicroExpressionSynth(fold.train, ratio=1, mode="online", synthesizer=Liar())[1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"ratio": -1},
        {"ratio": float("nan")},
        {"ratio": "half"},
        {"ratio": 1},
        {"ratio": 1, "mode": "later"},
        {"ratio": 1, "mode": "online"},
        {"ratio": 1, "mode": "online", "synthesizer": object()},
        {"ratio": 1, "layout": "HW"},
        {"ratio": 1, "balance": "yes"},
        {"ratio": 1, "mode": "deferred", "as_item": as_pair, "synthesizer": ToySynthesizer()},
        {"ratio": 1, "cache": "c", "identities": []},
    ],
)
def test_wrong_arguments(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        MicroExpressionSynth(ListOfClips(PEOPLE), **wrong)  # type: ignore[arg-type]


def test_a_cache_that_lets_nobody_in(tmp_path: Path) -> None:
    with CacheWriter(tmp_path / "c") as writer:
        writer.put(key_of(1), moving_clip(), None)
    with pytest.raises(InputError, match="'no provenance': 1"):
        MicroExpressionSynth(ListOfClips(PEOPLE), held_out=(), ratio=1, cache=tmp_path / "c")


@pytest.mark.parametrize("mode", ["online", "deferred"])
def test_clips_that_name_nobody_are_drivers_in_training(mode: Any) -> None:
    """They are trained on as they are: the fold knows whose they are. Every draw was an error."""

    class Plain:
        """No references; whoever makes the folds knows the people."""

        clips = ListOfClips(["", "", "", ""])

        def __len__(self) -> int:
            return len(self.clips)

        def __getitem__(self, index: int) -> tuple[Clip, str | None]:
            return self.clips[index]

    fold = leave_one_subject_out(Plain(), subjects=["d/1", "d/1", "d/2", "d/3"])[0]
    train = MicroExpressionSynth(fold.train, ratio=3, synthesizer=ToySynthesizer(), mode=mode)
    batch = train.render_batch(train.collate([train[i] for i in range(2, 8)]))
    assert batch["synthetic"].all()


def test_a_label_function_is_asked_of_clips_without_a_label(tmp_path: Path) -> None:
    """It was not: a table's clip could be given no label at all."""
    with CacheWriter(tmp_path / "c") as writer:
        story = provenance_of(1, label=None)
        writer.put(story.plan.key, moving_clip(1), story)
    for label_of in (lambda _: "happy", {None: "happy"}):
        train = MicroExpressionSynth(
            ListOfClips(PEOPLE), held_out=(), ratio=1, cache=tmp_path / "c", label_of=label_of
        )
        assert train[len(PEOPLE)]["label"] == "happy"
