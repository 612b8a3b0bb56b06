"""An error in a loader names the item and its clip, in this process and out of a worker."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torch.utils.data import DataLoader, Dataset

from famaug import MicroExpressionSynth
from famaug.data.naming import named
from famaug.errors import FamaugError, MediaError
from famaug.store import CacheWriter
from famaug.types import Clip, ClipRef, Plan, Provenance


class Clips(Dataset[tuple[Clip, str]]):
    def __init__(self) -> None:
        self.refs = [ClipRef("d", f"s{i}", f"c{i}", onset=0) for i in range(3)]
        self.labels = ["a"] * 3

    def __len__(self) -> int:
        return 3

    def __getitem__(self, i: int) -> tuple[Clip, str]:
        if i >= 3:
            raise IndexError(i)
        if i == 1:
            raise MediaError("a frame is damaged")
        return Clip(self.refs[i], np.zeros((2, 8, 8, 3), np.uint8)), "a"


def broken(frames: object) -> object:
    raise ZeroDivisionError("in the user's transform")


def mixed(folder: Path, transform: Callable[..., object] | None = None) -> MicroExpressionSynth:
    track = [[[0.0] * 17] * 2] * 2
    rule = {"kind": "rule", "name": "r", "subject": "", "dataset": "", "digest": "0"}
    plan = Plan(rule, rule, track, "w", "w", 8, 10.0)
    with CacheWriter(folder / "cache") as writer:
        story = Provenance(plan, "", "", "a", "rule")
        writer.put(plan.key, np.zeros((2, 8, 8, 3), np.uint8), story)
    return MicroExpressionSynth(
        Clips(), ratio=1, cache=folder / "cache", held_out=(), transform=transform
    )


def test_a_clip_is_named_in_famaugs_own_errors(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="item 1, clip d/s1/c1: a frame is damaged"):
        mixed(tmp_path)[1]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_clip_is_named_beside_other_errors(tmp_path: Path, workers: int) -> None:
    data = mixed(tmp_path, broken)
    for item, said in ((0, "item 0, clip d/s0/c0"), (4, "item 4, synthetic clip ")):
        loader = DataLoader(data, batch_size=1, sampler=[item], num_workers=workers)
        with pytest.raises(ZeroDivisionError) as told:
            next(iter(loader))
        assert said in "".join(traceback.format_exception(told.value))


def test_a_failure_to_name_hides_nothing() -> None:
    def unnamed() -> str:
        raise FamaugError("no name either")

    with pytest.raises(KeyError) as told, named(5, 3, None, unnamed):
        {}["x"]
    assert told.value.__notes__ == ["famaug: this is item 5, a synthetic clip"]
