"""R20: whoever is held out, however they are called, and however a fold is wrapped, no clip that
they went into is ever drawn. Ten thousand draws; nothing is rendered."""

from __future__ import annotations

import base64
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, Subset

from famaug.data import MicroExpressionSynth, leave_one_subject_out
from famaug.data.folds import k_fold_by_subject
from famaug.errors import LeakageError
from famaug.faces.landmarks import LEFT_BROW, OUTER_LIPS, RIGHT_BROW
from famaug.look.look import Look
from famaug.people.persons import canonical
from famaug.store import CacheWriter
from famaug.types import Clip, ClipRef, Plan, Provenance
from tests.store.store_builders import ToySynthesizer

DRAWS = 10_000
SPELLINGS = {
    "casme2": ("casme2/sub{:02d}", "CASME2/sub{}", "CASME II/{}", "casme2/S{:02d}", "/sub{:02d}",
               "megc2019/sub{:02d}", "CASME2_RAW_selected/{}.0", "casme2/casme2_sub{:02d}"),
    "samm": ("samm/{:03d}", "SAMM/{}", "Samm/s{}", "megc2019/{:03d}", "samm_crop/sub{:03d}"),
    "smic": ("smic/s{}", "SMIC-HS/s{:02d}", "SMIC_HS_E/S{}", "megc/s{:02d}", "smic vis/{}"),
    "casme3": ("casme3/spNO.{}", "Casme3A/{}", "CAS(ME)^3/spno{:03d}", "cas(me)3/sub{}"),
    "mine": ("mine/anna{}", "Mine/Anna{:02d}", " mine /anna{}"),
}  # fmt: skip
COUNT = 4
"""People of each data set, numbered from 1: the same number is another person in each."""
PEOPLE = [(name, n) for name in SPELLINGS for n in range(1, COUNT + 1)]
Person = tuple[str, int]


def spelt(who: Person, rng: random.Random) -> str:
    return rng.choice(SPELLINGS[who[0]]).format(who[1])


class Clips:
    """Two clips of everybody; a frame's file is in a folder of its person."""

    def __init__(self, root: Path, rng: random.Random) -> None:
        self.who = PEOPLE * 2
        self.refs = []
        for i, who in enumerate(self.who):
            dataset, _, subject = spelt(who, rng).rpartition("/")
            if not dataset:  # a reader knows its data set
                dataset = who[0]
            path = root / "data" / f"{who[0]}-{who[1]}" / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), np.full((4, 4, 3), i, np.uint8))
            self.refs.append(
                ClipRef(dataset.strip(), subject, f"c{i}", frames=(str(path),), emotion="happy")
            )

    def __len__(self) -> int:
        return len(self.refs)

    def __getitem__(self, index: int) -> tuple[Clip, str]:
        ref = self.refs[index]
        frames = np.full((2, 4, 4, 3), index, np.uint8)
        return Clip(ref, frames), "happy"


def mesh() -> str:
    """A mesh of which only brows and mouth matter."""
    points = np.zeros((478, 3))
    points[[*LEFT_BROW, *RIGHT_BROW]] = [2, 1, 0]
    points[[*OUTER_LIPS]] = [2, 3, 0]
    return base64.b64encode(np.round(points * 32).astype("<i4").tobytes()).decode()


