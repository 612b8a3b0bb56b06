"""The recogniser's pool and `MicroExpressionSynth` let the same clips of a cache in."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from famaug.data import MicroExpressionSynth, leave_one_subject_out
from famaug.data.guard import DRIVER, IDENTITY, NO_PROVENANCE, UNNAMED
from famaug.data.labels import NO_LABEL
from famaug.errors import InputError, LeakageError
from famaug.recognition import pool as pools
from famaug.recognition.inputs import InputSpec
from famaug.recognition.pool import SyntheticPool, synthetic_pool
from famaug.store import CacheWriter, ClipCache
from famaug.types import Provenance
from tests.store.store_builders import ListOfClips, key_of, moving_clip, provenance_of

CLASSES = ("happy", "sad", "surprise")
SPEC = InputSpec(kind="pair", size=28)
REAL = ListOfClips(["s01", "s02", "s03"])
PEOPLE = tuple(ref.person for ref in REAL.refs)
FOLDS = {fold.name: fold for fold in leave_one_subject_out(REAL)}


def _story(number: int, driver: str, face: str, label: str | None) -> Provenance:
    story = provenance_of(number, driver=driver, identity=face, label=label)
    if driver:
        return story
    plan = replace(story.plan, driver=story.plan.driver | {"kind": "clip"})
    return replace(story, plan=plan)  # an expression measured of nobody who is named


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of everybody, some in another spelling, with all that keeps a clip out."""
    root = tmp_path_factory.mktemp("pool") / "cache"
    with CacheWriter(root) as writer:
        number = 0
        for driver in ("d/s01", "d/2", "D/s03", "d/1", ""):
            for face in ("d/s01", "d/s02", "d/3"):
                for label in ("happy", "bored", None):
                    number += 1
                    story = _story(number, driver, face, label)
                    writer.put(story.plan.key, moving_clip(number, t=3, h=28, w=28), story)
        writer.put(key_of(0), moving_clip(0, t=3, h=28, w=28), None)
    return root


def _pool(cache: Path, *names: str) -> SyntheticPool:
    folds = {name: FOLDS[name].held_out for name in names}
    return synthetic_pool(ClipCache(cache), SPEC, classes=CLASSES, folds=folds, people=PEOPLE)


def _wrapped(cache: Path, name: str) -> MicroExpressionSynth:
    known = {label: label for label in CLASSES}
    return MicroExpressionSynth(FOLDS[name].train, ratio=1, cache=cache, label_of=known)


@pytest.mark.parametrize("name", FOLDS)
def test_a_fold_gets_what_the_wrapped_dataset_gets(cache: Path, name: str) -> None:
    pool, wrapped = _pool(cache, name), _wrapped(cache, name)
    assert dict(pool.left_out) == wrapped.excluded
    keys = [p.plan.key for p in pool.provenances]
    assert keys == wrapped._source.keys  # type: ignore[union-attr]
    of_all = _pool(cache, *FOLDS)
    allowed = of_all.allowed(FOLDS[name].held_out, PEOPLE)
    assert [p.plan.key for p, a in zip(of_all.provenances, allowed, strict=True) if a] == keys
    assert wrapped.excluded.keys() >= {DRIVER, IDENTITY, UNNAMED, NO_PROVENANCE, NO_LABEL}


def test_clips_that_no_fold_may_use_are_counted_and_not_made(cache: Path) -> None:
    """Those of unnamed drivers were made into inputs, which the guard of every fold left out."""
    pool = _pool(cache, *FOLDS)
    assert pool.left_out[UNNAMED] == 9
    assert pool.left_out[NO_PROVENANCE] == 1
    kinds = Counter(p.driver_subject for p in pool.provenances)
    assert "" not in kinds
    assert len(pool) + sum(pool.left_out.values()) == len(ClipCache(cache))


def test_a_cache_of_unnamed_drivers_alone_is_told(tmp_path: Path) -> None:
    with CacheWriter(tmp_path / "c") as writer:
        story = _story(1, "", "d/s01", "happy")
        writer.put(story.plan.key, moving_clip(1, t=3, h=28, w=28), story)
    with pytest.raises(InputError, match=f"'{UNNAMED}': 1"):
        _pool(tmp_path / "c", *FOLDS)


def test_a_clip_that_became_another_one_is_no_input(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was read under its key, with the people of the clip that was chosen."""
    choose = pools.choose

    def then_changed(found: ClipCache, *rest: object, **how: object) -> object:
        chosen, excluded = choose(found, *rest, **how)  # type: ignore[arg-type]
        other = next(e for e in chosen if e.people != chosen[0].people)
        return [replace(chosen[0], key=other.key), *chosen[1:]], excluded

    monkeypatch.setattr(pools, "choose", then_changed)
    with pytest.raises(LeakageError, match="of other people than when it was chosen"):
        _pool(cache, "d/s1")
