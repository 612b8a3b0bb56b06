"""The demo's training side: clips into a cache, and cache and data set into a DataLoader."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch.utils.data import DataLoader

from famaug.data import Casme2, MicroExpressionSynth, leave_one_subject_out, sample_clip
from famaug.data.folds import Fold
from famaug.demo.page import Made
from famaug.demo.sample_folder import small_replica
from famaug.errors import FamaugError
from famaug.files.whole import whole_folder
from famaug.modulation.modulate import Modulation
from famaug.people.persons import person
from famaug.pipeline.inputs import Driver, Identity
from famaug.pipeline.synthesizer import Synthesizer
from famaug.report.lettering import PAPER, centred
from famaug.report.values import ReportTable
from famaug.seeding import keyed_generator
from famaug.store import CacheWriter, cache_key
from famaug.types import Clip, Frames, Picture, Plan, Provenance

REPLICA = "CASME2"
DRIVEN = 3
"""Clips of the fold whose expression goes onto another subject; and one of the person held out."""
BATCH, FRAMES, SIDE = 6, 8, 112


def store(made: list[Made], folder: Path, engine: str) -> None:
    """Write the clips with their provenance; clips already there are left as they are."""
    with CacheWriter(folder) as writer:
        for clip in made:
            _put(writer, clip.plan, clip.frames, engine)


def _put(writer: CacheWriter, plan: Plan, frames: Frames, engine: str) -> None:
    driver, identity = (
        person(side["dataset"], side["subject"]) for side in (plan.driver, plan.identity)
    )
    provenance = Provenance.of(plan, driver, identity, plan.driver["label"])
    writer.put(cache_key(plan), frames, replace(provenance, engine=engine))


def open_replica(folder: Path, *, seed: int) -> Casme2:
    """A small replica of CASME II below `folder`; one that is there already is used again."""
    root = folder / REPLICA
    if not root.exists():
        with whole_folder(root) as draft:
            small_replica("casme2", draft, clips=8, longest=8, seed=seed)
    return Casme2(root, clip="cropped")


def load_batches(out: Path, *, peak: float, seed: int) -> ReportTable:
    """A fold's training part and a cache through a DataLoader with two workers.

    Some clips of the replica, and one of the subject held out, are first shown on other subjects'
    faces and cached: the guard has something to leave out.
    """
    data = open_replica(out, seed=seed)
    fold, folder = leave_one_subject_out(data)[0], out / f"{REPLICA}_cache"
    added = _pregenerate(fold, folder, peak=peak, seed=seed)
    train = MicroExpressionSynth(
        fold.train,
        ratio=0.5,
        cache=folder,
        seed=seed,
        transform=sample_clip(frames=FRAMES, size=SIDE),
    )
    start = time.perf_counter()
    order = torch.Generator().manual_seed(seed)
    batches = list(DataLoader(train, BATCH, shuffle=True, num_workers=2, generator=order))
    seconds = time.perf_counter() - start
    synthetic = sum(int(b["synthetic"].sum()) for b in batches)
    shape = " × ".join(str(n) for n in batches[0]["frames"].shape)
    left_out = "; ".join(f"{n}: {why}" for why, n in train.excluded.items()) or "nothing"
    mixed = max(batches, key=lambda b: min(int(b["synthetic"].sum()), BATCH // 2))
    return ReportTable(
        title="Through a DataLoader",
        columns=["batches", "real clips", "synthetic clips", "frames of a batch",
                 "left out of the cache", "seconds"],
        rows=[[len(batches), len(train) - synthetic, synthetic, shape, left_out, seconds]],
        caption=f"A replica of CASME II (its layout and table, {len(data)} clips of made people), "
        f"fold “{fold.name}” of leave-one-subject-out: MicroExpressionSynth(fold.train, ratio=0.5, "
        f"cache=...) in DataLoader(batch_size={BATCH}, num_workers=2). {added} of its clips were "
        "shown on other subjects' faces before and cached, one of them of the person held out: the "
        "wrapper leaves that one out by itself. The picture: the apex of every clip of one batch, "
        "as a network gets it; synthetic clips have the data set's own framing.",
        picture=_batch_picture(mixed),
        picture_says="The apex of every clip of a batch, real or synthetic",
    )  # fmt: skip


def _pregenerate(fold: Fold, folder: Path, *, peak: float, seed: int) -> int:
    """Clips of the fold, and one of the person held out, on other people; returns how many."""
    maker = Synthesizer(size="auto", peak=peak, modulation=Modulation(n="auto"))
    training = [fold.train[i][0] for i in range(len(fold.train))]
    written = 0
    with CacheWriter(folder) as writer:
        for clip in [fold.test[0][0], *training]:
            if written == DRIVEN + 1:
                break
            others = (c for c in training if c.ref.subject != clip.ref.subject)
            written += any(_shown(writer, maker, clip, face, seed) for face in others)
    return written


def _shown(writer: CacheWriter, maker: Synthesizer, driver: Clip, face: Clip, seed: int) -> bool:
    """Whether the clip's expression could be shown on the other clip's face."""
    rng = keyed_generator(seed, "demo", "loader", driver.ref.key)
    try:
        plan = maker.plan(Driver.of(driver), Identity.of(face), rng, seed=seed)
        frames = maker.render([plan])[0]
    except FamaugError:  # cropped so tightly that too little of the face is left
        return False
    _put(writer, plan, frames, maker.engine())
    return True


def _batch_picture(batch: dict[str, object]) -> Picture:
    """The apex of each clip of a batch side by side, with what it is."""
    frames, apex, synthetic = (np.asarray(batch[k]) for k in ("frames", "apex", "synthetic"))
    gap, head = 6, 22
    sheet = Image.new("RGB", (len(frames) * (SIDE + gap) - gap, SIDE + head), PAPER)
    draw = ImageDraw.Draw(sheet)
    for i, (clip, at, made) in enumerate(zip(frames, apex, synthetic, strict=True)):
        x = i * (SIDE + gap)
        centred(draw, x, 3, SIDE, "synthetic" if made else "real", 13)
        sheet.paste(Image.fromarray(clip[max(int(at), 0)]), (x, head))
    return np.asarray(sheet)