def story(number: int, rng: random.Random, loose: bool) -> tuple[Provenance, set[Person]]:
    """A clip, and everybody who went into it; each is named in one place only."""
    driver, face, *others = rng.sample(PEOPLE, 5)
    into: set[Person] = set()

    def one(who: Person) -> str:
        into.add(who)
        return spelt(who, rng)

    def side(name: str) -> dict[str, Any]:
        dataset, _, subject = name.rpartition("/")
        return {"dataset": dataset, "subject": subject, "digest": f"{number}", "name": ""}

    nobody = side("")
    a, b = ("", ""), ("", "")
    plans: dict[str, Any] = {"driver": dict(nobody), "identity": dict(nobody), "look": None}
    params: dict[str, Any] = {}
    if rng.random() < 0.5:
        a = (one(driver), "")
    else:
        plans["driver"] = side(one(driver))
    if rng.random() < 0.5:
        b = (one(face), "")
    elif rng.random() < 0.5:
        plans["identity"] = side(one(face))
    extra = rng.choice(["pool", "look", "weights", "none", "none"])
    if extra == "pool":
        plans["driver"]["subjects"] = [one(w) for w in others[:2]]
    elif extra == "look" and not loose:
        plans["look"] = {"subjects": [one(w) for w in others]}
    elif extra == "weights":
        params["trained_on"] = [one(others[0])]
    plans["identity"]["mesh"] = mesh()
    plan = Plan(
        plans["driver"], plans["identity"], [[[0.1] * 17] * 2] * 2, "toy/1", "", None, 100.0,
        look=plans["look"], seed=number, params=params,
    )  # fmt: skip
    return Provenance(plan, a[0], b[0], "happy", "driver"), into


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Clips, dict[str, set[Person]]]:
    """Two caches by different hands, one merged of both, and who is in each clip."""
    root, rng = tmp_path_factory.mktemp("leak"), random.Random(0)
    into: dict[str, set[Person]] = {}
    for name in ("a", "b"):
        with CacheWriter(root / name, shard=name) as writer:
            for n in range(150):
                provenance, people = story(n + 1000 * (name == "b"), rng, loose=name == "a")
                writer.put(provenance.plan.key, np.full((2, 4, 4, 3), n, np.uint8), provenance)
                into[provenance.plan.key] = people
    shutil.copytree(root / "a", root / "merged")
    shutil.copytree(root / "b" / "shards", root / "merged" / "shards", dirs_exist_ok=True)
    return root, Clips(root, rng), into


class Own:
    def __init__(self, inner: Any) -> None:
        self.anything = [inner]

    def __len__(self) -> int:
        return len(self.anything[0])

    def __getitem__(self, index: int) -> Any:
        return self.anything[0][index]


def wrapped(data: Clips, rng: random.Random) -> Iterator[tuple[Any, dict[str, Any], set[Person]]]:
    """Training sets as people make them: the set, arguments, and who must not enter."""
    every = set(PEOPLE)

    def out(fold: Any) -> set[Person]:
        return every - {data.who[i] for i in fold.train.indices}

    folds = leave_one_subject_out(data) + k_fold_by_subject(data, 4, seed=rng.randrange(9))
    while True:
        fold = rng.choice(folds)
        yield fold.train, {}, out(fold)
        yield Own(Subset(fold.train, range(len(fold.train)))), {}, out(fold)
        part = torch.utils.data.random_split(fold.train, [9, len(fold.train) - 9])[0]
        yield ConcatDataset([part, Own(part)]), {}, out(fold)
        inner = rng.choice(k_fold_by_subject(fold.train, 3))
        held = out(fold) | {data.who[fold.train.indices[i]] for i in inner.test.indices}
        yield Subset(inner.train, range(4)), {}, held
        # nobody of a fold's people in the subset: they are for validation
        lone = rng.choice([w for w in PEOPLE if w not in out(fold)])
        without = [i for i, at in enumerate(fold.train.indices) if data.who[at] != lone]
        yield Subset(fold.train, without), {}, out(fold) | {lone}
        names = rng.sample(PEOPLE, 3)
        rest = [data[i] for i in range(len(data)) if data.who[i] not in names]
        yield rest, {"held_out": [said(w, rng) for w in names]}, set(names)


def said(who: Person, rng: random.Random) -> str:
    """A name without a data set would mean others as well."""
    name = spelt(who, rng)
    return name if not name.startswith("/") else f"{who[0]}{name}"


