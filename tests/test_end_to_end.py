"""The real renderer behind a DataLoader: the same clips whatever the workers."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
import torch
from skimage.data import astronaut
from torch.utils.data import DataLoader

from famaug import MicroExpressionSynth, Synthesizer
from famaug.modulation.modulate import Modulation
from famaug.seeding import keyed_generator
from famaug.types import Clip, ClipRef


class TwoPeople:
    """Two clips of one face at two places: enough to drive and to be driven."""

    def __init__(self) -> None:
        picture = np.asarray(astronaut(), np.uint8)[:320, 60:380]
        self.refs = [
            ClipRef("two", name, "clip", fps=50.0, onset=0, emotion="positive")
            for name in ("a", "b")
        ]
        plan_maker = Synthesizer(size=None, fps=50.0)
        self.clips = []
        for i, ref in enumerate(self.refs):
            shown = np.ascontiguousarray(picture[:, i * 4 : 310 + i * 4])
            plan = plan_maker.plan("aus:12=2,6=1", shown, keyed_generator(i, "two"))
            self.clips.append(Clip(ref, plan_maker.render([plan])[0][:10]))

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Clip:
        return self.clips[index]


def _synthesizer() -> Synthesizer:
    return Synthesizer(size=96, peak=1.5, modulation=Modulation(n=0))


def _digests(loader: Any, train: MicroExpressionSynth) -> dict[int, str]:
    found = {}
    for batch in loader:
        batch = train.render_batch(batch)
        for index, frames in zip(batch["index"], batch["frames"], strict=True):
            found[int(index)] = hashlib.sha256(frames.contiguous().numpy().tobytes()).hexdigest()
    return found


def first_and_apex(frames: torch.Tensor) -> torch.Tensor:
    return torch.stack([frames[0], frames[len(frames) // 2]])[:, :96, :96]


@pytest.fixture(scope="module")
def data() -> TwoPeople:
    return TwoPeople()


@pytest.mark.slow
def test_workers_do_not_change_a_clip(data: TwoPeople) -> None:
    """Online and deferred, 0 to 2 workers, fork and spawn, batches of 1 and 4: one set of clips."""
    results = []
    for mode, workers, start, batch in (
        ("online", 0, None, 1),
        ("online", 2, "fork", 4),
        ("online", 1, "spawn", 1),
        ("deferred", 2, "fork", 4),
    ):
        train = MicroExpressionSynth(
            data, held_out=(), ratio=2.0, mode=mode, synthesizer=_synthesizer(), seed=3,
            transform=first_and_apex if mode == "online" else None,
        )  # fmt: skip
        if mode == "deferred":
            train.transform = first_and_apex
        loader = DataLoader(
            train, batch_size=batch, num_workers=workers, multiprocessing_context=start,
            collate_fn=train.collate,
        )  # fmt: skip
        results.append(_digests(loader, train))
    assert len(results[0]) == 6
    assert all(r == results[0] for r in results[1:])


def test_another_epoch_draws_other_clips(data: TwoPeople) -> None:
    train = MicroExpressionSynth(
        data, held_out=(), ratio=1.0, mode="online", synthesizer=_synthesizer(), seed=3
    )
    first = [train[i]["clip"] for i in range(2, 4)]
    train.set_epoch(1)
    drawn = {train[i]["clip"] for i in range(2, 4)} | set(first)
    assert len(drawn) > 1
    train.set_epoch(0)
    assert [train[i]["clip"] for i in range(2, 4)] == first
