"""R6, R11, R12: the same clips for any workers, start method, batch size and order."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from famaug.data import MicroExpressionSynth
from famaug.seeding import keyed_generator
from famaug.store import CacheWriter
from tests.store.store_builders import ListOfClips, ToySynthesizer, moving_clip, provenance_of

pytestmark = pytest.mark.slow

PEOPLE = ["1", "2", "3", "4"] * 2


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("workers") / "c"
    for shard in range(2):
        with CacheWriter(root, shard=f"w{shard}") as writer:
            for n in range(shard, 16, 2):
                story = provenance_of(n)
                writer.put(story.plan.key, moving_clip(n), story)
    return root


def digests(train: MicroExpressionSynth, **options: object) -> dict[int, str]:
    found: dict[int, str] = {}
    for batch in DataLoader(train, **options):  # type: ignore[arg-type]
        for index, frames, name in zip(
            batch["index"].tolist(), batch["frames"], batch["clip"], strict=True
        ):
            found[index] = hashlib.sha256(frames.numpy().tobytes() + name.encode()).hexdigest()
    return found


def wrapped(cache: Path, mode: str) -> MicroExpressionSynth:
    if mode == "cached":
        return MicroExpressionSynth(ListOfClips(PEOPLE), held_out=(), ratio=1, cache=cache, seed=5)
    return MicroExpressionSynth(
        ListOfClips(PEOPLE),
        held_out=(),
        ratio=1,
        mode="online",
        synthesizer=ToySynthesizer(),
        seed=5,
    )


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more workers than cores
@pytest.mark.parametrize(
    ("mode", "start", "workers"),
    [
        *[(mode, "fork", n) for mode in ("cached", "online") for n in (1, 2, 4)],
        ("cached", "spawn", 2),
        ("online", "forkserver", 1),
    ],
)
def test_the_same_clips_everywhere(cache: Path, mode: str, start: str, workers: int) -> None:
    train = wrapped(cache, mode)
    want = digests(train, batch_size=1)
    assert len(want) == 16
    # processes that start from nothing take seconds: one loader each
    for batch_size, shuffle in ((4, True), (1, False))[: 2 if start == "fork" else 1]:
        got = digests(
            train,
            batch_size=batch_size,
            shuffle=shuffle,
            num_workers=workers,
            multiprocessing_context=start,
        )
        assert got == want


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_that_live_on_see_the_epoch(cache: Path, start: str) -> None:
    train = wrapped(cache, "cached")
    loader = DataLoader(
        train, batch_size=4, num_workers=2, multiprocessing_context=start, persistent_workers=True
    )
    for epoch in (0, 1, 7):
        train.set_epoch(epoch)
        here = wrapped(cache, "cached")
        here.set_epoch(epoch)
        names = [n for batch in loader for n in batch["clip"]]
        assert names == [here[i]["clip"] for i in range(len(here))]
    del loader


def test_streams_are_all_distinct() -> None:
    draws = {
        tuple(keyed_generator(0, epoch, index, "draw").integers(1 << 62, size=2).tolist())
        for epoch in range(100)
        for index in range(100)
    }
    assert len(draws) == 10_000


def test_pin_memory_and_sampler(cache: Path) -> None:
    train = wrapped(cache, "cached")
    parts = []
    for rank in range(2):
        sampler = torch.utils.data.DistributedSampler(train, 2, rank, shuffle=True, seed=3)
        parts.append(digests(train, batch_size=3, sampler=sampler))
    assert parts[0] | parts[1] == digests(train, batch_size=8)