def a_look(names: list[str]) -> Look:
    return Look(
        size=(4, 4), fps=None, grey=False, framing=(0.5, 0.2, 0.5, 0.8),
        spread=((0.0,) * 4,) * 4, blur=0.0, noise=((0.0, 0.0), (255.0, 0.0)), chroma=0.0,
        jpeg=None, paths=(), blinks=0.0, subjects=tuple(names), clips=1,
    )  # fmt: skip


@pytest.mark.slow
def test_ten_thousand_draws_show_nobody_who_is_held_out(
    made: tuple[Path, Clips, dict[str, set[Person]]],
) -> None:
    root, data, into = made
    rng = random.Random(1)
    draws, sets, clips = 0, 0, set()
    for dataset, options, held in wrapped(data, rng):
        cache = root / ("a", "b", "merged")[sets % 3]
        train = MicroExpressionSynth(dataset, ratio=60, cache=cache, seed=sets, **options)
        source, sets = train._source, sets + 1
        assert source is not None
        for slot in range(train._real, train._real + 250):
            key = source.draw(sets, slot).key
            assert not into[key] & held, (key, into[key] & held, options)
            clips.add(key)
        draws += 250
        item = train[train._real]  # the whole item, checked once more by the guard
        assert item["clip"] in into
        if draws >= DRAWS:
            break
    assert len(clips) > 0.9 * len(into)  # and nobody else is kept away for good
    assert sum(bool(p & {PEOPLE[0]}) for p in into.values()) > 10


def test_looks_of_held_out_people(made: tuple[Path, Clips, dict[str, set[Person]]]) -> None:
    root, data, _ = made
    rng = random.Random(2)
    for fold in leave_one_subject_out(data):
        (out,) = {data.who[i] for i in fold.test.indices}
        inside = [w for w in PEOPLE if w != out]
        good = a_look([said(w, rng) for w in rng.sample(inside, 3)])
        train = MicroExpressionSynth(fold.train, ratio=1, cache=root / "a", look=good)
        story = json.loads(train[train._real]["provenance"])
        assert story["plan"]["look"]["subjects"] == list(good.subjects)
        bad = a_look([said(w, rng) for w in (*rng.sample(inside, 2), out)])
        with pytest.raises(LeakageError, match="the look was fitted on"):
            MicroExpressionSynth(fold.train, ratio=1, cache=root / "a", look=bad)


def test_loose_pictures_of_held_out_people(
    made: tuple[Path, Clips, dict[str, set[Person]]], tmp_path: Path
) -> None:
    """A copied frame, with an innocent name: shown if its person trains, refused if not."""
    _, data, _ = made
    rng = random.Random(3)
    for n, fold in enumerate(leave_one_subject_out(data)):
        folder = tmp_path / str(n)
        folder.mkdir()
        which = rng.choice(fold.train.indices)
        shutil.copy(data.refs[which].frames[0], folder / "face.png")
        options = {"ratio": 3, "mode": "online", "synthesizer": ToySynthesizer()}
        train = MicroExpressionSynth(fold.train, identities=folder, **options)
        (out,) = {data.who[i] for i in fold.test.indices}
        for slot in range(train._real, train._real + 12):
            made_by = train._source.draw(0, slot).provenance.to_json()  # type: ignore[union-attr]
            shown = {made_by["driver_subject"], made_by["identity_subject"]}
            assert made_by["identity_subject"]
            assert canonical(said(out, rng)) not in shown
        shutil.copy(data.refs[rng.choice(fold.test.indices)].frames[0], folder / "other.png")
        with pytest.raises(LeakageError, match=r"other\.png"):
            MicroExpressionSynth(fold.train, identities=folder, **options)


def test_the_test_can_fail(made: tuple[Path, Clips, dict[str, set[Person]]]) -> None:
    """Without a guard the same draws do show them."""
    root, data, into = made
    train = MicroExpressionSynth(data, ratio=60, cache=root / "merged", held_out=())
    drawn = [train._source.draw(0, s).key for s in range(40, 540)]  # type: ignore[union-attr]
    assert sum(PEOPLE[0] in into[k] for k in drawn) > 20
