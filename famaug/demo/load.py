"""The demo's training side: clips into a cache, the cache into a DataLoader."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from famaug import __version__
from famaug.data.synth import MicroExpressionSynth
from famaug.demo.page import Made
from famaug.report.values import ReportTable
from famaug.store import CacheWriter, cache_key
from famaug.types import Clip, ClipRef, Provenance


def store(made: list[Made], folder: Path) -> None:
    """Write the clips with their provenance; clips already there are left as they are."""
    with CacheWriter(folder) as writer:
        for clip in made:
            driver, identity = clip.plan.driver, clip.plan.identity
            provenance = Provenance(
                plan=clip.plan,
                driver_subject=_subject(driver),
                identity_subject=_subject(identity),
                label=driver["label"],
                label_source="rule" if driver["kind"] == "rule" else "driver",
                version=__version__,
            )
            writer.put(cache_key(clip.plan), clip.frames, provenance)


def _subject(side: dict[str, str]) -> str:
    return f"{side['dataset']}/{side['subject']}" if side["subject"] else ""


class _Stills:
    """The identities' neutral faces as a tiny real data set: clips of two frames."""

    def __init__(self, made: list[Made]) -> None:
        self.clips = [
            Clip(ClipRef("demo", f"{i}", "still"), np.repeat(m.frames[:1], 2, 0))
            for i, m in enumerate(made)
        ]

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> tuple[Clip, str]:
        return self.clips[index], "neutral"


def onset_and_apex(x: torch.Tensor) -> torch.Tensor:
    """The demo's transform: the first frame and the one that differs most from it."""
    change = (x.int() - x[:1].int()).abs().sum((1, 2, 3))
    return torch.stack([x[0], x[int(change.argmax())]])


def load_batches(made: list[Made], folder: Path, seed: int) -> ReportTable:
    """Batches through a DataLoader with two workers, as a user's loop would draw them."""
    train = MicroExpressionSynth(
        _Stills(made), ratio=1.0, held_out=(), cache=folder, seed=seed, transform=onset_and_apex
    )
    start = time.perf_counter()
    loader = DataLoader(train, batch_size=4, shuffle=False, num_workers=2)
    real = synthetic = batches = 0
    shape = ""
    for batch in loader:
        batches += 1
        synthetic += int(batch["synthetic"].sum())
        real += int((~batch["synthetic"]).sum())
        shape = " x ".join(str(n) for n in batch["frames"].shape)
    return ReportTable(
        title="Through a DataLoader",
        columns=["batches", "real clips", "synthetic clips", "last batch", "seconds"],
        rows=[[batches, real, synthetic, shape, time.perf_counter() - start]],
        caption="MicroExpressionSynth(dataset, ratio=1.0, cache=...) with num_workers=2; a "
        "transform keeps onset and apex. The real clips are stills of the same faces.",
    )
